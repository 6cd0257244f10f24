"""The tables of a database as they are written elsewhere: every row and column, exact amounts as the text that they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mempool import __version__
from mempool.errors import UsageError
from mempool.store.columns import Value
from mempool.store.migrations import SCHEMA_VERSION
from mempool.store.opening import explain
from mempool.store.parquet import Table

TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE", "TEXT": "VARCHAR"}
"""SQLite's types of the schema's columns, and DuckDB's."""
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid"


def export_tables(connection: sqlite3.Connection, path: Path, names: Sequence[str] = ()) -> list[Table]:
    """Those of these names, all without one, as of one moment: a run that goes on writing changes nothing in them.

    Raises `UsageError` on a name of none; the rows raise `StoreError` where the file cannot be read on.
    """
    connection.execute("BEGIN")  # what is read first fixes the moment for all
    known = [name for (name,) in connection.execute(_TABLES)]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no table {name!r}: there are {', '.join(known)}")
    return [_table(connection, path, name) for name in known if name in names or not names]


def _table(connection: sqlite3.Connection, path: Path, name: str) -> Table:
    columns = {
        column: TYPES[kind] for column, kind in connection.execute("SELECT name, type FROM pragma_table_xinfo(?)", (name,))
    }
    about = {"mempool": __version__, "mempool_schema": str(SCHEMA_VERSION)}
    return Table(name, columns, _rows(connection, path, name, columns), about)


def _rows(connection: sqlite3.Connection, path: Path, name: str, columns: Mapping[str, str]) -> Iterator[Sequence[Value]]:
    """In the order of the table's key. The names are the schema's own, not a user's."""
    wanted = ", ".join(f'"{column}"' for column in columns)
    try:
        cursor = connection.execute(" ".join(("SELECT", wanted, "FROM", name)))
        cursor.row_factory = None
        yield from cursor
    except sqlite3.Error as error:
        raise explain(error, path) from error
