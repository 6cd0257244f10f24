"""Watches the books for arbitrage at every new best quote, and reports what gaps between them bring, or why they do not."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction

from msgspec.structs import replace

from mempool.books.money import check_fees
from mempool.books.view import BooksView
from mempool.books.worth import worth_in
from mempool.detect import BOOK_CYCLES
from mempool.detect.book_cycles import Terms, judged, judged_later
from mempool.detect.priced_books import PricedBooks
from mempool.engine.book_watch import Gap, Seen, Watch, WatchedBook, is_nearer
from mempool.engine.near_misses import NearMisses
from mempool.model.arbitrage import BookArbitrage, Rejection, Route
from mempool.model.book import Instrument, Quote
from mempool.model.consolidated import Ratio
from mempool.model.record import ArbitrageEnded, ArbitrageFound

BETTER = Fraction(11, 10)
"""A finding takes the place of an earlier one of its gap where it gains a tenth more: its row is to tell the best of it, and
not to be written at every change of a level."""


class BookScan:
    """A gap is open from when a cycle's best prices first gain before fees until they do so no more, or a book is not priced.

    Its first finding is reported at once, with a new number, and again under that number where it has become a tenth better.
    A gap without one is a near miss, reported when it closes: the nearest that was seen, which is the one that gained most,
    or where the fees were more the one that they cost the smallest part of what is put in. Near misses of one cycle that
    follow each other closely are one, see `NearMisses`. Whatever was reported has its end reported too.

    All times are those that the events bring, so that a replay reports the same.
    """

    def __init__(self, terms: Terms, emit: Callable[[ArbitrageFound | ArbitrageEnded], None], numbers: Iterator[int]) -> None:
        self._terms, self._emit, self._numbers = terms, emit, numbers
        self._books: dict[Instrument, WatchedBook] = {}
        self._names: list[Instrument] = []
        self._priced = PricedBooks((), terms)
        self._watches: dict[Route, Watch] = {}
        self._open: dict[Watch, Gap] = {}
        self._near_misses = NearMisses(emit, numbers)
        self._young: deque[tuple[Watch, Gap]] = deque()

    @property
    def open_gaps(self) -> int:
        """Cycles whose best prices gain now, before fees."""
        return len(self._open)

    def on_quote(self, quote: Quote, view: BooksView) -> None:
        """Hear a new best quote, which `view` holds already. Raises `UsageError` where its venue has no taker's fee."""
        book = self._books.get(quote.instrument)
        if book is None or not book.is_priced:
            book = self._add(quote.instrument, view)
        book.take(quote)
        self._near_misses.hear_time(view.now_ns)
        watches = book.watches
        if watches is None:
            watches = book.watches = self._watches_through(quote.instrument)
        for watch in watches:
            out, put_in = rate = watch.best_rate()
            if out > put_in:
                self._gains(watch, rate, view)
            elif watch.gap is not None:
                self._close(watch, view.now_ns, had_stood=True)
        self._hear_time(view)

    def on_unpriced(self, instrument: Instrument, now_ns: int) -> None:
        """A book may not be priced any more: what passes it has ended."""
        book = self._books.get(instrument)
        if book is None or not book.is_priced:
            return
        book.lose()
        self._names.remove(instrument)
        for watch in [each for each in self._open if each.passes(instrument)]:
            self._close(watch, now_ns, had_stood=False)
        self._route_anew(now_ns)

    def end(self, now_ns: int) -> None:
        """Close what is open, where nothing more is heard."""
        for watch in list(self._open):
            self._close(watch, now_ns, had_stood=False)
        self._near_misses.end(now_ns)

    def _add(self, instrument: Instrument, view: BooksView) -> WatchedBook:
        """Books that were priced before the first one was heard of are taken from the view."""
        for each, quote in view.quotes.items():
            if each not in self._books:
                check_fees(self._terms.fees, [each])
                self._books[each] = WatchedBook()
            if not self._books[each].is_priced:
                self._books[each].take(quote)
                insort(self._names, each)
        self._route_anew(view.now_ns)
        return self._books[instrument]

    def _route_anew(self, now_ns: int) -> None:
        """Other books are priced than before, so other rates may be the cheapest: a gap on a way not taken any more ends."""
        self._priced = PricedBooks(self._names, self._terms)
        for book in self._books.values():
            book.watches = None
        for watch in list(self._open):
            if watch not in self._watches_through(watch.cycle.route[0][0]):
                self._close(watch, now_ns, had_stood=False)

    def _watches_through(self, cause: Instrument) -> list[Watch]:
        return [
            self._watches.get(cycle.route) or self._watches.setdefault(cycle.route, Watch(cycle, self._books, self._terms.fees))
            for cycles in BOOK_CYCLES.values()
            for cycle in cycles(cause, self._priced)
        ]

    def _gains(self, watch: Watch, rate: Ratio, view: BooksView) -> None:
        gap = watch.gap
        if gap is None:
            gap = watch.gap = self._open[watch] = Gap(view.now_ns)
            self._near_misses.opens(watch)
            if self._terms.skew_ns:
                self._young.append((watch, gap))
        gap.heard_ns = view.now_ns
        if watch.is_due(rate, view.now_ns):
            self._look(watch, gap, rate, view)

    def _hear_time(self, view: BooksView) -> None:
        """Look again at the gaps that have now lived longer than messages may be apart."""
        while self._young and view.now_ns - self._young[0][1].since_ns >= self._terms.skew_ns:
            watch, gap = self._young.popleft()
            if watch.gap is gap and not gap.is_finding and watch.pays(rate := watch.best_rate()):
                self._look(watch, gap, rate, view)

    def _look(self, watch: Watch, gap: Gap, rate: Ratio, view: BooksView) -> None:
        watch.look(rate, view.now_ns)
        found = judged(watch.cycle, view, self._terms, gap.since_ns)
        if found is None:
            return
        best = gap.best
        if found.rejection is None:
            if not gap.is_finding or best is None or found.net_profit >= best.found.net_profit * BETTER:
                gap.best = best = _seen(found, view)
                self._report(gap, best, view.now_ns)
        elif not gap.is_finding and is_nearer(found, best):
            gap.best = _seen(found, view)

    def _close(self, watch: Watch, now_ns: int, *, had_stood: bool) -> None:
        """`had_stood` says that the best prices have been there until now: else they may have been wrong for a while."""
        gap = self._open.pop(watch)
        watch.gap = None
        if not gap.is_finding and had_stood:
            self._settle(gap, now_ns)
        self._near_misses.closes(watch, gap, now_ns)
        if gap.is_finding:
            self._emit(ArbitrageEnded(gap.number, now_ns, now_ns - gap.since_ns))

    def _settle(self, gap: Gap, now_ns: int) -> None:
        """A near miss that was only too young, and is not by its end, is a finding that nothing brought up."""
        best = gap.best
        if best is not None and best.found.rejection is Rejection.SKEW and gap.best_still_stands:
            gap.best = best = replace(best, found=judged_later(best.found, now_ns - best.at_ns, self._terms))
            if best.found.rejection is None:
                self._report(gap, best, now_ns)

    def _report(self, gap: Gap, best: Seen, now_ns: int) -> None:
        gap.number = gap.number or next(self._numbers)
        self._emit(ArbitrageFound(gap.number, best.found, best.profit_eth, best.profit_usd, now_ns))


def _seen(found: BookArbitrage, view: BooksView) -> Seen:
    worth_eth, worth_usd = [worth_in(view, found.money, found.net_profit, wanted) for wanted in ("ETH", "USD")]
    return Seen(found, worth_eth, worth_usd, view.now_ns)
