"""Turns records into few `executemany` calls without changing what any row ends up as."""

from __future__ import annotations

from collections.abc import Iterable

from mempool.model.record import Record
from mempool.store.columns import Value
from mempool.store.sql import UPDATE_HEARD, Statement
from mempool.store.statements import heard_ns, statements

Group = tuple[str, list[tuple[Value, ...]]]


def batch_of(records: Iterable[Record], run_id: int) -> list[Group]:
    """The statements of `records`, equal SQL together, and the run's `heard_until_ns`.

    A statement joins the latest group of its SQL unless a later group already holds one of the same transaction.
    So per transaction, and per table (each has one INSERT), the order is that of the records, wherever batches are cut.
    """
    grouped = _Groups()
    newest_ns = 0
    for record in records:
        newest_ns = max(newest_ns, heard_ns(record))
        for statement in statements(record, run_id):
            grouped.add(statement)
    if newest_ns:
        grouped.add(Statement(UPDATE_HEARD, (newest_ns, run_id), "heard"))
    return grouped.groups


class _Groups:
    def __init__(self) -> None:
        self.groups: list[Group] = []
        self._group_of_sql: dict[str, int] = {}
        self._last_of_key: dict[str, int] = {}

    def add(self, statement: Statement) -> None:
        position = self._group_of_sql.get(statement.sql, -1)
        if position < 0 or position < self._last_of_key.get(statement.key, 0):
            position = len(self.groups)
            self.groups.append((statement.sql, []))
            self._group_of_sql[statement.sql] = position
        self.groups[position][1].append(statement.values)
        self._last_of_key[statement.key] = position
        if not statement.key:  # what touches many transactions keeps its place: nothing joins a group from before it
            self._group_of_sql.clear()
