"""A pair at one moment as its trader sees it: the best before and after fees, what is offered near it, what a size comes to."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from msgspec import Struct

from mempool.books.depth import BookDepth
from mempool.books.ladder import BPS, Taken
from mempool.books.money import POWERS
from mempool.books.view import ReadDepth
from mempool.engine.books_followed import DEPTH_LEVELS, FollowedBooks, Market
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade

BAND_BPS = 10
"""What is offered so near to the mid is a market's depth here: 0.1 %."""
MOST_LEVELS = 1_000
"""A side, where the best ones alone do not decide it."""


class BothSides(Struct, frozen=True):
    """Of a sale, which takes the bids, and of a purchase, which takes the asks."""

    sale: Taken
    purchase: Taken

    def by_trade(self) -> tuple[tuple[Trade, Taken], tuple[Trade, Taken]]:
        return (Trade.SELL, self.sale), (Trade.BUY, self.purchase)


class MarketLook:
    """Valid until the next message is heard: what walks the books is worked out when it is asked for, and once."""

    def __init__(self, market: Market, books: FollowedBooks, now_ns: int, size: Fraction | None = None) -> None:
        """`size` is what a sale and a purchase are worked out for, of the base asset."""
        self.size = size
        self.best = market.best.quote(now_ns)
        self.after_fees = market.best.quote_after_fees(now_ns)
        self._market, self._books = market, books
        self._depths: dict[tuple[Instrument, int], BookDepth | None] = {}

    @cached_property
    def near(self) -> BothSides | None:
        """All within `BAND_BPS` of the mid, in the prices of the venues, through the legs; None where no book is priced."""
        mid = self.best.mid
        return None if mid is None else BothSides(self._near(Trade.SELL, mid), self._near(Trade.BUY, mid))

    @cached_property
    def sized(self) -> BothSides | None:
        """What the size brings and costs after fees; None where none was named, or no book is priced."""
        if self.size is None or self.best.mid is None:
            return None
        return BothSides(self._walk(Trade.SELL, self.size), self._walk(Trade.BUY, self.size))

    def _walk(self, trade: Trade, size: Fraction) -> Taken:
        """By the best levels, and by many more of them where these leave it open: most walks end among the best."""
        taken = self._market.walk(trade, size, self._reader(DEPTH_LEVELS))
        return taken if taken.is_certain else self._market.walk(trade, size, self._reader(MOST_LEVELS))

    def _near(self, trade: Trade, mid: Fraction) -> Taken:
        """Of each book only the levels that may count are converted."""
        limit = mid * (BPS + trade.value * BAND_BPS) / BPS
        worst = {part.quote.instrument: limit / self._rate(trade, place) for place, part in enumerate(self.best.parts)}

        def read(instrument: Instrument) -> BookDepth | None:
            depth = self._depth(instrument, MOST_LEVELS)
            return cut(depth, trade, worst[instrument]) if depth is not None and instrument in worst else depth

        return self._market.within(trade, mid, BAND_BPS, read)

    def _rate(self, trade: Trade, place: int) -> Fraction:
        """What one of a book's money comes to on the best level of its leg; deeper ones are worse."""
        part = self.best.parts[place]
        quote = part.quote
        converted, own = (part.ask, quote.ask_price) if trade is Trade.BUY else (part.bid, quote.bid_price)
        return Fraction(converted[0] * POWERS[quote.price_decimals], converted[1] * own)

    def _reader(self, levels: int) -> ReadDepth:
        return lambda instrument: self._depth(instrument, levels)

    def _depth(self, instrument: Instrument, levels: int) -> BookDepth | None:
        if (instrument, levels) not in self._depths:
            self._depths[instrument, levels] = self._books.depth(instrument, levels)
        return self._depths[instrument, levels]


def market_looks(books: FollowedBooks, now_ns: int, size: Fraction | None = None) -> list[MarketLook]:
    """One for each pair, in their order."""
    return [MarketLook(market, books, now_ns, size) for market in books.markets]


def cut(depth: BookDepth, trade: Trade, worst: Fraction) -> BookDepth:
    """The levels of the trade's side down to the first one that is worse than a price, which shows that nothing is missing."""
    scaled = worst * 10**depth.price_decimals
    limit = ceil(scaled) if trade is Trade.BUY else floor(scaled)
    levels = depth.side(trade)
    kept = next((place for place, level in enumerate(levels, 1) if trade.is_worse(level.price, limit)), len(levels))
    return depth.cut(trade, kept, goes_on=True)
