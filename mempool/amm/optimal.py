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

DENSE = 512
"""Ranges up to this are tried through and through."""

NEIGHBOURS = 8
"""How many sizes on each side of a found top are tried."""


CERTAINLY_NO_GAIN = 1 - 1e-9
"""A cycle whose first unit pays no more than this gains at no size, whatever the floats have lost."""


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


def unit_price(mid_price: tuple[int, int], fee_pips: int) -> float:
    """What the first, infinitely small, unit into a pool pays after its fee; 0 for an empty pool.

    Where the product over a cycle is not above 1 no size gains, within the error of floats (see `CERTAINLY_NO_GAIN`).
    """
    numerator, denominator = mid_price
    return numerator / denominator * (PIPS - fee_pips) / PIPS if denominator else 0.0


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


def largest_by_margin(margin: Callable[[int], int | None], guess: int) -> int:
    """The largest n with `margin(n) >= 0`, exact below 2**30 and within n / 2**30 below it above; 0 where there is none.

    `margin` falls as n grows; None counts as below 0 without saying by how much. It must fall below 0 somewhere.
    """
    known, at_known = 0, margin(0)
    if at_known is None or at_known < 0:
        return 0
    failing, at_failing = guess, margin(guess)
    while at_failing is not None and at_failing >= 0:
        known, at_known = failing, at_failing
        failing, at_failing = 2 * failing, margin(2 * failing)
    return _narrow(margin, (known, at_known), (failing, at_failing))


def best_on_one_hill(profit: Callable[[int], int], last: int) -> Size:
    """The n of 1 to `last` with the largest profit, or `NOTHING` where none is above 0.

    All are tried up to `DENSE`; above it the profit must rise to one top and fall, up to rounding, and the top is found within
    a 2**20th of `last`, which on a smooth top costs a 2**40th of the profit; near it the neighbours are tried too.
    """
    if last <= DENSE:
        return _best_of(profit, range(1, last + 1))
    near = last - (last >> 10)
    top = last if profit(near) < profit(last) else _golden(profit, 0, last, max(NEIGHBOURS, last >> 20))
    return _best_beside(profit, top, last)


def best_near(profit: Callable[[int], int], top: int) -> Size:
    """The best size near `top`, the real optimum where nothing is rounded, or `NOTHING` where none gains.

    Up to half of `DENSE` all sizes are tried; above it the neighbours, as long as one unit is not nothing beside the amount.
    """
    if 2 * top <= DENSE:
        return _best_of(profit, range(1, DENSE + 1))
    if top >> 20 <= NEIGHBOURS:
        return _best_of(profit, range(top - NEIGHBOURS, top + NEIGHBOURS + 1))
    found = profit(top)
    if found <= -top:
        # Refused, where the last liquidity ends: floats may have stepped over the end.
        top -= (top >> 40) + NEIGHBOURS
        found = profit(top)
    return Size(top, found) if found > 0 else NOTHING


def target_above(profit: int) -> int:
    """The least profit that would be worth finding after `profit`."""
    return profit + 1 + profit // IMMATERIAL


def _narrow(margin: Callable[[int], int | None], known: tuple[int, int], failing: tuple[int, int | None]) -> int:
    """Close in from both sides: by the line through both margins (the end that stays put halved: Illinois), else halfway."""
    (low, at_low), (high, at_high) = known, failing
    halved = None
    while high - low > max(1, low >> 30):
        if at_high is None or at_low == 0:
            probe = (low + high) // 2
        else:
            probe = min(max(low + (high - low) * at_low // (at_low - at_high), low + 1), high - 1)
        found = margin(probe)
        if found is not None and found >= 0:
            at_high = at_high // 2 if at_high is not None and halved == "high" else at_high
            low, at_low, halved = probe, found, "high"
        else:
            at_low = at_low // 2 if halved == "low" else at_low
            high, at_high, halved = probe, found, "low"
    return low


def _golden(profit: Callable[[int], int], low: int, high: int, width: int) -> int:
    """Section the interval by Fibonacci-like thirds (0.382) until it is no wider than `width`; its middle."""
    left, right = high - (high - low) * 618 // 1000, low + (high - low) * 618 // 1000
    at_left, at_right = profit(left), profit(right)
    while high - low > width:
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + (high - low) * 618 // 1000
            at_right = profit(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - (high - low) * 618 // 1000
            at_left = profit(left)
    return (low + high) // 2


def _best_beside(profit: Callable[[int], int], top: int, last: int) -> Size:
    """The best of a found top and its neighbours; the top alone where a unit of size or gain is nothing beside it."""
    found = profit(top)
    if last >> 20 > NEIGHBOURS and abs(found) >= IMMATERIAL:
        return Size(top, found) if found > 0 else NOTHING
    return _best_of(profit, range(max(top - NEIGHBOURS, 1), min(top + NEIGHBOURS, last) + 1))


def _best_of(profit: Callable[[int], int], candidates: range) -> Size:
    best = NOTHING
    for amount_in in candidates:
        found = profit(amount_in)
        if found > best.profit:
            best = Size(amount_in, found)
    return best


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
