"""Subscriptions that are asked for again on one connection, within what the venue allows in an hour: who asks often waits."""

from __future__ import annotations

from collections import Counter, deque

HOUR_SECONDS = 3_600.0
FIRST_SECONDS = 0.5
EVERY = 10
"""After so many requests for one symbol in an hour the pause between two of them is twice as long: one a minute is at once."""


class Subscriptions:
    """Frames in, and out when they are due. Times are seconds of any clock that never goes back.

    The pause between two requests for one symbol grows with those of the last hour, and no symbol may have taken more than what
    is left for all: so that there is always something left for the next one. Without `per_hour` everything is due at once.
    """

    def __init__(self, per_hour: float) -> None:
        self._per_hour = per_hour
        self._held: dict[str, dict[bytes, None]] = {}
        """By symbol, each frame once: a request that waits is not made twice."""
        self._spent: deque[tuple[float, str]] = deque()
        """When each frame went out, and the symbol that it was for."""
        self._frames: Counter[str] = Counter()
        self._last: dict[str, float] = {}

    @property
    def waiting(self) -> int:
        """The symbols that wait."""
        return len(self._held)

    def opened(self, frames: int, now: float) -> None:
        """So many frames subscribe to all books at the start of the connection."""
        if self._per_hour:
            self._spent.extend((now, "") for _ in range(frames))

    def ask(self, symbol: str, frame: bytes) -> None:
        """A frame of a request for a symbol; the frames of one request are asked for one after another."""
        self._held.setdefault(symbol, {})[frame] = None

    def due(self, now: float) -> list[bytes]:
        """What may go out now, and is taken to; the symbols that asked first come first."""
        while self._spent and self._spent[0][0] <= now - HOUR_SECONDS:
            _, symbol = self._spent.popleft()
            self._frames[symbol] -= 1
        frames: list[bytes] = []
        for symbol in [each for each in self._held if self._may(each, now)]:
            # Asked again, since each that goes out leaves less for the next.
            if self._may(symbol, now):
                own = list(self._held.pop(symbol))
                self._take(symbol, len(own), now)
                frames += own
        return frames

    def _may(self, symbol: str, now: float) -> bool:
        if not self._per_hour:
            return True
        own = self._frames[symbol] + len(self._held[symbol])
        left = self._per_hour - len(self._spent)
        return own <= left and now - self._last.get(symbol, -HOUR_SECONDS) >= self._pause(symbol)

    def _pause(self, symbol: str) -> float:
        requests = self._frames[symbol] // 2  # each an unsubscription and a subscription
        return float(FIRST_SECONDS * 2 ** (requests // EVERY)) if requests else 0.0

    def _take(self, symbol: str, frames: int, now: float) -> None:
        if self._per_hour:
            self._spent.extend((now, symbol) for _ in range(frames))
            self._frames[symbol] += frames
            self._last[symbol] = now
