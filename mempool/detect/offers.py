"""What the exchanges offer for a pair in one direction at one moment: ladders of it, and the trades that a size comes to."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import NamedTuple

from mempool.books.depth import BookDepth
from mempool.books.money import POWERS, FeesPips, part_of
from mempool.books.view import BooksView
from mempool.detect.cross_view import Pair
from mempool.detect.steps import SLACK, Steps, steps_of
from mempool.model.arbitrage import BookTrade
from mempool.model.book import Instrument, Level, Quote
from mempool.model.consolidated import PIPS, Trade


class Leg(NamedTuple):
    """What converts one quote asset to the money, and its best rate without fees: money for one of the asset."""

    instrument: Instrument
    quote: Quote
    rate: float
    is_inverse: bool
    """Its base asset is the money, so that the opposite side of the book is taken."""


class Offers:
    """The priced books of a pair that a trade takes, each with the leg that it needs; those in `without` are as if not there."""

    def __init__(self, pair: Pair, trade: Trade, books: BooksView, fees: FeesPips, without: Container[Instrument] = ()) -> None:
        self.pair, self.trade = pair, trade
        self._books, self._fees, self._is_sale = books, fees, trade is Trade.SELL
        self.legs: dict[str, Leg] = {}
        """By quote asset: of the priced ones that with the best price after its fee."""
        self._rates = {pair.money.asset: 1.0}
        """By quote asset: money for one of it, without fees."""
        for asset, instruments in pair.legs.items():
            leg = self._leg(instruments, without)
            if leg is not None:
                self.legs[asset], self._rates[asset] = leg, leg.rate
        self.quotes: list[Quote] = []
        self._prices: list[float] = []
        for instrument in pair.books:
            quote, rate = books.quotes.get(instrument), self._rates.get(instrument.quote)
            if quote is not None and rate is not None and instrument not in without:
                self.quotes.append(quote)
                self._prices.append(self._own_price(quote) * rate)

    def best_price(self) -> float | None:
        """Of the best book, without fees: money for one of the base asset."""
        if not self._prices:
            return None
        return max(self._prices) if self._is_sale else min(self._prices)

    def instruments(self) -> Iterator[Instrument]:
        """The books and legs."""
        for quote in self.quotes:
            yield quote.instrument
        for leg in self.legs.values():
            yield leg.instrument

    def best_ask(self) -> Fraction | None:
        """What one of the base asset costs at the best book, its fee and its leg's in it, whatever it has at the price."""
        asks = []
        for quote in self.quotes:
            leg = self.legs.get(quote.instrument.quote)
            part = part_of(quote, None if leg is None else leg.quote, self.pair.money.asset, self._fees)
            asks.append(Fraction(*part.ask))
        return min(asks, default=None)

    def steps(self, limit: float, most: float) -> tuple[Steps, Steps]:
        """Without the takers' fees, and with them: of each book the levels better than `limit` before fees that a trade of
        `most` of the base asset can come to, fees included."""
        limit, most = limit * (1 + self.trade.value * SLACK), most * (1 + SLACK)
        legs = {asset: depth for asset in self.legs if (depth := self._worthwhile_leg(asset, limit, most)) is not None}
        money = self.pair.money.asset
        quotes = [quote for quote in self.quotes if quote.instrument.quote == money or quote.instrument.quote in legs]
        books = [depth for quote in quotes if (depth := self._worthwhile(quote, limit, most)) is not None]
        return steps_of(self.trade, money, books, legs, {}), steps_of(self.trade, money, books, legs, self._fees)

    def trades(self, fills: Mapping[Instrument, Fraction], *, with_fees: bool = True) -> tuple[BookTrade, ...]:
        """Of the sizes at each book, then of the legs between what they come to and the money."""
        fees = self._fees if with_fees else {}
        made: list[BookTrade] = []
        amounts: dict[str, Fraction] = {}
        for instrument, size in fills.items():
            trade = self._taken(instrument, self.trade, size, fees)
            made.append(trade)
            amount = trade.amount_out if self.trade is Trade.SELL else trade.amount_in
            amounts[instrument.quote] = amounts.get(instrument.quote, Fraction()) + amount
        for asset, amount in amounts.items():
            leg = self.legs.get(asset)
            if leg is not None:
                made.append(self._taken(leg.instrument, self._leg_trade(leg), amount, fees))
        return tuple(made)

    def value(self, trades: Sequence[BookTrade]) -> Fraction:
        """What they bring of the money, or cost."""
        money = self.pair.money.asset
        if self.trade is Trade.SELL:
            return sum([trade.amount_out for trade in trades if trade.asset_out == money], Fraction())
        return sum([trade.amount_in for trade in trades if trade.asset_in == money], Fraction())

    def _leg(self, instruments: Sequence[Instrument], without: Container[Instrument]) -> Leg | None:
        """A sale's proceeds are sold for the most, the money for a purchase bought for the least."""
        best, best_cost, quotes = None, inf, self._books.quotes
        for instrument in instruments:
            quote = quotes.get(instrument)
            if quote is not None and instrument not in without:
                leg, fee = self._as_leg(instrument, quote), self._fees[instrument.venue] / PIPS
                if leg.is_inverse:
                    cost = -leg.rate / (1 + fee) if self._is_sale else leg.rate / (1 - fee)
                else:
                    cost = leg.rate * (fee - 1 if self._is_sale else fee + 1)
                if cost < best_cost:
                    best, best_cost = leg, cost
        return best

    def _as_leg(self, instrument: Instrument, quote: Quote) -> Leg:
        unit = POWERS[quote.price_decimals]
        if instrument.base == self.pair.money.asset:
            return Leg(instrument, quote, unit / (quote.ask_price if self._is_sale else quote.bid_price), is_inverse=True)
        return Leg(instrument, quote, (quote.bid_price if self._is_sale else quote.ask_price) / unit, is_inverse=False)

    def _own_price(self, quote: Quote) -> float:
        return (quote.bid_price if self._is_sale else quote.ask_price) / POWERS[quote.price_decimals]

    def _worthwhile(self, quote: Quote, limit: float, most: float) -> BookDepth | None:
        return self._cut(quote.instrument, self.trade, limit / self._rates[quote.instrument.quote], most)

    def _worthwhile_leg(self, asset: str, limit: float, most: float) -> BookDepth | None:
        """The leg's levels that still gain with the best of the books that need it."""
        prices = [self._own_price(quote) for quote in self.quotes if quote.instrument.quote == asset]
        if not prices:
            return None
        leg, best = self.legs[asset], max(prices) if self._is_sale else min(prices)
        worst_rate = limit / best
        # No unit costs more of the asset than at the limit, nor brings more than at the best price; fees come on top.
        amount = most * (best if self._is_sale else limit / leg.rate) / self._least_kept**2
        if leg.is_inverse:
            # No price of the leg's levels that are left is below the worst one, in this direction or the other.
            return self._cut(leg.instrument, self._leg_trade(leg), 1 / worst_rate, amount * max(worst_rate, leg.rate))
        return self._cut(leg.instrument, self.trade, worst_rate, amount)

    @property
    def _least_kept(self) -> float:
        """What the highest fee leaves of one."""
        return 1 - max(self._fees.values(), default=0) / PIPS

    def _cut(self, instrument: Instrument, trade: Trade, limit: float, most: float) -> BookDepth | None:
        """The levels of one side up to a price and to a size; where that leaves some out, nothing worthwhile is behind them."""
        depth = self._books.depth(instrument)
        if depth is None:
            return None
        sign, levels = trade.value, depth.side(trade)
        worst, most = sign * limit * POWERS[depth.price_decimals], most * POWERS[depth.size_decimals]
        kept, size = 0, 0
        while kept < len(levels) and size < most and sign * levels[kept].price <= worst:
            size += levels[kept].size
            kept += 1
        return depth.cut(trade, kept, goes_on=False)

    def _leg_trade(self, leg: Leg) -> Trade:
        return self.trade.opposite if leg.is_inverse else self.trade

    def _taken(self, instrument: Instrument, trade: Trade, amount: Fraction, fees: FeesPips) -> BookTrade:
        """The book's best levels until the trade comes to an amount: of its base asset, or, where that is the money of the
        pair, of its quote asset, fee included."""
        depth = self._books.depth(instrument)
        if depth is None:
            raise LookupError(f"{instrument.venue} {instrument.symbol} is not priced")
        unit, size_unit = POWERS[depth.price_decimals], POWERS[depth.size_decimals]
        fee = PIPS + trade.value * (fees[instrument.venue] if fees else 0)
        in_value = instrument.base == self.pair.money.asset
        number, divisor = amount.numerator * size_unit, amount.denominator
        if in_value:
            number, divisor = number * unit * PIPS, divisor * fee
        size, value, price = _walk(depth.side(trade), number, divisor, in_value=in_value)
        base, money = size / size_unit, value * Fraction(fee, PIPS * unit * size_unit)
        amounts = (money, base) if trade is Trade.BUY else (base, money)
        return BookTrade(instrument, trade, *amounts, Fraction(price, unit), self._books.now_ns - depth.recv_ns)


def _walk(levels: Sequence[Level], number: int, divisor: int, *, in_value: bool) -> tuple[Fraction, Fraction, int]:
    """Size, value and worst price of the best levels that come to `number / divisor` of size, or of value; scaled as they are."""
    size = value = worst = 0
    whole = number // divisor
    for level in levels:
        level_value = level.price * level.size
        reached, offered = (value, level_value) if in_value else (size, level.size)
        if reached + offered > whole:
            part, price, whole_and_part = number - reached * divisor, level.price, Fraction(number, divisor)
            worst = price if part else worst
            if in_value:
                return Fraction(size * divisor * price + part, divisor * price), whole_and_part, worst
            return whole_and_part, Fraction(value * divisor + part * price, divisor), worst
        size, value, worst = size + level.size, value + level_value, level.price
    return Fraction(size), Fraction(value), worst
