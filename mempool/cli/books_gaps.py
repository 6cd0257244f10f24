"""`mempool books gaps`: every time in which a book had no price after it had one, and every message that could not be used."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mempool.cli.durations import lasted_text, since_ns
from mempool.cli.tail import DEFAULT_DB
from mempool.errors import UsageError
from mempool.model.display import display

if TYPE_CHECKING:
    from rich.text import Text

    from mempool.exchanges import Exchange
    from mempool.store.stored_gaps import StoredGap

SCHEMA = "mempool.gaps/1"


def gaps_command(
    db: Annotated[Path, typer.Option("--db", metavar="FILE", help="The database.")] = DEFAULT_DB,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="TIME", help="Only later ones: 30s, 10m, 2h, 7d ago, or a time such as 2026-01-31T12:00."
        ),
    ] = "",
    exchange: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this exchange's, or that of the recording; may be repeated.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Those of a recording of frames, in place of a database.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line (schema mempool.gaps/1).")] = False,
) -> None:
    """Print every gap of the order books, oldest first: where, what happened, for how long there was no price, and why.

    A gap begins when a book that had a price loses it, and ends when the book is proven again. A message that could not be used
    but cost no price is told as well. How many there were of each kind is said last, on stderr.

    \b
    Examples:
      mempool books gaps --since 1h
      mempool books gaps --exchange kraken --json
      mempool books gaps --replay kraken.txt.gz --exchange kraken
    """
    oldest_ns = since_ns(since, time.time_ns())
    from mempool.engine.books_followed import venue_of
    from mempool.exchanges import EXCHANGES

    venues = [venue_of(name) for name in exchange or []]
    if replay is None:
        print_stored(db, oldest_ns, venues, as_json=as_json)
        return
    if len(venues) != 1:
        raise UsageError(f"a recording is of one exchange: give --exchange once, of {', '.join(EXCHANGES)}")
    print_gaps((each for each in recorded_gaps(replay, venues[0]) if each.until_ns >= oldest_ns), as_json=as_json)


def print_stored(db: Path, oldest_ns: int, venues: list[Exchange], *, as_json: bool) -> None:
    from mempool.store.reader import open_reader
    from mempool.store.stored_gaps import has_books, stored_gaps

    with closing(open_reader(db)) as connection:
        if not has_books(connection):
            typer.echo(f"{db} holds no order books: follow some with `mempool run --exchange NAME`", err=True)
            return
        print_gaps(stored_gaps(connection, db, oldest_ns, [venue.name for venue in venues]), as_json=as_json)


def recorded_gaps(file: Path, venue: Exchange) -> list[StoredGap]:
    """What a run would have stored of these frames."""
    from mempool.engine.books_replay import replay_gaps
    from mempool.feeds.frame_file import read_frames
    from mempool.store.stored_gaps import StoredGap

    gaps, heard_until_ns = replay_gaps(venue, read_frames(file, venue.limits.max_frame_bytes))
    return [StoredGap(1, gap, heard_until_ns if gap.to_ns is None else gap.to_ns) for gap in gaps]


def print_gaps(gaps: Iterable[StoredGap], *, as_json: bool) -> None:
    """As they are read; the summary where people read them."""
    summary: dict[tuple[str, str], list[int]] = {}
    show = show_object if as_json else line_printer()
    for each in gaps:
        summary.setdefault((each.gap.venue, each.gap.kind), []).append(each.lasted_ns)
        show(each)
    if not as_json:
        sys.stdout.flush()
        for line in summary_lines(summary):
            typer.echo(line, err=True)


def show_object(each: StoredGap) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(gap_object(each)).decode() + "\n")


def gap_object(each: StoredGap) -> dict[str, Any]:
    """A line of the stream. `to_ns` is null where no end is known, and `lasted_ns` then the least that it lasted."""
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(each.gap)
    return {"schema": SCHEMA, "run": each.run_id, **facts, "lasted_ns": each.lasted_ns}


def line_printer() -> Callable[[StoredGap], None]:
    from mempool.cli.console import stdout_console

    console = stdout_console()
    return lambda each: console.print(gap_line(each), soft_wrap=True)


def gap_line(each: StoredGap) -> Text:
    """`2026-01-31 12:00:00.250  kraken ETH/USD  mismatch  250 ms  <reason>`; the time is the reader's own."""
    from rich.text import Text

    gap = each.gap
    where = display(f"{gap.venue} {gap.symbol}".rstrip(), 60)
    line = Text.assemble((time_text(gap.from_ns), "dim"), f"  {where}  ")
    line.append(display(gap.kind), "yellow" if gap.to_ns == gap.from_ns else "red")
    return line.append(f"  {lasted(each)}  {display(gap.reason, 200)}".rstrip())


def lasted(each: StoredGap) -> str:
    """For how long there was no price."""
    if each.gap.to_ns == each.gap.from_ns:
        return "no price lost"
    return lasted_text(each.lasted_ns) if each.gap.to_ns is not None else f"at least {lasted_text(each.lasted_ns)}"


def time_text(ns: int) -> str:
    """A recording's frames may have no stamp."""
    if not ns:
        return "no time"
    return datetime.fromtimestamp(ns / 1e9).astimezone().isoformat(" ", "milliseconds")[:23]


def summary_lines(lasted_ns: Mapping[tuple[str, str], Sequence[int]]) -> Iterator[str]:
    """How many there were and how much time they took together, then a line for each venue and kind."""
    total = [each for several in lasted_ns.values() for each in several]
    yield f"{len(total):,} gap{'s' if len(total) > 1 else ''}, {lasted_text(sum(total))} without a price" if total else "no gaps"
    width = max((len(display(f"{venue} {kind}", 60)) for venue, kind in lasted_ns), default=0)
    for (venue, kind), several in sorted(lasted_ns.items()):
        took = f", {lasted_text(sum(several))}, the longest {lasted_text(max(several))}" if any(several) else ", no price lost"
        yield f"  {display(f'{venue} {kind}', 60):<{width}}  {len(several):,}{took}"
