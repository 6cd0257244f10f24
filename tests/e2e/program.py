"""The program in a process of its own, watched through its database, ended by signal."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import ROOT, WAIT_SECONDS
from tests.e2e.forks import Fork

COMMAND = (sys.executable, "-m", "mempool.cli.main")
POLL_SECONDS = 0.05
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it printed."""

    code: int
    stdout: str
    stderr: str


class Timeout(AssertionError):
    """What a test waited for did not come."""


class Program:
    """One running `mempool …`; its output goes to files, so that it never waits for a reader. Killed at the end of a `with`."""

    def __init__(self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._out, self._err = ((folder / name).open("w+b") for name in ("stdout", "stderr"))
        self._process = Fork(arguments, folder, environment(folder, environ or {}), [self._out.fileno(), self._err.fileno()])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = WAIT_SECONDS) -> Ended:
        """Wait for its end."""
        code = self._process.wait(seconds)
        printed = []
        for file in (self._out, self._err):
            file.seek(0)
            printed.append(file.read().decode())
        return Ended(code, *printed)

    def stop(self, number: signal.Signals = signal.SIGINT) -> Ended:
        self.send_signal(number)
        return self.wait()

    def timed_stop(self, number: signal.Signals) -> tuple[Ended, float]:
        """`stop`, and the seconds until it was last seen: without those in which it waited for a processor that others had."""
        began, before, waited = time.monotonic(), processor_waits(self.pid), Counter[str]()
        last_seen = began
        self.send_signal(number)
        while self.is_running:
            last_seen = time.monotonic()
            waited |= processor_waits(self.pid) - before
            time.sleep(POLL_SECONDS / 5)
        return self.wait(), last_seen - began - waited.total() / 1e9

    def said(self) -> str:
        """What it has printed on stderr so far."""
        return (self.folder / "stderr").read_text()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.is_running:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)
        self._out.close()
        self._err.close()


class LiveProgram(Program):
    """`mempool run` on some nodes, with its database."""

    def __init__(self, urls: Sequence[str], folder: Path, *more: str, db: Path | None = None) -> None:
        self.db = db or folder / "mempool.sqlite"
        nodes = [argument for url in urls for argument in ("--rpc-url", url)]
        super().__init__(["run", *nodes, "--db", str(self.db), *more], folder)

    def rows(self, query: str, *values: Any) -> list[Row]:
        return rows(self.db, query, *values)

    def wait_until(self, what: str, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Polls until `holds()`; fails, with what the program said, when it ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not holds():
            if not self.is_running:
                raise Timeout(f"the program ended before {what}: {self.said()}")
            if time.monotonic() > deadline:
                raise Timeout(f"no {what} within {seconds:g} s; the program said: {self.said()}")
            time.sleep(POLL_SECONDS)

    def wait_for_all(self, hashes: Sequence[str], condition: str = "1") -> None:
        """Until each of these transactions has a row for which `condition` holds."""
        query = f"SELECT hash FROM transactions t WHERE {condition}"
        self.wait_until(f"rows of all of {len(hashes)} with {condition}", lambda: set(hashes) <= column(self.rows(query)))

    def wait_for_end_of_all(self, hashes: Sequence[str]) -> None:
        self.wait_for_all(hashes, "t.state <> 'pending'")

    def wait_for_predictions(self, hashes: Sequence[str]) -> None:
        self.wait_for_all(hashes, PREDICTED)


PREDICTED = """NOT EXISTS (SELECT 1 FROM intents i LEFT JOIN predictions p ON p.intent_id = i.id
    WHERE i.transaction_id = t.id AND p.id IS NULL AND i.missed IS NULL) OR t.state <> 'pending'"""
"""Each intent is simulated, or the row says why not."""


def run_once(arguments: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Ended:
    """One command from its start to its end."""
    with Program(arguments, folder, environ) as program:
        return program.wait()


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours but the paths: no settings, an empty home."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def processor_waits(pid: int) -> Counter[str]:
    """By its threads, the nanoseconds that they were ready to run and did not; nothing where the system does not count them."""
    found = Counter[str]()
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError):  # it has ended, or is not told about
            found[thread.parent.name] = int(thread.read_text().split()[1])
    return found


def rows(db: Path, query: str, *values: Any) -> list[Row]:
    """Read-only; nothing where there is no such file or table yet."""
    try:
        with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error) or "no such table" in str(error):
            return []
        raise


def column(found: Sequence[Row]) -> set[Any]:
    """The first column."""
    return {row[0] for row in found}


def integrity(db: Path) -> str:
    """`ok` where SQLite finds nothing wrong, with its references too."""
    with closing(sqlite3.connect(db)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return str(broken) if broken else str(connection.execute("PRAGMA integrity_check").fetchone()[0])
