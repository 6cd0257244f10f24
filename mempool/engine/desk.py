"""All that happens to the followed books: what is sampled, what is missing, and what opens, as records."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from msgspec import Struct

from mempool.books.money import FeesPips
from mempool.books.view import BooksView
from mempool.books.worth import worth_in
from mempool.detect.book_cycles import Terms
from mempool.engine.book_gaps import BookGaps
from mempool.engine.book_scan import BookScan
from mempool.engine.books_followed import USD, FollowedBooks
from mempool.engine.counters import Counters
from mempool.engine.finding_counts import FindingCounts
from mempool.exchanges.events import StateChanged
from mempool.feeds.venue import News
from mempool.model.arbitrage import CexDexArbitrage
from mempool.model.book import Instrument, Quote
from mempool.model.record import ArbitrageEnded, ArbitrageFound, BestSampled, BookGap, QuoteSampled, Record
from mempool.model.stamps import SECOND_NS

ETH = "ETH"


class DeskOptions(Struct, frozen=True):
    """What findings are held to."""

    fees: FeesPips
    """The taker's fee of every venue, in pips."""
    min_profit_eth: float = 0.0
    """A finding below it, or one that no book prices while there is a minimum, is counted only."""
    sample_ns: int = SECOND_NS
    """Between two stored quotes of one book, and of the best over the venues."""


class Desk:
    """`hear` takes every event in the order in which it was heard; it reads no clock, so a replay emits the same records."""

    def __init__(self, books: FollowedBooks, emit: Callable[[Record], None], options: DeskOptions, counters: Counters) -> None:
        """Raises `UsageError` where a venue has no fee."""
        self.books = books
        self.now_ns = 0
        """The newest stamp that was heard."""
        self.terms = Terms(USD, options.fees)
        self._emit, self._options, self._counters = emit, options, counters
        self._numbers = count(1)
        self._findings = FindingCounts(counters, options.min_profit_eth)
        self._gaps = BookGaps(self._note_gap)
        self._scan = BookScan(self.terms, self._note_found, self._numbers)
        self._sampled_ns: dict[Instrument | str, int] = {}

    def hear(self, venue: str, event: News) -> None:
        """The books have heard it already."""
        self._gaps.hear(venue, event)
        if isinstance(event, Quote):
            self._advance(event.recv_ns)
            self._counters.book_quotes += 1
            self._sample(event)
            self._scan.on_quote(event, self.view(self.now_ns))
        elif isinstance(event, StateChanged):
            self._advance(event.state.since_ns)
            if not event.state.is_priced:
                self._scan.on_unpriced(event.instrument, self.now_ns)
        else:
            self._advance(event.recv_ns)
            self._counters.book_faults += 1

    @property
    def open_gaps(self) -> int:
        """Cycles of books whose best prices gain now, before fees."""
        return self._scan.open_gaps

    def view(self, now_ns: int) -> BooksView:
        """The books as they stand, until the next event."""
        return BooksView(self.books.quotes, self.books.depth, max(now_ns, self.now_ns))

    def report(self, found: CexDexArbitrage, transaction_hash: str, intent_index: int, view: BooksView) -> None:
        """What a pending swap opens between its pool and the books."""
        eth = usd = None
        if found.net_profit is not None:
            eth, usd = (worth_in(view, found.money, found.net_profit, wanted) for wanted in (ETH, USD))
        number = next(self._numbers)
        self._note_found(ArbitrageFound(number, found, eth, usd, view.now_ns, transaction_hash, intent_index))
        self._findings.ends(number)

    def end(self, now_ns: int) -> None:
        """Nothing more is heard: what is open ends here."""
        self._advance(now_ns)
        self._gaps.settle()
        self._scan.end(self.now_ns)

    def _advance(self, now_ns: int) -> None:
        self.now_ns = max(self.now_ns, now_ns)

    def _note_found(self, record: ArbitrageFound | ArbitrageEnded) -> None:
        if self._findings.is_worth_reporting(record):
            self._emit(record)

    def _note_gap(self, gap: BookGap) -> None:
        self._counters.book_gaps += gap.to_ns is None
        self._emit(gap)

    def _sample(self, quote: Quote) -> None:
        if self._is_due(quote.instrument):
            self._emit(QuoteSampled(quote))
        for market in self.books.markets:
            if market.best.hears(quote.instrument) and self._is_due(market.text):
                self._emit(BestSampled(market.best.quote(self.now_ns)))
                self._emit(BestSampled(market.best.quote_after_fees(self.now_ns)))

    def _is_due(self, what: Instrument | str) -> bool:
        if self.now_ns - self._sampled_ns.get(what, -self._options.sample_ns) < self._options.sample_ns:
            return False
        self._sampled_ns[what] = self.now_ns
        return True
