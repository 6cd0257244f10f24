"""Pools as real curves: ranges of constant liquidity one after the other, for finding sizes. Floats; quotes stay the integers'.

Inside a range every pool is a pair with virtual reserves `(R, S)`: an input of `e` after the fee pays `S e / (R + e)`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import inf, sqrt
from typing import NamedTuple

from mempool.errors import StateUnknown


class Range(NamedTuple):
    """Virtual reserves where the range begins, and the input after the fee that leads to its end."""

    reserve_in: float
    reserve_out: float
    capacity: float = inf


class EndOfLiquidity(ArithmeticError):
    """No pool pays any more from here on. Never leaves the modules that search for sizes."""


class Curve:
    """One pool's ranges in one direction of trade, found as they are asked for. Inputs and outputs count from its price on."""

    __slots__ = ("_least_reserves", "_more", "_unknown", "ends_in", "ends_out", "keep", "ranges", "starts_in", "starts_out")

    def __init__(self, keep: float, ranges: Iterator[Range]) -> None:
        self.keep = keep
        """What the fee leaves of one unit that is put in."""
        self.ranges: list[Range] = []
        self.starts_in: list[float] = []
        self.starts_out: list[float] = []
        self.ends_in: list[float] = []
        self.ends_out: list[float] = []
        self._least_reserves: list[float] = []
        self._more = ranges
        self._unknown: StateUnknown | None = None

    @property
    def known_in(self) -> float:
        """The input after the fee that leads to the end of the ranges found so far."""
        return self.ends_in[-1] if self.ends_in else 0.0

    def range(self, index: int) -> Range:
        """Raises `EndOfLiquidity`, or `StateUnknown` where the known state ends before."""
        while index >= len(self.ranges):
            self._extend()
        return self.ranges[index]

    def after_in(self, amount_in: float) -> tuple[float, float]:
        """What an input after the fee pays, and what the next unit of it would pay. Raises like `range`."""
        ends = self.ends_in
        while not ends or ends[-1] < amount_in:
            self._extend()
        index = bisect_left(ends, amount_in)
        reserve_in, reserve_out, _ = self.ranges[index]
        part = amount_in - self.starts_in[index]
        after = reserve_in + part
        return self.starts_out[index] + reserve_out * part / after, reserve_in * reserve_out / (after * after)

    def after_out(self, amount_out: float) -> tuple[float, float]:
        """The input after the fee that pays so much, and what the next unit of it would pay. Raises like `range`."""
        ends = self.ends_out
        while not ends or ends[-1] < amount_out:
            self._extend()
        index = bisect_left(ends, amount_out)
        reserve_in, reserve_out, _ = self.ranges[index]
        part = amount_out - self.starts_out[index]
        left = reserve_out - part
        if left <= 0:
            raise EndOfLiquidity
        return self.starts_in[index] + reserve_in * part / left, left * left / (reserve_in * reserve_out)

    def reserves(self, amount_in: float) -> tuple[float, float]:
        """The virtual reserves where an input after the fee has led. Raises like `range`."""
        self.after_in(amount_in)
        index = bisect_left(self.ends_in, amount_in)
        reserve_in, reserve_out, _ = self.ranges[index]
        after = reserve_in + amount_in - self.starts_in[index]
        return after, reserve_in * reserve_out / after

    def least_reserve(self, amount_in: float) -> float:
        """The smallest virtual reserve of the token out on the way to an input after the fee. Raises like `range`."""
        _, last = self.reserves(amount_in)
        index = bisect_left(self.ends_in, amount_in)
        return min(last, self._least_reserves[index - 1]) if index else last

    def down_to(self, price: float) -> float:
        """The input after the fee with which the price of the next unit has fallen to `price`. Raises like `range`."""
        index = 0
        while True:
            reserve_in, reserve_out, capacity = self.range(index)
            part = sqrt(reserve_in * reserve_out / price) - reserve_in
            if part <= capacity:
                return self.starts_in[index] + max(part, 0.0)
            index += 1

    def _extend(self) -> None:
        if self._unknown is not None:
            raise self._unknown
        try:
            found = next(self._more, None)
        except StateUnknown as error:
            self._unknown = error
            raise
        if found is None:
            raise EndOfLiquidity
        start_in, start_out = (self.ends_in[-1], self.ends_out[-1]) if self.ranges else (0.0, 0.0)
        capacity = found.capacity
        paid = found.reserve_out if capacity == inf else found.reserve_out * capacity / (found.reserve_in + capacity)
        self.ranges.append(found)
        self.starts_in.append(start_in)
        self.starts_out.append(start_out)
        self.ends_in.append(start_in + capacity)
        self.ends_out.append(start_out + paid)
        left = found.reserve_out - paid
        self._least_reserves.append(min(left, self._least_reserves[-1]) if self._least_reserves else left)


def best_input(curves: Sequence[Curve]) -> tuple[float, float]:
    """How much to put through all of them, each with what the one before pays, and the most that comes out beyond it.

    Over the ranges where the pools stand they pay together `price x / (1 + bend x)`, whose gain is greatest where
    `(1 + bend x)² = price`. Where a range ends before that all are moved on to its end, and the rest is worked out anew from
    there: the price only falls on the way, so the first place where it is 1 is the best. Raises `StateUnknown` where the best
    lies beyond what is known.
    """
    places = [_Place(curve) for curve in curves]
    total = gain = 0.0
    while True:
        price, bend, room, ending = 1.0, 0.0, inf, None
        for place in places:
            reach = price - bend * place.room if place.room < inf else 0.0
            if reach > 0 and place.room / reach < room:
                room, ending = place.room / reach, place
            bend += price * place.bend
            price *= place.price
        if price <= 1:
            return total, gain
        root = sqrt(price)
        amount_in = (root - 1) / bend
        if amount_in <= room or ending is None:
            return total + amount_in, gain + (root - 1) * amount_in
        amount_out = room
        for place in places:
            amount_out = place.advance(amount_out)
        total, gain = total + room, gain + amount_out - room
        if not ending.next_range():
            return total, gain


class _Place:
    """Where one pool stands: it pays `price m / (1 + bend m)` for an input of `m`, fee included, up to `room`."""

    __slots__ = ("bend", "curve", "index", "price", "reserve_in", "reserve_out", "room")

    def __init__(self, curve: Curve) -> None:
        self.curve, self.index = curve, -1
        if not self.next_range():
            self.reserve_in = self.reserve_out = self.bend = self.price = self.room = 0.0  # It pays nothing.

    def next_range(self) -> bool:
        """Stand where the following range begins; False, and nothing done, where there is none."""
        try:
            reserve_in, reserve_out, capacity = self.curve.range(self.index + 1)
        except EndOfLiquidity:
            return False
        self.index += 1
        keep = self.curve.keep
        self.reserve_in, self.reserve_out, self.room = reserve_in, reserve_out, capacity / keep
        self.bend = keep / reserve_in
        self.price = self.bend * reserve_out
        return True

    def advance(self, amount_in: float) -> float:
        """Put so much in; what it pays."""
        keep = self.curve.keep
        after_fee = keep * amount_in
        self.reserve_in += after_fee
        amount_out = self.reserve_out * after_fee / self.reserve_in
        self.reserve_out -= amount_out
        self.room -= amount_in
        self.bend = keep / self.reserve_in
        self.price = self.bend * self.reserve_out
        return amount_out
