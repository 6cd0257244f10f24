"""When a venue's connections are opened and given up: back-off, the venue's rate, and a second one before it cuts the first."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from mempool.exchanges.exchange import SECOND_NS, Limits
from mempool.feeds.reconnect import Backoff

MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
_RANDOM = secrets.SystemRandom()


class RedialOptions(Struct, frozen=True):
    """Timing; lengths in nanoseconds but for the first delay."""

    first_seconds: float = 0.5
    before_cut_ns: int = HOUR_NS
    """How long before its lifetime ends a connection is replaced, give or take the jitter."""
    jitter_ns: int = 10 * MINUTE_NS
    overlap_ns: int = MINUTE_NS
    """How long a second connection may take until its books are live."""


class Redial:
    """Asked with the time, it says what is due. Times are nanoseconds of any clock that never goes back; `draw` gives 0 to 1."""

    def __init__(
        self,
        limits: Limits,
        options: RedialOptions | None = None,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self._limits, self._options, self._draw = limits, options or RedialOptions(), draw
        self._backoff = Backoff(first=self._options.first_seconds, draw=draw)
        self._attempts: deque[int] = deque()
        self._not_before_ns = 0
        self._since_ns: dict[str, int] = {}
        self._replace_at_ns: dict[str, int] = {}

    def may_open(self, now_ns: int) -> bool:
        """Whether the back-off is over, and the venue's rate of connections leaves room."""
        while self._attempts and self._attempts[0] <= now_ns - MINUTE_NS:
            self._attempts.popleft()
        a_minute, a_second = self._limits.connects_per_minute, self._limits.connects_per_second
        if now_ns < self._not_before_ns or (a_minute and len(self._attempts) + 1 > a_minute):
            return False
        return not a_second or sum(at_ns > now_ns - SECOND_NS for at_ns in self._attempts) + 1 <= a_second

    def opening(self, now_ns: int) -> None:
        """An attempt is made."""
        self._attempts.append(now_ns)

    def opened(self, source: str, now_ns: int) -> None:
        self._since_ns[source] = now_ns
        lifetime_ns = self._limits.lifetime_ns
        if lifetime_ns:
            jitter_ns = round((2 * self._draw() - 1) * self._options.jitter_ns)
            self._replace_at_ns[source] = now_ns + lifetime_ns - self._options.before_cut_ns + jitter_ns

    def ended(self, source: str, now_ns: int, wait_seconds: float = 0) -> None:
        """The connection is lost or did not come about; the venue itself may demand a pause."""
        since_ns = self._since_ns.pop(source, now_ns)
        self._replace_at_ns.pop(source, None)
        self._wait((now_ns - since_ns) / SECOND_NS, now_ns, wait_seconds)

    def retired(self, source: str) -> None:
        """It was replaced as planned: no reason to wait."""
        self._since_ns.pop(source, None)
        self._replace_at_ns.pop(source, None)

    def replace(self, source: str, now_ns: int) -> None:
        """The connection is of no use or will be cut: it wants a successor, after a delay as if it had been lost."""
        since_ns = self._since_ns.get(source)
        if since_ns is not None and self._replace_at_ns.get(source, now_ns + 1) > now_ns:
            self._replace_at_ns[source] = now_ns
            self._wait((now_ns - since_ns) / SECOND_NS, now_ns, 0)

    def wants_successor(self, source: str, now_ns: int) -> bool:
        """Whether a second connection is due beside it."""
        at_ns = self._replace_at_ns.get(source)
        return at_ns is not None and now_ns >= at_ns and self.may_open(now_ns)

    def has_failed_to_follow(self, source: str, now_ns: int) -> bool:
        """Whether a second connection has had its time."""
        since_ns = self._since_ns.get(source)
        return since_ns is not None and now_ns - since_ns > self._options.overlap_ns

    def _wait(self, stood_seconds: float, now_ns: int, at_least_seconds: float) -> None:
        delay = max(self._backoff.delay_after(stood_seconds), at_least_seconds)
        self._not_before_ns = max(self._not_before_ns, now_ns + round(delay * SECOND_NS))
