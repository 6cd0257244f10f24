"""The best bid and offer of one pair over all venues that are priced now: kept up with every quote and state, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mempool.books.money import POWERS, FeesPips, check_fees, other_asset, part_of
from mempool.errors import UsageError
from mempool.model.book import BookState, Connection, Instrument, Quote
from mempool.model.consolidated import Best, ConsolidatedQuote, LeftOut, Market, Part, Ratio
from mempool.model.stamps import SECOND_NS


class Consolidator:
    """Hears the quotes and states of the named books and rates, and answers with the consolidated quote of the pair.

    A book counts while its last state is priced and a quote has come that no state has voided since. One in another quote
    asset than the pair's counts only through a leg: the first of the `rates` of that asset that is priced itself. A leg
    converts at its best price. With `max_age_ns` a quote that is older counts no more; without it age is only shown, since
    a quiet market is a healthy one and a dead connection is for the session to notice. All times are of the receive clock.
    """

    def __init__(
        self,
        pair: tuple[str, str],
        books: Sequence[Instrument],
        fees: FeesPips,
        rates: Sequence[Instrument] = (),
        max_age_ns: int = 0,
    ) -> None:
        """Base and quote asset of the pair; fees in pips by venue. Raises `UsageError` on what does not fit together."""
        self.base, self.money = pair
        check_fees(fees, (*books, *rates))
        self._books = {each: _Slot(each, place) for place, each in enumerate(dict.fromkeys(books)) if _checked(each, self.base)}
        self._rates = {each: _Slot(each, place) for place, each in enumerate(dict.fromkeys(rates))}
        self._legs: dict[str, list[_Slot]] = {}
        for rate in self._rates.values():
            self._legs.setdefault(other_asset(rate.instrument, self.money), []).append(rate)
        self._max_age_ns = max_age_ns
        self._fresh_until = 0
        self._now_ns = 0
        self._views = (_View({}, len(self._books)), _View(fees, len(self._books)))

    def hears(self, instrument: Instrument) -> bool:
        """Whether it is one of the books or rates."""
        return instrument in self._books or instrument in self._rates

    def on_quote(self, quote: Quote) -> None:
        """A book's best bid and offer; one of an instrument that was not named is not taken."""
        self._take(quote.instrument, quote.recv_ns, quote, None)

    def on_state(self, instrument: Instrument, state: BookState) -> None:
        """How far a book may be trusted from now on: where it is not priced, its quote is void and out at once."""
        self._take(instrument, state.since_ns, None, state)

    def quote(self, now_ns: int) -> ConsolidatedQuote:
        """Of the prices as the venues write them, legs apart."""
        return self._answer(self._views[0], now_ns, after_fees=False)

    def quote_after_fees(self, now_ns: int) -> ConsolidatedQuote:
        """Of what a taker gets and pays: the best venue may be another one, and a crossed market is a gain."""
        return self._answer(self._views[1], now_ns, after_fees=True)

    def _take(self, instrument: Instrument, now_ns: int, quote: Quote | None, state: BookState | None) -> None:
        book, rate = self._books.get(instrument), self._rates.get(instrument)
        if book is None and rate is None:
            return
        self._now_ns = max(self._now_ns, now_ns)
        for slot in (book, rate):
            if slot is not None:
                slot.take(quote, state)
        if rate is not None or (self._max_age_ns and self._now_ns > self._fresh_until):
            self._price(self._books.values())
        elif book is not None:
            self._price((book,))

    def _price(self, books: Iterable[_Slot]) -> None:
        """Make these books' parts anew, and find the best prices among all."""
        for book in books:
            quote = self._usable(book)
            leg = None
            if quote is not None and book.instrument.quote != self.money:
                leg = self._leg(book.instrument.quote)
                quote = None if leg is None else quote
            for view in self._views:
                view.parts[book.place] = None if quote is None else part_of(quote, leg, self.money, view.fees)
        if self._max_age_ns:
            parts = self._views[0].priced()
            self._fresh_until = min([part.recv_ns for part in parts], default=self._now_ns) + self._max_age_ns
        for view in self._views:
            view.rank(self._now_ns)

    def _usable(self, slot: _Slot) -> Quote | None:
        quote = slot.quote if slot.is_priced else None
        if quote is not None and self._max_age_ns and self._now_ns - quote.recv_ns > self._max_age_ns:
            return None
        return quote

    def _leg(self, asset: str) -> Quote | None:
        for rate in self._legs.get(asset, ()):
            quote = self._usable(rate)
            if quote is not None:
                return quote
        return None

    def _answer(self, view: _View, now_ns: int, *, after_fees: bool) -> ConsolidatedQuote:
        self._now_ns = max(self._now_ns, now_ns)
        if self._max_age_ns and self._now_ns > self._fresh_until:
            self._price(self._books.values())
        parts = view.priced()
        return ConsolidatedQuote(
            base=self.base,
            quote=self.money,
            bid=None if view.bid is None else _best_bid(view.bid, parts),
            ask=None if view.ask is None else _best_ask(view.ask, parts),
            parts=tuple(parts),
            left_out=() if len(parts) == len(self._books) else self._left_out(view),
            market=view.market,
            since_ns=view.since_ns,
            now_ns=self._now_ns,
            after_fees=after_fees,
        )

    def _left_out(self, view: _View) -> tuple[LeftOut, ...]:
        out = [book for book in self._books.values() if view.parts[book.place] is None]
        return tuple([LeftOut(book.instrument, self._why(book), book.state) for book in out])

    def _why(self, book: _Slot) -> str:
        state, quote = book.state, book.quote
        if state is None:
            return "nothing has been heard of it yet"
        if not state.is_priced:
            return f"{state.proof if state.connection is Connection.LIVE else state.connection}: {state.reason}"
        if quote is None:
            return "it has given no quote yet"
        if self._usable(book) is None:
            return f"its quote is {(self._now_ns - quote.recv_ns) // SECOND_NS} s old"
        return f"no rate between {book.instrument.quote} and {self.money} is priced now"


