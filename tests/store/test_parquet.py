"""Tables written as Parquet come back as they were: every value, in their order, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.errors import ConfigError, StoreError
from mempool.store import parquet
from mempool.store.columns import Value
from mempool.store.parquet import CONFIG, Table, check_parquet, write_parquet

COLUMNS = {"number": "BIGINT", "ratio": "DOUBLE", "text": "VARCHAR"}
ABOUT = {"schema": "test/1", "it's": "a 'quoted' {word}"}
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def table(rows: list[tuple[Value, ...]]) -> Table:
    return Table("things", COLUMNS, rows, ABOUT)


def read(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect(config=CONFIG) as connection:
        return connection.execute(f"SELECT {what} FROM read_parquet($1)", [str(path)]).fetchall()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.none() | INT64, st.none() | st.floats(allow_nan=False), st.none() | TEXT), max_size=20))
def test_every_value_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Value, ...]]) -> None:
    path = tmp_path_factory.mktemp("parquet") / "things.parquet"
    assert write_parquet(table(rows), path) == len(rows)
    assert list(map(repr, read(path))) == list(map(repr, rows))


@pytest.mark.parametrize(
    "row",
    [
        (2**63 - 1, math.inf, "NULL"),
        (-(2**63), -math.inf, ""),
        (0, -0.0, "\0\x1b[31m\r\n\"'\\\u2028\U0010ffff"),
        (1, 5e-324, "115792089237316195423570985008687907853269984665640564039457584007913129639935"),
        (None, None, "0.100000000000000000"),
        (1, 1.0, '{"a": [1, null]}'),
        (2, 2.0, "x" * 20_000_000),
    ],
    ids=["largest", "least", "controls", "tiny", "null", "json", "long"],
)
def test_value_that_a_reader_of_json_might_mistake_comes_back(row: tuple[Value, ...], tmp_path: Path) -> None:
    write_parquet(table([row]), tmp_path / "one.parquet")
    assert read(tmp_path / "one.parquet") == [row]


def test_file_has_its_types_its_description_and_zstd(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    write_parquet(table([(1, 0.5, "one")]), path)
    with duckdb.connect(config=CONFIG) as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()
        about = connection.execute("SELECT key, value FROM parquet_kv_metadata($1)", [str(path)]).fetchall()
        codecs = connection.execute("SELECT DISTINCT compression FROM parquet_metadata($1)", [str(path)]).fetchall()
    assert {name: kind for name, kind, *_ in described} == COLUMNS
    assert {key.decode(): value.decode() for key, value in about} == ABOUT
    assert codecs == [("ZSTD",)]


def test_rows_keep_their_order_over_many_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    write_parquet(table([(number, None, f"{number}:" + 800 * "x") for number in range(120_000)]), path)
    assert read(path, "count(*), count(DISTINCT number)") == [(120_000, 120_000)]
    with duckdb.connect(config=CONFIG) as connection:
        misplaced = "SELECT count(*) FROM read_parquet($1, file_row_number = true) WHERE number <> file_row_number"
        assert connection.execute(misplaced, [str(path)]).fetchall() == [(0,)]
        groups = connection.execute("SELECT count(DISTINCT row_group_id) FROM parquet_metadata($1)", [str(path)]).fetchone()
    assert groups is not None
    assert groups[0] > 1


@pytest.mark.parametrize("name", ["a 'quoted' name", "stars*[1]?", "{braces} $1 %", "s3:", "é\u2028"])
def test_place_of_any_name_is_written_to(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.mkdir()
    write_parquet(table([(1, 0.5, "one")]), place / "things.parquet")
    assert [path.name for path in place.iterdir()] == ["things.parquet"]


def test_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "things.parquet"
    path.write_text("precious")
    with pytest.raises(StoreError, match="exists already and is not overwritten"):
        write_parquet(table([]), path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), StoreError("the database is damaged")])
def test_rows_that_break_off_leave_no_file(problem: BaseException, tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Value, ...]]:
        yield 1, 0.5, "one"
        raise problem

    with pytest.raises(type(problem)):
        write_parquet(Table("things", COLUMNS, rows(), ABOUT), tmp_path / "things.parquet")
    assert list(tmp_path.iterdir()) == []


def test_place_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"things\.parquet cannot be written: No such file or directory; name another place"):
        write_parquet(table([]), tmp_path / "absent" / "things.parquet")


def test_what_duckdb_says_is_told_in_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    rows: list[tuple[Value, ...]] = [(1, 0.5, "one"), ("no number", 0.5, "two")]
    with pytest.raises(StoreError, match=r"cannot be written: .*no number") as caught:
        write_parquet(table(rows), tmp_path / "things.parquet")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_duckdb_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_parquet()
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install duckdb"):
        check_parquet()
