"""How predictions came out, summed from the outcomes in a database."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from statistics import median

from msgspec import Struct

_OF_ROUTER = """SELECT router, family, hash, intent_index, relative_error, error_in_block_order, cause, revert FROM grades
    WHERE reorged = 0 AND (:router = '' OR router = :router)
    ORDER BY router, coalesce(family, ''), id"""
_WORST = """SELECT * FROM grades WHERE reorged = 0 AND cause <> 'exact' AND (:router = '' OR router = :router)
    ORDER BY relative_error DESC NULLS LAST, id LIMIT :count"""


class FamilyGrade(Struct, frozen=True):
    """The graded hops of one router on one pool family.

    `causes` counts them by cause, `exact` and `moved_ahead` included. Relative errors are of the amount that the hop leaves
    open (out, or in for exact-out) as predicted at first sight; None where nothing could be compared.
    `in_block_order_exact` of `in_block_order` hops were right to the wei when re-simulated at their place in the block.
    """

    router: str
    family: str
    predictions: int
    hops: int
    causes: dict[str, int]
    median_relative_error: float | None
    max_relative_error: float | None
    in_block_order: int
    in_block_order_exact: int
    reverts_right: int
    reverts_missed: int
    reverts_false_alarm: int


class WorstHop(Struct, frozen=True):
    """A hop that came out otherwise, and who moved its pool."""

    transaction_hash: str
    router: str
    protocol: str
    pool: str
    cause: str
    error: str | None
    relative_error: float | None
    moved_by: tuple[str, ...]


def family_grades(connection: sqlite3.Connection, router: str = "") -> Iterator[FamilyGrade]:
    """One for each router and pool family, in that order; an empty `router` means all."""
    rows = connection.execute(_OF_ROUTER, {"router": router})
    for (name, family), group in groupby(rows, key=lambda row: (row["router"], row["family"] or "unknown")):
        yield _grade(name, family, list(group))


def worst_hops(connection: sqlite3.Connection, router: str = "", count: int = 20) -> Iterator[WorstHop]:
    """The hops that are not exact, those with the largest relative error first."""
    for row in connection.execute(_WORST, {"router": router, "count": count}):
        yield WorstHop(
            transaction_hash=row["hash"],
            router=row["router"],
            protocol=row["protocol"] or "unknown",
            pool=row["pool"] or "",
            cause=row["cause"],
            error=row["error_as_predicted"],
            relative_error=row["relative_error"],
            moved_by=tuple(json.loads(row["moved_by"])),
        )


def _grade(router: str, family: str, rows: list[sqlite3.Row]) -> FamilyGrade:
    errors = [row["relative_error"] for row in rows if row["relative_error"] is not None]
    compared = [row["error_in_block_order"] for row in rows if row["error_in_block_order"] is not None]
    reverts = _reverts(rows)
    return FamilyGrade(
        router=router,
        family=family,
        predictions=len({(row["hash"], row["intent_index"]) for row in rows}),
        hops=len(rows),
        causes=dict(sorted(Counter(row["cause"] for row in rows).items())),
        median_relative_error=median(errors) if errors else None,
        max_relative_error=max(errors, default=None),
        in_block_order=len(compared),
        in_block_order_exact=compared.count("0"),
        reverts_right=reverts["right"],
        reverts_missed=reverts["missed"],
        reverts_false_alarm=reverts["false_alarm"],
    )


def _reverts(rows: Iterable[sqlite3.Row]) -> Counter[str]:
    """Each intent's revert counts once, however many hops it has."""
    return Counter(revert for _, _, revert in {(row["hash"], row["intent_index"], row["revert"]) for row in rows})
