"""Findings of order books as rows of the database, without one: for whoever shows them as they come and keeps none."""

from __future__ import annotations

import sqlite3

from mempool.model.record import ArbitrageEnded, ArbitrageFound
from mempool.store.migrations import schema_sql
from mempool.store.sql import INSERT_RUN
from mempool.store.statements import statements

RUN_ID = 1


class PassingFindings:
    """Rows in memory, each gone with its end; open to one thread."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(schema_sql())
        self._connection.execute(INSERT_RUN, (0, "", 0, "[]"))

    def row(self, record: ArbitrageFound | ArbitrageEnded) -> sqlite3.Row | None:
        """The row of `book_findings` that the record comes to; None for the end of one that was never told of."""
        for statement in statements(record, RUN_ID):
            self._connection.execute(statement.sql, statement.values)
        sql = "SELECT f.* FROM book_findings f JOIN arbitrages a ON a.id = f.id WHERE a.number = ?"
        row: sqlite3.Row | None = self._connection.execute(sql, (record.number,)).fetchone()
        if row is not None and (isinstance(record, ArbitrageEnded) or row["ended_ns"] is not None):
            self._connection.execute("DELETE FROM arbitrages WHERE number = ?", (record.number,))
        return row

    def close(self) -> None:
        self._connection.close()
