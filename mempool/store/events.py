"""The stream that `mempool tail` follows: rows of the schema's views in the order in which they came, filtered by the reader."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from mempool.errors import UsageError
from mempool.store.book_silences import BookSilences
from mempool.store.opening import explain
from mempool.store.reader import open_reader

QUERY_SECONDS = 5.0
_MAX_VALUE_BYTES = 16 * 1024 * 1024


class View(NamedTuple):
    """A view of the schema, the table whose ids it shows, its kinds, and the column that a least profit is asked of.

    `condition` says the same as the kinds to SQLite, where the few findings have an index among the many near misses.
    """

    name: str
    table: str
    kinds: tuple[str, ...]
    profit: str = ""
    condition: str = ""


VIEWS = (
    View("swaps", "predictions", ("swap",), "exposed_eth"),
    View("findings", "opportunities", ("sandwich_exposure", "backrun"), "profit_eth"),
    View("grades", "outcomes", ("outcome",)),
    View("book_findings", "arbitrages", ("cross_exchange", "triangular", "cex_dex"), "profit_eth", "rejection = ''"),
    View("book_findings", "arbitrages", ("near_miss",), "profit_eth", "rejection <> ''"),
)
GAP_VIEWS = (View("silences", "gaps", ("gap",)), View("restarts", "runs", ("gap",)))
"""Never filtered, and neither are the books' own: a gap in the data is shown whatever one looks for."""
KINDS = tuple(kind for view in VIEWS for kind in view.kinds)
_ALLOWED_ACTIONS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION}
_ALLOWED_PRAGMAS = {"data_version"}


class EventFilter(Struct, frozen=True):
    """What to show. `where` is an SQL expression over a view's columns; a view that lacks one of them shows nothing."""

    kinds: tuple[str, ...]
    since_ns: int = 0
    min_profit_eth: float | None = None
    where: str = ""


