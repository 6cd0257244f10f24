"""What a run or a replay came to, in words for somebody who sees it for the first time."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mempool.engine.book_tally import BookTally
    from mempool.engine.tally import Tally

CAUSES = {
    "moved_ahead": "others had moved the pool first",
    "fee_on_transfer": "a token took a fee on its transfer",
    "moved_inside_transaction": "the transaction itself had moved the pool before",
    "upstream": "the hop before came out otherwise",
    "other_fee": "the pool charges another fee",
    "unexplained": "for no proven cause",
}

BOOK_KINDS = {
    "cex_dex": ("between a pool and exchanges", "fees and gas"),
    "cross_exchange": ("between exchanges", "fees"),
    "triangular": ("around one exchange", "fees"),
}
"""What the findings are called, and what their profit is after."""
REJECTIONS = {
    "fees": "cost more in fees",
    "gas": "cost more in gas",
    "stale": "rest on a book that was silent",
    "skew": "did not last long enough to be sure",
}


def print_summary(tally: Tally, database: Path) -> None:
    """On stdout, a word and a few figures a line."""
    for name, text in summary_lines(tally, database):
        typer.echo(f"{name:<10}  {text}")


def summary_lines(tally: Tally, database: Path) -> Iterator[tuple[str, str]]:
    """`(word, figures)`; a line that continues the one before has no word."""
    if tally.counters.heard or tally.books.is_empty:
        yield from _heard(tally)
    yield from _grades(tally)
    gone = {"replaced by their sender": tally.states["replaced"], "vanished": tally.states["vanished"]}
    if any(gone.values()):
        yield "not mined", _counted(gone)
    yield from _books(tally.books)
    yield from _findings(tally)
    program = program_name()
    yield "stored in", f"{database}: see `{program} tail --db {database}` and `{program} grade --db {database}`"


def program_name() -> str:
    """What to type to run this program again: its path where the shell would not find it, as in a `.venv` that is not active."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "mempool" and not shutil.which("mempool") else "mempool"


def _heard(tally: Tally) -> Iterator[tuple[str, str]]:
    counters = tally.counters
    yield "heard", f"{counters.heard:,} pending transactions in {counters.blocks:,} blocks"
    yield "", f"{counters.swaps:,} of them swap, through {len(tally.swaps_by_router):,} routers"
    yield (
        "predicted",
        f"{counters.simulated:,} swaps to the wei before they were mined, {tally.predicted_reverts:,} of them to revert",
    )
    if counters.not_simulated:
        yield "", f"{counters.not_simulated:,} could not be simulated"


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


def _books(tally: BookTally) -> Iterator[tuple[str, str]]:
    if tally.is_empty:
        return
    yield "books", f"{tally.quotes:,} quotes of {len(tally.books):,} order books stored"
    times = "time" if tally.lost == 1 else "times"
    troubles = {f"{times} a book lost its price": tally.lost, "messages that could not be used": tally.faults}
    if any(troubles.values()):
        yield "", _counted(troubles)


def _findings(tally: Tally) -> Iterator[tuple[str, str]]:
    for position, text in enumerate((*_found_in_pools(tally), *_found_in_books(tally.books), *_below_minimum(tally))):
        yield ("" if position else "found"), text


def _found_in_pools(tally: Tally) -> Iterator[str]:
    found = tally.findings
    if found["backrun"]:
        yield f"{found['backrun']:,} backruns{_largest(tally.largest_eth, 'backrun', 'gas')}"
    if found["sandwich_exposure"]:
        largest = _largest(tally.largest_eth, "sandwich_exposure", "gas")
        yield f"{found['sandwich_exposure']:,} sandwich exposures of senders{largest}"
    if found["state_unknown"]:
        yield f"{found['state_unknown']:,} whose size depends on ticks that were not loaded"


def _found_in_books(tally: BookTally) -> Iterator[str]:
    for kind, (name, costs) in BOOK_KINDS.items():
        if tally.findings[kind]:
            yield f"{tally.findings[kind]:,} {name}{_largest(tally.largest_eth, kind, costs)}"
    if near_misses := tally.near_misses.total():
        reasons = {REJECTIONS.get(word, word): count for word, count in tally.near_misses.most_common()}
        yield f"{near_misses:,} near misses: {_counted(reasons)}"


def _below_minimum(tally: Tally) -> Iterator[str]:
    if below := tally.counters.below_minimum:
        yield f"{below:,} below the least profit, not stored"


def _largest(largest_eth: dict[str, float], kind: str, costs: str) -> str:
    largest = largest_eth.get(kind, 0.0)
    return f", the largest worth {largest:.3g} ETH after {costs}" if largest > 0 else ""


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
