"""Cross-exchange arbitrage: bought at one venue and sold at another, through rate books where their money differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from mempool.detect.book_cycles import Cycle, Terms
from mempool.model.arbitrage import ArbitrageKind, Route
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade


def cross_exchange_cycles(cause: Instrument, books: Sequence[Instrument], terms: Terms) -> Iterator[Cycle]:
    """Every two venues' books of one base asset, of those cycles that pass the cause's book, in the order of `books`.

    Two books of one quote asset are traded in it. Others start and end in `terms.money`, each through a rate book between its
    own asset and that: the one whose venue takes the least fee, the first by name where several do. Where there is none they
    are not compared.
    """
    rates = _rates(books, terms)
    turned = {asset for asset, rate in rates.items() if rate == cause}
    for base in dict.fromkeys([cause.base, *(book.base for book in books if book.quote in turned)]):
        for buy, sell in permutations([book for book in books if book.base == base], 2):
            if buy.venue == sell.venue:
                continue
            route = _route(buy, sell, rates, terms.money)
            if any(instrument == cause for instrument, _ in route):
                yield Cycle(ArbitrageKind.CROSS_EXCHANGE, route)


def _rates(books: Sequence[Instrument], terms: Terms) -> dict[str, Instrument]:
    """What turns each asset into the money, or the money into it."""
    rates: dict[str, Instrument] = {}
    about_money = [book for book in books if terms.money in (book.base, book.quote)]
    for book in sorted(about_money, key=lambda book: (terms.fees[book.venue], book)):
        if book.quote == terms.money:
            rates.setdefault(book.base, book)
        elif book.base == terms.money:
            rates.setdefault(book.quote, book)
    return rates


def _route(buy: Instrument, sell: Instrument, rates: Mapping[str, Instrument], money: str) -> Route:
    """Nothing where a rate is missing, or the books are rates themselves."""
    trades = ((buy, Trade.BUY), (sell, Trade.SELL))
    if buy.quote == sell.quote:
        return trades
    if buy.base == money or any(asset != money and asset not in rates for asset in (buy.quote, sell.quote)):
        return ()
    return (*_conversion(buy.quote, rates, money, Trade.BUY), *trades, *_conversion(sell.quote, rates, money, Trade.SELL))


def _conversion(asset: str, rates: Mapping[str, Instrument], money: str, trade: Trade) -> Route:
    """The purchase of the asset with the money, or its sale for it; on a book of the money, the other trade."""
    if asset == money:
        return ()
    rate = rates[asset]
    return ((rate, trade if rate.base == asset else Trade(-trade.value)),)
