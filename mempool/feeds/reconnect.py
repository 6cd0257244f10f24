"""When to try a lost connection again: full jitter, so that many clients of a node that comes back do not come as one."""

from __future__ import annotations

import secrets
from collections.abc import Callable

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0
STABLE_SECONDS = 60.0
_RANDOM = secrets.SystemRandom()


class Backoff:
    """Delays drawn evenly between 0 and a ceiling that doubles from 0.5 to 30 s; a connection of 60 s starts it afresh.

    `draw` gives numbers from 0 to 1. The scheme is "full jitter" of Marc Brooker's "Exponential Backoff And Jitter" (2015).
    """

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        stable: float = STABLE_SECONDS,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._first, self._longest, self._stable, self._draw = first, longest, stable, draw
        self._ceiling = first

    def delay_after(self, connected_seconds: float) -> float:
        """Seconds to wait after a connection that stood `connected_seconds` (0 where none came about)."""
        if connected_seconds >= self._stable:
            self._ceiling = self._first
        delay = self._draw() * self._ceiling
        self._ceiling = min(self._longest, 2 * self._ceiling)
        return delay
