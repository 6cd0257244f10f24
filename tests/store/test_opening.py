"""A file that cannot be used is refused with its cause and its fix, and an older schema is brought forward with a copy kept."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mempool.errors import NewerSchema, StoreError
from mempool.model.record import Gap, Record, RunEnd
from mempool.store.migrations import APPLICATION_ID, SCHEMA_VERSION, migrate, schema_version
from mempool.store.opening import prepare
from mempool.store.reader import open_reader
from mempool.store.writer import Store, StoreOptions
from tests.store.book_examples import book_records
from tests.store.examples import FAST, START_NS, database, hash_of, rows, run_start, store_records, swap_records

FIRST_SCHEMA = Path(__file__).with_name("schema_v1.sql")


def a_newer_database(path: Path) -> Path:
    database(path, [])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    return path


def a_foreign_database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE wallet (key TEXT)")
    return path


def a_text(path: Path) -> Path:
    path.write_text("this is a note and no database at all\n" * 50)
    return path


def a_directory(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (a_newer_database, f"has schema {SCHEMA_VERSION + 1}, this release knows {SCHEMA_VERSION}: upgrade mempool"),
        (a_foreign_database, "is a database of another program: name another file"),
        (a_text, "is not an SQLite database: name another file"),
        (a_directory, "cannot be opened: check that it is a file"),
        (lambda _path: Path("/proc/mempool.sqlite"), "cannot be used as a database: "),
        (lambda _path: Path("/proc/none/mempool.sqlite"), "cannot be used as a database: .* that may be written"),
        (lambda _path: Path("/proc/version/mempool.sqlite"), "a file stands where its directory should be"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    path = make(tmp_path / "mempool.sqlite")
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=message) as caught:
        asyncio.run(store_records(path, []))
    assert caught.value.exit_code == 7
    assert str(path) in str(caught.value)
    assert not path.is_file() or path.read_bytes() == before
    assert not (tmp_path / "mempool.sqlite.reserve").exists()


def test_a_damaged_database_is_found_at_the_start(tmp_path: Path) -> None:
    whole = database(tmp_path / "whole.sqlite", swap_records(range(200))).read_bytes()
    page = 4_096
    pick = random.Random(1)
    pages = pick.sample(range(2, len(whole) // page), 20)
    for number in pages:
        damaged = bytearray(whole)
        damaged[number * page : number * page + 16] = pick.randbytes(16)
        path = tmp_path / f"{number}.sqlite"
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="is damaged"):
            prepare(path)


async def test_two_runs_do_not_write_one_database(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), FAST)
    with pytest.raises(StoreError, match=r"mempool\.sqlite is being written by another run"):
        await Store.open(path, run_start(), FAST)
    await store.close(RunEnd.CLEAN, START_NS)
    again = await Store.open(path, run_start(), FAST)
    await again.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT ended FROM runs") == ["clean", "clean"]


async def test_the_reserve_takes_its_room_and_goes_with_the_run(tmp_path: Path) -> None:
    path, reserve = tmp_path / "mempool.sqlite", tmp_path / "mempool.sqlite.reserve"
    store = await Store.open(path, run_start(), StoreOptions(reserve_bytes=1_000_000))
    assert reserve.stat().st_blocks * 512 >= 1_000_000
    await store.close(RunEnd.CLEAN, START_NS)
    assert not reserve.exists()


def test_an_older_schema_is_brought_forward_step_by_step_and_a_copy_is_kept(tmp_path: Path) -> None:
    path, now = database(tmp_path / "mempool.sqlite", swap_records([1])), SCHEMA_VERSION
    steps = {now: "ALTER TABLE runs ADD COLUMN note TEXT;", now + 1: "UPDATE runs SET note = 'moved';"}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, steps, target=now + 2)
        assert schema_version(connection, path) == now + 2
    assert rows(path, "SELECT note FROM runs") == ["moved"]
    copy = tmp_path / f"mempool.sqlite.v{now}"
    assert rows(copy, "SELECT hash FROM transactions") == rows(path, "SELECT hash FROM transactions")
    with pytest.raises(StoreError, match=f"schema {now + 2}"):
        open_reader(path)


def test_a_step_that_fails_leaves_the_older_schema_whole(tmp_path: Path) -> None:
    path, now = database(tmp_path / "mempool.sqlite", swap_records([1])), SCHEMA_VERSION
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, {now: "ALTER TABLE runs ADD COLUMN note TEXT; DROP TABLE nothing;"}, target=now + 1)
        assert schema_version(connection, path) == now
    assert "note" not in rows(path, "SELECT group_concat(name) FROM pragma_table_info('runs')")[0]


def a_database_of_version_1(path: Path, records: Sequence[Record] = ()) -> Path:
    """The first release's tables, with the rows of records that it knew."""
    database(path.with_name("whole.sqlite"), records)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {APPLICATION_ID};")
        connection.executescript(f"{FIRST_SCHEMA.read_text()}; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;")
        connection.execute("ATTACH ? AS whole", (str(path.with_name("whole.sqlite")),))
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall():
            stored = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0"
            names = ", ".join(name for (name,) in connection.execute(stored, (table,)))
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM whole.{table}")
    return path


