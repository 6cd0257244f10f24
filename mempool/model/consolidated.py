"""One market over several venues as values: the best bid and offer, the books behind them, and who was left out and why.

A price is a ratio of two integers, `(numerator, denominator)` of the pair's quote asset for one of its base asset, so that
prices of different decimals, converted ones and those with fees are compared exactly. It need not be reduced.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from fractions import Fraction

from msgspec import Struct

from mempool.model.book import BookState, Instrument, Quote

PIPS = 1_000_000
"""A fee of so many pips is the whole."""

Ratio = tuple[int, int]
Exact = int | Fraction


class Trade(Enum):
    """What is done: a purchase takes asks, a sale takes bids."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Trade:
        return Trade.SELL if self is Trade.BUY else Trade.BUY

    def is_worse(self, price: Exact, than: Exact) -> bool:
        """Whether a trade at the price is worse for who makes it."""
        return price > than if self is Trade.BUY else price < than


class Market(StrEnum):
    """How the best bid stands to the best offer."""

    EMPTY = "empty"
    """No book is priced now."""
    OPEN = "open"
    LOCKED = "locked"
    """The same price."""
    CROSSED = "crossed"
    """Somewhere more is bid than is asked elsewhere."""


class Part(Struct, frozen=True, gc=False):
    """One book that is priced now, and its best prices in the pair's own quote asset."""

    quote: Quote
    """As it stands in the venue's own money. Its sizes are the book's, not cut to what its leg has at its best price."""
    leg: Quote | None
    """The rate that its prices are converted by: the bids by the side that its proceeds are sold on, the asks by the other."""
    bid: Ratio
    ask: Ratio

    @property
    def venue(self) -> str:
        return self.quote.instrument.venue

    @property
    def recv_ns(self) -> int:
        """When the older of the two quotes arrived."""
        return self.quote.recv_ns if self.leg is None else min(self.quote.recv_ns, self.leg.recv_ns)


class LeftOut(Struct, frozen=True, gc=False):
    """A book that is not priced now."""

    instrument: Instrument
    reason: str
    state: BookState | None
    """None where nothing has been heard of it."""


class Best(Struct, frozen=True, gc=False):
    """The best price of one side, and what all books together offer at it."""

    price: Ratio
    size: int
    """Scaled by the largest decimals of the books at the price: their exact sum."""
    size_decimals: int
    shares: tuple[tuple[Instrument, int], ...]
    """What of the size each book offers, in the same scale, in the order the books were named."""

    @property
    def exact_price(self) -> Fraction:
        return Fraction(*self.price)

    @property
    def exact_size(self) -> Fraction:
        return Fraction(self.size, int(10**self.size_decimals))


class ConsolidatedQuote(Struct, frozen=True, gc=False):
    """Best bid and offer over the books that are priced now; with `after_fees`, of what they come to with the takers' fees."""

    base: str
    quote: str
    bid: Best | None
    ask: Best | None
    parts: tuple[Part, ...]
    left_out: tuple[LeftOut, ...]
    market: Market
    since_ns: int
    """Since when the market is so, of the receive clock. Its venues may have changed meanwhile."""
    now_ns: int
    after_fees: bool

    @property
    def pair(self) -> str:
        return f"{self.base}/{self.quote}"

    @property
    def lived_ns(self) -> int:
        """How long the market has been open, locked or crossed."""
        return self.now_ns - self.since_ns

    @property
    def oldest_ns(self) -> int:
        """The age of the oldest quote in it, legs too; 0 without any."""
        return max((self.age_ns(part) for part in self.parts), default=0)

    def age_ns(self, part: Part) -> int:
        """How long ago the older of the part's quote and its leg arrived."""
        return self.now_ns - part.recv_ns

    @property
    def mid(self) -> Fraction | None:
        if self.bid is None or self.ask is None:
            return None
        return (self.bid.exact_price + self.ask.exact_price) / 2

    @property
    def microprice(self) -> Fraction | None:
        """The mean of bid and ask, each weighted by the size on the other side: nearer to where less is offered."""
        if self.bid is None or self.ask is None:
            return None
        bid_size, ask_size = self.bid.exact_size, self.ask.exact_size
        return (self.bid.exact_price * ask_size + self.ask.exact_price * bid_size) / (bid_size + ask_size)

    @property
    def spread(self) -> Fraction | None:
        """Ask less bid: below zero where the market is crossed."""
        if self.bid is None or self.ask is None:
            return None
        return self.ask.exact_price - self.bid.exact_price
