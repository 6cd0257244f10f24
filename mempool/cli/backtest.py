"""`mempool backtest`: how exact the predictions are on mined blocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.cli.console import stdout_console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from mempool.engine.backtest import Counts, FileCounts
    from mempool.grade.log_account import LogAccount

COLUMNS = ("block", "txs", "swaps", "decoded", "hops", "exact", "explained", "not explained", "not simulated", "reverts")
WIDE = 80
"""A terminal may wrap the rows; a figure that is folded is read as another."""
MISSED_SHOWN = 12


def backtest_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Block files, compressed with gzip or not.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON (schema mempool.backtest/1).")] = False,
) -> None:
    """Play mined blocks as a pending stream and grade every predicted swap.

    A file holds {"block", "receipts", "pre_state"}: eth_getBlockByNumber with full transactions, eth_getBlockReceipts, and the
    accounts' storage before the block. Without pre_state the calls are decoded and counted, but not simulated.

    \b
    Example:
      mempool backtest --json blocks/*.json.gz
    """
    import orjson

    from mempool.engine.backtest import backtest_file, report
    from mempool.resources import load_tables

    tables = load_tables()
    results = [backtest_file(path, tables) for path in files]
    if as_json:
        typer.echo(orjson.dumps(report(results)).decode())
    else:
        print_table(results)


def print_table(results: Sequence[FileCounts]) -> None:
    """One row a file, the total, and what it says in a sentence or two."""
    from mempool.engine.backtest import total

    together = total(each.counts for each in results)
    console = stdout_console()
    console.width = max(console.width, WIDE)
    console.print(table(results, together))
    console.print(sentence(together, len(results)), soft_wrap=True)
    for line in missed_lines(together):
        console.print(line, soft_wrap=True, highlight=False)


def table(results: Sequence[FileCounts], together: Counts) -> Table:
    """Narrow enough for 80 columns."""
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        rows.add_column(column, justify="right", overflow="fold", no_wrap=column == "block")
    for each in results:
        rows.add_row(str(each.block), *figures(each.counts))
    rows.add_section()
    rows.add_row("total", *figures(together), style="bold")
    return rows


def figures(counts: Counts) -> list[str]:
    """The cells behind the block's number, in the order of `COLUMNS`.

    Swaps are decoded/partial/opaque/missed, reverts right/missed/false alarms.
    """
    numbers = [
        counts.transactions,
        counts.swap_transactions,
        counts.hops_decoded,
        counts.hops_exact,
        counts.hops_explained,
        counts.hops_unexplained,
        counts.hops_without_state + counts.hops_without_maths,
    ]
    txs, swaps, *hops = (f"{number:,}" for number in numbers)
    shares = (counts.decoded, counts.partial, counts.opaque, counts.missed)
    return [txs, swaps, "/".join(map(str, shares)), *hops, "/".join(map(str, counts.reverts.values()))]


def sentence(counts: Counts, blocks: int) -> str:
    """The total in words."""
    right, missed, false_alarm = counts.reverts.values()
    share = f" ({100 * counts.hops_exact / counts.hops_simulated:.1f} %)" if counts.hops_simulated else ""
    return (
        f"{blocks:,} block{'s' if blocks != 1 else ''}: of {counts.swap_transactions:,} swap transactions "
        f"{counts.decoded:,} decoded, {counts.partial:,} in part, {counts.opaque:,} opaque, "
        f"{counts.missed:,} missed{in_brackets(counts.missed_by)}.\n"
        f"{log_sentence(counts.logs)}\n"
        f"Of {counts.hops_simulated:,} simulated hops {counts.hops_exact:,} are exact to the wei{share}, "
        f"{counts.hops_explained:,} differ for a proven cause{in_brackets(counts.explained_by)}, "
        f"{counts.hops_unexplained:,} are not explained; "
        f"{counts.hops_without_state:,} more lack the state to be simulated, {counts.hops_without_maths:,} the maths.\n"
        f"Of the calls simulated as a whole or late, {right:,} were rightly expected to revert, "
        f"{missed:,} reverted unexpectedly, {false_alarm:,} did not revert though expected to."
    )


def log_sentence(logs: LogAccount) -> str:
    """What the swap logs say of the decoded paths."""
    may_fail = f", {logs.intents_undone:,} were allowed to fail and left none" if logs.intents_undone else ""
    return (
        f"Of {logs.intents:,} paths {logs.intents_true:,} are in the swap logs, hop by hop{may_fail}, "
        f"{logs.intents_false:,} are not; "
        f"of {logs.logs:,} logs {logs.logs_asked_for:,} were asked for, "
        f"{logs.logs_inside_a_transfer:,} stand inside a token's own transfer, "
        f"{logs.logs_of_a_hidden_part:,} belong to a hidden part, {logs.logs_unexplained:,} are not explained."
    )


def missed_lines(counts: Counts) -> Iterator[str]:
    """The calls that were missed most often; `--json` has them all."""
    calls = sorted(counts.missed_calls.items(), key=lambda item: (-item[1], item[0]))
    if calls:
        yield f"Missed were {len(calls):,} different calls; most often (contract, selector, times):"
    for call, count in calls[:MISSED_SHOWN]:
        yield f"  {call} {count:,}"


def in_brackets(counts: dict[str, int]) -> str:
    """` (one reason 3, another 1)`, the most frequent first; nothing where there is none."""
    parts = [f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items(), key=lambda item: -item[1])]
    return f" ({', '.join(parts)})" if parts else ""
