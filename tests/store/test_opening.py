"""A file that cannot be used is refused with its cause and its fix, and an older schema is brought forward with a copy kept."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mempool.errors import NewerSchema, StoreError
from mempool.model.record import RunEnd
from mempool.store.migrations import APPLICATION_ID, SCHEMA_VERSION, migrate, schema_version
from mempool.store.opening import prepare
from mempool.store.reader import open_reader
from mempool.store.writer import Store, StoreOptions
from tests.store.examples import FAST, START_NS, database, rows, run_start, store_records, swap_records


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
        (a_newer_database, "has schema 2, this release knows 1: upgrade mempool"),
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
    path = database(tmp_path / "mempool.sqlite", swap_records([1]))
    steps = {1: "ALTER TABLE runs ADD COLUMN note TEXT;", 2: "UPDATE runs SET note = 'moved';"}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, steps, target=3)
        assert schema_version(connection, path) == 3
    assert rows(path, "SELECT note FROM runs") == ["moved"]
    assert rows(tmp_path / "mempool.sqlite.v1", "SELECT hash FROM transactions") == rows(path, "SELECT hash FROM transactions")
    with pytest.raises(StoreError, match="schema 3"):
        open_reader(path)


def test_a_step_that_fails_leaves_the_older_schema_whole(tmp_path: Path) -> None:
    path = database(tmp_path / "mempool.sqlite", swap_records([1]))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, {1: "ALTER TABLE runs ADD COLUMN note TEXT; DROP TABLE nothing;"}, target=2)
        assert schema_version(connection, path) == 1
    assert "note" not in rows(path, "SELECT group_concat(name) FROM pragma_table_info('runs')")[0]


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
    assert rows(path, "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'") == []
    assert rows(path, "PRAGMA journal_mode") == ["wal"]
