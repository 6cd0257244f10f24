"""When the result of an asynchronous read is applied: live at once, noted in the capture; in a replay where that note stands."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import Protocol

from msgspec import Struct, field

from mempool.feeds.capture import CaptureWriter, Mark

MARK = "read"


class Turns(Protocol):
    """Between `take` and `done` stands no await, so a turn is one step of the engine."""

    async def take(self, key: str) -> int:
        """Waits until the read `key` may be applied; returns the stamp of that moment in nanoseconds."""

    def done(self, key: str) -> None:
        """The result of `key` has been applied."""


class LiveTurns:
    """Every finished read has its turn at once. `capture` gets a mark for each."""

    def __init__(self, capture: CaptureWriter | None) -> None:
        self._capture = capture

    async def take(self, key: str) -> int:
        now_ns = time.time_ns()
        if self._capture is not None:
            self._capture.mark(now_ns, MARK, key)
        return now_ns

    def done(self, key: str) -> None:
        pass


class ReplayTurns:
    """A read has its turn at its mark; the replay goes on once it has been applied."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, _Turn] = defaultdict(_Turn)

    async def take(self, key: str) -> int:
        turn = self._turns[key]
        await turn.begun.wait()
        return turn.now_ns

    def done(self, key: str) -> None:
        self._turns.pop(key).applied.set()

    async def on_mark(self, mark: Mark) -> None:
        """Let the read of the mark be applied, and wait until it is."""
        turn = self._turns[mark.key]
        turn.now_ns = mark.recv_ns
        turn.begun.set()
        await turn.applied.wait()


class _Turn(Struct):
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    applied: asyncio.Event = field(default_factory=asyncio.Event)
    now_ns: int = 0
