"""One side of several books in one order and one money: what a size costs or brings, and what is offered within a band."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import TypeVar

from msgspec import Struct

from mempool.books.depth import quotient
from mempool.books.money import POWERS
from mempool.errors import UsageError
from mempool.model.book import Instrument
from mempool.model.consolidated import Exact, Trade

BPS = 10_000
Offered = TypeVar("Offered")
Price = TypeVar("Price", bound=Exact)


class Rung(Struct, frozen=True, gc=False):
    """What one book offers at one price, scaled by the ladder's decimals, with its fees if the ladder has them."""

    price: Exact
    size: Exact
    """What of it can be had: where the leg has less than the level, what the leg has."""
    instrument: Instrument
    leg: Instrument | None = None


class Taken(Struct, frozen=True, gc=False):
    """What walking a ladder comes to: sizes in the base asset, values in the ladder's money."""

    filled: Fraction
    unfilled: Fraction
    """What the levels that are listed do not have."""
    value: Fraction
    worst_price: Fraction | None
    fills: tuple[tuple[Instrument, Fraction], ...]
    """The size at each book, in the order of the first level taken."""
    is_certain: bool
    """Whether nothing better or more can be there: false where it goes beyond what is listed of some book."""

    @property
    def vwap(self) -> Fraction | None:
        """The price on average; None where nothing is filled."""
        return self.value / self.filled if self.filled else None


class MergedLevel(Struct, frozen=True, gc=False):
    """What all books together offer at one price."""

    price: Fraction
    size: Fraction
    shares: tuple[tuple[Instrument, Fraction], ...]


class Ladder(Struct, frozen=True):
    """All levels of one side, best first; those of one price in the order of their books, a money at a time."""

    trade: Trade
    rungs: tuple[Rung, ...]
    price_decimals: int
    size_decimals: int
    known_to: Exact | None
    """The price, scaled, up to which no level is missing; None where none is missing at all."""
    left_out: tuple[Instrument, ...] = ()
    """Books in another quote asset for which no leg was given."""

    def walk(self, size: Fraction) -> Taken:
        """Take the best levels until `size` of the base asset is filled."""
        if size < 0:
            raise UsageError(f"no size is below zero: {size}")
        left = quotient(size * POWERS[self.size_decimals], 1)
        taken: list[tuple[Rung, Exact]] = []
        for rung in self.rungs:
            if not left:
                break
            part = min(rung.size, left)
            taken.append((rung, part))
            left -= part
        return self._taken(taken, left, self._reach(taken, left))

    def within(self, reference: Fraction, band_bps: int) -> Taken:
        """Every level not more than so many basis points worse than the reference price; better ones count too."""
        limit = quotient(reference * (BPS + self.trade.value * band_bps) * 10**self.price_decimals, BPS)
        return self._taken([(rung, rung.size) for rung in self.rungs if not self.trade.is_worse(rung.price, limit)], 0, limit)

    def merged(self) -> Iterator[MergedLevel]:
        """The levels, one for each price."""
        for price, rungs in groupby(self.rungs, key=lambda rung: rung.price):
            shares = tuple([(rung.instrument, self._size(rung.size)) for rung in rungs])
            yield MergedLevel(self._price(price), sum((size for _, size in shares), Fraction()), shares)

    def _taken(self, taken: Sequence[tuple[Rung, Exact]], left: Exact, reach: Exact | None) -> Taken:
        """`reach` is the worst price that was looked for; None where the ladder ended before."""
        sizes: dict[Instrument, Exact] = {}
        value: Exact = 0
        for rung, size in taken:
            sizes[rung.instrument] = sizes.get(rung.instrument, 0) + size
            value += rung.price * size
        worst = taken[-1][0].price if taken else None
        return Taken(
            filled=self._size(sum(sizes.values())),
            unfilled=self._size(left),
            value=Fraction(value, 10 ** (self.price_decimals + self.size_decimals)),
            worst_price=None if worst is None else self._price(worst),
            fills=tuple([(instrument, self._size(size)) for instrument, size in sizes.items()]),
            is_certain=self.known_to is None or (reach is not None and not self.trade.is_worse(reach, self.known_to)),
        )

    def _reach(self, taken: Sequence[tuple[Rung, Exact]], left: Exact) -> Exact | None:
        if left:
            return None
        return taken[-1][0].price if taken else self.known_to

    def _size(self, scaled: Exact) -> Fraction:
        return Fraction(scaled, 10**self.size_decimals)

    def _price(self, scaled: Exact) -> Fraction:
        return Fraction(scaled, 10**self.price_decimals)


def best_first(trade: Trade, offered: Iterable[Offered], price: Callable[[Offered], Exact]) -> list[Offered]:
    """What a trade comes to first; those of one price stay in their order."""
    return sorted(offered, key=price, reverse=trade is Trade.SELL)


def nearest(trade: Trade, ends: Iterable[Price | None]) -> Price | None:
    """Of the prices up to which lists are known, None where one is known wholly, that which a trade comes to first."""
    known = [end for end in ends if end is not None]
    if not known:
        return None
    return min(known) if trade is Trade.BUY else max(known)
