"""What `mempool profile books` runs: a recording of one exchange's frames through the session that keeps its books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mempool.engine.books_replay import replay_frames
from mempool.errors import BadData
from mempool.exchanges import EXCHANGES, Exchange
from mempool.feeds.frame_file import read_frames
from mempool.model.book import Instrument, Quote

LOOKED_AT = 200
"""So many frames show whose they are."""
MAX_FRAME_BYTES = max(exchange.limits.max_frame_bytes for exchange in EXCHANGES.values())

Frames = Sequence[tuple[int, bytes]]


def books_work(path: Path) -> Callable[[], object]:
    """One round through all frames. Raises `UsageError` where the file cannot be opened, `BadData` where it is no recording."""
    frames = list(read_frames(path, MAX_FRAME_BYTES))
    exchange = exchange_of(frames)
    if exchange is None:
        raise BadData(f"{path}: no exchange's book is built from these frames")
    return lambda: replay_frames(exchange, frames, ignore)


def exchange_of(frames: Frames) -> Exchange | None:
    """The one whose books the first frames change most often; None where they change nobody's."""
    changes = {exchange: _changes(exchange, frames[:LOOKED_AT]) for exchange in EXCHANGES.values()}
    most = max(changes, key=changes.__getitem__)
    return most if changes[most] else None


def _changes(exchange: Exchange, frames: Frames) -> int:
    counts = replay_frames(exchange, frames, ignore).counts
    return counts.updates + counts.snapshots


def ignore(instrument: Instrument, quote: Quote | None, now_ns: int) -> None:
    """What the quotes are is of no matter here."""
