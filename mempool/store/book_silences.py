"""The times without a book's price as `mempool tail` prints them: none in silence, and never thousands of lines at once."""

from __future__ import annotations

import sqlite3

SHOWN = 20
"""Lines about the past; what is older becomes one line together."""
_LASTS = "to_ns IS NULL AND +run_id = (SELECT max(id) FROM runs)"  # the plus: few gaps last, but a run may have many
_PAST = f"FROM book_silences WHERE (to_ns >= :oldest_ns OR (to_ns IS NULL AND from_ns >= :oldest_ns) OR ({_LASTS}))"
_NEWEST = " ".join(("SELECT *", _PAST, "ORDER BY id DESC LIMIT :shown"))
_OLDER = f"""SELECT 0 AS id, 'gap' AS kind, max(at_ns) AS at_ns,
    strftime('%Y-%m-%dT%H:%M:%fZ', max(at_ns) / 1e9, 'unixepoch') AS at, count(DISTINCT source) || ' books' AS source,
    min(from_ns) AS from_ns, max(at_ns) AS to_ns, '' AS fault, 'the table book_gaps has them' AS reason, count(*) AS times
    {_PAST} AND +id < :before"""
_NEWER = "SELECT * FROM book_silences WHERE id > :last_id AND at_ns >= :since_ns ORDER BY id"
_OPEN = " ".join(("SELECT id FROM book_gaps WHERE", _LASTS))


class BookSilences:
    """A time that lasts is shown once it is ten seconds old, and every one when it has ended."""

    def __init__(self) -> None:
        self._last_id = 0
        self._open: dict[int, bool] = {}
        """The gaps that last, and whether they have been shown."""

    def latest(self, connection: sqlite3.Connection, oldest_ns: int) -> list[sqlite3.Row]:
        """Those that ended since then or last, the newest; for all others one row that says how many `times` there were."""
        rows = connection.execute(_NEWEST, {"oldest_ns": oldest_ns, "shown": SHOWN}).fetchall()
        before = min((row["id"] for row in rows), default=0)
        older = connection.execute(_OLDER, {"oldest_ns": oldest_ns, "before": before}).fetchone()
        self._note(rows)
        return [*rows, older] if older["times"] else rows

    def newer(self, connection: sqlite3.Connection, since_ns: int) -> list[sqlite3.Row]:
        """What is to be shown now and was not at the last call."""
        opened = (self._open_row(connection, number) for number in self._open)
        came = connection.execute(_NEWER, {"last_id": self._last_id, "since_ns": since_ns})
        found = [*filter(None, opened), *came]
        rows = [row for row in found if row["to_ns"] is not None or not self._open.get(row["id"])]
        self._note(rows)
        return rows

    def see_all(self, connection: sqlite3.Connection) -> None:
        """Go on from what the database holds now."""
        self._last_id = connection.execute("SELECT coalesce(max(id), 0) FROM book_gaps").fetchone()[0]
        self._open = {number: self._open.get(number, False) for (number,) in connection.execute(_OPEN)}

    def _open_row(self, connection: sqlite3.Connection, number: int) -> sqlite3.Row | None:
        row: sqlite3.Row | None = connection.execute("SELECT * FROM book_silences WHERE id = ?", (number,)).fetchone()
        return row

    def _note(self, rows: list[sqlite3.Row]) -> None:
        self._open |= {row["id"]: True for row in rows if row["to_ns"] is None}
