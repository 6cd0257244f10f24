"""`mempool books --replay` as a user meets it: one document, every best quote, and clear ends for wrong calls."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mempool.cli.main import run
from tests.exchanges.dialects import DIALECTS, Dialect, Kraken

SECOND_NS = 1_000_000_000
START_NS = 1_787_612_486_000_000_000


def stamped(frames: list[bytes]) -> bytes:
    return b"".join(b"%d %s\n" % (START_NS + number * SECOND_NS, frame) for number, frame in enumerate(frames))


def session_of(dialect: Dialect) -> list[bytes]:
    """A snapshot and three updates of the first symbol."""
    symbol = dialect.symbols[0]
    dialect.books[symbol].change([("99.5", "1.5"), ("99.4", "2.0")], [("100.5", "1.5"), ("100.6", "2.5")])
    return [
        dialect.snapshot(symbol),
        dialect.update(symbol, [("99.6", "0.5")], []),
        dialect.update(symbol, [("99.3", "7.0")], []),
        dialect.update(symbol, [], [("100.5", "0.0")]),
    ]


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["books", "--json", *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("form", ["stamped", "bare", "gzip"])
def test_recording_of_each_venue_gives_its_best_quote(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = session_of(DIALECTS[name]())
    text = b"\n".join(frames) if form == "bare" else stamped(frames)
    file = tmp_path / "frames"
    file.write_bytes(gzip.compress(text) if form == "gzip" else text)
    shown = replayed(capsys, "--replay", str(file), "--exchange", name)
    assert shown["schema"] == "mempool.books/1"
    assert (shown["bid"], shown["ask"]) == ("99.6", "100.6")
    assert {key: shown[key] for key in ("mismatches", "gaps", "resyncs", "malformed")} == dict.fromkeys(
        ("mismatches", "gaps", "resyncs", "malformed"), 0
    )
    assert shown["frames"] == 4
    assert shown["books"][0]["proof"] == "verified"


def test_counts_are_integers_and_prices_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frames"
    file.write_bytes(stamped(session_of(Kraken())))
    shown = replayed(capsys, "--replay", str(file), "--exchange", "KRAKEN")
    for name in ("frames", "updates", "verified", "mismatches", "gaps", "resyncs", "malformed"):
        assert isinstance(shown[name], int)
    assert (shown["updates"], shown["verified"]) == (3, 4)
    assert shown["oracle"] == {"comparisons": 0, "matches": 0}


def test_stream_without_a_snapshot_says_that_it_never_synced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b"\n".join(session_of(DIALECTS["okx"]())[1:]))
    shown = replayed(capsys, "--replay", str(file), "--exchange", "okx")
    assert (shown["synced"], shown["bid"], shown["ask"]) == (False, None, None)
    assert shown["books"][0]["reason"] == "no snapshot has come"
    assert run(["books", "--replay", str(file), "--exchange", "okx"]) == 0
    assert "never synced" in capsys.readouterr().out


def test_lost_frame_is_a_gap_and_leaves_no_quote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = session_of(DIALECTS["bybit"]())
    file, bbo = tmp_path / "frames", tmp_path / "bbo"
    file.write_bytes(stamped([frames[0], frames[1], frames[3]]))
    shown = replayed(capsys, "--replay", str(file), "--exchange", "bybit", "--bbo", str(bbo))
    assert (shown["gaps"], shown["resyncs"], shown["bid"]) == (1, 1, None)
    assert shown["reasons"] == {"gap": 1}
    lines = [json.loads(line) for line in bbo.read_text().splitlines()]
    assert [(line["bid"], line["ask"]) for line in lines] == [("99.5", "100.5"), ("99.6", "100.5"), (None, None)]
    assert [line["recv_ns"] for line in lines] == [START_NS, START_NS + SECOND_NS, START_NS + 2 * SECOND_NS]
    assert {line["schema"] for line in lines} == {"mempool.bbo/1"}


@pytest.mark.parametrize("content", [b"", b"no recording\n", stamped(session_of(DIALECTS["bybit"]()))])
def test_recording_of_another_exchange_or_of_none_is_pointed_out(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frames"
    file.write_bytes(content)
    assert run(["books", "--replay", str(file), "--exchange", "kraken"]) == 0
    assert capsys.readouterr().err == f"{file} has no frame of an order book of Kraken: are the file and --exchange right?\n"


def test_full_disk_under_the_quotes_names_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "frames"
    file.write_bytes(stamped(session_of(DIALECTS["bybit"]())))
    assert run(["books", "--replay", str(file), "--exchange", "bybit", "--bbo", "/dev/full"]) == 7
    assert capsys.readouterr().err == "error: /dev/full cannot be written: No space left on device; name another file\n"


def test_garbage_is_counted_and_ends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = session_of(Kraken())
    file = tmp_path / "frames"
    file.write_bytes(stamped([frames[0], b"<html>502</html>", b'{"channel":', *frames[1:]]) + b"\n12 \n\x00\xff\n")
    shown = replayed(capsys, "--replay", str(file), "--exchange", "kraken")
    assert shown["malformed"] == 4
    assert (shown["verified"], shown["mismatches"]) == (4, 0)


def test_recording_that_is_cut_off_is_reported_as_far_as_it_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kraken, frames = Kraken(), session_of(Kraken())
    frames += [kraken.frame("heartbeat", kraken.symbols[0], [], []).replace(b"book", b"trade")] * 1_000
    file = tmp_path / "frames.gz"
    file.write_bytes(gzip.compress(stamped(frames))[:-20])
    assert run(["books", "--json", "--replay", str(file), "--exchange", "kraken"]) == 5
    said = capsys.readouterr()
    document = json.loads(said.out.splitlines()[-1])
    assert (document["verified"], document["bid"]) == (4, "99.6")
    assert "not a whole gzip file" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--replay", "FILE", "--exchange", "mtgox"], 2, "known are binance, coinbase, kraken, okx, bybit"),
        (["--replay", "FILE"], 2, "binance, coinbase, kraken, okx, bybit"),
        (["--replay", "absent", "--exchange", "okx"], 2, "absent"),
        (
            ["--replay", "FILE", "--exchange", "okx", "--bbo", "absent/bbo"],
            7,
            "absent/bbo cannot be written: No such file or directory",
        ),
        (["--replay", "CUT", "--exchange", "okx"], 5, "not a whole gzip file"),
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
    Path("FILE").write_bytes(b"")
    Path("CUT").write_bytes(gzip.compress(b'{"event":"x"}\n' * 1_000)[:-20])
    assert run(["books", *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
