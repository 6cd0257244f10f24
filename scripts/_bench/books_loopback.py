"""Five thousand messages a second over websockets on the loopback: how long until the best quote over all venues is there."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from scripts._bench.figures import OURS, Figure, Row, Section, Tail

VENUES = ("kraken", "coinbase", "okx", "bybit")
"""Those that send their snapshots over the websocket too."""
PAIR = "ETH/USD"
RATE, COUNT, QUICK_COUNT = 5_000, 50_000, 2_000
ROUNDS, QUICK_ROUNDS = 3, 1
DRAIN_SECONDS = 0.5
"""After the last frame was written, until the listener is asked."""
LIMIT_US = 1_000.0
ROOT = Path(__file__).parent.parent.parent


class Run(Struct, frozen=True):
    """One run: nanoseconds until the best over all venues was there, of each quote from its frame's reception and its sending."""

    from_received: list[int]
    from_sent: list[int]
    rate: float
    """Messages a second that were sent indeed."""
    cpu_seconds: float
    """Of the listener, a message."""


def loopback(*, quick: bool) -> Section:
    rounds, count = (QUICK_ROUNDS, QUICK_COUNT) if quick else (ROUNDS, COUNT)
    runs = [_run(count) for _ in range(rounds)]
    rows = (
        _row("received -> best over all venues", [run.from_received for run in runs], {"p99": LIMIT_US}),
        _row("sent -> best over all venues", [run.from_sent for run in runs], {}),
    )
    cpu = sorted(run.cpu_seconds for run in runs)[len(runs) // 2]
    rate = sorted(run.rate for run in runs)[len(runs) // 2]
    sent = f"{rate:,.0f} messages a second from {len(VENUES)} venues"
    about = f"all by the clock; {sent}; the listener's processor: {cpu * 1e6:.0f} us a message"
    return Section(f"order books: {RATE:,} messages a second over the loopback, microseconds", "message", rows, (about,))


def _row(work: str, rounds: list[list[int]], limits: dict[str, float]) -> Row:
    means = Figure(OURS, tuple([sum(each) / len(each) / 1e9 for each in rounds]))
    return Row(work, (means,), tails={OURS: Tail.of(rounds)}, limits=limits)


def _run(count: int) -> Run:
    with _process("books_server", PAIR, str(RATE), str(count), *VENUES) as server:
        port = _line(server).strip()
        with _process("books_listener", f"ws://127.0.0.1:{port}", PAIR, *VENUES) as listener:
            _line(listener)
            seconds, sent = _ask(server)
            time.sleep(DRAIN_SECONDS)
            cpu_seconds, heard = _ask(listener)
    sent_ns = {(venue, event_ns): at_ns for venue, event_ns, at_ns in sent}
    ours = [each for each in heard if (each[0], each[1]) in sent_ns]
    return Run(
        [done_ns - recv_ns for _, _, recv_ns, done_ns in ours],
        [done_ns - sent_ns[venue, event_ns] for venue, event_ns, _, done_ns in ours],
        count / seconds,
        cpu_seconds / count,
    )


@contextlib.contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-m", f"scripts._bench.{module}", *arguments)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str]) -> Any:
    """A line makes it go on; what it answers."""
    if process.stdin is None:
        raise AssertionError("started without pipes")
    process.stdin.write("\n")
    process.stdin.flush()
    return json.loads(_line(process))


def _line(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise RuntimeError(f"{process.args!r}: it ended")
    return line
