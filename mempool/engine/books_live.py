"""Live order books of several venues together: their feeds, what each book is worth now, and the best quote over them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from mempool.books.consolidated import Consolidator
from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES, Exchange
from mempool.exchanges.events import Fault, StateChanged
from mempool.exchanges.symbols import QUOTE_ASSETS
from mempool.feeds.bans import BanList
from mempool.feeds.capture import CaptureWriter
from mempool.feeds.connection import first_end
from mempool.feeds.exchange import ExchangeFeed, ExchangeOptions, Shared
from mempool.feeds.venue import News
from mempool.feeds.venue_urls import VenueUrls
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from mempool.model.consolidated import ConsolidatedQuote

USD, USDT = "USD", "USDT"
LISTS_USDT = ("binance", "okx", "bybit")
"""Venues whose dollar is USDT: a pair in USD is followed there in USDT, and converted by a leg."""
LEG_VENUES = ("kraken", "coinbase")
"""Where USDT is traded for USD."""
BOOKS_PER_VENUE = 100
"""On one connection; Binance's limit is 1,024 streams, two a book, and all of them stand in its URL."""
TREND_POINTS = 32
TREND_NS = 1_000_000_000

NewsSink = Callable[[News], None]


class BooksOptions(Struct, frozen=True, kw_only=True):
    """What to follow, and where; `bans` is the file that remembers the venues' bans."""

    venues: Sequence[str] = tuple(EXCHANGES)
    pairs: Sequence[str] = ("ETH/USD",)
    server: str = ""
    """A server that plays the venues, each below its name; empty for the venues themselves."""
    record: Path | None = None
    bans: Path | None = None


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

    def take(self, event: News) -> None:
        if isinstance(event, Quote):
            self.quote = event
            if not self.trend or event.recv_ns - self.trend[-1][0] >= TREND_NS:
                self.trend.append((event.recv_ns, float(event.bid + event.ask) / 2))
        elif isinstance(event, StateChanged):
            self.state = event.state
            if not event.state.is_priced:
                self.quote = None


class Market:
    """One pair as the user names it: its books at the venues, the legs between their moneys, and the best over them."""

    def __init__(self, text: str, venues: Sequence[Exchange]) -> None:
        """Raises `UsageError` where the text names no pair."""
        self.books = [_instrument(venue, text) for venue in venues]
        moneys = {book.quote for book in self.books}
        self.money = USD if USD in moneys else self.books[0].quote
        self.legs: list[Instrument] = []
        if moneys - {self.money}:
            self.legs = [venue.instrument(f"{USDT}/{USD}") for venue in venues if venue.name in LEG_VENUES]
        # The best of the plain quotes is asked for only, and that one knows no fees.
        free = dict.fromkeys((venue.name for venue in venues), 0)
        self.best = Consolidator((self.books[0].base, self.money), self.books, free, self.legs)

    def take(self, event: News) -> bool:
        """Whether it concerns one of the books or legs."""
        if isinstance(event, Fault) or not self.best.hears(event.instrument):
            return False
        if isinstance(event, Quote):
            self.best.on_quote(event)
        else:
            self.best.on_state(event.instrument, event.state)
        return True


class LiveBooks:
    """`run` listens until it is cancelled; `rows` and the markets' `best` hold what is known at any moment."""

    def __init__(self, options: BooksOptions, sink: NewsSink) -> None:
        """Raises `UsageError` on unknown venues and pairs."""
        self.venues = [_venue(name) for name in dict.fromkeys(options.venues)]
        self.markets = [Market(pair, self.venues) for pair in dict.fromkeys(options.pairs)]
        self.rows: dict[Instrument, Row] = {}
        for market in self.markets:
            for book in market.books:
                self.rows[book] = Row(book, is_leg=False)
        for market in self.markets:
            for leg in market.legs:
                self.rows.setdefault(leg, Row(leg, is_leg=True))
        self.feeds: list[ExchangeFeed] = []
        self.faults = 0
        for venue in self.venues:
            _check_count(venue, len(self._books_of(venue)))
        self._options, self._sink = options, sink
        self._is_over = False

    async def run(self) -> None:
        """Raises `StoreError` where the capture cannot be written, and what `sink` raises."""
        shared, capture = Shared(BanList(self._options.bans)), self._capture()
        try:
            self.feeds = [self._feed(venue, shared, capture) for venue in self.venues]
            await first_end(*(feed.run() for feed in self.feeds))
        finally:
            await shared.close()
            if capture is not None:
                capture.close()

    @property
    def was_reached(self) -> bool:
        """Whether any venue has been connected to."""
        return any(feed.connections for feed in self.feeds)

    def skew_ns(self, venue: str) -> int | None:
        """How far our clock is ahead of the venue's, a message's way included; None before it is known."""
        return next((feed.skew_ns for feed in self.feeds if feed.name == venue), None)

    def freeze(self) -> None:
        """Hear nothing more: the end of the connections is not to be told of."""
        self._is_over = True

    def consolidated(self, now_ns: int) -> list[ConsolidatedQuote]:
        return [market.best.quote(now_ns) for market in self.markets]

    def _hear(self, name: str, event: News) -> None:
        if self._is_over:
            return
        if isinstance(event, Fault):
            self.faults += 1
        else:
            self.rows[event.instrument].take(event)
            for market in self.markets:
                market.take(event)
        self._sink(event)

    def _feed(self, venue: Exchange, shared: Shared, capture: CaptureWriter | None) -> ExchangeFeed:
        server = self._options.server
        urls = VenueUrls.parse(f"{server.rstrip('/')}/{venue.name}") if server else VenueUrls()
        options = ExchangeOptions(urls=urls, capture=capture)
        return ExchangeFeed(venue, self._books_of(venue), self._hear, options, shared)

    def _books_of(self, venue: Exchange) -> list[Instrument]:
        return [instrument for instrument in self.rows if instrument.venue == venue.name]

    def _capture(self) -> CaptureWriter | None:
        """A replay needs the symbols of each venue, in this order."""
        if self._options.record is None:
            return None
        about = {venue.name: " ".join(each.symbol for each in self._books_of(venue)) for venue in self.venues}
        return CaptureWriter(str(self._options.record), chain_id=0, started_ns=time.time_ns(), about=about)


def _venue(name: str) -> Exchange:
    found = EXCHANGES.get(name.strip().lower())
    if found is None:
        raise UsageError(f"unknown exchange {name!r}: known are {', '.join(EXCHANGES)}")
    return found


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
