"""Reads a database that another process may be writing; never writes, never blocks the writer."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mempool.errors import NewerSchema, StoreError
from mempool.store.migrations import SCHEMA_VERSION, schema_version
from mempool.store.opening import BUSY_SECONDS, explain


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection whose rows are found by name too. Raises `StoreError` with the cause and the fix."""
    if not path.exists():
        raise StoreError(f"{path} does not exist: start `mempool run`, or name a database with --db")
    try:
        try:
            return _connect(path, "mode=ro")
        except sqlite3.OperationalError:
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _connect(path, "immutable=1")  # a WAL database in a directory that we may not write, and nobody writing it
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = ON")
        version = schema_version(connection, path)
    except BaseException:
        connection.close()
        raise
    if version > SCHEMA_VERSION:
        connection.close()
        raise NewerSchema(str(path), version, SCHEMA_VERSION)
    if version < SCHEMA_VERSION:
        connection.close()
        raise StoreError(f"{path} has schema {version}, this release reads {SCHEMA_VERSION}: open it once with `mempool run`")
    return connection
