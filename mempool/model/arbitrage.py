"""What a detector finds between order books: the trades of the best size, what they gain, or why it is none."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from mempool.model.book import Instrument
from mempool.model.consolidated import Trade

Route = tuple[tuple[Instrument, Trade], ...]
"""The books of a cycle in the order they are traded; one and the same cycle has always the same."""


class ArbitrageKind(StrEnum):
    """Between which books."""

    CROSS_EXCHANGE = "cross_exchange"
    TRIANGULAR = "triangular"


class Rejection(StrEnum):
    """Why a gap between prices is no finding."""

    FEES = "fees"
    """The takers' fees are more than the gap."""
    STALE = "stale"
    """One of the books has not been heard of for too long."""
    SKEW = "skew"
    """It has not lived longer than the books' messages may be apart: there may never have been a gap."""
    TOO_SMALL = "too_small"


class BookTrade(Struct, frozen=True, gc=False):
    """One trade of the cycle. Amounts are in the assets' own units, the fee in them; it is taken in the quote asset."""

    instrument: Instrument
    trade: Trade
    amount_in: Fraction
    amount_out: Fraction
    worst_price: Fraction
    """Of the levels taken, as the venue writes it."""
    age_ns: int
    """Since the book's last message arrived."""

    @property
    def asset_in(self) -> str:
        return self.instrument.quote if self.trade is Trade.BUY else self.instrument.base

    @property
    def asset_out(self) -> str:
        return self.instrument.base if self.trade is Trade.BUY else self.instrument.quote


class BookArbitrage(Struct, frozen=True):
    """A cycle of trades that gains before fees. It is a finding where nothing rejects it, else a near miss."""

    kind: ArbitrageKind
    money: str
    """What the cycle starts and ends with, and profits are counted in."""
    trades: tuple[BookTrade, ...]
    """At the size that gains most after fees; of a near miss for its fees at the size that would gain most without them."""
    gross_profit: Fraction
    """The most that the cycle would gain without fees, at its best size then."""
    net_profit: Fraction
    """What the trades gain after fees: exactly the most; below zero where the fees are more."""
    may_be_more: bool
    """Whether the trades take all that is listed of a book that goes on behind it."""
    lived_ns: int
    """How long the cycle has gained before fees, by the receive clock."""
    rejection: Rejection | None = None
    note: str = ""
    """The rejection in words."""

    @property
    def route(self) -> Route:
        return tuple([(trade.instrument, trade.trade) for trade in self.trades])
