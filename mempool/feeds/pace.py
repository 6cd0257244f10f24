"""Turns at intervals, so that what is sent or opened stays within a rate."""

from __future__ import annotations

import asyncio
import time
from collections import deque

WINDOW_SECONDS = 60.0


class Pace:
    """`turn` returns at most `per_second` times in any second, with equal intervals; 0 sets no limit."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for one; those who wait get theirs in the order in which they came."""
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + self._interval
        if at > now:
            await asyncio.sleep(at - now)


class Budget:
    """So much weight in any minute, of one host, shared by all who ask it."""

    def __init__(self, weight_per_minute: int) -> None:
        self._limit = weight_per_minute
        self._spent: deque[tuple[float, int]] = deque()

    def spend(self, weight: int, now: float) -> float:
        """Take `weight` and return 0, or take nothing and return the seconds until it may fit.

        A weight above the limit takes the whole limit.
        """
        self._forget(now)
        weight = min(weight, self._limit)
        if self.used + weight <= self._limit:
            self._spent.append((now, weight))
            return 0.0
        free = self._limit - self.used
        for at, spent in self._spent:
            free += spent
            if free >= weight:
                return max(0.001, at + WINDOW_SECONDS - now)
        raise AssertionError("the whole window is enough for any weight")

    def heard(self, used: int, now: float) -> None:
        """The host says how much of this minute is used: what others on our address took is counted as ours."""
        self._forget(now)
        if used > self.used:
            self._spent.append((now, min(used, self._limit) - self.used))

    @property
    def used(self) -> int:
        return sum(weight for _, weight in self._spent)

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - WINDOW_SECONDS:
            self._spent.popleft()
