"""The order books that are followed: what a user's pairs mean at each venue, and what is known of every book at any moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from mempool.books.consolidated import Consolidator
from mempool.books.depth import BookDepth
from mempool.books.ladder import Ladder, Taken
from mempool.books.merge import NO_FEES, ladder_of
from mempool.books.money import FeesPips
from mempool.books.view import ReadDepth
from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES, Exchange
from mempool.exchanges.events import Fault, StateChanged
from mempool.exchanges.symbols import QUOTE_ASSETS
from mempool.feeds.venue import News, VenueBooks
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from mempool.model.consolidated import ConsolidatedQuote, Trade
from mempool.model.stamps import SECOND_NS

ALL = "all"
"""In place of the venues' names."""
USD, USDT, USDC = "USD", "USDT", "USDC"
LISTS_USDT = ("binance", "okx", "bybit")
"""Venues whose dollar is USDT: a pair in USD is followed there in USDT, and converted by a leg."""
LEGS = {
    (USDT, USD): ("kraken", "coinbase"),
    (USDC, USD): ("kraken",),
    (USDC, USDT): ("binance", "okx", "bybit"),
}
"""Where one dollar is traded for another. Coinbase takes USDC and USD for the same and has no book of them."""
BOOKS_PER_VENUE = 100
"""On one connection; Binance's limit is 1,024 streams, two a book, and all of them stand in its URL."""
DEPTH_LEVELS = 100
"""A side, for whoever walks the books: what is listed beyond them is said to go on."""
TREND_POINTS = 32
TREND_NS = SECOND_NS


class Row:
    """One book as it stands: its state, its quote while it may be used, and its mid price, once a second."""

    __slots__ = ("instrument", "is_leg", "quote", "state", "trend")

    def __init__(self, instrument: Instrument, *, is_leg: bool) -> None:
        self.instrument, self.is_leg = instrument, is_leg
        self.state = BookState(Connection.CONNECTING, Proof.DESYNCED, "connecting", 0)
        self.quote: Quote | None = None
        self.trend: deque[tuple[int, float]] = deque(maxlen=TREND_POINTS)

    @property
    def is_settled(self) -> bool:
        """Whether it is priced, or cannot be for now."""
        return self.quote is not None or self.state.connection is Connection.DOWN

    def take(self, event: Quote | StateChanged) -> None:
        if isinstance(event, Quote):
            self.quote = event
            if not self.trend or event.recv_ns - self.trend[-1][0] >= TREND_NS:
                self.trend.append((event.recv_ns, float(event.bid + event.ask) / 2))
        else:
            self.state = event.state
            if not event.state.is_priced:
                self.quote = None


class Market:
    """One pair as the user names it: its books at the venues, the legs between their moneys, and the best over them."""

    def __init__(self, text: str, venues: Sequence[Exchange], fees: FeesPips = NO_FEES) -> None:
        """Without fees what is told after fees is as before them. Raises `UsageError` where the text names no pair."""
        self.text = text
        self.books = [_instrument(venue, text) for venue in venues]
        moneys = {book.quote for book in self.books}
        self.money = USD if USD in moneys else self.books[0].quote
        self.legs = list(legs_at(venues, [(USDT, USD)])) if moneys - {self.money} else []
        self.fees = {venue.name: fees.get(venue.name, 0) for venue in venues}
        self.best = Consolidator((self.books[0].base, self.money), self.books, self.fees, self.legs)

    def take(self, event: Quote | StateChanged) -> bool:
        """Whether it concerns one of the books or legs."""
        if not self.best.hears(event.instrument):
            return False
        if isinstance(event, Quote):
            self.best.on_quote(event)
        else:
            self.best.on_state(event.instrument, event.state)
        return True

    def walk(self, trade: Trade, size: Fraction, depths: ReadDepth) -> Taken:
        """What so much of the base asset costs or brings over all books that are priced now, in the pair's money, after fees."""
        return self._ladder(trade, depths, self.fees).walk(size)

    def within(self, trade: Trade, reference: Fraction, band_bps: int, depths: ReadDepth) -> Taken:
        """What is offered not more than so many basis points worse than the reference price, fees apart."""
        return self._ladder(trade, depths, NO_FEES).within(reference, band_bps)

    def _ladder(self, trade: Trade, depths: ReadDepth, fees: FeesPips) -> Ladder:
        books, legs = ([depth for each in each_of if (depth := depths(each))] for each_of in (self.books, self.legs))
        return ladder_of(trade, self.money, books, legs, fees)


