"""One venue's books over one connection after the other: which of two connections speaks, without a socket or a clock.

Every connection has a session of its own, with its own books. While two overlap, the elder speaks until each of its books
that may be priced may be priced on the younger one too; then the younger speaks. So a planned cut costs no quote.

What happens is a function of the calls and their order: a replay that makes the same ones gets the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from mempool.books.depth import BookDepth, depth_of
from mempool.exchanges.events import BookEvent, Fault, FetchSnapshot, Reconnect, Send, StateChanged
from mempool.exchanges.exchange import Exchange
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote


class Order(Struct, frozen=True, gc=False):
    """Something to do for the connection `source`: send, fetch, or open another one for it."""

    source: str
    action: Send | FetchSnapshot | Reconnect


class Retire(Struct, frozen=True, gc=False):
    """Another connection speaks now: hang this one up."""

    source: str


News = Quote | StateChanged | Fault
VenueEvent = News | Order | Retire


class Line:
    """One connection, from the attempt to its end, and what its session said last of every book."""

    __slots__ = ("quotes", "session", "source", "states")

    def __init__(self, source: str) -> None:
        self.source = source
        self.session: ExchangeSession | None = None
        self.states: dict[Instrument, BookState] = {}
        self.quotes: dict[Instrument, Quote] = {}

    def priced(self) -> set[Instrument]:
        return {instrument for instrument, state in self.states.items() if state.is_priced}

    def note(self, instrument: Instrument, state: BookState) -> None:
        self.states[instrument] = state
        if not state.is_priced:
            self.quotes.pop(instrument, None)


class VenueBooks:
    """Calls in, events out. At most two connections at a time; `source` names one in every call, an unknown one says nothing."""

    def __init__(self, exchange: Exchange, instruments: Sequence[Instrument]) -> None:
        self.exchange, self.instruments = exchange, tuple(instruments)
        self.speaker: Line | None = None
        """Whose events are told."""
        self.understudy: Line | None = None
        """The younger one, while two overlap."""
        self._lines: dict[str, Line] = {}
        self._trouble = ""

    def opening(self, source: str, now_ns: int) -> list[VenueEvent]:
        """A connection is being tried. Not to be called while there are two."""
        line = self._lines[source] = Line(source)
        if self.speaker is not None:
            self.understudy = line
            return []
        self.speaker = line
        return self._all(Connection.CONNECTING, self._connecting(), now_ns)

    def opened(self, source: str, now_ns: int) -> list[VenueEvent]:
        """It stands."""
        line = self._lines.get(source)
        if line is None:
            return []
        line.session = session = ExchangeSession(self.exchange, self.instruments, now_ns=now_ns)
        return self._told(line, session.connect(now_ns))

    def heard(self, source: str, frame: bytes, recv_ns: int) -> list[VenueEvent]:
        """A whole message arrived on it."""
        return self._ask(source, lambda session: session.receive(frame, recv_ns))

    def fetched(self, source: str, symbol: str, body: bytes, recv_ns: int) -> list[VenueEvent]:
        """The answer to a `FetchSnapshot` of that connection."""
        return self._ask(source, lambda session: session.snapshot(symbol, body, recv_ns))

    def fetch_failed(self, source: str, symbol: str, reason: str, now_ns: int) -> list[VenueEvent]:
        return self._ask(source, lambda session: session.snapshot_failed(symbol, reason, now_ns))

    def depth(self, instrument: Instrument, levels: int) -> BookDepth | None:
        """The best levels of a book as it stands; None where it may not be priced."""
        session = self.speaker.session if self.speaker is not None else None
        keeper = session.keepers.get(instrument.symbol) if session is not None else None
        if keeper is None or not keeper.state.is_priced:
            return None
        return depth_of(instrument, keeper.book, levels, keeper.heard_ns)

    def tick(self, source: str, now_ns: int) -> list[VenueEvent]:
        """Time goes by; the clock is that of the connection's frames."""
        return self._ask(source, lambda session: session.tick(now_ns))

    def lost(self, source: str, reason: str, now_ns: int) -> list[VenueEvent]:
        """It has ended, or did not come about. A younger connection, if there is one, speaks at once, whatever it knows."""
        line = self._lines.pop(source, None)
        if line is None:
            return []
        if line is self.understudy:
            self.understudy = None
            return []
        self.speaker, self._trouble = None, reason
        if self.understudy is not None:
            return self._promote(self.understudy, now_ns)
        if line.session is None:
            return self._all(Connection.DOWN, reason, now_ns)
        return self._told(line, line.session.disconnect(reason, now_ns))

    def _ask(self, source: str, call: Callable[[ExchangeSession], Sequence[BookEvent]]) -> list[VenueEvent]:
        line = self._lines.get(source)
        if line is None or line.session is None:
            return []
        return self._told(line, call(line.session))

    def _told(self, line: Line, said: Sequence[BookEvent]) -> list[VenueEvent]:
        """What the outside hears of what a session said."""
        events: list[VenueEvent] = []
        now_ns = 0
        for event in said:
            if isinstance(event, Quote):
                line.quotes[event.instrument] = event
            elif isinstance(event, StateChanged):
                line.note(event.instrument, event.state)
                now_ns = event.state.since_ns
            elif not isinstance(event, Fault):
                events.append(Order(line.source, event))
                continue
            if line is not self.understudy or isinstance(event, Fault):
                events.append(event)
        if self.understudy is not None and now_ns:
            events += self._switch(now_ns)
        return events

    def _switch(self, now_ns: int) -> list[VenueEvent]:
        """The younger connection speaks as soon as that takes no book away."""
        younger, elder = self.understudy, self.speaker
        if younger is None or elder is None:
            return []
        ready = younger.priced()
        if not ready or not elder.priced() <= ready:
            return []
        del self._lines[elder.source]
        return [*self._promote(younger, now_ns), Retire(elder.source)]

    def _promote(self, line: Line, now_ns: int) -> list[VenueEvent]:
        self.speaker, self.understudy = line, None
        if line.session is None:
            return self._all(Connection.CONNECTING, self._connecting(), now_ns)
        events: list[VenueEvent] = [StateChanged(instrument, state) for instrument, state in line.states.items()]
        events += line.quotes.values()
        return events

    def _connecting(self) -> str:
        return f"connecting again: {self._trouble}" if self._trouble else "connecting"

    def _all(self, connection: Connection, reason: str, now_ns: int) -> list[VenueEvent]:
        state = BookState(connection, Proof.DESYNCED, reason, now_ns)
        return [StateChanged(instrument, state) for instrument in self.instruments]
