"""The receive clock of one connection: the wall clock's time at its start, counted on by the monotonic clock."""

from __future__ import annotations

import time


class ReceiveClock:
    """Stamps that name a wall time and whose differences are true durations, also where the wall clock is set meanwhile."""

    __slots__ = ("_ahead_ns",)

    def __init__(self) -> None:
        self._ahead_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch; never goes back."""
        return self._ahead_ns + time.monotonic_ns()
