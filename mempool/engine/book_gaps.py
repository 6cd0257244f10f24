"""The times in which a followed book had no price after it had one, and every message that could not be used."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from mempool.exchanges.events import Fault, StateChanged
from mempool.feeds.venue import News
from mempool.model.book import BookState, Connection, Instrument
from mempool.model.record import BookGap

EmitGap = Callable[[BookGap], None]


class BookGaps:
    """Fed with every fault and state. A gap is told when it begins and when it ends; a fault that costs no price at once."""

    def __init__(self, emit: EmitGap) -> None:
        self._emit = emit
        self._pending: tuple[str, Fault] | None = None
        """The last fault and its venue, until it is known whether it costs its book the price."""
        self._numbers = count(1)
        self._priced: set[Instrument] = set()
        self._open: dict[Instrument, BookGap] = {}

    def hear(self, venue: str, event: News) -> None:
        """Any event of a venue."""
        if isinstance(event, Fault):
            self._on_fault(venue, event)
        elif isinstance(event, StateChanged):
            self._on_state(event)
        else:
            self.settle()

    def settle(self) -> None:
        """Something else has happened since, or nothing more does: the last fault cost no price."""
        if self._pending is None:
            return
        (venue, fault), self._pending = self._pending, None
        symbol = fault.instrument.symbol if fault.instrument is not None else ""
        self._emit(BookGap(next(self._numbers), venue, symbol, fault.kind, fault.reason, fault.recv_ns, fault.recv_ns))

    def _on_fault(self, venue: str, fault: Fault) -> None:
        self.settle()
        self._pending = venue, fault
        if fault.instrument not in self._priced:
            self.settle()

    def _on_state(self, event: StateChanged) -> None:
        instrument, state = event.instrument, event.state
        fault = self._cause_of(event)
        self.settle()
        if state.is_priced:
            self._priced.add(instrument)
            gap = self._open.pop(instrument, None)
            if gap is not None:
                self._emit(BookGap(gap.number, gap.venue, gap.symbol, gap.kind, gap.reason, gap.from_ns, state.since_ns))
        elif instrument in self._priced:
            self._priced.remove(instrument)
            kind, reason = (fault.kind, fault.reason) if fault is not None else (_kind(state), state.reason)
            gap = BookGap(next(self._numbers), instrument.venue, instrument.symbol, kind, reason, state.since_ns, None)
            self._open[instrument] = gap
            self._emit(gap)

    def _cause_of(self, event: StateChanged) -> Fault | None:
        """The fault just before a state that costs its book the price; it is told with the gap."""
        if self._pending is None or event.state.is_priced:
            return None
        fault = self._pending[1]
        if fault.instrument != event.instrument or fault.recv_ns != event.state.since_ns:
            return None
        self._pending = None
        return fault


def _kind(state: BookState) -> str:
    return (state.proof if state.connection is Connection.LIVE else state.connection).value
