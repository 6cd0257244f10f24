"""The program ends without a word on a signal that comes while it is being loaded."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mempool import __version__

LOADING = """
import builtins, os, signal, sys
from mempool.cli.start import start
load = builtins.__import__
def interrupted(name, *rest):
    if name == "mempool.cli.main":
        os.kill(os.getpid(), int(sys.argv[1]))
    return load(name, *rest)
builtins.__import__ = interrupted
start()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_during_the_imports_ends_silently(number: int, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOADING, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_interrupt_that_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    ignoring = "import signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsys.argv[1:] = ['--version']\n"
    script = (
        f"{ignoring}from mempool.cli.start import start\ntry:\n    start()\nfinally:\n    print(signal.getsignal(signal.SIGINT))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False)
    assert done.stdout.splitlines()[1:] == [str(signal.SIG_IGN)]


def test_package_runs_as_a_module_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mempool", "--version"], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == (f"mempool {__version__}\n", "", 0)
