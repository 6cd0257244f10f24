"""Down the levels of a cycle's books, in integers: the size that gains most, and what a given size comes to, both exactly.

Every asset of the cycle is counted in one power of ten that holds both books' numbers and the fee, so that a whole level is an
integer on either side. Only a part of a level, of which there is at most one a book, is a fraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from mempool.books.depth import BookDepth
from mempool.model.arbitrage import BookTrade
from mempool.model.book import Level
from mempool.model.consolidated import PIPS, Trade

PIPS_DECIMALS = 6


class Step(Struct, frozen=True):
    """One book on one side: a purchase turns its quote asset into its base asset, a sale the other way."""

    book: BookDepth
    trade: Trade
    fee_pips: int


class Walk:
    """The way down the levels of some steps; `amounts` are what is put in and what comes out of each step, in their units."""

    __slots__ = ("_sides", "_steps", "_units", "amounts")

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        decimals = _decimals(steps)
        self._units = [int(10**each) for each in decimals]
        self._sides = [_Side(step, *decimals[place : place + 2]) for place, step in enumerate(steps)]
        self.amounts: list[Fraction] = [Fraction()] * len(decimals)

    @property
    def gain(self) -> Fraction:
        """In units of what the cycle starts and ends with."""
        return self.amounts[-1] / self._units[-1] - self.amounts[0] / self._units[0]

    @property
    def may_be_more(self) -> bool:
        """Whether it takes all that is listed of a book that goes on behind it."""
        return any(
            step.book.goes_on(step.trade) and side.is_spent(amount)
            for step, side, amount in zip(self._steps, self._sides, self.amounts, strict=False)
        )

    def to_the_best_size(self) -> None:
        """Go on as long as one put in brings more than one: the rates only fall, so this is the most that there is to gain."""
        sides, filled = self._sides, -1
        while (filled < 0 or sides[filled].width_in) and _gain(sides):
            filled = _first_to_fill(sides)
            sides[filled].enter_next()
        if filled >= 0:
            self._spread_from(filled)

    def through(self, amount: Fraction) -> None:
        """Trade a given amount, as `amounts` counts it, all through. Raises `ValueError` where the levels have less room."""
        self.amounts[0] = amount
        for place, side in enumerate(self._sides):
            self.amounts[place + 1] = amount = side.out_of(amount)

    def trades(self, now_ns: int) -> tuple[BookTrade, ...]:
        made = []
        for place, (step, side) in enumerate(zip(self._steps, self._sides, strict=True)):
            put_in, out = (self.amounts[each] / self._units[each] for each in (place, place + 1))
            worst = Fraction(side.worst_price(self.amounts[place]), 10**step.book.price_decimals)
            made.append(BookTrade(step.book.instrument, step.trade, put_in, out, worst, now_ns - step.book.recv_ns))
        return tuple(made)

    def _spread_from(self, filled: int) -> None:
        """All amounts, from the step whose level has just been filled: what it has taken and given is whole levels."""
        self.amounts[filled] = Fraction(self._sides[filled].start_in)
        for place in range(filled, 0, -1):
            self.amounts[place - 1] = self._sides[place - 1].in_for(self.amounts[place])
        self.amounts[filled + 1] = Fraction(self._sides[filled].start_out)
        for place in range(filled + 1, len(self._sides)):
            self.amounts[place + 1] = self._sides[place].out_of(self.amounts[place])


class _Side:
    """One book's side at one of its levels: where it starts, counted from the best one, and how wide it is, in and out.

    Behind the last level both widths are 0.
    """

    __slots__ = ("_factor", "_is_purchase", "_levels", "_place", "_size_unit", "start_in", "start_out", "width_in", "width_out")

    def __init__(self, step: Step, decimals_in: int, decimals_out: int) -> None:
        book = step.book
        self._levels: Sequence[Level] = book.side(step.trade)
        self._is_purchase = step.trade is Trade.BUY
        base, quote = (decimals_out, decimals_in) if self._is_purchase else (decimals_in, decimals_out)
        self._size_unit = int(10 ** (base - book.size_decimals))
        quote_unit = int(10 ** (quote - book.size_decimals - book.price_decimals - PIPS_DECIMALS))
        self._factor = (PIPS + step.trade.value * step.fee_pips) * quote_unit
        self._place = -1
        self.start_in = self.start_out = self.width_in = self.width_out = 0
        self.enter_next()

    def enter_next(self) -> None:
        self.start_in += self.width_in
        self.start_out += self.width_out
        self._place += 1
        if self._place >= len(self._levels):
            self.width_in = self.width_out = 0
            return
        level = self._levels[self._place]
        base, quote = level.size * self._size_unit, level.size * level.price * self._factor
        self.width_in, self.width_out = (quote, base) if self._is_purchase else (base, quote)

    def out_of(self, amount: Fraction) -> Fraction:
        """What comes out of an amount, on the levels from the present one on."""
        number, unit = amount.numerator, amount.denominator
        while number > (self.start_in + self.width_in) * unit:
            if not self.width_in:
                raise ValueError(f"the levels have no room for {amount}")
            self.enter_next()
        part = (number - self.start_in * unit) * self.width_out
        return Fraction(self.start_out * self.width_in * unit + part, self.width_in * unit)

    def in_for(self, amount: Fraction) -> Fraction:
        """What is to be put in for an amount to come out, within the present level."""
        number, unit = amount.numerator, amount.denominator
        part = (number - self.start_out * unit) * self.width_in
        return Fraction(self.start_in * self.width_out * unit + part, self.width_out * unit)

    def worst_price(self, amount_in: Fraction) -> int:
        """Of the levels that the amount takes, which ends in the present level or at its start; 0 where it takes none."""
        place = self._place if amount_in > self.start_in else self._place - 1
        return self._levels[place].price if place >= 0 else 0

    def is_spent(self, amount_in: Fraction) -> bool:
        """Whether the amount takes all levels."""
        return self._place + (amount_in == self.start_in + self.width_in) >= len(self._levels)


def _decimals(steps: Sequence[Step]) -> list[int]:
    """How many decimals each asset is counted in, from the one that is put in to the one that comes out: one and the same."""
    needed: list[tuple[int, int]] = []
    for step in steps:
        base = step.book.size_decimals
        quote = base + step.book.price_decimals + PIPS_DECIMALS
        needed.append((quote, base) if step.trade is Trade.BUY else (base, quote))
    inner = [max(out, following) for (_, out), (following, _) in pairwise(needed)]
    ends = max(needed[0][0], needed[-1][1])
    return [ends, *inner, ends]


def _gain(sides: Sequence[_Side]) -> bool:
    """Whether the present levels bring more than one for one."""
    out = put_in = 1
    for side in sides:
        out *= side.width_out
        put_in *= side.width_in
    return out > put_in


def _first_to_fill(sides: Sequence[_Side]) -> int:
    """Which step's present level is full first as more is put in: what the first has room for is followed all through.

    What arrives at a step is `number / unit`. Where that is more than its level has room for, the step is narrower than all
    before it, and what goes on from it is whole levels again.
    """
    first = 0
    number, unit = sides[0].start_out + sides[0].width_out, 1
    for place in range(1, len(sides)):
        side = sides[place]
        width_in = side.width_in
        part = number - side.start_in * unit
        if part >= width_in * unit:
            first, number, unit = place, side.start_out + side.width_out, 1
        else:
            number, unit = side.start_out * width_in * unit + part * side.width_out, width_in * unit
    return first
