"""A key in a node's URL, wherever it stands, turns up in nothing that any command prints or writes, whatever goes wrong."""

from __future__ import annotations

import base64
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from scripts._devnet import addresses as at
from scripts._devnet.encoding import calldata
from tests.conftest import ROOT
from tests.e2e.nodes import threaded_node
from tests.e2e.program import Ended, LiveProgram, Program, run_once
from tests.fakes.messages import head, transaction
from tests.fakes.node import Refusal, ScriptedNode

CANARY = "CANARY-7c1e0d54f9b24c6fa7"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlktN2MxZTBkNTQifQ.c2lnbmF0dXJlLUNBTkFSWQ"
"""A JSON web token with the canary's first letters in it."""
TRACES = (
    CANARY,
    quote(CANARY[6:], safe=""),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
    base64.b64encode(f"user:{CANARY}".encode()).decode().rstrip("="),
    CANARY[-10:],
    TOKEN.split(".")[1],
)
SHAPES = {
    "path": "{scheme}://{host}/v3/" + CANARY,
    "query": "{scheme}://{host}/?apikey=" + CANARY,
    "userinfo": "{scheme}://user:" + CANARY + "@{host}/ws",
    "token": "{scheme}://{host}/" + TOKEN + "/" + CANARY,
}
NOBODY = "127.0.0.1:1"
ROUTER = at.V2_ROUTER
HASH = "0x" + 64 * "1"
SWAP = calldata("swapExactETHForTokens(uint256,address[],address,uint256)", 0, [at.WETH, at.USDC], ROUTER, 2**40)
CAPTURE = str(ROOT / "tests/fixtures/devnet.capture.gz")
LOUD = {"PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "default"}


def in_error(_: object) -> None:
    raise Refusal(-32000, f"no such project {CANARY} at wss://host/v3/{CANARY}")


def status(line: str) -> Callable[[ScriptedNode], None]:
    return lambda node: setattr(node, "status", line.encode())


def reply(method: str, result: Callable[[object], object]) -> Callable[[ScriptedNode], None]:
    return lambda node: node.replies.update({method: result})


FAULTS: dict[str, Callable[[ScriptedNode], None]] = {
    "401": status("401 Unauthorized"),
    "503": status(f"503 {CANARY}"),
    "redirect": status(f"302 Found\r\nLocation: http://127.0.0.1:1/{CANARY}"),
    "no http": status(f"banana {CANARY}"),
    "wrong chain": reply("eth_chainId", lambda _: "0x2"),
    "chain no number": reply("eth_chainId", lambda _: CANARY),
    "error with the key": reply("eth_chainId", in_error),
    "no subscription": reply("eth_subscribe", in_error),
    "subscription is odd": reply("eth_subscribe", lambda _: {"key": CANARY}),
    "no head": reply("eth_getBlockByNumber", in_error),
    "too long": lambda node: setattr(node, "on_connect", lambda: node.raw(bytes([0x81, 127]) + (2**40).to_bytes(8))),
    "bad frame": lambda node: setattr(node, "on_connect", lambda: node.raw(b"\xff" * 10)),
    "cut": lambda node: setattr(node, "on_connect", node.cut),
}


SURVIVED = {"subscription is odd"}
"""Faults that a run goes on with."""


def traces(folder: Path, *ended: Ended) -> list[tuple[str, str]]:
    """Where a trace stands, in any file that was written and in all that was printed."""
    written = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "mempool.toml"}
    printed = {
        f"{stream} of {number}": getattr(each, stream).encode()
        for number, each in enumerate(ended)
        for stream in ("stdout", "stderr")
    }
    return [(place, trace) for place, text in (written | printed).items() for trace in TRACES if trace.encode() in text]


def url(shape: str, host: str, scheme: str = "ws") -> str:
    return SHAPES[shape].format(scheme=scheme, host=host)


def as_flag(secret: str, folder: Path) -> Ended:
    return run_once(["run", "--rpc-url", secret], folder, LOUD)


def as_variable(secret: str, folder: Path) -> Ended:
    return run_once(["run"], folder, LOUD | {"ETH_RPC_URL": secret})


def as_setting(secret: str, folder: Path) -> Ended:
    settings = folder / "mempool.toml"
    settings.write_text(f'rpc_url = "{secret}"')
    settings.chmod(0o600)
    return run_once(["run"], folder, LOUD)


