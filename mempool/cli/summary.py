"""What a run or a replay came to, in words for somebody who sees it for the first time."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mempool.engine.tally import Tally

CAUSES = {
    "moved_ahead": "others had moved the pool first",
    "fee_on_transfer": "a token took a fee on its transfer",
    "moved_inside_transaction": "the transaction itself had moved the pool before",
    "upstream": "the hop before came out otherwise",
    "other_fee": "the pool charges another fee",
    "unexplained": "for no proven cause",
}


def print_summary(tally: Tally, database: Path) -> None:
    """On stdout, a word and a few figures a line."""
    for name, text in summary_lines(tally, database):
        typer.echo(f"{name:<10}  {text}")


def summary_lines(tally: Tally, database: Path) -> Iterator[tuple[str, str]]:
    """`(word, figures)`; a line that continues the one before has no word."""
    counters = tally.counters
    yield "heard", f"{counters.heard:,} pending transactions in {counters.blocks:,} blocks"
    yield "", f"{counters.swaps:,} of them swap, through {len(tally.swaps_by_router):,} routers"
    yield (
        "predicted",
        f"{counters.simulated:,} swaps to the wei before they were mined, {tally.predicted_reverts:,} of them to revert",
    )
    if counters.not_simulated:
        yield "", f"{counters.not_simulated:,} could not be simulated"
    yield from _grades(tally)
    gone = {"replaced by their sender": tally.states["replaced"], "vanished": tally.states["vanished"]}
    if any(gone.values()):
        yield "not mined", _counted(gone)
    yield from _findings(tally)
    program = program_name()
    yield "stored in", f"{database}: see `{program} tail --db {database}` and `{program} grade --db {database}`"


def program_name() -> str:
    """What to type to run this program again: its path where the shell would not find it, as in a `.venv` that is not active."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "mempool" and not shutil.which("mempool") else "mempool"


def _grades(tally: Tally) -> Iterator[tuple[str, str]]:
    graded, exact = sum(tally.causes.values()), tally.causes["exact"]
    if not graded:
        return
    yield "graded", f"{graded:,} hops against the mined blocks: {exact:,} came out as predicted at first sight"
    if graded > exact:
        causes = {CAUSES[cause]: count for cause, count in tally.causes.most_common() if cause in CAUSES}
        yield "", f"{graded - exact:,} did not: {_counted(causes)}"
    if tally.mined_hops:
        yield (
            "",
            f"of the {tally.mined_hops:,} that swapped, {tally.exact_in_block_order:,} are exact at their place in the block",
        )
    if tally.reverts:
        right, missed, false_alarms = (tally.reverts[grade] for grade in ("right", "missed", "false_alarm"))
        yield "reverts", _counted({"foreseen": right, "not foreseen": missed, "foreseen in vain": false_alarms})


def _findings(tally: Tally) -> Iterator[tuple[str, str]]:
    found = tally.findings
    if found["backrun"]:
        yield "found", f"{found['backrun']:,} backruns{_largest(tally, 'backrun')}"
    if found["sandwich_exposure"]:
        largest = _largest(tally, "sandwich_exposure")
        yield ("" if found["backrun"] else "found"), f"{found['sandwich_exposure']:,} sandwich exposures of senders{largest}"
    if found["state_unknown"]:
        yield "", f"{found['state_unknown']:,} whose size depends on ticks that were not loaded"


def _largest(tally: Tally, kind: str) -> str:
    largest = tally.largest_eth.get(kind, 0.0)
    return f", the largest worth {largest:.3g} ETH after gas" if largest > 0 else ""


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
