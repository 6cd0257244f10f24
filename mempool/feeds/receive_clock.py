"""The receive clock of one connection: the wall clock's time at its start, counted on by the monotonic clock."""

from __future__ import annotations

import time

MOST_AHEAD_NS = 2_000_000_000
"""Beyond what a leap second, or the setting of a clock that is kept right, moves the wall clock by."""
OVERTAKEN = "the machine slept, or its clock was set"


class ReceiveClock:
    """Stamps that name a wall time and whose differences are true durations, also where the wall clock is set meanwhile."""

    __slots__ = ("_ahead_ns",)

    def __init__(self) -> None:
        self._ahead_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch; never goes back."""
        return self._ahead_ns + time.monotonic_ns()

    def is_overtaken(self) -> bool:
        """Whether the wall clock has gone on without it: while a machine sleeps its monotonic clock stands still.

        Stamps that lag behind those of other clocks make all that is compared with them look old, so a new clock is due.
        """
        return time.time_ns() - self.now_ns() > MOST_AHEAD_NS
