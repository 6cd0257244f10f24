"""Forward migrations: the schema's version stands in `PRAGMA user_version`, one script leads from each version to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from mempool.errors import NewerSchema, StoreError

SCRIPTS = ("schema.sql", "books.sql")
"""Each leads from one version to the next, the first from an empty database. What has been released is not changed any more."""
SCHEMA_VERSION = len(SCRIPTS)
APPLICATION_ID = 0x6D656D70  # "memp", so that `file` and we tell our databases from others


def script(version: int) -> str:
    """The SQL that leads from a version to the next one."""
    return files("mempool.store").joinpath(SCRIPTS[version]).read_text("utf-8")


MIGRATIONS = {version: script(version) for version in range(1, SCHEMA_VERSION)}


def schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of a database of ours, 0 of an empty one. Raises `StoreError` on one of another program."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application == APPLICATION_ID:
        return version
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(f"{path} is a database of another program: name another file")
    return 0


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Mapping[int, str] = MIGRATIONS, target: int = SCHEMA_VERSION
) -> None:
    """Bring a database to `target`, step by step, each in its own transaction; a copy of an older one is kept beside it.

    Raises `NewerSchema` on a database of a later release.
    """
    version = schema_version(connection, path)
    if version > target:
        raise NewerSchema(str(path), version, target)
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the first table; lets pruning give room back
        _run(connection, f"PRAGMA application_id = {APPLICATION_ID};\n{schema_sql()}", SCHEMA_VERSION)
        return
    if version < target:
        _keep_copy(connection, path.with_name(f"{path.name}.v{version}"))
    for step in range(version, target):
        _run(connection, migrations[step], step + 1)


def schema_sql() -> str:
    """All of the latest version."""
    return "\n".join(map(script, range(SCHEMA_VERSION)))


def _keep_copy(connection: sqlite3.Connection, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(copy),))


def _run(connection: sqlite3.Connection, script: str, version: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {version};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
