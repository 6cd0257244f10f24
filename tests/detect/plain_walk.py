"""The walk down a cycle's books as one would write it first, all in fractions: a reference for the one in integers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mempool.books.money import POWERS
from mempool.detect.book_walk import Step
from mempool.model.arbitrage import BookTrade
from mempool.model.consolidated import PIPS, Trade


class PlainSide:
    """One step on its way down the levels: `rate` is what one put in brings on the level, `left` what may be put in still."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self._fee = Fraction(PIPS + step.trade.value * step.fee_pips, PIPS)
        self._levels = iter(step.book.side(step.trade))
        self.amount_in = self.amount_out = self.worst_price = Fraction()
        self._enter_level()

    @property
    def is_at_the_end_of_a_list(self) -> bool:
        return not self.rate and self.step.book.goes_on(self.step.trade)

    def take(self, amount_in: Fraction) -> Fraction:
        amount_out = amount_in * self.rate
        self.amount_in += amount_in
        self.amount_out += amount_out
        self.left -= amount_in
        self.worst_price = self._price
        if not self.left:
            self._enter_level()
        return amount_out

    def result(self, now_ns: int) -> BookTrade:
        book = self.step.book
        amounts = (self.amount_in, self.amount_out, self.worst_price)
        return BookTrade(book.instrument, self.step.trade, *amounts, now_ns - book.recv_ns)

    def _enter_level(self) -> None:
        level = next(self._levels, None)
        if level is None:
            self.rate = self.left = Fraction()
            return
        book = self.step.book
        size = Fraction(level.size, POWERS[book.size_decimals])
        self._price = Fraction(level.price, POWERS[book.price_decimals])
        taken = self._price * self._fee
        self.rate, self.left = (1 / taken, size * taken) if self.step.trade is Trade.BUY else (taken, size)


def plainly_best(steps: Sequence[Step]) -> list[PlainSide]:
    """At the size that gains most."""
    sides = [PlainSide(step) for step in steps]
    while True:
        rate, room = Fraction(1), None
        for side in sides:
            if not side.rate:
                return sides
            room = side.left / rate if room is None else min(room, side.left / rate)
            rate *= side.rate
        if rate <= 1 or room is None:
            return sides
        amount = room
        for side in sides:
            amount = side.take(amount)


def plainly_through(steps: Sequence[Step], amount: Fraction) -> list[PlainSide]:
    """At the size that is given."""
    sides = [PlainSide(step) for step in steps]
    for side in sides:
        while amount and side.rate:
            part = min(amount, side.left)
            side.take(part)
            amount -= part
        amount = side.amount_out
    return sides
