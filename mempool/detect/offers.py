"""What the exchanges offer for a pair in one direction at one moment: ladders of it, and the trades that a size comes to."""

from __future__ import annotations

from collections.abc import Container, Iterator
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.books.ladder import Ladder
from mempool.books.merge import NO_FEES, ladder_of
from mempool.books.money import POWERS, FeesPips, part_of, rates
from mempool.books.view import BooksView
from mempool.detect.cross_view import Pair
from mempool.model.arbitrage import BookTrade
from mempool.model.book import Instrument, Quote
from mempool.model.consolidated import PIPS, Trade

SLACK = 1e-9
"""Leaves room for what floats lose."""


class Leg(Struct, frozen=True):
    """What converts one quote asset to the money, and its best rate without fees: money for one of the asset."""

    quote: Quote
    rate: float
    is_inverse: bool
    """Its base asset is the money, so that the opposite side of the book is taken."""


class Offers:
    """The priced books of a pair that a trade takes, each with the leg that it needs; those in `without` are as if not there."""

    def __init__(self, pair: Pair, trade: Trade, books: BooksView, fees: FeesPips, without: Container[Instrument] = ()) -> None:
        self.pair, self.trade = pair, trade
        self._books, self._fees = books, fees
        self.legs = {asset: leg for asset in pair.legs if (leg := self._leg(asset, without)) is not None}
        """By quote asset: of the priced ones that with the best price after its fee."""
        self.quotes = [
            quote
            for instrument in pair.books
            if instrument not in without
            and (quote := books.quotes.get(instrument)) is not None
            and (instrument.quote == pair.money.asset or instrument.quote in self.legs)
        ]

    def gain_against(self, limit: float) -> bool:
        """Whether the best price of a book, without fees, is better than `limit` (money for one of the base asset)."""
        sign, limit = self.trade.value, self._slackened(limit)
        return any(sign * self._price(quote) < sign * limit for quote in self.quotes)

    def instruments(self) -> Iterator[Instrument]:
        """The books and legs."""
        for quote in self.quotes:
            yield quote.instrument
        for leg in self.legs.values():
            yield leg.quote.instrument

    def best_ask(self) -> Fraction | None:
        """What one of the base asset costs at the best book, its fee and its leg's in it, whatever it has at the price."""
        asks = []
        for quote in self.quotes:
            leg = self.legs.get(quote.instrument.quote)
            part = part_of(quote, None if leg is None else leg.quote, self.pair.money.asset, self._fees)
            asks.append(Fraction(*part.ask))
        return min(asks, default=None)

    def ladders(self, limit: float) -> tuple[Ladder, Ladder]:
        """The levels whose price is better than `limit` before fees, without the takers' fees and with them."""
        limit = self._slackened(limit)
        books = [depth for quote in self.quotes if (depth := self._worthwhile(quote, limit)) is not None]
        legs = [depth for asset in self.legs if (depth := self._worthwhile_leg(asset, limit)) is not None]
        money = self.pair.money.asset
        return ladder_of(self.trade, money, books, legs), ladder_of(self.trade, money, books, legs, self._fees)

    def trades(self, fills: tuple[tuple[Instrument, Fraction], ...]) -> tuple[BookTrade, ...]:
        """Of the sizes at each book, then of the legs between what they come to and the money."""
        made: list[BookTrade] = []
        amounts: dict[str, Fraction] = {}
        for instrument, size in fills:
            trade = self._taken(instrument, self.trade, size)
            made.append(trade)
            amount = trade.amount_out if self.trade is Trade.SELL else trade.amount_in
            amounts[instrument.quote] = amounts.get(instrument.quote, Fraction()) + amount
        for asset, amount in amounts.items():
            leg = self.legs.get(asset)
            if leg is not None:
                made.append(self._converted(leg, amount))
        return tuple(made)

    def _leg(self, asset: str, without: Container[Instrument]) -> Leg | None:
        """A sale's proceeds are sold for the most, the money for a purchase bought for the least."""
        best: tuple[float, Quote] | None = None
        money, is_sale = self.pair.money.asset, self.trade is Trade.SELL
        for instrument in self.pair.legs[asset]:
            quote = self._books.quotes.get(instrument)
            if quote is not None and instrument not in without:
                sold, bought = rates(quote, money, self._fees)
                cost = sold[1] / sold[0] if is_sale else bought[0] / bought[1]
                if best is None or cost < best[0]:
                    best = cost, quote
        if best is None:
            return None
        sold, bought = rates(best[1], money, NO_FEES)
        rate = sold[0] / sold[1] if is_sale else bought[0] / bought[1]
        return Leg(best[1], rate, best[1].instrument.base == money)

    def _price(self, quote: Quote) -> float:
        """The best price of the book in the money, without fees."""
        leg = self.legs.get(quote.instrument.quote)
        return self._own_price(quote) * (1.0 if leg is None else leg.rate)

    def _own_price(self, quote: Quote) -> float:
        return (quote.ask_price if self.trade is Trade.BUY else quote.bid_price) / POWERS[quote.price_decimals]

    def _slackened(self, limit: float) -> float:
        return limit * (1 + self.trade.value * SLACK)

    def _worthwhile(self, quote: Quote, limit: float) -> BookDepth | None:
        leg = self.legs.get(quote.instrument.quote)
        return self._cut(quote.instrument, self.trade, limit if leg is None else limit / leg.rate)

    def _worthwhile_leg(self, asset: str, limit: float) -> BookDepth | None:
        """The leg's levels that still gain with the best of the books that need it."""
        prices = [self._own_price(quote) for quote in self.quotes if quote.instrument.quote == asset]
        if not prices:
            return None
        leg, best = self.legs[asset], min(prices) if self.trade is Trade.BUY else max(prices)
        worst_rate = limit / best
        if leg.is_inverse:
            return self._cut(leg.quote.instrument, self._leg_trade(leg), 1 / worst_rate)
        return self._cut(leg.quote.instrument, self.trade, worst_rate)

    def _cut(self, instrument: Instrument, trade: Trade, limit: float) -> BookDepth | None:
        """The levels of one side up to a price; where that leaves some out, nothing worthwhile is behind them."""
        depth = self._books.depth(instrument)
        if depth is None:
            return None
        worst, sign, levels = trade.value * limit * POWERS[depth.price_decimals], trade.value, depth.side(trade)
        kept = len(levels)
        while kept and sign * levels[kept - 1].price > worst:
            kept -= 1
        if kept == len(levels):
            return depth
        if trade is Trade.BUY:
            return replace(depth, asks=levels[:kept], asks_go_on=False)
        return replace(depth, bids=levels[:kept], bids_go_on=False)

    def _leg_trade(self, leg: Leg) -> Trade:
        return Trade(-self.trade.value) if leg.is_inverse else self.trade

    def _converted(self, leg: Leg, amount: Fraction) -> BookTrade:
        """The leg's trade that sells an amount of its other asset, or buys it."""
        return self._taken(leg.quote.instrument, self._leg_trade(leg), amount, in_quote=leg.is_inverse)

    def _taken(self, instrument: Instrument, trade: Trade, amount: Fraction, *, in_quote: bool = False) -> BookTrade:
        """The book's best levels until the trade comes to so much of the base asset, or of the quote asset, fee included."""
        depth = self._books.depth(instrument)
        if depth is None:
            raise LookupError(f"{instrument.venue} {instrument.symbol} is not priced")
        fee = Fraction(PIPS + trade.value * self._fees[instrument.venue], PIPS)
        base = money = price = Fraction()
        for level in depth.side(trade):
            left = amount - (money if in_quote else base)
            if left <= 0:
                break
            price = Fraction(level.price, POWERS[depth.price_decimals])
            size = min(Fraction(level.size, POWERS[depth.size_decimals]), left / (price * fee) if in_quote else left)
            base, money = base + size, money + size * price * fee
        amounts = (money, base) if trade is Trade.BUY else (base, money)
        return BookTrade(instrument, trade, *amounts, price, self._books.now_ns - depth.recv_ns)
