"""A run's capture played again, and whether that gives the run's rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.program import Ended, rows, run_once


def replayed(capture: Path, folder: Path) -> tuple[Ended, Path]:
    db = folder / "replayed.sqlite"
    return run_once(["replay", str(capture), "--db", str(db)], folder), db


def tables(db: Path) -> list[str]:
    found = rows(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    return [name for (name,) in found]


def contents(db: Path, table: str) -> list[dict[str, Any]]:
    """Every row with its names, so that a difference can be read."""
    with closing(sqlite3.connect(db)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


def assert_same_rows(replay: Path, run: Path) -> None:
    """In all tables; of the run itself only when and how it ended may differ."""
    assert tables(replay) == tables(run)
    for table in set(tables(run)) - {"runs"}:
        assert contents(replay, table) == contents(run, table), table
    (told,), (again,) = contents(run, "runs"), contents(replay, "runs")
    assert (again.pop("ended"), told.pop("ended")) == ("clean", "signal")
    assert {key for key in told if told[key] != again[key]} <= {"ended_ns"}
