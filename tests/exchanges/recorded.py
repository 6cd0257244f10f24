"""Plays recordings of frames through a session."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

from mempool.exchanges import Exchange
from mempool.exchanges.events import BookEvent
from mempool.exchanges.session import ExchangeSession


def recorded_frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """`(recv_ns, frame)` of each line; 0 where a line has no stamp."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.splitlines():
        if line.startswith(b"{"):
            yield 0, line
        elif line:
            stamp, _, frame = line.partition(b" ")
            yield int(stamp), frame


def play(exchange: Exchange, frames: Iterable[tuple[int, bytes]]) -> tuple[ExchangeSession, list[BookEvent]]:
    """A session after these frames, with all that it said; a REST answer goes to the symbol that waits for one."""
    session = ExchangeSession(exchange)
    events: list[BookEvent] = []
    for recv_ns, frame in frames:
        if exchange.rest is not None and exchange.rest.is_answer(frame):
            events += session.snapshot(next(iter(session.keepers)), frame, recv_ns)
        else:
            events += session.receive(frame, recv_ns)
    return session, events
