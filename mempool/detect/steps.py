"""Books joined into one ladder in integers, for finding sizes: fast, and exact but for rates that no decimal number is."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from mempool.books.depth import BookDepth
from mempool.books.ladder import best_first, nearest
from mempool.books.money import FeesPips
from mempool.books.scale import MAX_DECIMALS
from mempool.model.book import Instrument
from mempool.model.consolidated import PIPS, Trade

DECIMALS = MAX_DECIMALS + 6
"""Of every price and size here: as many as a book may have, and a fee's."""
UNIT = int(10**DECIMALS)
SLACK = 1e-9
"""Leaves room for what floats lose."""


Step = tuple[int, int, Instrument]
"""Price, fees included, and size of what one book offers: `price, size, instrument`."""


class _Part(NamedTuple):
    """Steps of one money, best first, and the price up to which none is missing; None where none is at all."""

    steps: list[Step]
    known_to: int | None


class Steps:
    """The steps of all books and legs, best first, with the sums of what they have and what that comes to.

    It is `ladder_of` in integers of `DECIMALS`, values of twice as many: the rate of a leg that is written the other way
    round, and what a leg's level has room for, are cut there. What a size comes to exactly is for its trades to say. The
    exact ladder is made of fractions then, and is no substitute where every swap that opens something asks for two of them:
    of five books of 100 levels and two such legs it takes 4 ms, these steps 0.6 ms, and a size is looked up in them in
    0.03 ms instead of 1.1.
    """

    __slots__ = ("ends", "known_to", "steps", "trade", "values")

    def __init__(self, trade: Trade, parts: Sequence[_Part]) -> None:
        self.trade = trade
        steps = [step for part in parts for step in part.steps]
        self.steps = steps = steps if len(parts) < 2 else best_first(trade, steps, itemgetter(0))
        self.ends = list(accumulate([size for _, size, _ in steps]))
        self.values = list(accumulate([price * size for price, size, _ in steps]))
        self.known_to = nearest(trade, [part.known_to for part in parts])

    def __len__(self) -> int:
        return len(self.steps)

    def price(self, step: int) -> int:
        return self.steps[step][0]

    def value(self, size: int) -> int | None:
        """What a size comes to; None where the steps have not got so much."""
        step = bisect_left(self.ends, size)
        if step == len(self.ends):
            return None
        return self.values[step] - self.price(step) * (self.ends[step] - size)

    def fills(self, size: int) -> dict[Instrument, int]:
        """A size at each book, in the order of the first step taken."""
        whole = bisect_left(self.ends, size)
        sizes: dict[Instrument, int] = defaultdict(int)
        for _, offered, instrument in self.steps[:whole]:
            sizes[instrument] += offered
        left = size - (self.ends[whole - 1] if whole else 0)
        if left and whole < len(self.steps):
            sizes[self.steps[whole][2]] += left
        return sizes

    def may_go_on(self, step: int) -> bool:
        """Whether something may be there, unlisted, before this step, or behind the last where it is none."""
        if self.known_to is None:
            return False
        return step == len(self.steps) or self.trade.is_worse(self.price(step), self.known_to)


def steps_of(trade: Trade, money: str, books: Sequence[BookDepth], legs: Mapping[str, BookDepth], fees: FeesPips) -> Steps:
    """The levels that the trade takes: of books in the money, and of those in an asset that has a leg. Without fees where
    `fees` is empty; else a purchase's are on top, a sale's off."""
    parts = []
    for asset in dict.fromkeys([book.instrument.quote for book in books]):
        own = [_listed(trade, book, fees) for book in books if book.instrument.quote == asset]
        steps = [step for part in own for step in part.steps]
        if len(own) > 1:
            steps = best_first(trade, steps, itemgetter(0))
        part = _Part(steps, nearest(trade, [part.known_to for part in own]))
        parts.append(part if asset == money else _converted(trade, part, money, legs[asset], fees))
    return Steps(trade, parts)


def _listed(trade: Trade, book: BookDepth, fees: FeesPips) -> _Part:
    """One book's levels in its own quote asset."""
    instrument, levels = book.instrument, book.side(trade)
    fee = fees[instrument.venue] if fees else 0
    price_scale = 10 ** (DECIMALS - 6 - book.price_decimals) * (PIPS + trade.value * fee)
    size_scale = 10 ** (DECIMALS - book.size_decimals)
    steps = [(level.price * price_scale, level.size * size_scale, instrument) for level in levels]
    return _Part(steps, steps[-1][0] if steps and book.goes_on(trade) else None)


def _converted(trade: Trade, part: _Part, money: str, leg: BookDepth, fees: FeesPips) -> _Part:
    """The part in the money, cut where a level of the leg ends; what the leg has not got is lost."""
    is_inverse = leg.instrument.base == money
    side = trade.opposite if is_inverse else trade
    rates = iter([_rate(price, size, is_inverse=is_inverse) for price, size, _ in _listed(side, leg, fees).steps])
    made: list[Step] = []
    known_to = None
    numerator, denominator, room = next(rates, _NO_RATE)
    for price, size, instrument in part.steps:
        value = price * size
        while value > room and denominator:
            fitting = room // price
            if fitting:
                made.append((price * numerator // denominator, fitting, instrument))
                size -= fitting
                value = price * size
            numerator, denominator, room = next(rates, _NO_RATE)
        if denominator:
            made.append((price * numerator // denominator, size, instrument))
            room -= value
        if price == part.known_to and made:
            known_to = made[-1][0]
        if not denominator:
            break
    if made and known_to is None and (part.known_to is not None or leg.goes_on(side)):
        known_to = made[-1][0]
    return _Part(made, known_to)


_NO_RATE = (0, 0, 0)


def _rate(price: int, size: int, *, is_inverse: bool) -> tuple[int, int, int]:
    """One level of a leg: numerator and denominator of the money for one of its other asset, and how much of that asset, as
    a value, it takes or gives."""
    return (UNIT, price, price * size) if is_inverse else (price, UNIT, size * UNIT)
