"""The simulated exchanges in a process of their own, as their users start them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT


@contextmanager
def simulated_exchanges(*options: str, seconds: int = 1_200) -> Iterator[str]:
    """The address below which each venue has its name."""
    command = [sys.executable, "-u", "-m", "scripts._exchanges", "--seconds", str(seconds), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"ws://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()
