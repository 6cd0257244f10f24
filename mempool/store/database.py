"""The writer's connection: every write is one transaction, and nobody else checkpoints."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import aiosqlite

from mempool.model.record import RunEnd, RunStart
from mempool.store import sql
from mempool.store.batch import Group
from mempool.store.columns import json_text
from mempool.store.opening import BUSY_SECONDS, explain, prepare
from mempool.store.reserve import Reserve

_WAL_BYTES = 4 * 1024 * 1024
"""A longer WAL is copied into the database after the next commit."""


class FileGone(sqlite3.OperationalError):
    """Another file, or none, stands where the database was opened: what is written would be lost without a word."""

    # What SQLite itself says of it, but only where it keeps a rollback journal.
    sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    sqlite_errorname = "SQLITE_READONLY_DBMOVED"


class Database:
    """Open with `await Database.open(…)`. Its methods raise `sqlite3.Error`; what failed was rolled back."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, reserve: Reserve) -> None:
        self.path = path
        self.reserve = reserve
        self._connection = connection
        self._file = path.stat()

    @classmethod
    async def open(cls, path: Path, reserve_bytes: int) -> Database:
        """Raises `StoreError` with the cause and the fix."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            reserve = Reserve(path.with_name(f"{path.name}.reserve"), reserve_bytes)
        except OSError as error:
            raise explain(error, path) from error
        try:
            await asyncio.to_thread(prepare, path)
            return cls(await _connect(path), path, reserve)
        except BaseException:
            reserve.close()
            raise

    async def begin_run(self, run: RunStart) -> int:
        """The new run's id; earlier runs without an end are marked unclean."""
        values = (run.started_ns, run.version, run.chain_id, json_text(run.sources))
        await self.write([(sql.END_KILLED_RUNS, [()]), (sql.INSERT_RUN, [values])])
        async with self._connection.execute("SELECT max(id) FROM runs") as cursor:
            row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def end_run(self, run_id: int, end: RunEnd, ended_ns: int) -> None:
        await self.write([(sql.END_RUN, [(ended_ns, end.value, run_id)])])
        await self.checkpoint("TRUNCATE")

    async def write(self, groups: Sequence[Group]) -> None:
        """All of it in one transaction, or nothing. Raises `FileGone` too."""
        self._check_file()
        await self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in groups:
                await self._connection.executemany(statement, rows)
            await self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite has rolled back by itself when the disk was full
                await self._connection.execute("ROLLBACK")
            raise

    async def checkpoint_if_long(self) -> None:
        wal = self.path.with_name(f"{self.path.name}-wal")
        if wal.exists() and wal.stat().st_size > _WAL_BYTES:
            await self.checkpoint("PASSIVE")

    async def checkpoint(self, mode: str) -> None:
        """Copy the WAL into the database; a reader in the way is not waited for, the next time will do."""
        await self._connection.execute("PRAGMA busy_timeout = 0")
        try:
            await self._connection.execute_fetchall(f"PRAGMA wal_checkpoint({mode})")
        finally:
            await self._connection.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")

    async def prune(self, before_ns: int, rows: int) -> int:
        """Delete at most `rows` of each table from before `before_ns`, with all that hangs on them; says how many."""
        changes = self._connection.total_changes
        await self.write([(statement, [(before_ns, rows)]) for statement in sql.DELETE_OLD])
        if self._connection.total_changes == changes:
            return 0
        await self._connection.execute_fetchall("PRAGMA incremental_vacuum")
        return self._connection.total_changes - changes

    def _check_file(self) -> None:
        try:
            stands = os.path.samestat(self.path.stat(), self._file)
        except FileNotFoundError:
            stands = False
        if not stands:
            raise FileGone(f"{self.path} is another file than the one that was opened")

    async def close(self) -> None:
        await self._connection.close()
        self.reserve.close()


async def _connect(path: Path) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
    try:
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 0"):
            await connection.execute_fetchall(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        await connection.close()
        raise explain(error, path) from error
    return connection
