"""Makes a database file fit to be written, or says in one line why it is not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mempool.errors import StoreError
from mempool.store.migrations import migrate

BUSY_SECONDS = 5.0


def prepare(path: Path) -> None:
    """Create the database or check and migrate it. Raises `StoreError` with the cause and the fix."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            _check(connection, path)
            migrate(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise explain(error, path) from error


def _check(connection: sqlite3.Connection, path: Path) -> None:
    # A plain count(*) answers normally on a damaged file; quick_check reads every page.
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise StoreError(f"{path} is damaged ({found.splitlines()[-1]}): move it away, the next run starts a new one")


def explain(error: Exception, path: Path) -> StoreError:
    """What an error of the file or of SQLite means for the user, by SQLite's own error names."""
    name = getattr(error, "sqlite_errorname", "")
    for prefix, text in _EXPLANATIONS.items():
        if name.startswith(prefix):
            return StoreError(f"{path} {text}")
    if isinstance(error, FileExistsError | NotADirectoryError):
        return StoreError(f"{path} cannot be used as a database: a file stands where its directory should be: name another file")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StoreError(f"{path} cannot be used as a database: {reason}: name a file in a directory that may be written")


_EXPLANATIONS = {
    "SQLITE_CANTOPEN": "cannot be opened: check that it is a file, that its directory exists and that both may be written",
    "SQLITE_NOTADB": "is not an SQLite database: name another file",
    "SQLITE_CORRUPT": "is damaged: move it away, the next run starts a new one",
    "SQLITE_READONLY_DBMOVED": "was removed or replaced while it was written: put it back, or end the run and begin another",
    "SQLITE_READONLY": "may not be written: change its permissions or name another file",
    "SQLITE_PERM": "may not be written: change its permissions or name another file",
    "SQLITE_FULL": "cannot grow, the disk is full: make room or name a file on another disk",
    "SQLITE_BUSY": "is locked by another program: end that one or name another file",
    "SQLITE_IOERR": "cannot be read or written, the disk reports an error: check the disk or name a file on another one",
}
