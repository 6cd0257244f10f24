"""Optimal sizes in integers: the best input of a cycle of V2 pairs, and searches for pools that only answer quotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import NamedTuple

from msgspec import Struct

from mempool.amm.uniswap_v2 import PIPS, amount_out_rounding_down

ROUNDING_STEPS = 1024
"""How many candidates on each side of the real optimum are tried at most."""

IMMATERIAL = 10**6
"""What rounding could still hide is searched for while it is more than the profit divided by this."""


class Size(Struct, frozen=True, gc=False):
    """How much to put in, and what comes out beyond it."""

    amount_in: int
    profit: int


NOTHING = Size(0, 0)


class V2Reserves(NamedTuple):
    """One pair in the direction of trade."""

    reserve_in: int
    reserve_out: int
    fee_pips: int

    def amount_out(self, amount_in: int) -> int:
        """What the pair pays, rounded down as it does."""
        return amount_out_rounding_down(amount_in, self.reserve_in, self.reserve_out, self.fee_pips)

    def least_in(self, amount_out: int) -> int:
        """The smallest input that pays at least `amount_out < reserve_out`; the library's own quote may be 1 more."""
        return -(-amount_out * self.reserve_in * PIPS // ((self.reserve_out - amount_out) * (PIPS - self.fee_pips)))


def best_v2_cycle(pairs: Sequence[V2Reserves]) -> Size:
    """The input of a cycle through the pairs that gains the most, and that gain; `NOTHING` where no input gains.

    Without rounding the pairs together pay `F(x) = slope * x / (start + bend * x)`, so the real optimum is where
    `F'(x) = 1`: `x = (sqrt(slope * start) - start) / bend`. The pairs never pay more than F, and F(x) - x rises before
    the optimum and falls after it, so from there the search goes outwards only while F could still beat what is found:
    the result is the integer optimum while that takes at most `ROUNDING_STEPS` candidates a side and a gain of one
    `IMMATERIAL`-th more counts as none.
    """
    slope, start, bend = _compose(pairs)
    if slope <= start:
        return NOTHING

    def may_gain(amount_in: int, least: int) -> bool:
        return slope * amount_in >= (amount_in + least) * (start + bend * amount_in)

    root = isqrt(slope * start)
    amount_in = (root - start) // bend
    amount_out = _run(pairs, amount_in)
    peak = (slope + start - 2 * root) // bend  # F(x) - x at its top, rounded up at most
    if target_above(amount_out - amount_in) > peak:
        return Size(amount_in, amount_out - amount_in) if amount_out > amount_in else NOTHING
    best = _downwards(pairs, amount_out, may_gain)
    return _upwards(pairs, amount_out, may_gain, best)


def may_cycle_gain(mid_prices: Sequence[tuple[int, int]], fees_pips: Sequence[int]) -> bool:
    """Whether the first unit through pools of these mid prices (token out for one token in) gains anything, in floats.

    Rejects by the price alone; what is within the error of floats passes on to the exact sizing.
    """
    gain = 1.0
    for (numerator, denominator), fee_pips in zip(mid_prices, fees_pips, strict=True):
        gain *= numerator / denominator * (PIPS - fee_pips) / PIPS
    return gain > 1 - 1e-9


def largest_true(holds: Callable[[int], bool], known: int, guess: int) -> int:
    """The largest n for which the monotone `holds` is true, given one `known`; it must turn false somewhere."""
    if guess > known and holds(guess):
        known = guess
    elif guess > known:
        return _largest_true_below(holds, known, guess)
    step = 1
    while holds(known + step):
        known += step
        step *= 2
    return _bisect(holds, known, known + step)


def target_above(profit: int) -> int:
    """The least profit that would be worth finding after `profit`."""
    return profit + 1 + profit // IMMATERIAL


def _largest_true_below(holds: Callable[[int], bool], known: int, not_true: int) -> int:
    step = 1
    while not_true - step > known and not holds(not_true - step):
        not_true -= step
        step *= 2
    return _bisect(holds, max(not_true - step, known), not_true)


def _bisect(holds: Callable[[int], bool], known: int, not_true: int) -> int:
    while not_true - known > 1:
        middle = (known + not_true) // 2
        if holds(middle):
            known = middle
        else:
            not_true = middle
    return known


def _compose(pairs: Sequence[V2Reserves]) -> tuple[int, int, int]:
    slope, start, bend = 1, 1, 0
    for reserve_in, reserve_out, fee_pips in pairs:
        after_fee, reserve_pips = PIPS - fee_pips, reserve_in * PIPS
        slope, start, bend = slope * after_fee * reserve_out, start * reserve_pips, bend * reserve_pips + slope * after_fee
    return slope, start, bend


def _run(pairs: Sequence[V2Reserves], amount_in: int) -> int:
    amount = amount_in
    for pair in pairs:
        amount = pair.amount_out(amount)
    return amount


def _least_in(pairs: Sequence[V2Reserves], amount_out: int) -> int | None:
    amount = amount_out
    for pair in reversed(pairs):
        if amount >= pair.reserve_out:
            return None
        amount = pair.least_in(amount)
    return amount


# Of all inputs that pay the same, the least gains most: so each amount out is one candidate.


def _downwards(pairs: Sequence[V2Reserves], amount_out: int, may_gain: Callable[[int, int], bool]) -> Size:
    best = NOTHING
    for _ in range(ROUNDING_STEPS):
        amount_in = _least_in(pairs, amount_out) if amount_out else None
        if not amount_in:
            break
        if amount_out - amount_in > best.profit:
            best = Size(amount_in, amount_out - amount_in)
        if not may_gain(amount_in, target_above(best.profit)):
            break
        amount_out = _run(pairs, amount_in - 1)
    return best


def _upwards(pairs: Sequence[V2Reserves], amount_out: int, may_gain: Callable[[int, int], bool], best: Size) -> Size:
    for _ in range(ROUNDING_STEPS):
        amount_in = _least_in(pairs, amount_out + 1)
        if amount_in is None or not may_gain(amount_in, target_above(best.profit)):
            break
        amount_out = _run(pairs, amount_in)
        if amount_out - amount_in > best.profit:
            best = Size(amount_in, amount_out - amount_in)
    return best
