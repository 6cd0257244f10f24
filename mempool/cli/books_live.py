"""`mempool books` without a recording: the venues' books as they are now, as a live table, lines or a stream of objects."""

from __future__ import annotations

import asyncio
import select
import sys
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import AbstractContextManager, nullcontext, suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import typer

from mempool.cli.books_stream import best_object, plain_lines, quote_object, state_object
from mempool.cli.books_table import screen
from mempool.cli.console import stdout_console
from mempool.cli.event_loop import event_loop_run
from mempool.cli.signals import end_code, heed_signals
from mempool.engine.book_gaps import BookGaps
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.engine.books_look import market_looks
from mempool.errors import UpstreamError
from mempool.exchanges.events import Fault
from mempool.feeds.connection import first_end
from mempool.model.book import Instrument, Quote
from mempool.model.record import BookGap

if TYPE_CHECKING:
    from mempool.feeds.venue import News

REFRESH_SECONDS = 0.25
PAUSE_PER_REFRESH = 4
"""So many times as long as a refresh took is listened before the next: many deep books are walked more rarely."""
PLAIN_SECONDS = 1.0
ONCE_SECONDS = 15.0
"""What `--once` waits for at most, until every book is priced."""


class Printer(Protocol):
    """Shows the books in one form; every method may raise `BrokenPipeError`."""

    def hear(self, venue: str, event: News) -> None: ...

    def refresh(self, books: LiveBooks, now_ns: int) -> None: ...

    def remark(self, text: str) -> None:
        """One line on stderr."""
        typer.echo(text, err=True)

    def frame(self) -> AbstractContextManager[object]: ...


class Stopped(Exception):
    """The end was asked for, or has come."""


def live_books(options: BooksOptions, size: Fraction | None, *, as_json: bool, once: bool) -> int:
    """Run until a signal, a closed pipe or, with `once`, until every book is known. Returns the exit code.

    `size` is what a sale and a purchase are worked out for, of each pair's base asset.
    Raises `UsageError` on unknown venues and pairs, with `once` `UpstreamError` where no venue was reached.
    """
    if not once:
        printer: Printer = JsonPrinter(size) if as_json else TablePrinter(size) if sys.stdout.isatty() else LinePrinter(size)
        return carry_out(LiveBooks(options, printer.hear), printer)
    books = LiveBooks(options, ignore)
    code = _run(books, _show_when_known(books, size, as_json=as_json))
    if not code and not books.was_reached:
        reasons = "; ".join(f"{feed.name}: {feed.trouble or 'no answer in time'}" for feed in books.feeds)
        raise UpstreamError(f"no exchange could be reached: {reasons}")
    return code


def carry_out(books: LiveBooks, printer: Printer, seconds: float = 0.0) -> int:
    """Run until a signal or a closed pipe, or for so long. The exit code."""
    with printer.frame():
        return _run(books, _refresh(books, printer), seconds)


def ignore(venue: str, event: News) -> None:
    """With `--once` only the end counts."""


def _run(books: LiveBooks, watch: Awaitable[None], seconds: float = 0.0) -> int:
    """Listen until a signal, or until `watch` has ended, or for so long. The exit code."""

    async def follow() -> int:
        stop = asyncio.Event()
        received = heed_signals(stop.set)
        if seconds:
            asyncio.get_running_loop().call_later(seconds, stop.set)
        with suppress(Stopped):
            await first_end(books.run(), _end_with(watch, books), _end_with(stop.wait(), books))
        return end_code(received)

    return event_loop_run(follow())


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
    was_told = False
    while not poll.poll(0):
        started_at = time.monotonic()
        if books.unrecorded and not was_told:
            was_told = True
            printer.remark(f"{books.unrecorded}; the books are followed on without it")
        printer.refresh(books, time.time_ns())
        await asyncio.sleep(max(REFRESH_SECONDS, PAUSE_PER_REFRESH * (time.monotonic() - started_at)))
    raise BrokenPipeError


async def _show_when_known(books: LiveBooks, size: Fraction | None, *, as_json: bool) -> None:
    """While the connections stand, since their ends void the books."""
    await _until_known(books)
    if books.was_reached:
        show_once(books, size, as_json=as_json)


async def _until_known(books: LiveBooks) -> None:
    deadline = time.monotonic() + ONCE_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(REFRESH_SECONDS / 5)
        if books.feeds and all(feed.connections or feed.trouble for feed in books.feeds):
            reached = {feed.name for feed in books.feeds if feed.connections}
            if all(row.is_settled or row.instrument.venue not in reached for row in books.rows.values()):
                return


def show_once(books: LiveBooks, size: Fraction | None, *, as_json: bool) -> None:
    now_ns = time.time_ns()
    looks = market_looks(books.books, now_ns, size)
    if not as_json and sys.stdout.isatty():
        console = stdout_console()
        console.print(screen(books, looks, now_ns, console.width))
        return
    if not as_json:
        for line in plain_lines(looks, books.rows.values()):
            sys.stdout.write(line + "\n")
        return
    for row in books.rows.values():
        write_object(state_object(row.instrument, row.state))
        if row.quote is not None:
            write_object(quote_object(row.quote))
    for look in looks:
        write_object(best_object(look))


class JsonPrinter(Printer):
    """Every quote and state change as it is heard, the best over the venues or what the size comes to when it has changed."""

    def __init__(self, size: Fraction | None) -> None:
        self._size = size
        self._told: dict[str, tuple[Any, ...]] = {}

    def hear(self, venue: str, event: News) -> None:
        if isinstance(event, Quote):
            write_object(quote_object(event))
        elif not isinstance(event, Fault):
            write_object(state_object(event.instrument, event.state))

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        for look in market_looks(books.books, now_ns, self._size):
            best, net = look.best, look.after_fees
            left_out = [each.instrument for each in best.left_out]
            said = (best.bid, best.ask, best.market, left_out, net.bid, net.ask, look.sized)
            if self._told.get(best.pair) != said:
                self._told[best.pair] = said
                write_object(best_object(look))

    def frame(self) -> AbstractContextManager[object]:
        return nullcontext()


class LinePrinter(Printer):
    """For a file or a pipe: what has changed, at most once a second."""

    def __init__(self, size: Fraction | None) -> None:
        self._size = size
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
        for line in plain_lines(market_looks(books.books, now_ns, self._size), rows):
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


class TablePrinter(Printer):
    """The table on a terminal, drawn over itself four times a second."""

    def __init__(self, size: Fraction | None) -> None:
        from rich.live import Live

        self._size = size
        self._live = Live(console=stdout_console(), auto_refresh=False)
        self._gaps = GapCounts()

    def hear(self, venue: str, event: News) -> None:
        """The next refresh shows it."""
        self._gaps.hear(venue, event)

    def refresh(self, books: LiveBooks, now_ns: int) -> None:
        looks = market_looks(books.books, now_ns, self._size)
        self._live.update(screen(books, looks, now_ns, self._live.console.width, self._gaps.of), refresh=True)

    def frame(self) -> AbstractContextManager[object]:
        return self._live


def write_object(line: dict[str, Any]) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()
