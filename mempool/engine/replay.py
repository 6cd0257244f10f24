"""A capture through the same engine: the rows of the run that recorded it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mempool import __version__
from mempool.decode import DecodeTables
from mempool.engine.books_capture import BooksReplay, books_of, passes_over_books
from mempool.engine.core import Engine, EngineOptions
from mempool.engine.desk import Desk
from mempool.engine.listener import Listener
from mempool.engine.run import targets_of
from mempool.engine.tally import Tally
from mempool.engine.turns import ReplayTurns
from mempool.errors import WrongChain
from mempool.feeds.capture import CaptureReader
from mempool.feeds.chain_reads import ChainReads
from mempool.feeds.connection import first_end
from mempool.feeds.replay import ReplayFeed, ReplayOptions
from mempool.model.record import Record, RunCounters, RunEnd, RunStart
from mempool.resources import load_tables, load_taker_fees
from mempool.store.listed import listed_records
from mempool.store.writer import Store, StoreOptions

MAX_WAITING_RECORDS = 10_000
BOOKS_ALONE = 0
"""The chain of a capture without a node."""


class ReplaySummary(Struct, frozen=True):
    """What a replay came to."""

    tally: Tally
    head_number: int | None
    seconds: float
    """How long the replay took, the store's last commit included."""


def replay_capture(path: Path, database: Path, options: EngineOptions = EngineOptions()) -> ReplaySummary:  # noqa: B008 - frozen
    """Play a capture into a database.

    Raises `UsageError` where it cannot be opened, `CaptureError`, with all rows before the bad line stored; `StoreError`.
    """
    return asyncio.run(_replay(path, database, load_tables(), options))


async def _replay(path: Path, database: Path, tables: DecodeTables, options: EngineOptions) -> ReplaySummary:
    started = time.monotonic()
    reader = CaptureReader(str(path))
    with contextlib.closing(reader):
        header = reader.header
        if header.chain_id not in (tables.chain.chain_id, BOOKS_ALONE):
            raise WrongChain(tables.chain.chain_id, header.chain_id)
        sources = tuple(header.about.get("sources", "").split())
        run = RunStart(header.started_ns, __version__, header.chain_id, sources)
        store = await Store.open(database, run, StoreOptions(queue_records=2**31, linger_seconds=0.0), _leave_to_the_end)
        end, replay = RunEnd.FAILED, _Replay(reader, store, tables, options)
        try:
            await replay.run()
            end = RunEnd.CLEAN
        finally:
            await store.close(end, replay.now_ns or header.started_ns)
    head = replay.engine.head
    return ReplaySummary(replay.tally, head.number if head else None, time.monotonic() - started)


class _Replay:
    """One replay's engine, feed and listener, wired as in a live run."""

    def __init__(self, reader: CaptureReader, store: Store, tables: DecodeTables, options: EngineOptions) -> None:
        self.tally = Tally()
        self.engine = Engine(tables, self._emit, options)
        self._store = store
        turns = ReplayTurns()
        self._listener = Listener(self.engine, self._emit, turns)
        self._desk: Desk | None = None
        others = passes_over_books(reader.header.about)
        followed = books_of(reader.header.about)
        if followed is not None:
            fees = followed[1].fees or load_taker_fees()
            terms = replace(followed[1], fees=fees, min_profit_eth=options.min_profit_eth)
            self._desk = Desk(followed[0], self._emit, terms, self.engine.counters)
            self.engine.compare_with(self._desk)
            others = BooksReplay(self._desk, reader.header.about).play
        options_of_feed = ReplayOptions(targets_of(tables), self._catch_up, others)
        self._feed = ReplayFeed(reader, self._listener.handle, turns.on_mark, options_of_feed)

    @property
    def now_ns(self) -> int:
        """The newest stamp that was heard; 0 before the first."""
        return max(self.engine.now_ns, self._desk.now_ns if self._desk is not None else 0)

    async def run(self) -> None:
        for record in listed_records(self.engine.tables.chain):
            self._emit(record)
        with contextlib.suppress(_Ended):
            reads = ChainReads(self._feed.request)
            await first_end(self._listener.run(self._feed.request, reads), self._play())
        counters, sessions = self.engine.counters, self._feed.sessions.values()
        counters.seen, counters.foreign = sum(each.seen for each in sessions), sum(each.foreign for each in sessions)
        self.tally.counters = counters
        self._emit(RunCounters(counters.as_dict()))

    def _emit(self, record: Record) -> None:
        self.tally.note(record)
        self._store.put(record)

    async def _catch_up(self) -> None:
        """Let other work run, and the store catch up: a replay is faster than the disk."""
        await asyncio.sleep(0)
        if self._store.waiting > MAX_WAITING_RECORDS:
            await self._store.flush()

    async def _play(self) -> None:
        await self._feed.run()
        raise _Ended


class _Ended(Exception):
    """The capture has been played to its end."""


def _leave_to_the_end(trouble: str) -> None:
    """A disk that takes no more ends the replay, and its error says why."""