class _Slot:
    """What was last heard of one instrument, and its place among the books or rates."""

    __slots__ = ("instrument", "is_priced", "place", "quote", "state")

    def __init__(self, instrument: Instrument, place: int) -> None:
        self.instrument, self.place = instrument, place
        self.quote: Quote | None = None
        self.state: BookState | None = None
        self.is_priced = False

    def take(self, quote: Quote | None, state: BookState | None) -> None:
        if quote is not None:
            self.quote = quote
        if state is not None:
            self.state, self.is_priced = state, state.is_priced
            if not self.is_priced:
                self.quote = None


class _View:
    """The priced books with certain fees, the best of their prices, and since when these are open, locked or crossed."""

    __slots__ = ("ask", "bid", "fees", "market", "parts", "since_ns")

    def __init__(self, fees: FeesPips, books: int) -> None:
        self.fees = fees
        self.parts: list[Part | None] = [None] * books
        self.bid: Ratio | None = None
        self.ask: Ratio | None = None
        self.market = Market.EMPTY
        self.since_ns = 0

    def priced(self) -> list[Part]:
        return [part for part in self.parts if part is not None]

    def rank(self, now_ns: int) -> None:
        """Find the best prices, by products of integers."""
        bid, bid_unit, ask, ask_unit = 0, 1, 0, 0  # worse than any: zero, and infinity
        for part in self.parts:
            if part is None:
                continue
            price, unit = part.bid
            if price * bid_unit > bid * unit:
                bid, bid_unit = price, unit
            price, unit = part.ask
            if not ask_unit or price * ask_unit < ask * unit:
                ask, ask_unit = price, unit
        if ask_unit:
            self.bid, self.ask = (bid, bid_unit), (ask, ask_unit)
            gap = ask * bid_unit - bid * ask_unit
            market = Market.OPEN if gap > 0 else Market.CROSSED if gap else Market.LOCKED
        else:
            self.bid = self.ask = None
            market = Market.EMPTY
        if market is not self.market:
            self.market, self.since_ns = market, now_ns


def _best_bid(best: Ratio, parts: Sequence[Part]) -> Best:
    price, unit = best
    quotes = [part.quote for part in parts if part.bid[0] * unit == price * part.bid[1]]
    return _summed(best, quotes, [quote.bid_size for quote in quotes])


def _best_ask(best: Ratio, parts: Sequence[Part]) -> Best:
    price, unit = best
    quotes = [part.quote for part in parts if part.ask[0] * unit == price * part.ask[1]]
    return _summed(best, quotes, [quote.ask_size for quote in quotes])


def _summed(price: Ratio, quotes: Sequence[Quote], sizes: Sequence[int]) -> Best:
    if len(quotes) == 1:
        return Best(price, sizes[0], quotes[0].size_decimals, ((quotes[0].instrument, sizes[0]),))
    decimals = max([quote.size_decimals for quote in quotes])
    shares = tuple(
        [(quote.instrument, size * POWERS[decimals - quote.size_decimals]) for quote, size in zip(quotes, sizes, strict=True)]
    )
    return Best(price, sum([size for _, size in shares]), decimals, shares)


def _checked(book: Instrument, base: str) -> Instrument:
    if book.base != base:
        raise UsageError(f"{book.venue} {book.symbol} is no book of {base}")
    return book
