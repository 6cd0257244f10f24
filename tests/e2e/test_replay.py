"""A capture of a run, its node's connection cut in the middle, played again: the same rows; and what a broken one comes to."""

from __future__ import annotations

import gzip
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, running_devnet
from scripts._devnet.traffic import Traffic
from tests.e2e.exchanges import simulated_exchanges
from tests.e2e.program import LiveProgram, integrity, rows
from tests.e2e.proxy import Proxy
from tests.e2e.replayed import assert_same_rows, contents, replayed
from tests.e2e.trading import lasting_swaps, send, send_first, traffic

pytestmark = pytest.mark.devnet
SEED, PER_BLOCK, BLOCKS_EACH = 4, 25, 3
CUT_SECONDS = 1.0
FAULTS = [
    text for second in range(4, 300, 3) for text in ("--fault", f"kraken:drop:{second}", "--fault", f"bybit:abort:{second}")
]
"""Some of them fall into the run, however long the chain takes to start."""
MOST_TRADES = 100
BOOKS = """SELECT (SELECT count(*) FROM book_gaps WHERE to_ns > from_ns), (SELECT count(*) FROM quotes),
    (SELECT count(*) FROM arbitrages WHERE kind = 'cex_dex'), (SELECT count(*) FROM best_quotes),
    (SELECT count(*) FROM arbitrages WHERE kind = 'cross_exchange')"""
CHAIN = """SELECT (SELECT count(*) FROM gaps), (SELECT count(*) FROM transactions WHERE state = 'pending'),
    (SELECT count(*) FROM transactions WHERE state = 'replaced'), (SELECT count(*) FROM predictions WHERE late_ns > 0),
    (SELECT count(*) FROM outcomes), (SELECT count(*) FROM opportunities)"""
FOLLOWING = ("--exchange", "kraken", "--exchange", "binance", "--exchange", "coinbase", "--exchange", "bybit")


@dataclass(frozen=True)
class Recording:
    """A run's capture and database."""

    capture: Path
    db: Path


@pytest.fixture(scope="module")
def recording(devnet_packages: None, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Blocks before, during and after a cut, and order books all the while; swaps left pending when the run ends."""
    folder = tmp_path_factory.mktemp("recording")
    capture = folder / "run.capture.gz"
    with (
        running_devnet(AnvilOptions(order="fees")) as devnet,
        Proxy(devnet.anvil.port) as line,
        simulated_exchanges(*FAULTS) as server,
        LiveProgram([line.ws_url], folder, "--record", str(capture), *FOLLOWING, "--server", server) as program,
    ):
        users = traffic(devnet, SEED)
        send_first(users, program)
        trade(devnet, users)
        line.cut()
        trade(devnet, users)
        last = send(users, PER_BLOCK)
        time.sleep(CUT_SECONDS)
        line.mend()
        program.wait_for_all(lasting_swaps(last))
        for _ in range(MOST_TRADES):
            trade(devnet, users)
            if has_all(program.db, BOOKS):
                break
        program.wait_for_all(lasting_swaps(send(users, PER_BLOCK)))
        assert program.stop().code == 130
        return Recording(capture, program.db)


def has_all(db: Path, counts: str) -> bool:
    (counted,) = rows(db, counts)
    return 0 not in counted


def trade(devnet: Devnet, users: Traffic) -> None:
    for _ in range(BLOCKS_EACH):
        send(users, PER_BLOCK)
        time.sleep(0.2)
        devnet.mine()


def test_replay_gives_the_rows_of_the_run_that_was_recorded(recording: Recording, tmp_path: Path) -> None:
    ended, db = replayed(recording.capture, tmp_path)
    assert (ended.code, "Traceback" in ended.stderr) == (0, False)
    assert_same_rows(db, recording.db)


def test_recording_holds_what_makes_a_replay_hard(recording: Recording) -> None:
    """Else the comparison would be an easy one."""
    assert has_all(recording.db, BOOKS), rows(recording.db, BOOKS)
    assert has_all(recording.db, CHAIN), rows(recording.db, CHAIN)


def test_truncated_capture_is_one_line_and_the_rows_before_the_cut(recording: Recording, tmp_path: Path) -> None:
    short = tmp_path / "short.capture.gz"
    whole = recording.capture.read_bytes()
    short.write_bytes(whole[: len(whole) // 2])
    ended, db = replayed(short, tmp_path)
    assert ended.code == 5
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {short}, line ")
    assert integrity(db) == "ok"
    assert rows(db, "SELECT ended FROM runs") == [("failed",)]
    stored = contents(db, "intents")
    assert stored
    assert stored == contents(recording.db, "intents")[: len(stored)]


def test_capture_cut_inside_a_line_keeps_the_rows_before_it(recording: Recording, tmp_path: Path) -> None:
    short = tmp_path / "short.capture"
    lines = gzip.decompress(recording.capture.read_bytes()).splitlines(keepends=True)
    kept = len(lines) * 2 // 3
    short.write_bytes(b"".join(lines[:kept])[:-20])
    ended, db = replayed(short, tmp_path)
    assert ended.code == 5
    (line,) = ended.stderr.splitlines()
    assert line == f"error: {short}, line {kept}: the line is cut off; what stands before it is in {db}"
    assert 0 < len(contents(db, "intents")) < len(contents(recording.db, "intents"))


def test_replay_into_a_database_that_has_the_rows_adds_none(recording: Recording, tmp_path: Path) -> None:
    db = tmp_path / "replayed.sqlite"
    shutil.copy(recording.db, db)
    ended, _ = replayed(recording.capture, tmp_path)
    assert ended.code == 0
    for table in ("transactions", "intents", "predictions", "outcomes", "opportunities", "sightings"):
        assert len(contents(db, table)) == len(contents(recording.db, table)), table
