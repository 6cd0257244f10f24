"""Live order books of several venues together: one feed a venue, all into the books that are followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from mempool.books.merge import NO_FEES
from mempool.books.money import FeesPips
from mempool.engine.books_capture import about_books
from mempool.engine.books_followed import FollowedBooks, Market, Row
from mempool.engine.desk import DeskOptions
from mempool.exchanges import EXCHANGES, Exchange
from mempool.feeds.bans import BanList
from mempool.feeds.capture import CaptureWriter
from mempool.feeds.connection import first_end
from mempool.feeds.exchange import ExchangeFeed, ExchangeOptions, Shared
from mempool.feeds.venue import News
from mempool.feeds.venue_urls import VenueUrls
from mempool.model.book import Instrument
from mempool.model.consolidated import ConsolidatedQuote

NewsSink = Callable[[str, News], None]
"""Takes the venue's name and what was heard of it."""


class BooksOptions(Struct, frozen=True, kw_only=True):
    """What to follow, and where; `bans` is the file that remembers the venues' bans."""

    venues: Sequence[str] = tuple(EXCHANGES)
    pairs: Sequence[str] = ("ETH/USD",)
    server: str = ""
    """A server that plays the venues, each below its name; empty for the venues themselves."""
    record: Path | None = None
    bans: Path | None = None
    fees: FeesPips = NO_FEES
    """The taker's fee of every venue, for what is told after fees."""
    with_all_legs: bool = False
    """Whether to follow every rate between dollars, not only what the pairs need."""


def followed_books(options: BooksOptions) -> FollowedBooks:
    """Raises `UsageError` on unknown venues and pairs, and on a server that is no address."""
    if options.server:
        VenueUrls.parse(options.server)
    return FollowedBooks(options.venues, options.pairs, options.fees, with_all_legs=options.with_all_legs)


class LiveBooks:
    """`run` listens until it is cancelled; `books` hold what is known at any moment.

    `sink` hears every event after the books did. A `capture` that is given is its giver's to close.
    """

    def __init__(
        self,
        options: BooksOptions,
        sink: NewsSink,
        capture: CaptureWriter | None = None,
        books: FollowedBooks | None = None,
    ) -> None:
        """`books` are those of the options, where they are made already. Raises `UsageError` on unknown venues and pairs."""
        self.books = books or followed_books(options)
        self.feeds: list[ExchangeFeed] = []
        self._options, self._sink, self._capture = options, sink, capture
        self._recording = capture
        self._is_over = False

    async def run(self) -> None:
        """Raises `StoreError` where the capture cannot be written, and what `sink` raises."""
        shared, capture = Shared(BanList(self._options.bans)), self._capture or self._own_capture()
        self._recording = capture
        try:
            self.feeds = [self._feed(venue, shared, capture) for venue in self.books.venues]
            await first_end(*(feed.run() for feed in self.feeds))
        finally:
            await shared.close()
            if capture is not None and capture is not self._capture:
                capture.close()

    @property
    def rows(self) -> dict[Instrument, Row]:
        return self.books.rows

    @property
    def markets(self) -> list[Market]:
        return self.books.markets

    @property
    def was_reached(self) -> bool:
        """Whether any venue has been connected to."""
        return any(feed.connections for feed in self.feeds)

    @property
    def unrecorded(self) -> str:
        """Why what is heard is recorded no longer; empty while it is, or where it need not be."""
        capture = self._recording
        return f"{capture.path} cannot be written on: {capture.failure}" if capture is not None and capture.failure else ""

    def skew_ns(self, venue: str) -> int | None:
        """How far our clock is ahead of the venue's, a message's way included; None before it is known."""
        return next((feed.skew_ns for feed in self.feeds if feed.name == venue), None)

    def freeze(self) -> None:
        """Hear nothing more: the end of the connections is not to be told of."""
        self._is_over = True

    def consolidated(self, now_ns: int) -> list[ConsolidatedQuote]:
        return self.books.consolidated(now_ns)

    def _hear(self, name: str, event: News) -> None:
        if not self._is_over:
            self.books.hear(event)
            self._sink(name, event)

    def _feed(self, venue: Exchange, shared: Shared, capture: CaptureWriter | None) -> ExchangeFeed:
        server = self._options.server
        urls = VenueUrls.parse(f"{server.rstrip('/')}/{venue.name}") if server else VenueUrls()
        options = ExchangeOptions(urls=urls, capture=capture)
        feed = ExchangeFeed(venue, self.books.of(venue), self._hear, options, shared)
        self.books.read_depths_from(venue.name, feed.books)
        return feed

    def _own_capture(self) -> CaptureWriter | None:
        if self._options.record is None:
            return None
        about = about_books(self.books, DeskOptions(self._options.fees))
        return CaptureWriter(str(self._options.record), chain_id=0, started_ns=time.time_ns(), about=about)