@pytest.mark.parametrize(
    ("shape", "scheme", "given"),
    [
        ("path", "ws", as_flag),
        ("query", "wss", as_variable),
        ("userinfo", "http", as_setting),
        ("token", "https", as_flag),
        ("path", "ftp", as_setting),
        ("userinfo", "ftp", as_flag),
    ],
)
def test_url_of_nobody_is_masked_however_it_is_given(
    shape: str, scheme: str, given: Callable[[str, Path], Ended], tmp_path: Path
) -> None:
    ended = given(url(shape, NOBODY, scheme), tmp_path)
    assert ended.code == (3 if scheme == "ftp" else 4), ended
    assert traces(tmp_path, ended) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_the_node_does_not_bring_out_the_key(fault: str, tmp_path: Path) -> None:
    shape = list(SHAPES)[list(FAULTS).index(fault) % len(SHAPES)]
    with threaded_node(FAULTS[fault]) as node:
        words = ["run", "--rpc-url", url(shape, f"127.0.0.1:{node.port}"), "--record", str(tmp_path / "run.capture")]
        with Program(words, tmp_path, LOUD) as program:
            while program.is_running and "txpool_content" not in node.methods:
                time.sleep(0.1)
            ended = program.stop(signal.SIGTERM) if program.is_running else program.wait()
    assert ended.code == (143 if fault in SURVIVED else 4), ended
    assert traces(tmp_path, ended) == []


COMMANDS: dict[str, list[str]] = {
    "decode": ["decode", HASH],
    "simulate": ["simulate", HASH],
    "simulate calldata": ["simulate", "0x7ff36ab5", "--to", ROUTER],
    "tail": ["tail", "--db", "none.sqlite"],
    "grade": ["grade", "--db", "none.sqlite"],
    "replay": ["replay", CAPTURE, "--db", "replayed.sqlite"],
    "backtest": ["backtest", "none.json"],
    "config": ["config"],
    "help of run": ["run", "--help"],
    "help of decode": ["decode", "--help"],
    "wrong flag": ["run", "--no-such-flag"],
    "wrong value": ["run", "--min-profit", "much"],
    "wrong key": ["run", "--keep", "soon"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_with_the_key_in_its_environment_shows_nothing_of_it(name: str, tmp_path: Path) -> None:
    shape = list(SHAPES)[list(COMMANDS).index(name) % len(SHAPES)]
    ended = run_once(COMMANDS[name], tmp_path, LOUD | {"ETH_RPC_URL": url(shape, NOBODY)})
    assert traces(tmp_path, ended) == []


def test_run_that_lives_and_is_killed_leaves_no_key_in_its_files(tmp_path: Path) -> None:
    """Database, its WAL and the capture, with a node that repeats the key in what it says."""
    with threaded_node(loquacious) as node:
        secret = url("path", f"127.0.0.1:{node.port}")
        with LiveProgram([secret], tmp_path, "--record", str(tmp_path / "run.capture")) as program:
            program.wait_until("a subscription", lambda: "txpool_content" in node.methods)
            node.tell("newPendingTransactions", transaction(1, input=SWAP))
            node.tell("newPendingTransactions", CANARY)
            node.tell("newHeads", {"error": f"wss://host/{CANARY}"})
            node.tell("newHeads", head(17))
            program.wait_until("a row", lambda: bool(program.rows("SELECT 1 FROM transactions")))
            program.wait_until("the end of the capture", lambda: is_read(head(17)["hash"], tmp_path / "run.capture"))
            program.send_signal(signal.SIGKILL)
            ended = program.wait()
    assert (tmp_path / "mempool.sqlite-wal").stat().st_size > 0
    assert "newHeads" in (tmp_path / "run.capture").read_text()
    assert traces(tmp_path, ended) == []
    shown = [run_once([*words, "--db", str(program.db)], tmp_path / words[0]) for words in (["tail"], ["grade"])]
    assert traces(tmp_path, *shown) == []


def is_read(block_hash: str, capture: Path) -> bool:
    """Whether it holds what the node said when that block was asked for, which it writes every second."""
    _, asked, said = capture.read_text().rpartition(block_hash)
    return bool(asked) and "no such project" in said


def loquacious(node: ScriptedNode) -> None:
    for method in ("eth_getBlockByHash", "eth_getBlockReceipts", "eth_getStorageAt", "eth_getCode", "eth_call"):
        node.replies[method] = in_error
