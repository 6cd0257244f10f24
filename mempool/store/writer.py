"""The one writer: takes records without waiting, commits them in batches, in order, and outlives a full or locked disk."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path

import orjson
from msgspec import Struct

from mempool.errors import StoreError
from mempool.model.record import Gap, Record, RunEnd, RunStart
from mempool.store.batch import batch_of
from mempool.store.database import Database
from mempool.store.opening import explain
from mempool.store.statements import heard_ns, transaction_hash

_log = logging.getLogger(__name__)
_PRUNE_ROWS = 500
_PRUNE_EVERY_NS = 60 * 10**9
_CLOSING_RETRY_SECONDS = 0.2
# A value that SQLite or the schema refuses, whatever the disk does.
_UNWRITABLE = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    OverflowError,
    ValueError,
    orjson.JSONEncodeError,
)


class StoreOptions(Struct, frozen=True):
    """How much waits, how long, and how much is kept. `keep_ns` counts back from the newest record, not from the clock."""

    queue_records: int = 20_000
    batch_records: int = 250
    linger_seconds: float = 0.05
    retry_seconds: float = 10.0
    idle_seconds: float = 2.0
    drain_seconds: float = 5.0
    reserve_bytes: int = 16 * 1024 * 1024
    keep_ns: int | None = None


class Store:
    """Open with `await Store.open(…)`, `put` from the event loop's thread, end with `await close(…)`.

    While it cannot write (`trouble` says why) it keeps what it is given up to `queue_records`, counts the rest in `dropped`,
    and tries again; what was dropped becomes a row in `gaps`.
    """

    def __init__(self, database: Database, run_id: int, options: StoreOptions, on_trouble: Callable[[str], None]) -> None:
        self.run_id = run_id
        self.dropped = 0
        self.refused = 0
        """Records that SQLite or the schema would not take."""
        self.trouble = ""
        self._database = database
        self._options = options
        self._on_trouble = on_trouble
        self._queue: deque[Record] = deque()
        self._in_flight: list[Record] = []
        self._wake, self._hurry, self._closing, self._progress = (asyncio.Event() for _ in range(4))
        self._lost = _Lost()
        self._newest_ns = 0
        self._pruned_ns = 0
        self._task = asyncio.create_task(self._write_until_closed(), name="store writer")

    @classmethod
    async def open(
        cls, path: Path, run: RunStart, options: StoreOptions | None = None, on_trouble: Callable[[str], None] = _log.warning
    ) -> Store:
        """Create, check or migrate the database and begin a run in it; earlier runs without an end are marked unclean.

        `on_trouble` gets one line when writing fails and one when it works again. Raises `StoreError`.
        """
        options = options or StoreOptions()
        database = await Database.open(path, options.reserve_bytes)
        try:
            run_id = await database.begin_run(run)
        except sqlite3.Error as error:
            await database.close()
            raise explain(error, path) from error
        return cls(database, run_id, options, on_trouble)

    @property
    def waiting(self) -> int:
        """Records that are not committed yet."""
        return len(self._queue) + len(self._in_flight)

    def put(self, record: Record) -> bool:
        """Take a record without waiting; False, and counted, where too many wait already."""
        if self._task.done():
            self._task.result()  # the writer died: its error surfaces here and not in silence
        if self.waiting >= self._options.queue_records:
            self._lose(record)
            return False
        self._queue.append(record)
        self._wake.set()
        return True

    async def flush(self) -> None:
        """Wait until everything that was put is committed. Raises `StoreError` where it cannot be."""
        while self.waiting:
            if self.trouble:
                raise StoreError(self.trouble)
            self._hurry.set()
            self._wake.set()
            progress = asyncio.create_task(self._progress.wait())
            await asyncio.wait((progress, self._task), return_when=asyncio.FIRST_COMPLETED)
            progress.cancel()
            if self._task.done():
                self._task.result()

    async def close(self, end: RunEnd, ended_ns: int) -> None:
        """Commit what waits (for at most `drain_seconds`), end the run, checkpoint, and let go of the file.

        Raises `StoreError` where rows that were accepted could not be written.
        """
        for event in (self._closing, self._hurry, self._wake):
            event.set()
        try:
            async with asyncio.timeout(self._options.drain_seconds):
                await self._task
                self._database.reserve.release()
                await self._database.end_run(self.run_id, end, ended_ns)
        except TimeoutError:
            raise StoreError(f"{self.waiting:,} records could not be written: {self.trouble or 'the disk is too slow'}") from None
        except sqlite3.Error as error:
            raise explain(error, self._database.path) from error
        finally:
            await self._database.close()

    async def _write_until_closed(self) -> None:
        while not (self._closing.is_set() and not self._queue):
            if not self._queue:
                await self._rest()
                continue
            if len(self._queue) < self._options.batch_records:
                await _wait(self._hurry, self._options.linger_seconds)
            self._take()
            await self._commit()
            self._in_flight = []
            self._report_progress()

    async def _rest(self) -> None:
        """Wait for records; when none come for a while, fold the WAL into the database."""
        self._hurry.clear()
        self._wake.clear()
        if self._closing.is_set() or await _wait(self._wake, self._options.idle_seconds):
            return
        try:
            await self._database.checkpoint("TRUNCATE")
        except sqlite3.OperationalError as error:
            _log.info("checkpoint put off: %s", error)
        await self._wake.wait()

    def _take(self) -> None:
        """A batch, and with it all that directly follows about the same transaction, so that readers see both or neither."""
        last = ""
        while self._queue and (
            len(self._in_flight) < self._options.batch_records or (last and transaction_hash(self._queue[0]) == last)
        ):
            record = self._queue.popleft()
            last = transaction_hash(record)
            self._newest_ns = max(self._newest_ns, heard_ns(record))
            self._in_flight.append(record)

    async def _commit(self) -> None:
        while True:
            try:
                await self._write()
            except sqlite3.DatabaseError as error:
                await self._wait_out(error)
            else:
                await self._after_commit()
                return

    async def _write(self) -> None:
        try:
            await self._database.write(batch_of(self._in_flight, self.run_id))
        except _UNWRITABLE:
            await self._write_one_by_one()

    async def _write_one_by_one(self) -> None:
        while self._in_flight:
            try:
                await self._database.write(batch_of(self._in_flight[:1], self.run_id))
            except _UNWRITABLE as error:
                self.refused += 1
                _log.warning("%s not stored: %s", type(self._in_flight[0]).__name__, error)
            del self._in_flight[0]

    async def _wait_out(self, error: sqlite3.DatabaseError) -> None:
        reason = str(explain(error, self._database.path))
        if not self.trouble:
            self._on_trouble(f"not storing: {reason}")
        self.trouble = reason
        self._report_progress()
        if self._closing.is_set():
            self._database.reserve.release()
            await asyncio.sleep(_CLOSING_RETRY_SECONDS)
        elif error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return  # SQLite has waited by itself
        elif not await _wait(self._closing, self._options.retry_seconds):
            await self._make_room()

    async def _make_room(self) -> None:
        """Fold the WAL, and with `keep_ns` delete old rows, in the room that was held back: even deleting needs some."""
        self._database.reserve.release()
        try:
            await self._database.checkpoint("TRUNCATE")
            if self._options.keep_ns is not None:
                await self._database.prune(self._newest_ns - self._options.keep_ns, 20 * _PRUNE_ROWS)
                await self._database.checkpoint("TRUNCATE")
        except sqlite3.OperationalError as error:
            _log.info("making room put off: %s", error)

    async def _after_commit(self) -> None:
        if self.trouble:
            self.trouble = ""
            self._on_trouble("storing again")
            self._database.reserve.fill()
        if self._lost.count:
            self._queue.append(self._lost.as_gap())
            self._lost = _Lost()
        try:
            await self._database.checkpoint_if_long()
            await self._prune()
        except sqlite3.OperationalError as error:
            _log.info("housekeeping put off: %s", error)

    async def _prune(self) -> None:
        if self._options.keep_ns is None:
            return
        before_ns = self._newest_ns - self._options.keep_ns
        if before_ns - self._pruned_ns > _PRUNE_EVERY_NS and not await self._database.prune(before_ns, _PRUNE_ROWS):
            self._pruned_ns = before_ns

    def _lose(self, record: Record) -> None:
        self.dropped += 1
        self._lost.include(heard_ns(record) or self._newest_ns, self.trouble or "more came than the disk could take")

    def _report_progress(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()


class _Lost:
    """What was dropped since the last commit."""

    def __init__(self) -> None:
        self.count = 0
        self._from_ns = 0
        self._to_ns = 0
        self._reason = ""

    def include(self, heard_at_ns: int, reason: str) -> None:
        self._from_ns = self._from_ns or heard_at_ns
        self._to_ns = heard_at_ns
        self._reason = self._reason or reason
        self.count += 1

    def as_gap(self) -> Gap:
        return Gap("store", self._from_ns, self._to_ns, f"{self.count} records dropped: {self._reason}")


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within that time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
