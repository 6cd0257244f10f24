"""`mempool tail`: prints what a run stores, as it comes."""

from __future__ import annotations

import math
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mempool.cli.durations import since_ns
from mempool.errors import StoreError, UsageError

if TYPE_CHECKING:
    import sqlite3

    from mempool.store.events import EventReader

DEFAULT_DB = Path("mempool.sqlite")
DEFAULT_KINDS = ("swap", "outcome", "backrun", "cross_exchange", "triangular", "cex_dex")
POLL_SECONDS = 0.2


def tail_command(
    db: Annotated[Path, typer.Option("--db", metavar="FILE", help="The database.")] = DEFAULT_DB,
    lines: Annotated[
        int | None,
        typer.Option(
            "-n", "--lines", metavar="COUNT", min=0, max=10**9, help="The last so many. Default: 20, or all with --since."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on printing what comes, across restarts of the run.")
    ] = False,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="TIME", help="Only later ones: 30s, 10m, 2h, 7d ago, or a time such as 2026-01-31T12:00."
        ),
    ] = "",
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="swap, outcome, sandwich_exposure, backrun, cross_exchange, triangular, cex_dex, near_miss (what was rejected,"
            " with the reason) or all; may be repeated. Without it all but sandwich_exposure and near_miss.",
        ),
    ] = None,
    where: Annotated[str, typer.Option("--where", metavar="SQL", help="An SQL condition on the columns that --json shows.")] = "",
    min_profit: Annotated[
        float | None, typer.Option("--min-profit", metavar="ETH", help="At least so much profit or exposure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line (schema mempool.tail/1).")] = False,
) -> None:
    """Print the latest swaps with their impact and exposure, the backruns they open, how predictions came out, and what opens
    between order books and pools.

    A finding is printed once, as it stood when it was read. Gaps in the data are printed whatever is filtered: a time without a
    book's price when it has ended, and once before that when it has lasted for ten seconds; those of the past beyond the newest
    twenty in one line together. Where no row matches, stderr says so.

    \b
    Examples:
      mempool tail -f
      mempool tail -n 50 --kind backrun --min-profit 0.01
      mempool tail -f --kind near_miss --where "arbitrage = 'cex_dex' AND rejection = 'gas'"
      mempool tail --where "symbol_out = 'USDC' AND impact > 0.01" --json
    """
    from mempool.store.events import EventFilter, EventReader

    if min_profit is not None and not math.isfinite(min_profit):
        raise UsageError(f"--min-profit: {min_profit} is no amount of ETH")
    wanted = EventFilter(_kinds(kind or []), since_ns(since, time.time_ns()), min_profit, where)
    reader = EventReader(db, wanted)
    try:
        show = _json_printer(reader) if as_json else _line_printer(reader)
        rows = reader.latest(lines if lines is not None or since else 20)
        for row in rows:
            show(row)
        if lines != 0 and all(row["kind"] == "gap" for row in rows):
            asked = "matches" if kind or since or where or min_profit is not None else "of a swap or a finding is there"
            typer.echo(f"{db}: no row {asked}{' yet' if follow else ''}", err=True)
        if follow:
            _follow(reader, show)
    finally:
        reader.close()


def _follow(reader: EventReader, show: Callable[[sqlite3.Row], None]) -> None:
    """Until the reader of our output leaves or a signal comes; a database that is away for a while is waited for."""
    missing = False
    while not _output_closed(POLL_SECONDS):
        stands = _stands(reader.path)
        try:
            rows = reader.newer()
        except StoreError:
            if stands and reader.path.exists():
                raise
            rows = []
        if missing != (missing := not stands):
            typer.echo(f"{reader.path} {'is gone, waiting for it' if missing else 'is back'}", err=True)
        for row in rows:
            show(row)


def _stands(path: Path) -> bool:
    """Whether there is something in it: a database that is being created is empty until all of its schema is there."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _output_closed(seconds: float) -> bool:
    """Wait that long, or until whoever read our output has left."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return bool(poll.poll(seconds * 1000))


def _json_printer(reader: EventReader) -> Callable[[sqlite3.Row], None]:
    import orjson

    from mempool.cli.tail_lines import as_object

    def show(row: sqlite3.Row) -> None:
        sys.stdout.write(orjson.dumps(as_object(row)).decode() + "\n")
        sys.stdout.flush()

    return show


def _line_printer(reader: EventReader) -> Callable[[sqlite3.Row], None]:
    from mempool.cli.console import stdout_console
    from mempool.cli.tail_lines import Lines

    lines = Lines(reader)
    console = stdout_console()

    def show(row: sqlite3.Row) -> None:
        console.print(lines.line(row), soft_wrap=True)
        sys.stdout.flush()

    return show


def _kinds(asked: list[str]) -> tuple[str, ...]:
    from mempool.store.events import KINDS

    names = tuple(name.strip() for each in asked for name in each.split(","))
    for name in names:
        if name not in (*KINDS, "all"):
            raise UsageError(f"--kind: there is no {name!r}; there are {', '.join(KINDS)} and all")
    return KINDS if "all" in names else names or DEFAULT_KINDS