class FollowedBooks:
    """Fed with every event of the venues' feeds, live or from a capture."""

    def __init__(
        self, venues: Sequence[str], pairs: Sequence[str], fees: FeesPips = NO_FEES, *, with_all_legs: bool = False
    ) -> None:
        """`with_all_legs` follows every rate between dollars, for whoever compares with pools in USDC and USDT.

        Raises `UsageError` on unknown venues and pairs.
        """
        self.venues = [venue_of(name) for name in (EXCHANGES if ALL in venues else dict.fromkeys(venues))]
        self.pairs, self.with_all_legs = tuple(dict.fromkeys(pairs)), with_all_legs
        self.markets = [Market(pair, self.venues, fees) for pair in self.pairs]
        self.rows: dict[Instrument, Row] = {}
        self.quotes: dict[Instrument, Quote] = {}
        """Of the books that are priced now."""
        legs = [leg for market in self.markets for leg in market.legs]
        if with_all_legs:
            legs += legs_at(self.venues, LEGS)
        for instruments, is_leg in (([book for market in self.markets for book in market.books], False), (legs, True)):
            for each in instruments:
                self.rows.setdefault(each, Row(each, is_leg=is_leg))
        for venue in self.venues:
            _check_count(venue, len(self.of(venue)))
        self._sources: dict[str, VenueBooks] = {}

    def of(self, venue: Exchange) -> list[Instrument]:
        """The venue's books, in the order in which they are subscribed to."""
        return [instrument for instrument in self.rows if instrument.venue == venue.name]

    def read_depths_from(self, venue: str, books: VenueBooks) -> None:
        self._sources[venue] = books

    def hear(self, event: News) -> None:
        """One event; one of a book that is not followed is passed over."""
        if isinstance(event, Fault):
            return
        row = self.rows.get(event.instrument)
        if row is None:
            return
        row.take(event)
        if isinstance(event, Quote):
            self.quotes[event.instrument] = event
        elif not event.state.is_priced:
            self.quotes.pop(event.instrument, None)
        for market in self.markets:
            market.take(event)

    def depth(self, instrument: Instrument, levels: int = DEPTH_LEVELS) -> BookDepth | None:
        """The best levels of each side as they stand; None where the book is not priced."""
        source = self._sources.get(instrument.venue)
        return None if source is None else source.depth(instrument, levels)

    def consolidated(self, now_ns: int) -> list[ConsolidatedQuote]:
        return [market.best.quote(now_ns) for market in self.markets]

    def about(self) -> Mapping[str, str]:
        """For a capture's header: the symbols by venue in their order, which a replay needs."""
        return {venue.name: " ".join(each.symbol for each in self.of(venue)) for venue in self.venues}


def venue_of(name: str) -> Exchange:
    """The venue of this name in any case. Raises `UsageError` with the known ones."""
    found = EXCHANGES.get(name.strip().lower())
    if found is None:
        known = ", ".join(EXCHANGES)
        raise UsageError(f"unknown exchange {name!r}: known are {known}" if name else f"name an exchange: --exchange {known}")
    return found


def legs_at(
    venues: Sequence[Exchange], wanted: Sequence[tuple[str, str]] | Mapping[tuple[str, str], object]
) -> Iterator[Instrument]:
    """The books of these rates at the venues that list them."""
    for base, quote in wanted:
        for venue in venues:
            if venue.name in LEGS[base, quote]:
                yield venue.instrument(f"{base}/{quote}")


def _check_count(venue: Exchange, books: int) -> None:
    if books > BOOKS_PER_VENUE:
        raise UsageError(f"{venue.name}: {books} books are more than one connection is for: name at most {BOOKS_PER_VENUE} pairs")


def _instrument(venue: Exchange, text: str) -> Instrument:
    try:
        found = venue.instrument(text)
    except UsageError:
        known = ", ".join(QUOTE_ASSETS)
        raise UsageError(f"{text!r} is not a symbol: name a pair such as ETH/USD; quote assets are {known}") from None
    if found.quote == USD and venue.name in LISTS_USDT:
        return venue.instrument(f"{found.base}/{USDT}")
    return found
