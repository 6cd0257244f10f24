"""`mempool books gaps` as a user meets it: every gap with its reason, of a database or a recording, and how many there were."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mempool.cli.main import run
from mempool.model.record import BookGap, Record
from tests.cli.test_books import SECOND_NS as FRAME_NS
from tests.cli.test_books import START_NS as FRAMES_START_NS
from tests.cli.test_books import session_of, stamped
from tests.exchanges.dialects import DIALECTS
from tests.store.book_examples import COINBASE, MS, gap, quoted
from tests.store.examples import SECOND_NS, START_NS, database, run_start, store_records, swap_records

MALFORMED = BookGap(2, "kraken", "", "malformed", "not JSON\x1b[31m", START_NS + SECOND_NS, START_NS + SECOND_NS)


@pytest.fixture(autouse=True)
def clock_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A mismatch of 400 ms, a malformed message, and a gap at Coinbase that its run's end left open."""
    records: list[Record] = [quoted(4), gap(5, None), MALFORMED, gap(5, 400 * MS), gap(6, None, COINBASE, "reset by peer")]
    return database(tmp_path / "mempool.sqlite", [*records, quoted(20)])


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[str], list[str]]:
    assert run(["books", "gaps", *arguments]) == 0
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


def objects(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shown(capsys, *arguments, "--json")[0]]


def test_gaps_stand_oldest_first_with_place_kind_length_and_reason(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = shown(capsys, "--db", str(db))
    assert lines == [
        "2023-11-14 22:13:21.000  kraken  malformed  no price lost  not JSON\ufffd[31m",
        "2023-11-14 22:13:25.000  kraken ETH/USD  mismatch  400 ms  checksum 1, computed 2",
        "2023-11-14 22:13:26.000  coinbase ETH-USD  mismatch  at least 60 min  reset by peer",
    ]


def test_what_there_was_of_each_kind_is_said_on_stderr(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = shown(capsys, "--db", str(db))
    assert said == [
        "3 gaps, 60 min without a price",
        "  coinbase mismatch  1, 60 min, the longest 60 min",
        "  kraken malformed   1, no price lost",
        "  kraken mismatch    1, 400 ms, the longest 400 ms",
    ]


def test_json_is_one_object_a_line_with_nanoseconds(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, mismatch, open_one = objects(capsys, "--db", str(db))
    assert mismatch == {
        "schema": "mempool.gaps/1",
        "run": 1,
        "number": 5,
        "venue": "kraken",
        "symbol": "ETH/USD",
        "kind": "mismatch",
        "reason": "checksum 1, computed 2",
        "from_ns": START_NS + 5 * SECOND_NS,
        "to_ns": START_NS + 5 * SECOND_NS + 400 * MS,
        "lasted_ns": 400 * MS,
    }
    assert (open_one["to_ns"], open_one["lasted_ns"]) == (None, 3_594 * SECOND_NS)
    assert shown(capsys, "--db", str(db), "--json")[1] == []


def test_gaps_of_several_runs_stand_in_one_list(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(store_records(db, [gap(30, 5 * MS)], run=run_start(START_NS + 25 * SECOND_NS)))
    assert [(each["run"], each["number"]) for each in objects(capsys, "--db", str(db))] == [(1, 2), (1, 5), (1, 6), (2, 30)]


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (("--exchange", "kraken"), [2, 5]),
        (("--exchange", "Kraken", "--exchange", "coinbase"), [2, 5, 6]),
        (("--exchange", "okx"), []),
        (("--since", "2023-11-14T22:13:25+00:00"), [5, 6]),
        (("--since", "2023-11-14T22:13:30+00:00"), [6]),
        (("--since", "10m"), []),
    ],
)
def test_filters(db: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], numbers: list[int]) -> None:
    assert [each["number"] for each in objects(capsys, "--db", str(db), *arguments)] == numbers


def test_database_without_gaps_and_one_without_books_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    books = database(tmp_path / "books.sqlite", [quoted(1)])
    assert shown(capsys, "--db", str(books)) == ([], ["no gaps"])
    swaps = database(tmp_path / "swaps.sqlite", swap_records([1]))
    (said,) = shown(capsys, "--db", str(swaps))[1]
    assert said == f"{swaps} holds no order books: follow some with `mempool run --exchange NAME`"


def test_run_that_was_killed_leaves_gaps_that_lasted_as_far_as_it_heard(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET ended = NULL, ended_ns = NULL")
    assert objects(capsys, "--db", str(db))[-1]["lasted_ns"] == 14 * SECOND_NS


@pytest.mark.parametrize("venue", DIALECTS)
def test_recording_tells_what_a_run_would_have_stored(venue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = session_of(DIALECTS[venue]())
    file = tmp_path / "frames"
    file.write_bytes(stamped([*frames[:2], b"<html>502</html>", *frames]))
    first = objects(capsys, "--replay", str(file), "--exchange", venue)[0]
    assert (first["venue"], first["symbol"], first["kind"]) == (venue, "", "malformed")
    assert first["from_ns"] == first["to_ns"] == FRAMES_START_NS + 2 * FRAME_NS


def test_lost_frame_of_a_recording_is_a_gap_until_the_next_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = session_of(DIALECTS["bybit"]())
    file = tmp_path / "frames"
    file.write_bytes(stamped([frames[0], frames[1], frames[3], *frames]))
    lines, said = shown(capsys, "--replay", str(file), "--exchange", "bybit")
    assert lines == ["2026-08-24 23:01:28.000  bybit ETHUSDT  gap  1.0 s  expected update 103, received 104"]
    assert said == ["1 gap, 1.0 s without a price", "  bybit gap  1, 1.0 s, the longest 1.0 s"]
    file.write_bytes(stamped([frames[0], frames[1], frames[3], frames[3]]))
    (line,), _ = shown(capsys, "--replay", str(file), "--exchange", "bybit")
    assert "  gap  at least 1.0 s  " in line


def test_frames_without_a_stamp_give_gaps_without_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b"{}}\n")
    (line,), _ = shown(capsys, "--replay", str(file), "--exchange", "okx")
    assert line.startswith("no time  okx  malformed  no price lost  ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["gaps", "--exchange", "mtgox"], 2, "unknown exchange 'mtgox': known are binance"),
        (["gaps", "--since", "yesterday"], 2, "--since: 'yesterday' is neither"),
        (["gaps", "--db", "absent"], 7, "absent does not exist"),
        (["gaps", "--replay", "frames"], 2, "a recording is of one exchange: give --exchange once"),
        (["gaps", "--replay", "absent", "--exchange", "okx"], 2, "absent: No such file"),
        (["gaps", "--nosuch"], 2, "No such option: --nosuch (see `mempool books gaps --help`)"),
        (["gasp"], 2, "No such command 'gasp'"),
        (["--exchange", "kraken", "gaps"], 2, "--exchange stands before 'gaps': options of it come after it"),
        (["--nosuch"], 2, "No such option: --nosuch (see `mempool books --help`)"),
    ],
)
def test_wrong_calls_end_with_one_clear_line(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["books", *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_setting_of_the_database_reaches_the_command_below(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMPOOL_DB", str(db))
    assert len(objects(capsys)) == 3


def test_reader_that_leaves_ends_it_silently(tmp_path: Path) -> None:
    path = database(tmp_path / "many.sqlite", [gap(number, MS) for number in range(1, 3_000)])
    command = f"{sys.executable} -m mempool.cli.main books gaps --db {path} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    line, status = done.stdout.splitlines()
    assert (line[:4], status, done.stderr) == ("2023", "0", "")
