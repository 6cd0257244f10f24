"""Triangular arbitrage: three books of one venue, round from an asset to itself."""

from __future__ import annotations

from collections.abc import Iterator

from mempool.detect.book_cycles import Cycle, asset_in, asset_out
from mempool.detect.priced_books import PricedBooks, TradedBook
from mempool.model.arbitrage import ArbitrageKind, Route
from mempool.model.book import Instrument


def triangular_cycles(cause: Instrument, books: PricedBooks) -> Iterator[Cycle]:
    """The cycles through the cause's book and two others of its venue, in both directions.

    Each starts in the money where it passes it, else in the first of its assets by name.
    """
    for asset in (cause.quote, cause.base):
        for first in books.takes.get((cause.venue, asset), ()):
            if first[0] == cause:
                for route in _routes(first, books):
                    yield Cycle(ArbitrageKind.TRIANGULAR, _from_money(route, books.money))


def _routes(first: TradedBook, books: PricedBooks) -> Iterator[Route]:
    venue, start, bought = first[0].venue, asset_in(*first), asset_out(*first)
    for second in books.takes[venue, bought]:
        between = asset_out(*second)
        if between != start:
            yield from ((first, second, third) for third in books.takes[venue, between] if asset_out(*third) == start)


def _from_money(route: Route, money: str) -> Route:
    assets = [asset_in(*step) for step in route]
    start = assets.index(money if money in assets else min(assets))
    return *route[start:], *route[:start]
