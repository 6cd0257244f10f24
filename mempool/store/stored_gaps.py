"""The gaps of the order books that a database holds, oldest first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from msgspec import Struct

from mempool.model.record import BookGap
from mempool.store.opening import explain

_FOLLOWED = "SELECT EXISTS (SELECT 1 FROM quotes) OR EXISTS (SELECT 1 FROM best_quotes) OR EXISTS (SELECT 1 FROM book_gaps)"
_GAPS = """SELECT * FROM (
    SELECT g.*, coalesce(g.to_ns, max(g.from_ns, coalesce(r.ended_ns, r.heard_until_ns, g.from_ns))) AS until_ns
    FROM book_gaps g JOIN runs r ON r.id = g.run_id)
WHERE until_ns >= ? AND (? = '[]' OR venue IN (SELECT value FROM json_each(?)))
ORDER BY from_ns, id"""


class StoredGap(Struct, frozen=True):
    """A gap, in which run it was, and until when it is known to have lasted: to its end, or as far as its run has heard."""

    run_id: int
    gap: BookGap
    until_ns: int

    @property
    def lasted_ns(self) -> int:
        """At least so long where the gap has no end."""
        return self.until_ns - self.gap.from_ns


def has_books(connection: sqlite3.Connection) -> bool:
    """Whether any run into this database followed order books."""
    return bool(connection.execute(_FOLLOWED).fetchone()[0])


def stored_gaps(connection: sqlite3.Connection, path: Path, since_ns: int, venues: Sequence[str] = ()) -> Iterator[StoredGap]:
    """Those that lasted into the time since then, of these venues, of all without one. Raises `StoreError`."""
    wanted = orjson.dumps(list(venues)).decode()
    try:
        for row in connection.execute(_GAPS, (since_ns, wanted, wanted)):
            facts = (row[name] for name in BookGap.__struct_fields__)
            yield StoredGap(row["run_id"], BookGap(*facts), row["until_ns"])
    except sqlite3.Error as error:
        raise explain(error, path) from error
