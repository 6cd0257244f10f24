"""What a run or a replay came to, in words for somebody who sees it for the first time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mempool.engine.tally import Tally


def print_summary(tally: Tally, database: Path) -> None:
    """On stdout; each line is a sentence with its figures."""
    for line in summary_lines(tally, database):
        typer.echo(line)


def summary_lines(tally: Tally, database: Path) -> Iterator[str]:
    counters = tally.counters
    yield (
        f"Heard {counters.heard:,} pending transactions in {counters.blocks:,} blocks; {counters.swaps:,} of them swap through "
        f"{len(tally.swaps_by_router):,} routers{listed(tally.swaps_by_router)}."
    )
    yield (
        f"Predicted {counters.simulated:,} swaps to the wei; {tally.predicted_reverts:,} of them to revert. "
        f"{counters.not_simulated:,} could not be simulated."
    )
    graded = sum(tally.causes.values())
    if graded:
        yield (
            f"Graded {graded:,} hops against the mined blocks: {tally.causes['exact']:,} came out as predicted at first sight, "
            f"{graded - tally.causes['exact']:,} did not{listed({k: v for k, v in tally.causes.items() if k != 'exact'})}."
        )
        yield (
            f"Simulated again in block order, {tally.exact_in_block_order:,} of the {tally.mined_hops:,} hops that were "
            "carried out are exact to the wei."
        )
    if tally.reverts:
        yield f"Reverts predicted{listed(tally.reverts)}."
    if tally.states["replaced"] or tally.states["vanished"]:
        yield f"{tally.states['replaced']:,} transactions were replaced by their sender, {tally.states['vanished']:,} vanished."
    if tally.findings:
        yield f"Found {sum(tally.findings.values()):,} opportunities{listed(tally.findings)}."
    yield f"All of it is in {database}: `mempool tail --db {database}` shows it, `mempool grade --db {database}` grades it."


def listed(counts: Mapping[str, int]) -> str:
    """` (one 3, another 1)`, the most frequent first; nothing where there is none."""
    parts = [f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items(), key=lambda item: -item[1]) if count]
    return f" ({', '.join(parts)})" if parts else ""
