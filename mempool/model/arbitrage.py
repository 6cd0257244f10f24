"""What a detector finds where order books take part: the trades of the best size, what they gain, or why it is none."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from mempool.model.book import Instrument
from mempool.model.consolidated import Trade

Route = tuple[tuple[Instrument, Trade], ...]
"""The books of a cycle in the order they are traded; one and the same cycle has always the same."""


class ArbitrageKind(StrEnum):
    """Between which books, or between a pool and books."""

    CROSS_EXCHANGE = "cross_exchange"
    TRIANGULAR = "triangular"
    CEX_DEX = "cex_dex"


class Rejection(StrEnum):
    """Why a gap between prices is no finding."""

    FEES = "fees"
    """The takers' fees are more than the gap."""
    STALE = "stale"
    """One of the books has not been heard of for too long."""
    SKEW = "skew"
    """It has not lived longer than the books' messages may be apart: there may never have been a gap."""
    GAS = "gas"
    """What the pool's trade costs in gas is more than the rest."""


class BookTrade(Struct, frozen=True, gc=False):
    """One trade of the cycle. Amounts are in the assets' own units, the fee in them; it is taken in the quote asset.

    They are what exactly closes the cycle, and not rounded to the venue's lots: a book does not tell them. The decimals that it
    writes are no lots (Binance pads all sizes to eight), and only one of the five venues names them beside its books. Who trades
    rounds each amount down, and keeps less than a lot of each asset.
    """

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


class PoolTrade(Struct, frozen=True, gc=False):
    """The trade in the pool, to the wei: in the tokens' smallest units, the pool's own fee in it."""

    pool: bytes
    token_in: bytes
    token_out: bytes
    amount_in: int
    amount_out: int


class CexDexArbitrage(Struct, frozen=True):
    """A pool, as a pending swap would leave it, against order books. It is a finding where nothing rejects it."""

    money: str
    """What the pool's own quote token is called at exchanges; profits are counted in it, and it is never taken for another."""
    pool_trade: PoolTrade
    """At the size that gains most after the takers' fees; of a near miss for its fees at the size that would without them."""
    trades: tuple[BookTrade, ...]
    """At the exchanges, those of the legs between their money and the pool's included."""
    gross_profit: Fraction
    """The most that there would be without the takers' fees and gas, at its best size then; the pool's fee is in it."""
    net_profit: Fraction | None
    """Of the trades, after the takers' fees and gas; None where the gas has no price in `money`."""
    standing_profit: Fraction
    """What the best size would have gained after the takers' fees before the swap already, without gas; 0 where nothing."""
    gas_units: int
    gas_price_wei: int
    gas_cost: Fraction | None
    """In `money`, at what the exchanges' own books ask for the native token."""
    block_number: int
    """On whose state the swap and the pool's trade are simulated."""
    may_be_more: bool
    """Whether the trades take all that is listed of a book that goes on behind it, or all that is known of the pool."""
    rejection: Rejection | None = None
    note: str = ""
    """The rejection in words."""
    kind: ArbitrageKind = ArbitrageKind.CEX_DEX
    lived_ns: int = 0
    """It opens with the swap."""


Arbitrage = BookArbitrage | CexDexArbitrage
