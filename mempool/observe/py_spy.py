"""Samples a workload from outside with py-spy, where it is installed and the system lets one process look into another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mempool.errors import MempoolError
from mempool.model.display import display
from mempool.observe.stacks import Stack, below, by_function, parse_folded

ROOT = "repeat_for"
"""The function whose callees are the workload; start-up and reading stand outside it."""
SPARE_SECONDS = 120


class PySpyRefused(MempoolError):
    """py-spy is not there, or may not look; the message says which."""


def sample_outside(kind: str, path: Path, seconds: float, rate_hz: int) -> Counter[Stack]:
    """Run the workload in a process of its own under py-spy. Raises `PySpyRefused`."""
    program = find_py_spy()
    if program is None:
        raise PySpyRefused("py-spy is not installed (pip install py-spy)")
    with tempfile.TemporaryDirectory(prefix="mempool-profile-") as folder:
        output = Path(folder) / "folded.txt"
        worker = [sys.executable, "-m", "mempool.observe.workloads", kind, str(path), str(seconds)]
        command = [program, "record", "--format", "raw", "--rate", str(rate_hz), "--output", str(output), "--", *worker]
        refusal = _run(command, seconds)
        stacks = by_function(below(parse_folded(output.read_text()), ROOT)) if output.exists() else Counter[Stack]()
    if not stacks:
        raise PySpyRefused(f"py-spy took no samples: {refusal or 'it says nothing'}")
    return stacks


def find_py_spy() -> str | None:
    """Beside this Python first, then on the PATH."""
    return shutil.which("py-spy", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _run(command: list[str], seconds: float) -> str:
    """The last line that py-spy complained with."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            command, capture_output=True, text=True, timeout=3 * seconds + SPARE_SECONDS, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise PySpyRefused(f"py-spy could not be run: {display(str(problem), 200)}") from problem
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return display(lines[-1], 200) if lines else ""
