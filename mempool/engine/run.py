"""A live run: nodes, engine and store together, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from mempool import __version__
from mempool.decode import DecodeTables
from mempool.engine.books_capture import END, about_books
from mempool.engine.books_live import BooksOptions, LiveBooks, followed_books
from mempool.engine.core import Engine, EngineOptions
from mempool.engine.counters import Counters
from mempool.engine.desk import Desk, DeskOptions
from mempool.engine.listener import Listener
from mempool.engine.restart import left_pending
from mempool.engine.tally import Tally
from mempool.engine.turns import LiveTurns
from mempool.feeds.capture import CaptureWriter
from mempool.feeds.chain_reads import ChainReads
from mempool.feeds.connection import first_end
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.group import FeedGroup
from mempool.feeds.node import FeedOptions, NodeFeed
from mempool.feeds.targets import Targets
from mempool.model.record import Record, RunCounters, RunEnd, RunStart
from mempool.store.listed import listed_records
from mempool.store.writer import Store, StoreOptions

STATUS_SECONDS = 0.5
COUNTERS_SECONDS = 10.0


class RunOptions(Struct, frozen=True, kw_only=True):
    """What a run listens to, where its rows go, and the file that gets all that is heard.

    Nodes, order books, or both: `desk` says what findings between books and pools are held to.
    """

    endpoints: Sequence[Endpoint]
    tables: DecodeTables
    database: Path
    books: BooksOptions | None = None
    desk: DeskOptions = DeskOptions({})
    engine: EngineOptions = EngineOptions()
    store: StoreOptions = StoreOptions()
    record: Path | None = None


class Status(Struct, frozen=True):
    """What the live line shows. `head_age_seconds` counts from the head's own timestamp."""

    counters: Counters
    waiting: int
    head_number: int | None
    head_age_seconds: float
    books: tuple[int, int] | None
    """How many of the followed books are priced, and how many there are; None where none are followed."""
    trouble: str
    """Why nothing is being stored, or empty."""


class LiveRun:
    """`run` listens until `stop` is set, then drains the store. Everything in it lives on one event loop."""

    def __init__(self, options: RunOptions, show: Callable[[Status], None], warn: Callable[[str], None]) -> None:
        """Raises `UsageError` on unknown exchanges and pairs, and on a server that is no address."""
        self.stop = asyncio.Event()
        self.tally = Tally()
        self._options, self._show, self._warn = options, show, warn
        self._followed = None if options.books is None else followed_books(options.books)
        self._names = tuple(f"node-{number}" for number, _ in enumerate(options.endpoints, 1))

    async def run(self) -> Tally:
        """Raises `StoreError`, and `UpstreamError` where a node cannot be reached at first or is on another chain."""
        started_ns, options = time.time_ns(), self._options
        chain = options.tables.chain
        run = RunStart(started_ns, __version__, chain.chain_id, self._names)
        capture = None
        if options.record is not None:
            about = {"sources": " ".join(self._names), **(about_books(self._followed, options.desk) if self._followed else {})}
            capture = CaptureWriter(str(options.record), chain_id=chain.chain_id, started_ns=started_ns, about=about)
        with contextlib.closing(capture) if capture is not None else contextlib.nullcontext():
            store = await Store.open(options.database, run, options.store, self._warn)
            end = RunEnd.FAILED
            try:
                await self._listen(store, capture)
                end = RunEnd.SIGNAL
            finally:
                await store.close(end, time.time_ns())
        return self.tally

    async def _listen(self, store: Store, capture: CaptureWriter | None) -> None:
        """Until `stop` is set, or what cannot go on raises."""
        options = self._options

        def emit(record: Record) -> None:
            self.tally.note(record)
            store.put(record)

        engine = self._engine(emit)
        desk = self._desk(emit, engine)
        books = None if desk is None or options.books is None else LiveBooks(options.books, desk.hear, capture, desk.books)
        listener = Listener(engine, emit, LiveTurns(capture))
        feeds = self._feeds(listener, capture)
        reads = ChainReads(feeds.request)
        if self._names:
            reads.load()  # nothing is heard yet that would wait for it
        with contextlib.suppress(_Stopped):
            await first_end(
                listener.run(feeds.request, reads),
                feeds.run(),
                *([books.run()] if books is not None else ()),
                self._announce(feeds, books),
                self._watch(engine, feeds, books, store, capture),
                self._wait_for_stop(partial(_end_books, desk, books, capture)),
            )
        self._count(engine, feeds, store)
        emit(RunCounters(engine.counters.as_dict()))

    def _engine(self, emit: Callable[[Record], None]) -> Engine:
        """It knows what is listed, and follows on what an earlier run left pending."""
        options = self._options
        engine = Engine(options.tables, emit, options.engine)
        for record in listed_records(options.tables.chain):
            emit(record)
        if self._names:
            engine.restore(left_pending(options.database, self._names[0]))
        return engine

    def _feeds(self, listener: Listener, capture: CaptureWriter | None) -> FeedGroup:
        tables, endpoints = self._options.tables, self._options.endpoints
        options = FeedOptions(chain_id=tables.chain.chain_id, targets=targets_of(tables), capture=capture)
        named = zip(endpoints, self._names, strict=True)
        return FeedGroup([NodeFeed(endpoint, name, listener.handle, options) for endpoint, name in named])

    def _desk(self, emit: Callable[[Record], None], engine: Engine) -> Desk | None:
        """What hears the followed books, and what the engine holds swaps against."""
        if self._followed is None:
            return None
        desk = Desk(self._followed, emit, self._options.desk, engine.counters)
        engine.compare_with(desk)
        return desk

    async def _announce(self, feeds: FeedGroup, books: LiveBooks | None) -> None:
        await feeds.wait_ready()
        heard = [*map(str, self._options.endpoints), *(venue.name for venue in (books.books.venues if books else ()))]
        self._warn(f"listening to {', '.join(heard)}; rows go to {self._options.database}; Ctrl-C ends")

    async def _wait_for_stop(self, end_books: Callable[[], None]) -> None:
        await self.stop.wait()
        end_books()
        raise _Stopped

    async def _watch(
        self, engine: Engine, feeds: FeedGroup, books: LiveBooks | None, store: Store, capture: CaptureWriter | None
    ) -> None:
        """Show the status, and now and then store the counters."""
        stored_at = time.monotonic()
        stood: dict[str, bool] = {}
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            self._count(engine, feeds, store)
            for remark in (*connection_remarks(feeds, stood), *venue_remarks(books, stood), *capture_remarks(capture, stood)):
                self._warn(remark)
            self._show(_status(engine, books, store))
            if time.monotonic() - stored_at >= COUNTERS_SECONDS:
                stored_at = time.monotonic()
                store.put(RunCounters(engine.counters.as_dict()))

    def _count(self, engine: Engine, feeds: FeedGroup, store: Store) -> None:
        """Take over what the feeds and the store count themselves."""
        counters = engine.counters
        counters.seen, counters.foreign = feeds.seen, feeds.foreign
        counters.waiting_dropped = engine.waits.dropped + engine.name_waits.dropped
        counters.store_dropped = store.dropped
        self.tally.counters = counters


