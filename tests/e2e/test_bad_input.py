"""What users and disks get wrong: one clear line on stderr, the documented exit code, no traceback, nothing stored lost."""

from __future__ import annotations

import gzip
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts._devnet.devnet import Devnet
from tests.conftest import ROOT
from tests.e2e.nodes import threaded_node
from tests.e2e.program import COMMAND, Ended, LiveProgram, environment, integrity, rows, run_once
from tests.e2e.trading import Crowd

CAPTURE = ROOT / "tests/fixtures/devnet.capture.gz"
NOBODY = "127.0.0.1:1"
"""A port where nobody listens."""


@dataclass(frozen=True)
class Mistake:
    """A command line with `{here}` for the test's folder, and what must come of it."""

    arguments: str
    code: int
    says: str
    environ: dict[str, str] = field(default_factory=dict)
    settings: str = ""
    """What stands in `mempool.toml`."""


MISTAKES = {
    "scheme": Mistake("run --rpc-url ftp://node.example", 3, "starts with ws://, wss://, http:// or https://, not ftp://"),
    "no scheme": Mistake("run --rpc-url localhost:8545", 3, "has no scheme: give ws://"),
    "port": Mistake("run --rpc-url ws://localhost:port", 3, "is the host or the port misspelt?"),
    "no node": Mistake("run", 3, "no node to listen to: set ETH_RPC_URL"),
    "variable": Mistake("run", 3, "misspelt?", environ={"ETH_RPC_URL": "ws://localhost:port"}),
    "nobody there": Mistake(f"run --rpc-url ws://{NOBODY}", 4, f"ws://{NOBODY}: connection refused: does a node listen there?"),
    "nobody over http": Mistake(f"run --rpc-url http://{NOBODY}", 4, f"http://{NOBODY}: connection refused"),
    "no socket": Mistake("run --rpc-url {here}/no.ipc", 4, "there is no such socket"),
    "time": Mistake(f"run --rpc-url ws://{NOBODY} --keep soon", 2, "soon"),
    "option": Mistake("run --rcp-url ws://x", 2, "--rpc-url"),
    "command": Mistake("rum", 2, "rum"),
    "chain": Mistake(f"run --rpc-url ws://{NOBODY} --chain etherium", 3, "etherium"),
    "key": Mistake("run", 3, "mempool.toml: unknown key rcp_url: did you mean rpc_url?", settings='rcp_url = "ws://x"'),
    "value": Mistake("run", 3, "mempool.toml: min_profit", settings='min_profit = "much"'),
    "toml": Mistake("run", 3, "mempool.toml: not valid TOML", settings="min_profit = = 1"),
    "variable's name": Mistake("run", 3, "did you mean MEMPOOL_KEEP?", environ={"MEMPOOL_KEEPS": "3d"}),
    "no capture": Mistake("replay {here}/none", 2, "none: No such file or directory: name a capture"),
    "no text": Mistake("replay {here}/noise", 5, "this is not a capture"),
    "directory": Mistake("replay {here}", 2, "Is a directory: name a capture"),
    "nowhere to write": Mistake("replay {capture} --db /proc/x.sqlite", 7, "name a file in a directory that may be written"),
    "below a file": Mistake("replay {capture} --db {here}/noise/x.sqlite", 7, "a file stands where its directory should be"),
    "db is a directory": Mistake("replay {capture} --db {here}", 7, "cannot be opened: check that it is a file"),
    "db is no database": Mistake("replay {capture} --db {here}/noise", 7, "is not an SQLite database: name another file"),
    "record nowhere": Mistake(f"run --rpc-url ws://{NOBODY} --record {{here}}/noise/x", 7, "name another file"),
    "nothing to tail": Mistake("tail --db {here}/none.sqlite", 7, "none.sqlite"),
    "nothing to grade": Mistake("grade --db {here}/none.sqlite", 7, "none.sqlite"),
    "no block": Mistake("backtest {here}/none.json", 2, "none.json: No such file or directory: name a readable block file"),
    "no block in it": Mistake("backtest {here}/noise", 5, "noise"),
    "no calldata": Mistake("decode 0xzz --to 0x7a250d5630b4cf539739df2c5dacb4c659f2488d", 2, "an even number of hex digits"),
    "hash without a node": Mistake("decode 0x" + 64 * "1", 3, "ETH_RPC_URL"),
    "newer to run": Mistake(f"run --rpc-url ws://{NOBODY} --db {{here}}/newer.sqlite", 7, "has schema 99, this release knows"),
    "newer to replay": Mistake("replay {capture} --db {here}/newer.sqlite", 7, "upgrade mempool or name another file"),
    "newer to tail": Mistake("tail --db {here}/newer.sqlite", 7, "upgrade mempool or name another file"),
    "newer to grade": Mistake("grade --db {here}/newer.sqlite", 7, "upgrade mempool or name another file"),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bundled capture comes to."""
    folder = tmp_path_factory.mktemp("replayed")
    assert run_once(["replay", str(CAPTURE), "--db", str(folder / "a.sqlite")], folder).code == 0
    return folder / "a.sqlite"


def assert_one_clear_line(ended: Ended, code: int, says: str) -> None:
    assert (ended.code, ended.stdout) == (code, ""), ended
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_told_in_one_line_with_its_exit_code(name: str, database: Path, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    newer = tmp_path / "newer.sqlite"
    newer.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    if mistake.settings:
        (tmp_path / "mempool.toml").write_text(mistake.settings)
    stored = newer.read_bytes()
    words = [word.format(here=tmp_path, capture=CAPTURE) for word in mistake.arguments.split()]
    assert_one_clear_line(run_once(words, tmp_path, mistake.environ), mistake.code, mistake.says)
    assert (newer.read_bytes(), (tmp_path / "noise").read_bytes()) == (stored, bytes(range(256)))


def test_node_on_another_chain_is_refused(tmp_path: Path) -> None:
    with threaded_node(lambda node: node.replies.update(eth_chainId=lambda _: "0x2")) as node:
        ended = run_once(["run", "--rpc-url", node.url], tmp_path)
    assert_one_clear_line(ended, 4, "the node is on chain 2, the tables are for chain 1: use a node of that chain")


def test_truncated_capture_keeps_the_rows_before_its_end(database: Path, tmp_path: Path) -> None:
    short, db = tmp_path / "short.capture.gz", tmp_path / "a.sqlite"
    short.write_bytes(CAPTURE.read_bytes()[: CAPTURE.stat().st_size * 2 // 3])
    ended = run_once(["replay", str(short), "--db", str(db)], tmp_path)
    assert_one_clear_line(ended, 5, f"{short}, line ")
    kept = rows(db, "SELECT id, hash FROM transactions ORDER BY id")
    assert kept
    assert kept == rows(database, "SELECT id, hash FROM transactions ORDER BY id")[: len(kept)]


def test_damaged_database_is_refused_and_left_as_it_is(database: Path, tmp_path: Path) -> None:
    damaged = bytearray(database.read_bytes())
    middle = len(damaged) // 2 // 4096 * 4096
    damaged[middle : middle + 64] = bytes(64)
    (tmp_path / "a.sqlite").write_bytes(damaged)
    ended = run_once(["replay", str(CAPTURE), "--db", str(tmp_path / "a.sqlite")], tmp_path)
    assert_one_clear_line(ended, 7, "is damaged")
    assert (tmp_path / "a.sqlite").read_bytes() == damaged


def test_replay_onto_a_disk_that_takes_no_more_keeps_what_it_took(tmp_path: Path) -> None:
    db = tmp_path / "a.sqlite"
    command = [*COMMAND, "replay", str(CAPTURE), "--db", str(db)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000)),
    )
    assert_one_clear_line(Ended(done.returncode, done.stdout, done.stderr), 7, f"{db} ")
    assert integrity(db) == "ok"


@pytest.mark.devnet
def test_run_on_a_full_disk_goes_on_and_stores_again_when_there_is_room(devnet: Devnet, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4 * 1024 * 1024) as disk, closing(Crowd(devnet)) as crowd:
        ballast = disk / "ballast"
        with LiveProgram([devnet.anvil.ws_url], tmp_path / "run", db=disk / "a.sqlite") as program:
            crowd.send()
            program.wait_for_all(crowd.sent)
            before = program.rows("SELECT id, hash FROM transactions")
            fill(ballast)
            crowd.send()
            program.wait_until("word of the full disk", lambda: "not storing: " in program.said() or refill(ballast, crowd))
            crowd.send()
            assert program.is_running
            assert program.rows("SELECT id, hash FROM transactions")[: len(before)] == before
            ballast.unlink()
            freed_at = time.monotonic()
            program.wait_until("word that it stores again", lambda: "storing again" in program.said())
            assert time.monotonic() - freed_at < 30  # it tries every ten
            program.wait_for_all(crowd.sent)
            ended = program.stop()
        assert (ended.code, "Traceback" in ended.stderr) == (130, False)
        assert "the disk is full: make room or name a file on another disk" in ended.stderr
        assert integrity(program.db) == "ok"


@contextmanager
def small_disk(at: Path, size_bytes: int) -> Iterator[Path]:
    at.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", at], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def refill(path: Path, crowd: Crowd) -> bool:
    """The room that is found by folding the WAL into the database."""
    fill(path)
    crowd.send()
    time.sleep(0.5)
    return False


def fill(path: Path) -> None:
    """Until nothing more goes on the disk."""
    with path.open("ab", buffering=0) as file:
        for size in (65_536, 4_096):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def test_bundled_capture_is_whole() -> None:
    assert gzip.decompress(CAPTURE.read_bytes()).endswith(b"\n")
