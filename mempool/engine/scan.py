"""The books alone, for what opens between them: live, or from a capture."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mempool.books.money import FeesPips
from mempool.engine.books_capture import BooksReplay, books_of
from mempool.engine.books_live import BooksOptions, LiveBooks, followed_books
from mempool.engine.counters import Counters
from mempool.engine.desk import Desk, DeskOptions
from mempool.errors import CaptureError
from mempool.feeds.capture import CaptureReader
from mempool.model.record import ArbitrageEnded, ArbitrageFound, Record

Finding = ArbitrageFound | ArbitrageEnded
OnFinding = Callable[[Finding], None]


class Scan(Struct, frozen=True):
    """What a scan has looked at, and what it has counted."""

    desk: Desk
    counters: Counters


def live_scan(options: BooksOptions, terms: DeskOptions, on_finding: OnFinding) -> tuple[LiveBooks, Scan]:
    """Books that are not running yet. Raises `UsageError` on unknown venues and pairs."""
    counters, books = Counters(), followed_books(options)
    desk = Desk(books, _findings_only(on_finding), terms, counters)
    return LiveBooks(options, desk.hear, None, books), Scan(desk, counters)


def scan_capture(path: Path, fees: FeesPips, terms: DeskOptions, on_finding: OnFinding) -> Scan:
    """Play a capture's books to their end, held to the `terms`; a fee that these lack is the recorded one, else of `fees`.

    Raises `UsageError` where the file cannot be opened, `CaptureError` where it is none, or holds no books.
    """
    with closing(CaptureReader(str(path))) as reader:
        followed = books_of(reader.header.about)
        if followed is None:
            raise CaptureError(str(path), 1, "it holds no order books: record with `books --record` or `run --exchange`")
        counters = Counters()
        options = replace(terms, fees={**fees, **followed[1].fees, **terms.fees})
        desk = Desk(followed[0], _findings_only(on_finding), options, counters)
        replay = BooksReplay(desk, reader.header.about)
        for entry in reader:
            replay.play(entry)
        desk.end(desk.now_ns)
    return Scan(desk, counters)


def _findings_only(on_finding: OnFinding) -> Callable[[Record], None]:
    def emit(record: Record) -> None:
        if isinstance(record, Finding):
            on_finding(record)

    return emit
