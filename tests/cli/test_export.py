"""`mempool export`: what a database or a capture holds, read back from the Parquet files by DuckDB."""

from __future__ import annotations

import asyncio
import gzip
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from mempool.cli.main import run
from mempool.feeds.capture import Asked, CaptureWriter, Expired, Got, Refused
from mempool.feeds.events import Purpose
from mempool.store import parquet
from mempool.store.export import export_tables
from mempool.store.parquet import CONFIG
from mempool.store.reader import open_reader
from tests.store.book_examples import book_records
from tests.store.examples import database, store_records, swap_records

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
FRAME = b'{"channel":"book","data":[{"checksum":1}]}'


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return database(tmp_path / "mempool.sqlite", [*swap_records(list(range(1, 20))), *book_records()])


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One entry of each kind, among them bytes that are no text."""
    path = tmp_path / "today.capture.gz"
    writer = CaptureWriter(str(path), chain_id=1, started_ns=7, about={"kraken": "ETH/USD"})
    writer.up(1, "kraken")
    writer.heard(2, "kraken", FRAME)
    writer.heard(3, "kraken", b"\xff\x00")
    writer.asked(Asked(4, "node-1", 9, "eth_getBlockByNumber", ["0x1", False], Purpose.READ))
    writer.got(Got(5, "binance", 11, b'{"lastUpdateId":1}'))
    writer.got(Got(6, "binance", 12, b"\xfe"))
    writer.refused(Refused(7, "node-1", "eth_call", [], "not connected"))
    writer.expired(Expired(8, "node-1", (9, 10), "no answer"))
    writer.mark(9, "read", "k")
    writer.down(10, "kraken", "reset by peer")
    writer.close()
    return path


def read(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect(config=CONFIG) as connection:
        return connection.execute(f"SELECT {what} FROM read_parquet($1)", [str(path)]).fetchall()


def columns(path: Path) -> dict[str, str]:
    with duckdb.connect(config=CONFIG) as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
    return {name: kind for name, kind, *_ in described}


def test_every_row_and_column_of_every_table_comes_back(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(db), "--to", str(tmp_path / "parquet")]) == 0
    with closing(sqlite3.connect(db)) as connection:
        for (name,) in connection.execute(TABLES).fetchall():
            cursor = connection.execute(f"SELECT * FROM {name}")
            path = tmp_path / "parquet" / f"{name}.parquet"
            assert list(columns(path)) == [column[0] for column in cursor.description]
            assert read(path) == cursor.fetchall(), name
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{tmp_path / 'parquet' / 'transactions.parquet'}: 19 rows" in err.splitlines()


def test_amounts_stay_exact_text_and_times_nanoseconds(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "quotes.parquet"
    assert run(["export", str(db), "--to", str(file), "--table", "quotes"]) == 0
    kinds = columns(file)
    assert (kinds["bid"], kinds["bid_approx"], kinds["recv_ns"], kinds["recv"]) == ("VARCHAR", "DOUBLE", "BIGINT", "VARCHAR")
    assert read(file, "bid, typeof(bid)") == [("2510.25", "VARCHAR")]


def test_only_the_tables_that_are_named_are_written(db: Path, tmp_path: Path) -> None:
    place = tmp_path / "parquet"
    assert run(["export", str(db), "--to", str(place), "--table", "quotes", "--table", "book_gaps"]) == 0
    assert sorted(path.name for path in place.iterdir()) == ["book_gaps.parquet", "quotes.parquet"]


def test_tables_are_as_of_one_moment_while_a_run_writes_on(db: Path) -> None:
    with closing(open_reader(db)) as connection:
        tables = {table.name: table for table in export_tables(connection, db)}
        before = len(list(tables["runs"].rows))
        asyncio.run(store_records(db, swap_records([50])))
        assert (before, len(list(tables["transactions"].rows))) == (1, 19)
    with closing(open_reader(db)) as connection:
        (table,) = export_tables(connection, db, ["transactions"])
        assert len(list(table.rows)) == 20


def test_capture_becomes_one_row_an_entry(capture: Path, tmp_path: Path) -> None:
    file = tmp_path / "today.parquet"
    assert run(["export", str(capture), "--to", str(file)]) == 0
    assert columns(file) == {
        "recv_ns": "BIGINT",
        "source": "VARCHAR",
        "kind": "VARCHAR",
        "request_id": "BIGINT",
        "payload": "VARCHAR",
    }
    assert [row[:4] for row in read(file)] == [
        (1, "kraken", "up", None),
        (2, "kraken", "in", None),
        (3, "kraken", "raw", None),
        (4, "node-1", "out", 9),
        (5, "binance", "got", 11),
        (6, "binance", "got_raw", 12),
        (7, "node-1", "refused", None),
        (8, "node-1", "expired", None),
        (9, "", "mark", None),
        (10, "kraken", "down", None),
    ]
    said = [row[4] for row in read(file)]
    assert said[:3] == [None, FRAME.decode(), "ff00"]
    assert orjson.loads(said[3]) == {"method": "eth_getBlockByNumber", "params": ["0x1", False], "purpose": "read"}
    assert said[4:6] == ['{"lastUpdateId":1}', "fe"]
    assert [orjson.loads(text) for text in said[6:9]] == [
        {"method": "eth_call", "params": [], "reason": "not connected"},
        {"ids": [9, 10], "reason": "no answer"},
        {"mark": "read", "key": "k"},
    ]
    assert said[9] == "reset by peer"


def test_file_of_a_capture_says_what_its_header_does(capture: Path, tmp_path: Path) -> None:
    assert run(["export", str(capture), "--to", str(tmp_path), "--table", "entries"]) == 0
    with duckdb.connect(config=CONFIG) as connection:
        file = str(tmp_path / "entries.parquet")
        about = connection.execute("SELECT key, value FROM parquet_kv_metadata($1)", [file]).fetchall()
    texts = {key.decode(): value.decode() for key, value in about}
    assert {key: texts[key] for key in ("schema", "chain_id", "started_ns", "about")} == {
        "schema": "mempool.capture/1",
        "chain_id": "1",
        "started_ns": "7",
        "about": '{"kraken":"ETH/USD"}',
    }


def test_capture_that_is_cut_off_gives_what_stands_before_and_ends_with_5(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.decompress(capture.read_bytes())
    cut = tmp_path / "cut.capture"
    cut.write_bytes(whole[:-20])
    assert run(["export", str(cut), "--to", str(tmp_path / "cut.parquet")]) == 5
    assert read(tmp_path / "cut.parquet", "max(recv_ns)") == [(9,)]
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path / 'cut.parquet'}: 9 rows",
        f"error: {cut}, line 11: the line is cut off; what stands before it was written",
    ]


def test_time_or_number_beyond_64_bits_in_a_capture_is_cut(tmp_path: Path) -> None:
    header = {"schema": "mempool.capture/1", "chain_id": 1, "started_ns": 1, "version": "0"}
    odd = tmp_path / "odd.capture"
    odd.write_bytes(
        orjson.dumps(header) + b"\n" + b'[99999999999999999999999,"a","got",{"id":-99999999999999999999,"body":"x"}]\n'
    )
    assert run(["export", str(odd), "--to", str(tmp_path / "odd.parquet")]) == 0
    assert read(tmp_path / "odd.parquet", "recv_ns, request_id") == [(2**63 - 1, -(2**63 - 1))]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["DB"], 2, "Missing option '--to'"),
        (["absent", "--to", "out"], 2, "absent: No such file or directory: name a database or a capture"),
        (["folder", "--to", "out"], 2, "folder: Is a directory"),
        (["DB", "--to", "out", "--table", "quotse"], 2, "there is no table 'quotse': there are runs, "),
        (["DB", "--to", "out", "--table", "sqlite_schema"], 2, "there is no table 'sqlite_schema'"),
        (["CAPTURE", "--to", "out", "--table", "quotes"], 2, "there is no table 'quotes': a capture has one, entries"),
        (["DB", "--to", "out.parquet"], 2, "out.parquet is one file for"),
        (["DB", "--to", "text/out"], 7, "text/out cannot be written: "),
        (["DB", "--to", "there"], 7, "there/quotes.parquet exists already and is not overwritten"),
        (["text", "--to", "out"], 5, "text, line 1: it is no database, and as a capture: the line is cut off"),
        (["FOREIGN", "--to", "out"], 7, "is a database of another program"),
    ],
)
def test_wrong_call_ends_with_one_clear_line_and_writes_nothing(
    arguments: list[str],
    code: int,
    says: str,
    db: Path,
    capture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    db.rename("DB")
    capture.rename("CAPTURE")
    Path("folder").mkdir()
    Path("there").mkdir()
    Path("there", "quotes.parquet").write_bytes(b"")
    Path("text").write_text("neither")
    with closing(sqlite3.connect("FOREIGN")) as foreign:
        foreign.execute("CREATE TABLE x (y)")
    assert run(["export", *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert list(tmp_path.rglob("*.parquet")) == [tmp_path / "there" / "quotes.parquet"]


def test_without_duckdb_it_ends_with_3_and_the_fix(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    assert run(["export", str(db), "--to", str(tmp_path / "out")]) == 3
    assert "not installed: pip install duckdb" in capsys.readouterr().err


def test_damaged_table_ends_with_7_and_leaves_no_half_file(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET version = CAST(x'ff' AS TEXT)")
    assert run(["export", str(db), "--to", str(tmp_path / "out"), "--table", "runs"]) == 7
    assert "cannot be used as a database" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    """600 MB of frames in less than 600 MiB: most of that is DuckDB itself and two row groups."""
    path = tmp_path / "big.capture"
    writer = CaptureWriter(str(path), chain_id=0, started_ns=1)
    for number in range(300_000):
        writer.heard(number, "kraken", b"%d" % number * 300)
    writer.close()
    command = [sys.executable, "-m", "mempool.cli.main", "export", str(path), "--to", str(tmp_path / "big.parquet")]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 600 * 1024