def schema_of(path: Path) -> list[Any]:
    return rows(path, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid")


def test_a_database_of_the_first_release_becomes_what_a_new_one_is_and_keeps_its_rows(tmp_path: Path) -> None:
    records = [*swap_records([1, 2]), Gap("node-a", START_NS, START_NS + 5, "connection lost")]
    path = a_database_of_version_1(tmp_path / "mempool.sqlite", records)
    tables = rows(path, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
    before = {table: rows(path, f"SELECT * FROM {table}") for table in tables}
    with pytest.raises(StoreError, match="has schema 1, this release reads 2: open it once with `mempool run`"):
        open_reader(path)
    prepare(path)
    assert schema_of(path) == schema_of(database(tmp_path / "new.sqlite", []))
    assert {table: rows(path, f"SELECT * FROM {table}") for table in tables} == before
    assert (rows(path, "PRAGMA user_version"), rows(path, "PRAGMA integrity_check")) == ([SCHEMA_VERSION], ["ok"])
    assert rows(tmp_path / "mempool.sqlite.v1", "PRAGMA user_version") == [1]
    assert rows(tmp_path / "mempool.sqlite.v1", "SELECT hash FROM swaps") == rows(path, "SELECT hash FROM swaps")


def test_a_run_goes_on_in_a_database_of_the_first_release(tmp_path: Path) -> None:
    path = a_database_of_version_1(tmp_path / "mempool.sqlite", swap_records([1]))
    asyncio.run(store_records(path, [*swap_records([2]), *book_records()]))
    assert rows(path, "SELECT hash FROM swaps") == [hash_of(1), hash_of(2)]
    assert rows(path, "SELECT count(*) > 0 FROM quotes") == [1]


def test_a_reader_refuses_a_newer_schema_and_an_older_one(tmp_path: Path) -> None:
    with pytest.raises(NewerSchema):
        open_reader(a_newer_database(tmp_path / "newer.sqlite"))
    empty = tmp_path / "empty.sqlite"
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE x (y)")
    with pytest.raises(StoreError, match="open it once"):
        open_reader(empty)


def test_the_schema_is_what_datasette_and_people_expect(tmp_path: Path) -> None:
    path = database(tmp_path / "mempool.sqlite", [])
    tables = rows(path, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'")
    assert set(tables) >= {"runs", "transactions", "intents", "predictions", "outcomes", "opportunities", "tokens"}
    assert set(tables) >= {"arbitrages", "quotes", "best_quotes", "book_gaps"}
    assert rows(path, "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'") == []
    assert rows(path, "PRAGMA journal_mode") == ["wal"]
