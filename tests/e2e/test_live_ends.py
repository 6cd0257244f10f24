"""How a run ends: by a signal, by a kill, by a full disk; at any moment under load, with all that was accepted in its file."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet, running_devnet
from tests.conftest import WAIT_SECONDS
from tests.e2e.program import LiveProgram, column, integrity, rows
from tests.e2e.trading import Crowd

pytestmark = pytest.mark.devnet
FEW, MANY = 5, 100
DRAIN_SECONDS = 6.0
RUNS = [pytest.param(number, marks=[pytest.mark.slow] if number >= FEW else []) for number in range(MANY)]


@pytest.fixture(scope="module")
def node(devnet_packages: None) -> Iterator[Devnet]:
    with running_devnet(AnvilOptions(disable_gas_limit=True)) as devnet:
        yield devnet


@contextmanager
def trading(devnet: Devnet, rng: Random) -> Iterator[Crowd]:
    """A crowd that sends some hundred swaps a second, and blocks now and then, until the end of the `with`."""
    crowd, ended = Crowd(devnet), threading.Event()

    def trade() -> None:
        while not ended.is_set():
            crowd.send()
            if rng.random() < 0.3:
                crowd.mine()
            time.sleep(0.05)

    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield crowd
    finally:
        ended.set()
        thread.join()
        crowd.close()


def wait_for_rows(program: LiveProgram, run: int = 1) -> None:
    """Until this run of the file has stored a transaction."""
    program.wait_until("rows", lambda: bool(program.rows("SELECT 1 FROM transactions WHERE run_id = ? LIMIT 1", run)))


def announced(capture: Path) -> set[str]:
    """What the node announced, by the capture, which is written before anything else is done with a message."""
    written, _, _ = capture.read_text().rpartition("\n")  # what follows is a line that is being written
    messages = [payload for _, _, kind, payload in map(json.loads, written.splitlines()[1:]) if kind == "in"]
    told = [message["params"]["result"] for message in map(json.loads, messages) if message.get("method") == "eth_subscription"]
    return {result["hash"] for result in told if "nonce" in result and result.get("from")}


@pytest.mark.parametrize("number", RUNS)
def test_signal_under_load_ends_within_6_s_and_loses_no_accepted_row(number: int, node: Devnet, tmp_path: Path) -> None:
    rng = Random(number)
    told, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[number % 2]
    capture = tmp_path / "run.capture"
    with trading(node, rng), LiveProgram([node.anvil.ws_url], tmp_path, "--record", str(capture)) as program:
        wait_for_rows(program)
        program.wait_until("an announcement", lambda: bool(announced(capture)))  # the rows may be the pool's at the start
        time.sleep(rng.uniform(0, 1.5))
        ended, seconds = program.timed_stop(told)
    assert (ended.code, seconds < DRAIN_SECONDS, "Traceback" in ended.stderr) == (code, True, False), (seconds, ended)
    assert program.rows("SELECT ended FROM runs") == [("signal",)]
    accepted = announced(capture)
    assert accepted
    assert accepted - column(program.rows("SELECT hash FROM transactions")) == set()
    assert integrity(program.db) == "ok"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("mempool.sqlite")] == ["mempool.sqlite"]


def test_second_signal_ends_at_once(node: Devnet, tmp_path: Path) -> None:
    with trading(node, Random(1)), LiveProgram([node.anvil.ws_url], tmp_path) as program:
        wait_for_rows(program)
        with locked(program.db):  # else all may be stored, and the program at its end, before the second
            program.send_signal(signal.SIGTERM)
            ended, seconds = program.timed_stop(signal.SIGINT)
    assert seconds < DRAIN_SECONDS
    assert ended.code in (-signal.SIGINT, -signal.SIGTERM)
    assert integrity(program.db) == "ok"


def test_runs_that_are_killed_lose_no_stored_row_and_the_next_one_goes_on(node: Devnet, tmp_path: Path) -> None:
    rng, stored = Random(3), set[tuple[int, str]]()
    db = tmp_path / "mempool.sqlite"
    with trading(node, rng):
        for number in range(FEW):
            with LiveProgram([node.anvil.ws_url], tmp_path / str(number), db=db) as program:
                wait_for_rows(program, run=number + 1)
                time.sleep(rng.uniform(0, 1))
                committed = set(rows(db, "SELECT id, hash FROM transactions"))
                kill(program)
            assert integrity(db) == "ok"
            assert committed | stored <= set(rows(db, "SELECT id, hash FROM transactions"))
            stored = committed
    with closing(Crowd(node)) as crowd, LiveProgram([node.anvil.ws_url], tmp_path / "unmined", db=db) as program:
        gone = crowd.send()
        program.wait_for_all(gone)
        kill(program)
        node.rpc.call("anvil_dropAllTransactions")
    open_before = pending(db)
    with LiveProgram([node.anvil.ws_url], tmp_path / "last", db=db) as program:
        program.wait_until("an end of all that was open", lambda: not open_before & pending(db))
        assert program.stop().code == 130
    assert rows(db, "SELECT ended FROM runs ORDER BY id") == [("unclean",)] * (FEW + 1) + [("signal",)]
    assert stored <= set(rows(db, "SELECT id, hash FROM transactions"))
    ends = {hash_: state for hash_, state in rows(db, "SELECT hash, state FROM transactions") if hash_ in open_before}
    assert {ends[hash_] for hash_ in gone} == {"vanished"}
    # The last block of the trading may be younger than the last kill there: the run that follows reads it and finds them.
    assert set(ends.values()) <= {"vanished", "included", "replaced"}
    vanished = json.loads(rows(db, "SELECT counters FROM runs ORDER BY id DESC LIMIT 1")[0][0])["vanished"]
    assert vanished == sum(state == "vanished" for state in ends.values())


@contextmanager
def locked(db: Path) -> Iterator[None]:
    """Nobody else can write meanwhile."""
    with closing(sqlite3.connect(db, isolation_level=None, timeout=WAIT_SECONDS)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


def kill(program: LiveProgram) -> None:
    program.send_signal(signal.SIGKILL)
    assert program.wait().code == -signal.SIGKILL


def pending(db: Path) -> set[str]:
    return column(rows(db, "SELECT hash FROM transactions WHERE state = 'pending'"))
