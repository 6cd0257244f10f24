"""The venues' clocks: their timestamps as nanoseconds, and how far one is off ours."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
STEP_NS = 2 * SECOND_NS
WINDOW_NS = 30 * SECOND_NS


def iso_ns(text: str) -> int:
    """Nanoseconds since the epoch of `2026-08-24T22:34:13.813365299Z`, whose fraction has up to nine digits or is absent.

    Raises `ValueError` on another form.
    """
    if len(text) < 20 or text[-1] != "Z" or (len(text) > 20 and text[19] != "."):
        raise ValueError(f"{text[:40]!r} is no time in UTC")
    return second_ns(text[:19]) + int(text[20:-1][:9].ljust(9, "0"))


@lru_cache(maxsize=16)
def second_ns(text: str | bytes) -> int:
    """Nanoseconds since the epoch of `2026-08-24T22:34:13`. Raises `ValueError` on another form."""
    plain = text if isinstance(text, str) else text.decode("ascii")
    return int(datetime.fromisoformat(plain).replace(tzinfo=UTC).timestamp()) * SECOND_NS


class ClockOffset:
    """How far our receive clock is ahead of the venue's, at least: the smallest `received - event` of the last 30 to 60 s.

    It holds the shortest way from the venue to us besides; below zero the venue's clock is ahead, or ours behind.
    """

    __slots__ = ("_before", "_now", "_until_ns", "late", "steps")

    def __init__(self) -> None:
        self._before: int | None = None
        self._now: int | None = None
        self._until_ns = 0
        self.late = 0
        """Messages more than two seconds older than the offset explains."""
        self.steps = 0
        """Times that the venue's clock went ahead by more than two seconds at once."""

    @property
    def offset_ns(self) -> int | None:
        """None before the first message that carries a time."""
        known = [least for least in (self._before, self._now) if least is not None]
        return min(known, default=None)

    def hear(self, recv_ns: int, event_ns: int) -> None:
        """Note one message with the venue's time in it."""
        delay, least = recv_ns - event_ns, self._now
        if recv_ns >= self._until_ns or least is None:
            self._before, self._now = least, delay
            self._until_ns = recv_ns + WINDOW_NS
        elif delay < least:
            if least - delay > STEP_NS:
                self.steps += 1
                self._before = None
            self._now = delay
        elif delay - least > STEP_NS:
            self.late += 1
