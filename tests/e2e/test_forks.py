"""What a forked program prints and how it ends is what the program does that its users start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, WAIT_SECONDS
from tests.e2e.forks import Fork
from tests.e2e.nodes import threaded_node
from tests.e2e.program import COMMAND, Ended, Program, environment, run_once

COMMANDS: dict[str, dict[str, str]] = {
    "run --rpc-url ws://127.0.0.1:1": {},
    "config": {"ETH_RPC_URL": "wss://node.example/v3/key", "MEMPOOL_KEEP": "7d"},
    "routers --json": {"TZ": "Asia/Tokyo"},
    "tail --db none.sqlite": {"PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "default"},
    "run --no-such-flag": {},
    "grade --help": {"COLUMNS": "60"},
}
"""Each with variables beside the usual ones."""


@pytest.mark.parametrize("words", COMMANDS)
def test_forked_command_is_as_the_started_one(words: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, *words.split()],
        cwd=tmp_path,
        env=environment(tmp_path, COMMANDS[words]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert done.stdout + done.stderr
    (tmp_path / "mempool.sqlite").unlink(missing_ok=True)
    assert run_once(words.split(), tmp_path, COMMANDS[words]) == Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda value: str(value),
)
def test_signal_reaches_the_fork_and_its_exit_code_is_told(number: signal.Signals, code: int, tmp_path: Path) -> None:
    with threaded_node() as node, Program(["run", "--rpc-url", node.url], tmp_path) as program:
        deadline = time.monotonic() + WAIT_SECONDS
        while "listening to" not in program.said() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert program.pid != os.getpid()
        assert program.stop(number).code == code
        assert not program.is_running


def test_forks_of_one_interpreter_end_each_with_its_own_code(tmp_path: Path) -> None:
    with (tmp_path / "printed").open("wb") as file:
        streams = [file.fileno()] * 2
        forks = [Fork([word], tmp_path, environment(tmp_path, {}), streams) for word in ("--version", "rum", "--version", "rum")]
        assert [fork.wait(WAIT_SECONDS) for fork in forks] == [0, 2, 0, 2]
        assert len({fork.pid for fork in forks}) == 4


ASKER = """
import os, sys
from pathlib import Path
from tests.conftest import ROOT, WAIT_SECONDS
from tests.e2e.forks import Fork
from tests.e2e.program import environment
folder = Path(sys.argv[1])
fork = Fork(["run", "--rpc-url", sys.argv[2]], folder, environment(folder, {}), [1, 1])
print(fork.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_fork_ends_with_who_asked_for_it_though_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ASKER, str(tmp_path)]
    with threaded_node() as node:
        # The pipe that both write to ends for its reader when the fork has ended too.
        asked = subprocess.run([*command, node.url], cwd=ROOT, stdout=subprocess.PIPE, timeout=WAIT_SECONDS, check=False)
    assert (asked.returncode, int(asked.stdout) > 0) == (-signal.SIGKILL, True)
