"""All that happens to the followed books: what is sampled, what is missing, and what opens between them, as records."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from mempool.books.money import FeesPips
from mempool.books.view import BooksView
from mempool.engine.book_gaps import BookGaps
from mempool.engine.books_followed import FollowedBooks
from mempool.engine.counters import Counters
from mempool.exchanges.events import StateChanged
from mempool.feeds.venue import News
from mempool.model.book import Instrument, Quote
from mempool.model.record import BestSampled, BookGap, QuoteSampled, Record

SECOND_NS = 1_000_000_000


class DeskOptions(Struct, frozen=True):
    """Choices that a capture's header repeats, so that its replay makes the same ones."""

    fees: FeesPips
    """The taker's fee of every venue, in pips."""
    sample_ns: int = SECOND_NS
    """Between two stored quotes of one book, and of the best over the venues."""


class Desk:
    """`hear` takes every event in the order in which it was heard; it reads no clock, so a replay emits the same records."""

    def __init__(
        self, books: FollowedBooks, emit: Callable[[Record], None], options: DeskOptions, counters: Counters | None = None
    ) -> None:
        self.books = books
        self.now_ns = 0
        """The newest stamp that was heard."""
        self._emit, self._options, self._counters = emit, options, counters or Counters()
        self._gaps = BookGaps(self._note_gap)
        self._sampled_ns: dict[Instrument | str, int] = {}

    def hear(self, venue: str, event: News) -> None:
        """The books have heard it already."""
        if isinstance(event, Quote):
            if self._gaps.pending is not None:
                self._gaps.settle()
            self.now_ns = max(self.now_ns, event.recv_ns)
            self._counters.book_quotes += 1
            self._sample(event)
        elif isinstance(event, StateChanged):
            self.now_ns = max(self.now_ns, event.state.since_ns)
            self._gaps.on_state(event)
        else:
            self.now_ns = max(self.now_ns, event.recv_ns)
            self._counters.book_faults += 1
            self._gaps.on_fault(venue, event)

    def view(self, now_ns: int) -> BooksView:
        """The books as they stand, until the next event."""
        return BooksView(self.books.quotes, self.books.depth, self._options.fees, max(now_ns, self.now_ns))

    def _note_gap(self, gap: BookGap) -> None:
        self._counters.book_gaps += gap.to_ns is None
        self._emit(gap)

    def _sample(self, quote: Quote) -> None:
        if self._is_due(quote.instrument):
            self._emit(QuoteSampled(quote))
        for market in self.books.markets:
            if market.best.hears(quote.instrument) and self._is_due(market.text):
                self._emit(BestSampled(market.best.quote(self.now_ns)))

    def _is_due(self, what: Instrument | str) -> bool:
        if self.now_ns - self._sampled_ns.get(what, -self._options.sample_ns) < self._options.sample_ns:
            return False
        self._sampled_ns[what] = self.now_ns
        return True
