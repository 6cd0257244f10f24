"""`mempool books` without a recording: the venues' books as they are now, as a live table, lines or a stream of objects."""

from __future__ import annotations

import asyncio
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Protocol

from mempool.cli.books_stream import best_object, plain_lines, quote_object, state_object
from mempool.cli.books_table import screen
from mempool.cli.console import stdout_console
from mempool.cli.end_codes import INTERRUPTED, TERMINATED
from mempool.cli.event_loop import event_loop_run
from mempool.engine.book_gaps import BookGaps
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.errors import UpstreamError
from mempool.exchanges.events import Fault
from mempool.feeds.connection import first_end
from mempool.model.book import Instrument, Quote
from mempool.model.record import BookGap

if TYPE_CHECKING:
    from mempool.feeds.venue import News

REFRESH_SECONDS = 0.25
PLAIN_SECONDS = 1.0
ONCE_SECONDS = 15.0
"""What `--once` waits for at most, until every book is priced."""


class Printer(Protocol):
    """Shows the books in one form; every method may raise `BrokenPipeError`."""

    def hear(self, venue: str, event: News) -> None: ...

    def refresh(self, books: LiveBooks, now_ns: int) -> None: ...

    def frame(self) -> AbstractContextManager[object]: ...


class Stopped(Exception):
    """The end was asked for, or has come."""


def live_books(options: BooksOptions, *, as_json: bool, once: bool) -> int:
    """Run until a signal, a closed pipe or, with `once`, until every book is known. Returns the exit code.

    Raises `UsageError` on unknown venues and pairs, with `once` `UpstreamError` where no venue was reached.
    """
    printer: Printer = JsonPrinter() if as_json else TablePrinter() if sys.stdout.isatty() else LinePrinter()
    books = LiveBooks(options, printer.hear if not once else ignore)
    code = carry_out(books, printer if not once else None)
    if code:
        return code
    if once and not books.was_reached:
        reasons = "; ".join(f"{feed.name}: {feed.trouble or 'no answer in time'}" for feed in books.feeds)
        raise UpstreamError(f"no exchange could be reached: {reasons}")
    if once:
        show_once(books, as_json=as_json)
    return 0


def carry_out(books: LiveBooks, printer: Printer | None, seconds: float = 0.0) -> int:
    """Run until a signal or a closed pipe, or for so long; without a printer until every book is known. The exit code."""
    received: list[int] = []
    with printer.frame() if printer is not None else nullcontext():
        event_loop_run(_follow(books, printer, seconds, received))
    if received:
        return TERMINATED if signal.SIGTERM in received else INTERRUPTED
    return 0


def ignore(venue: str, event: News) -> None:
    """With `--once` only the end counts."""


async def _follow(books: LiveBooks, printer: Printer | None, seconds: float, received: list[int]) -> None:
    """Until a signal or a closed pipe, or for so long; without a printer until every book is priced, or it has taken too long."""
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        if received:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        received.append(number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    if seconds:
        loop.call_later(seconds, stop.set)
    watch = _until_known(books) if printer is None else _refresh(books, printer)
    with suppress(Stopped):
        await first_end(books.run(), _end_with(watch, books), _end_with(stop.wait(), books))


async def _end_with(work: Awaitable[object], books: LiveBooks) -> None:
    """Its end is the end of all, and what is known then stays."""
    try:
        await work
    finally:
        books.freeze()
    raise Stopped


async def _refresh(books: LiveBooks, printer: Printer) -> None:
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    while not poll.poll(0):
        printer.refresh(books, time.time_ns())
        await asyncio.sleep(REFRESH_SECONDS)
    raise BrokenPipeError


async def _until_known(books: LiveBooks) -> None:
    deadline = time.monotonic() + ONCE_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(REFRESH_SECONDS / 5)
        if books.feeds and all(feed.connections or feed.trouble for feed in books.feeds):
            reached = {feed.name for feed in books.feeds if feed.connections}
            if all(row.is_settled or row.instrument.venue not in reached for row in books.rows.values()):
                return


def show_once(books: LiveBooks, *, as_json: bool) -> None:
    now_ns = time.time_ns()
    if not as_json and sys.stdout.isatty():
        console = stdout_console()
        console.print(screen(books, now_ns, console.width))
        return
    if not as_json:
        for line in plain_lines(books, books.rows.values(), now_ns):
            sys.stdout.write(line + "\n")
        return
    for row in books.rows.values():
        write_object(state_object(row.instrument, row.state))
        if row.quote is not None:
            write_object(quote_object(row.quote))
    for best in books.consolidated(now_ns):
        write_object(best_object(best))


class JsonPrinter:
    """Every quote and state change as it is heard, the best over the venues when it has changed."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Any, ...]] = {}

    def hear(self, venue: str, event: News) -> None:
        if isinstance(event, Quote):
            write_object(quote_object(event))
        elif not isinstance(event, Fault):
            write_object(state_object(event.instrument, event.state))

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        for best in books.consolidated(now_ns):
            said = (best.bid, best.ask, best.market, [each.instrument for each in best.left_out])
            if self._told.get(best.pair) != said:
                self._told[best.pair] = said
                write_object(best_object(best))

    def frame(self) -> AbstractContextManager[object]:
        return nullcontext()


class LinePrinter:
    """For a file or a pipe: what has changed, at most once a second."""

    def __init__(self) -> None:
        self._changed: dict[object, None] = {}
        self._printed_at = 0.0

    def hear(self, venue: str, event: News) -> None:
        if not isinstance(event, Fault):
            self._changed[event.instrument] = None

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        if not self._changed or time.monotonic() - self._printed_at < PLAIN_SECONDS:
            return
        self._printed_at = time.monotonic()
        rows = [row for instrument, row in books.rows.items() if instrument in self._changed]
        self._changed.clear()
        for line in plain_lines(books, rows, now_ns):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def frame(self) -> AbstractContextManager[object]:
        return nullcontext()


class GapCounts:
    """How often a book has lost its price, or a message could not be used, since the start: what `books gaps` lists of a run."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last_number = 0
        self._gaps = BookGaps(self._count)
        self.hear = self._gaps.hear

    def of(self, instrument: Instrument) -> int:
        """What concerned the whole connection concerned this book too."""
        return self._counts[instrument.venue, instrument.symbol] + self._counts[instrument.venue, ""]

    def _count(self, gap: BookGap) -> None:
        """A gap is told again when it ends."""
        if gap.number > self._last_number:
            self._last_number = gap.number
            self._counts[gap.venue, gap.symbol] += 1


class TablePrinter:
    """The table on a terminal, drawn over itself four times a second."""

    def __init__(self) -> None:
        from rich.live import Live

        self._live = Live(console=stdout_console(), auto_refresh=False)
        self._gaps = GapCounts()

    def hear(self, venue: str, event: News) -> None:
        """The next refresh shows it."""
        self._gaps.hear(venue, event)

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        self._live.update(screen(books, now_ns, self._live.console.width, self._gaps.of), refresh=True)

    def frame(self) -> AbstractContextManager[object]:
        return self._live


def write_object(line: dict[str, Any]) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()
