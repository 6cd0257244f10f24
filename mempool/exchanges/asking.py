"""When a book's snapshot is asked for: at once, again where no answer comes, and ever more seldom where none brings a book."""

from __future__ import annotations

from mempool.exchanges.events import BookEvent, Send
from mempool.exchanges.exchange import SECOND_NS, Exchange
from mempool.model.book import Instrument

FIRST_PAUSE_NS = SECOND_NS // 2
"""Between two requests for one symbol; twice as long after each that brought no book."""
MOST_TRIES = 6
MAX_PAUSE_NS = FIRST_PAUSE_NS << MOST_TRIES
FIRST_PATIENCE_NS = SECOND_NS * 3 // 2
"""How long an answer is waited for while it is not known how long this connection's take."""
MAX_PATIENCE_NS = 10 * SECOND_NS
REST_PATIENCE_NS = 120 * SECOND_NS
"""Longer than a feed waits for the host's budget and an answer: each request ends by itself, in an answer or a failure."""
QUIET_START_NS = SECOND_NS // 2
"""A book fetched by REST is fetched at its first update, or after so long without: a symbol that is not listed has none."""


class Asking:
    """The requests for one symbol on one connection. No two are closer than the pause, whatever is lost in between."""

    __slots__ = (
        *("_connected_ns", "_exchange", "_instrument", "_is_due", "_patience_ns", "_pause_ns", "_tries"),
        *("asked_ns", "is_waiting", "unanswered"),
    )

    def __init__(self, exchange: Exchange, instrument: Instrument) -> None:
        self._exchange, self._instrument = exchange, instrument
        self.asked_ns: int | None = None
        """When the last request was made; None where none was on this connection."""
        self.is_waiting = False
        """Whether that request has not been answered yet."""
        self.unanswered = 0
        """Requests in a row that nothing came of in time."""
        self._connected_ns: int | None = None
        self._pause_ns = 0
        self._patience_ns = REST_PATIENCE_NS if exchange.rest is not None else FIRST_PATIENCE_NS
        self._is_due = False
        self._tries = 0

    def connect(self, now_ns: int) -> None:
        """The connection stands, and the first subscriptions go out."""
        self._connected_ns = now_ns
        self.asked_ns = None if self._exchange.rest is not None else now_ns
        self.is_waiting = self.asked_ns is not None
        self._is_due, self._tries, self._pause_ns, self.unanswered = False, 0, 0, 0

    def disconnect(self) -> None:
        self._connected_ns = self.asked_ns = None
        self._is_due = self.is_waiting = False

    def may_ask(self, now_ns: int) -> bool:
        """Whether the pause since the last request is over."""
        return self.asked_ns is None or now_ns - self.asked_ns >= self._pause_ns

    def ask(self, now_ns: int, events: list[BookEvent]) -> None:
        """At once, or when the pause is over."""
        if not self.may_ask(now_ns):
            self._is_due = True
            return
        self._is_due = False
        self.unanswered += self.is_waiting
        self.asked_ns, self.is_waiting = now_ns, True
        self._pause_ns = FIRST_PAUSE_NS << self._tries
        self._tries = min(self._tries + 1, MOST_TRIES)
        if self._exchange.rest is not None:
            events.append(self._exchange.rest.request(self._instrument))
        else:
            events.extend([Send(frame, self._instrument.symbol) for frame in self._exchange.resubscribe([self._instrument])])

    def tick(self, now_ns: int, events: list[BookEvent]) -> None:
        """While a snapshot is awaited: ask for what is due, or was not answered in time."""
        if self.asked_ns is None:
            is_late = self._connected_ns is not None and now_ns - self._connected_ns > QUIET_START_NS
        else:
            is_late = now_ns - self.asked_ns > max(self._patience_ns, self._pause_ns)
        if self._is_due or is_late:
            self.ask(now_ns, events)

    def ask_again(self, since_ns: int, now_ns: int, events: list[BookEvent]) -> None:
        """What was asked after `since_ns` was lost with all that was said then: that was no answer, and lengthens no pause."""
        if self.is_waiting and self.asked_ns is not None and self.asked_ns > since_ns:
            self._tries, self._pause_ns = 0, FIRST_PAUSE_NS
            self.ask(now_ns, events)

    def answered(self, now_ns: int) -> None:
        """A snapshot has come. The next one is given twice the time that this one took."""
        self._is_due = self.is_waiting = False
        self.unanswered = 0
        # A later answer may be that to an earlier request: its time says nothing.
        if self._tries <= 1 and self.asked_ns is not None and self._exchange.rest is None:
            self._patience_ns = min(max(2 * (now_ns - self.asked_ns), FIRST_PAUSE_NS), MAX_PATIENCE_NS)

    def settled(self) -> None:
        """The book is what the venue has: a loss from here on is another one."""
        self._tries, self._pause_ns = 0, FIRST_PAUSE_NS

    def refused(self, now_ns: int) -> None:
        """The venue does not serve the symbol now: ask again after the longest pause."""
        self.asked_ns, self._pause_ns, self._tries = now_ns, MAX_PAUSE_NS, MOST_TRIES
        self._is_due, self.is_waiting = True, False

    def resume(self, now_ns: int, events: list[BookEvent]) -> None:
        """The venue serves it again: ask now."""
        self._tries = self._pause_ns = 0
        self.ask(now_ns, events)