def _end_books(desk: Desk | None, books: LiveBooks | None, capture: CaptureWriter | None) -> None:
    """What the connections say while they are closed is no news."""
    if desk is None or books is None:
        return
    now_ns = time.time_ns()
    books.freeze()
    desk.end(now_ns)
    if capture is not None:
        capture.mark(now_ns, END, "")


class _Stopped(Exception):
    """The run was told to stop."""


def targets_of(tables: DecodeTables) -> Targets:
    """The transactions that are decoded."""
    return Targets.of(tables.routers, tables.anywhere)


def connection_remarks(feeds: FeedGroup, stood: dict[str, bool]) -> Iterator[str]:
    """A line for each node that was lost or came back since the last look; `stood` remembers that look."""
    for feed in feeds.feeds:
        stands, before = feed.ready.is_set(), stood.get(feed.name)
        if before is not None and stands != before:
            yield f"{feed.endpoint}: {'connected again' if stands else 'the connection is lost, trying again'}"
        if stands or before is not None:
            stood[feed.name] = stands


def venue_remarks(books: LiveBooks | None, stood: dict[str, bool]) -> Iterator[str]:
    """The same for the exchanges; one that was never reached is told of once."""
    for feed in books.feeds if books is not None else ():
        stands, before = feed.stands, stood.get(feed.name)
        if stands != before and (before is not None or feed.trouble):
            yield f"{feed.name}: {'connected again' if stands else f'{feed.trouble}, trying again'}"
        if stands or feed.trouble:
            stood[feed.name] = stands


def capture_remarks(capture: CaptureWriter | None, stood: dict[str, bool]) -> Iterator[str]:
    """A line, once, where the capture could not be written on."""
    if capture is not None and capture.failure and stood.get(capture.path, True):
        stood[capture.path] = False
        yield f"{capture.path} cannot be written on: {capture.failure}; the run goes on without it"


def _status(engine: Engine, books: LiveBooks | None, store: Store) -> Status:
    head = engine.head
    return Status(
        counters=engine.counters,
        waiting=len(engine.waits) + len(engine.name_waits),
        head_number=head.number if head else None,
        head_age_seconds=time.time() - head.timestamp if head else 0.0,
        books=None if books is None else (len(books.books.quotes), len(books.rows)),
        trouble=store.trouble,
    )
