"""A writer that is killed loses at most what was not committed, and one that is asked to end loses nothing."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.examples import FAST, rows, store_records

ROOT = Path(__file__).parents[2]


@contextmanager
def endless_writer(path: Path, first: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.store.endless_writer", str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().startswith("committed")
        yield writer


def last_number(writer: subprocess.Popen[str]) -> int:
    assert writer.stdout is not None
    lines = [line for line in writer.stdout.read().splitlines() if line]
    return int(lines[-1].split()[1]) if lines else 1


def kill_in_mid_write(tmp_path: Path, times: int) -> None:
    path = tmp_path / "mempool.sqlite"
    pick = random.Random(times)
    stored = 0
    for kill in range(times):
        with endless_writer(path, 10_000_000 * (kill + 1)) as writer:
            time.sleep(pick.uniform(0, 0.15))
            writer.kill()
            committed = last_number(writer)
        assert rows(path, "PRAGMA quick_check") == ["ok"]
        assert rows(path, "PRAGMA foreign_key_check") == []
        (now,) = rows(path, "SELECT count(*) FROM opportunities")
        assert now >= stored + committed
        assert rows(path, "SELECT count(*) FROM transactions") == rows(path, "SELECT count(*) FROM outcomes")
        stored = now
    asyncio.run(store_records(path, [], FAST))
    assert rows(path, "SELECT ended, count(*) FROM runs GROUP BY ended ORDER BY ended") == [("clean", 1), ("unclean", times)]


def test_a_killed_writer_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    kill_in_mid_write(tmp_path, times=5)


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    kill_in_mid_write(tmp_path, times=200)


def test_a_writer_that_is_asked_to_end_commits_all_it_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    with endless_writer(path, 0) as writer:
        time.sleep(0.2)
        writer.terminate()
        accepted = last_number(writer)
        assert writer.wait(60) == 0
    assert rows(path, "SELECT count(*) FROM outcomes") == [accepted]
    assert rows(path, "SELECT ended FROM runs") == ["signal"]
    assert not path.with_name("mempool.sqlite-wal").exists()
