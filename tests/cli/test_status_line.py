"""The live line may lose whoever reads it, and nothing else is lost with it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

WATCHED = """
import sys
from mempool.cli import status_line
status_line.PLAIN_STATUS_SECONDS = 0
line = status_line.StatusLine()
line.begin("connecting")
print("begun", flush=True)
sys.stdin.read()
for number in range(3):
    line.show(f"seen {number}")
    line.remark("the connection is lost, trying again")
line.end()
print("still there", flush=True)
"""


@pytest.mark.parametrize("on_terminal", [False, True])
def test_line_whose_reader_has_gone_ends_nothing(*, on_terminal: bool) -> None:
    ours, theirs = os.openpty() if on_terminal else os.pipe()
    command, pipe = [sys.executable, "-c", WATCHED], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=theirs, text=True) as process:
        os.close(theirs)
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "begun\n"
        os.close(ours)
        process.stdin.close()
        assert process.stdout.read() == "still there\n"
        assert process.wait(60) == 0
