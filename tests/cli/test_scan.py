"""`mempool scan` as its users start it: live on simulated exchanges, from a capture, and wrong calls."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mempool.cli.main import run
from mempool.feeds.capture import CaptureReader
from mempool.resources import load_taker_fees
from tests.conftest import WAIT_SECONDS
from tests.e2e.exchanges import simulated_exchanges
from tests.e2e.program import POLL_SECONDS, LiveProgram, Program, run_once

VENUES = ("kraken", "bybit", "binance")
BASE_TIERS = load_taker_fees()
FREE = [text for venue in VENUES for text in ("--exchange", venue, "--taker-fee", f"{venue}=0")]
SUMMARY = re.compile(r"scanned [\d,]+ quotes: [\d,]+ findings, [\d,]+ near misses\n$")
LINE = re.compile(r"(near miss  )?cross exchange  [\d.,]+ \w+: buy \w+, sell \w+")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Where three venues are whose prices stray from each other."""
    with simulated_exchanges("--seed", "4") as address:
        yield address


@pytest.fixture(scope="module")
def capture(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of them."""
    folder = tmp_path_factory.mktemp("scan")
    path = folder / "books.capture.gz"
    with LiveProgram([], folder, "--server", server, *FREE, "--record", str(path)) as program:
        program.wait_until("findings", lambda: len(program.rows("SELECT 1 FROM arbitrages WHERE rejection = ''")) > 1)
        assert program.stop().code == 130
    return path


def test_lines_tell_of_what_opens_until_a_signal(server: str, tmp_path: Path) -> None:
    with Program(["scan", "--server", server, "--near-misses", *FREE], tmp_path) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (tmp_path / "stdout").read_text() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        ended = program.stop()
    assert (ended.code, "Traceback" in ended.stderr) == (130, False), ended.stderr
    assert SUMMARY.search(ended.stderr)
    assert ended.stdout
    assert all(LINE.match(line) for line in ended.stdout.splitlines()), ended.stdout


def test_scan_records_what_it_hears_with_its_fees(server: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.capture"
    arguments = ["--exchange", "kraken", "--taker-fee", "kraken=0.07", "--record", str(path)]
    ended = run_once(["scan", "--server", server, "--for", "0.5", *arguments], tmp_path)
    assert ended.code == 0, ended.stderr
    with CaptureReader(str(path)) as reader:
        assert reader.header.about["kraken"] == "ETH/USD"
        assert "kraken=700" in reader.header.about["taker_fee_pips"].split()
    assert run(["scan", "--replay", str(path)]) == 0


def test_scan_for_some_time_ends_with_0_and_the_summary(server: str, tmp_path: Path) -> None:
    ended = run_once(["scan", "--server", server, "--for", "0.5"], tmp_path)
    assert (ended.code, "Traceback" in ended.stderr) == (0, False), ended.stderr
    assert SUMMARY.search(ended.stderr)


def test_capture_is_scanned_as_objects_each_with_what_happened(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", "--replay", str(capture), "--json", "--near-misses"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert {line["schema"] for line in lines} == {"mempool.scan/1"}
    assert {line["event"] for line in lines} <= {"opened", "better", "closed", "near_miss"}
    assert all((line["event"] == "near_miss") == bool(line["rejection"]) for line in lines)
    opened, closed = ({line["id"] for line in lines if line["event"] == event} for event in ("opened", "closed"))
    assert opened == closed


@pytest.mark.parametrize("percent", [dict.fromkeys(VENUES, "5"), {name: f"{pips / 10_000}" for name, pips in BASE_TIERS.items()}])
def test_higher_fee_makes_the_findings_of_the_same_capture_near_misses(
    percent: dict[str, str], capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fees = [text for venue in VENUES for text in ("--taker-fee", f"{venue}={percent[venue]}")]
    assert run(["scan", "--replay", str(capture), *fees]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.match(r"scanned [\d,]+ quotes: 0 findings, [1-9][\d,]* near misses", printed.err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--exchange", "mtgox"], "unknown exchange 'mtgox': known are binance, coinbase, kraken, okx, bybit"),
        (["--pair", "nothing"], "'nothing' is not a symbol: name a pair such as ETH/USD"),
        (["--taker-fee", "kraken"], "kraken"),
        (["--min-profit", "nan"], "Invalid value for '--min-profit'"),
        (["--replay", "x", "--record", "y"], "--replay scans all that its file holds"),
        (["--replay", "x", "--exchange", "kraken"], "--replay scans all that its file holds"),
    ],
)
def test_wrong_call_is_refused_with_what_is_known(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", *arguments]) == 2
    assert words in capsys.readouterr().err
