"""Tests that share something are one worker's; all others may go to any."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.conftest import ROOT
from tests.scheduling import ACROSS, unit

SHARING = "tests/engine/test_block_run.py"
"""Has a fixture for the whole module, and takes no time."""


def test_module_with_a_fixture_of_its_own_is_one_unit_and_other_tests_are_each_one() -> None:
    assert unit("tests/e2e/test_replay.py::test_a") == unit("tests/e2e/test_replay.py::test_b[1]")
    assert unit("tests/test_tables.py::test_a") != unit("tests/test_tables.py::test_b")


def test_modules_that_share_are_one_unit() -> None:
    assert unit("tests/e2e/test_devnet_v4.py::test_a") == unit("tests/e2e/test_devnet_padding.py::test_b")
    assert unit("tests/e2e/test_secrets.py::test_a") == unit("tests/e2e/test_forks.py::test_b[x]")
    tests = [path.stem.removeprefix("test_") for path in (ROOT / "tests/e2e").glob("test_*.py")]
    assert ACROSS.keys() <= {name.removeprefix("devnet_") for name in tests}


def test_module_that_shares_runs_on_one_worker_of_two() -> None:
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider", SHARING]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    workers = re.findall(r"^\[(gw\d)\] .* PASSED ", done.stdout, re.MULTILINE)
    assert len(workers) > 4
    assert len(set(workers)) == 1
