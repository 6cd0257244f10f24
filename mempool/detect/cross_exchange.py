"""Cross-exchange arbitrage: bought at one venue and sold at another, through rate books where their money differs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from mempool.detect.book_cycles import Cycle
from mempool.detect.priced_books import PricedBooks
from mempool.model.arbitrage import ArbitrageKind, Route
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade


def cross_exchange_cycles(cause: Instrument, books: PricedBooks) -> Iterator[Cycle]:
    """Every two venues' books of one base asset, of those cycles that pass the cause's book.

    Two books of one quote asset are traded in it. Others start and end in the money, each through the rate book between its
    own asset and that. Where there is none they are not compared.
    """
    turned = cause.quote if cause.base == books.money else cause.base
    through = books.bases_in.get(turned, ()) if books.rates.get(turned) == cause else ()
    for base in dict.fromkeys([cause.base, *through]):
        for buy, sell in permutations(books.by_base.get(base, ()), 2):
            if buy.venue == sell.venue:
                continue
            route = _route(buy, sell, books)
            if any(instrument == cause for instrument, _ in route):
                yield Cycle(ArbitrageKind.CROSS_EXCHANGE, route)


def _route(buy: Instrument, sell: Instrument, books: PricedBooks) -> Route:
    """Nothing where a rate is missing, or the books are rates themselves."""
    trades = ((buy, Trade.BUY), (sell, Trade.SELL))
    if buy.quote == sell.quote:
        return trades
    if buy.base == books.money or any(asset != books.money and asset not in books.rates for asset in (buy.quote, sell.quote)):
        return ()
    return (*_conversion(buy.quote, books, Trade.BUY), *trades, *_conversion(sell.quote, books, Trade.SELL))


def _conversion(asset: str, books: PricedBooks, trade: Trade) -> Route:
    """The purchase of the asset with the money, or its sale for it; on a book of the money, the other trade."""
    if asset == books.money:
        return ()
    rate = books.rates[asset]
    return ((rate, trade if rate.base == asset else trade.opposite),)
