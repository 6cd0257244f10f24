"""Triangular arbitrage: three books of one venue, round from an asset to itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mempool.detect.book_cycles import Cycle, Terms, asset_in, asset_out
from mempool.model.arbitrage import ArbitrageKind, Route
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade


def triangular_cycles(cause: Instrument, books: Sequence[Instrument], terms: Terms) -> Iterator[Cycle]:
    """The cycles through the cause's book and two others of its venue, in both directions, in the order of `books`.

    Each starts in `terms.money` where it passes it, else in the first of its assets by name.
    """
    steps = tuple((book, trade) for book in books if book.venue == cause.venue for trade in Trade)
    for first in steps:
        if first[0] != cause:
            continue
        for route in _routes(first, steps):
            yield Cycle(ArbitrageKind.TRIANGULAR, _from_money(route, terms.money))


def _routes(first: tuple[Instrument, Trade], steps: Route) -> Iterator[Route]:
    for second in steps:
        if asset_in(*second) != asset_out(*first) or asset_out(*second) == asset_in(*first):
            continue
        for third in steps:
            if asset_in(*third) == asset_out(*second) and asset_out(*third) == asset_in(*first):
                yield first, second, third


def _from_money(route: Route, money: str) -> Route:
    assets = [asset_in(*step) for step in route]
    start = assets.index(money if money in assets else min(assets))
    return *route[start:], *route[:start]
