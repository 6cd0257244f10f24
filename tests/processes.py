"""Processes that a test starts and ends itself."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.conftest import ROOT


@contextmanager
def started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """In the checkout, with pipes for what it prints; killed where the test fails before its end, which would be waited for."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