class EventReader:
    """Reads events of one database. Raises `StoreError`, and `UsageError` on a wrong `where`."""

    def __init__(self, path: Path, wanted: EventFilter) -> None:
        self.path = path
        self.wanted = wanted
        self._views: tuple[View, ...] = ()
        self._version = -1
        self._open()

    def latest(self, count: int | None) -> list[sqlite3.Row]:
        """The last `count` events (all for None) and the gaps among them, oldest first; `newer` goes on from there."""
        with self._query():
            events = self._rows(self._views, count)
            gaps = [] if count == 0 else self._gaps(min((row["at_ns"] for row in events), default=self.wanted.since_ns))
            self._see_all()
        kept = events if count is None else events[len(events) - min(count, len(events)) :]
        return sorted([*kept, *gaps], key=_when)

    def newer(self) -> list[sqlite3.Row]:
        """What came since the last call, in order; empty at little cost where nothing was written."""
        if self._was_replaced():
            self._connection.close()
            self._open()
        with self._query():
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version == self._version:
                return []
            books = self._book_silences.newer(self._connection, self.wanted.since_ns)
            rows = sorted([*self._rows((*self._views, *GAP_VIEWS), None), *books], key=_when)
            self._see_all()
            self._version = version
        return rows

    def tokens(self, address: str) -> sqlite3.Row | None:
        """A token's row."""
        with self._query():
            row: sqlite3.Row | None = self._connection.execute("SELECT * FROM tokens WHERE address = ?", (address,)).fetchone()
        return row

    def labels(self, kind: str) -> dict[str, str]:
        """What people call the `protocol`s or `router`s."""
        with self._query():
            return dict(self._connection.execute("SELECT name, label FROM labels WHERE kind = ?", (kind,)).fetchall())

    def listed_symbols(self) -> set[str]:
        with self._query():
            return {row[0] for row in self._connection.execute("SELECT symbol FROM tokens WHERE listed")}

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> None:
        inode = _inode(self.path)  # before: what takes its place meanwhile is then seen to be another
        self._connection = open_reader(self.path)
        self._inode = inode
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        self._connection.set_authorizer(_authorize)
        self._version = -1
        self._seen = dict.fromkeys((*VIEWS, *GAP_VIEWS), 0)
        self._book_silences = BookSilences()
        try:
            self._views = self._views_with_columns()
        except UsageError:
            self._connection.close()
            raise

    def _was_replaced(self) -> bool:
        return _inode(self.path) not in (0, self._inode)

    def _views_with_columns(self) -> tuple[View, ...]:
        """The views of the wanted kinds that have every column which `where` names."""
        wanted = [view for view in VIEWS if set(view.kinds) & set(self.wanted.kinds)]
        if self.wanted.min_profit_eth is not None:
            wanted = [view for view in wanted if view.profit]
        fitting, problem = [], ""
        for view in wanted:
            try:
                self._connection.execute(f"EXPLAIN {self._select(view, '')}", self._values(view))
                fitting.append(view)
            except (sqlite3.Error, sqlite3.Warning) as error:
                if not re.match("no such column", str(error)):
                    raise _wrong_where(error) from error
                problem = str(error)
        if problem and not fitting:
            raise UsageError(f"--where: {problem} in {', '.join(dict.fromkeys(view.name for view in wanted))}")
        return tuple(fitting)

    def _rows(self, views: Sequence[View], count: int | None) -> list[sqlite3.Row]:
        """The last `count` rows of each view beyond what was seen, all together by time."""
        rows = [
            row
            for view in views
            for row in self._connection.execute(
                f"{self._select(view, 'ORDER BY id DESC LIMIT :count')}", self._values(view, count)
            )
        ]
        return sorted(rows, key=_when)

    def _gaps(self, oldest_ns: int) -> list[sqlite3.Row]:
        """Those that end since then, or last."""
        gaps = [row for row in self._rows(GAP_VIEWS, None) if row["at_ns"] >= oldest_ns]
        return [*gaps, *self._book_silences.latest(self._connection, oldest_ns)]

    def _see_all(self) -> None:
        self._seen = {view: self._last_id(view) for view in (*VIEWS, *GAP_VIEWS)}
        self._book_silences.see_all(self._connection)

    def _select(self, view: View, order: str) -> str:
        conditions = [*filter(None, (view.condition,)), "id > :seen", "at_ns >= :since_ns"]
        if view not in GAP_VIEWS:
            marks = ", ".join(f":kind{number}" for number, _ in enumerate(self.wanted.kinds))
            conditions.append(f"kind IN ({marks})")
            if self.wanted.min_profit_eth is not None:
                conditions.append(f"{view.profit} >= :min_profit_eth")
            if self.wanted.where:
                conditions.append(f"({self.wanted.where}\n)")
        return " ".join(("SELECT * FROM", view.name, "WHERE", " AND ".join(conditions), order))

    def _values(self, view: View, count: int | None = None) -> dict[str, int | float | str | None]:
        kinds = {f"kind{number}": kind for number, kind in enumerate(self.wanted.kinds)}
        numbers = {"seen": self._seen[view], "since_ns": self.wanted.since_ns, "count": -1 if count is None else count}
        return {**kinds, **numbers, "min_profit_eth": self.wanted.min_profit_eth}

    def _last_id(self, view: View) -> int:
        sql = " ".join(("SELECT coalesce(max(id), 0) FROM", view.table))
        return int(self._connection.execute(sql).fetchone()[0])

    def _query(self) -> _Query:
        return _Query(self._connection, self.path)


class _Query:
    """One read transaction, so that all its queries see the same moment, of at most `QUERY_SECONDS`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> None:
        deadline = time.monotonic() + QUERY_SECONDS
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        self._connection.execute("BEGIN")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._connection.set_progress_handler(None, 0)
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        if isinstance(error, sqlite3.Error):
            name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
            if name == "SQLITE_INTERRUPT":
                raise UsageError(f"the query took longer than {QUERY_SECONDS:.0f} s: filter by hash, kind or --since") from error
            if name in {"SQLITE_ERROR", "SQLITE_TOOBIG", "SQLITE_NOMEM"}:
                raise _wrong_where(error) from error
            raise explain(error, self._path) from error


def _inode(path: Path) -> int:
    """Which file it is; 0 where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _wrong_where(error: Exception) -> UsageError:
    return UsageError(f"--where: {error}")


def _authorize(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    allowed = (
        action in _ALLOWED_ACTIONS
        or (action == sqlite3.SQLITE_FUNCTION and second != "load_extension")
        or (action == sqlite3.SQLITE_PRAGMA and first in _ALLOWED_PRAGMAS)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _when(row: sqlite3.Row) -> tuple[int, int]:
    return row["at_ns"], row["id"]
