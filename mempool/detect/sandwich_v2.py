"""The most that can be taken from one hop over a V2 pair: closed forms of the real optimum, then the integers around it.

The attacker sells `x` into reserves `(R, S)` for `y`, the victim's hop follows, the attacker sells `y` back for `z` and has
gained `z - x`. With `k = 1 - fee` and `r = R + x`, all rounding left out:

- a hop that sells exactly `a`: `z = x k² (r + a)(r + a k) / (R r + x k² (r + a k))`. `z - x >= c` is a quadratic in x (the cubes
  cancel) that is not above 0 at x = 0, so for c >= 0 it holds on one interval: the gain rises to one top and falls.
- a hop that buys exactly `o`: `z - x >= c` is a cubic in x with at most one root above 0 for c >= 0 (Descartes: its square and
  cube terms are positive while `o <= k S`), so the gain only rises: its top is at the victim's limit.

Rounding never gains more than the real figure plus `allowance`, so every x that could still beat the best found lies in a known
interval; the search leaves it only there, or after `ROUNDING_STEPS` candidates (`FINE_STEPS` ahead of large purchases).
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from msgspec import Struct

from mempool.amm.optimal import NOTHING, ROUNDING_STEPS, Size, V2Reserves, largest_true, target_above
from mempool.amm.uniswap_v2 import MAX_RESERVE, PIPS, amount_in_rounding_up, amount_out_rounding_down

FINE, FINE_STEPS = 1 << 20, 16
"""Of purchases ahead of which more than `FINE` fits, few candidates are tried: behind a coarse token rounding may hide millions,
which all together are worth less than one of its units and stand too close to matter."""


class SellsExactly(Struct, frozen=True, gc=False):
    """The victim's hop puts in `amount_in` and must get `min_amount_out`, at least 1."""

    amount_in: int
    min_amount_out: int


class BuysExactly(Struct, frozen=True, gc=False):
    """The victim's hop takes out `amount_out` for at most `max_amount_in`.

    With `pays_forward` the hop then puts in `forward(quoted input)` and is paid what the pair gives for that, where `forward`
    runs the quote of this hop back and forth through the earlier hops and adds at most `forward_excess`.
    """

    amount_out: int
    max_amount_in: int
    pays_forward: bool = False
    forward: Callable[[int], int] | None = None
    forward_excess: int = 0


def best_front_run_of_sale(pair: V2Reserves, victim: SellsExactly) -> Size:
    """The front-run that gains most and its gain; `NOTHING` where none gains.

    For one y the least x gains most: each unit more gives back less than one (the coefficient of x in z is below 1, and the
    victim is paid no more). So each y is one candidate.
    """
    return _Sale(pair, victim).best()


def best_front_run_of_purchase(pair: V2Reserves, victim: BuysExactly) -> Size:
    """The front-run that gains most and its gain; `NOTHING` where none gains.

    For one y the gain without rounding is linear in x, so only the ends of the range of x that buys this y, and what rounding
    hides beside them, are candidates.
    """
    return _Purchase(pair, victim).best()


def first_gain(pair: V2Reserves, amount_in: int) -> int:
    """Above 0 where an infinitely small front-run of a sale of `amount_in` gains; else no front-run does."""
    reserve_in, _, fee_pips = pair
    keep = PIPS - fee_pips
    with_victim = reserve_in * PIPS + keep * amount_in
    return keep * keep * (reserve_in + amount_in) * with_victim - reserve_in * reserve_in * PIPS**3


class _Sale:
    def __init__(self, pair: V2Reserves, victim: SellsExactly) -> None:
        self.pair, self.victim = pair, victim
        self.reserve_in, self.reserve_out, self.fee_pips = pair
        self.keep = PIPS - pair.fee_pips
        self.amount_in = victim.amount_in

    def best(self) -> Size:
        gain = first_gain(self.pair, self.amount_in)
        if gain <= 0:  # Then rise < 0 too, and no x gains even without rounding.
            return NOTHING
        last = self._last_candidate()
        optimum = self._real_optimum(last, gain)
        start = last if optimum == last else self._least_x(optimum)
        best = self._better(NOTHING, start)
        amount_in = start
        for _ in range(ROUNDING_STEPS):
            if not self._may_gain(amount_in, target_above(best.profit)):
                break
            amount_in = self._least_x(amount_in - 1)
            if not amount_in:
                break
            best = self._better(best, amount_in)
        return best if start == last else self._upwards(start, last, best)

    def _upwards(self, start: int, last: int, best: Size) -> Size:
        amount_in = start
        for _ in range(ROUNDING_STEPS):
            following = self._next_x(amount_in)
            if following is None or following > last or not self._may_gain(following, target_above(best.profit)):
                break
            amount_in = following
            best = self._better(best, amount_in)
        return best

    def _better(self, best: Size, amount_in: int) -> Size:
        profit = self._profit(amount_in)
        return Size(amount_in, profit) if profit > best.profit else best

    def _profit(self, amount_in: int) -> int:
        bought = self.pair.amount_out(amount_in)
        reserve_in, reserve_out = self.reserve_in + amount_in, self.reserve_out - bought
        paid = amount_out_rounding_down(self.amount_in, reserve_in, reserve_out, self.fee_pips)
        return amount_out_rounding_down(bought, reserve_out - paid, reserve_in + self.amount_in, self.fee_pips) - amount_in

    def _holds(self, amount_in: int) -> bool:
        reserve_in, reserve_out = self.reserve_in + amount_in, self.reserve_out - self.pair.amount_out(amount_in)
        if reserve_in + self.amount_in > MAX_RESERVE:
            return False
        paid = amount_out_rounding_down(self.amount_in, reserve_in, reserve_out, self.fee_pips)
        return paid >= self.victim.min_amount_out

    def _last_candidate(self) -> int:
        """The largest candidate under the victim's limit: the real root, and a step or two that rounding allows beyond it."""
        last = self._least_x(min(self._limit_root(), MAX_RESERVE - self.reserve_in - self.amount_in))
        while (following := self._next_x(last)) is not None and self._holds(following):
            last = following
        return last

    def _limit_root(self) -> int:
        """The largest x at which the victim is paid its minimum before rounding; what rounding takes, it takes from y first."""
        least, keep = self.victim.min_amount_out, self.keep
        reserve_pips = self.reserve_in * PIPS
        with_victim = reserve_pips + keep * self.amount_in
        square = least * keep * PIPS
        linear = least * (reserve_pips * PIPS + keep * with_victim)
        constant = reserve_pips * (least * with_victim - self.amount_in * keep * self.reserve_out)
        return positive_root(square, linear, constant)

    def _real_optimum(self, last: int, gain: int) -> int:
        """Where the gain without rounding is at its top, or `last` where that lies beyond it.

        The gain is `x (rise x + gain)` over a quadratic; its derivative's numerator is a quadratic too.
        """
        keep, reserve_in, amount_in = self.keep, self.reserve_in, self.amount_in
        with_victim = reserve_in * PIPS + keep * amount_in
        rise = keep * keep * (reserve_in + amount_in) - reserve_in * PIPS * PIPS
        square = rise * (reserve_in * PIPS**3 + keep * keep * with_victim) - gain * keep * keep
        linear = 2 * rise * reserve_in * reserve_in * PIPS**3
        constant = gain * (reserve_in * PIPS) ** 2
        if (square * last + linear) * last + constant >= 0:
            return last
        return positive_root(-square, -linear, -constant)

    def _may_gain(self, amount_in: int, least: int) -> bool:
        keep = self.keep
        reserve_in = self.reserve_in + amount_in
        top = keep * keep * amount_in * (reserve_in * PIPS + keep * self.amount_in)
        bottom = self.reserve_in * reserve_in * PIPS**3 + top
        return top * (reserve_in + self.amount_in) >= (amount_in + least) * bottom

    def _least_x(self, amount_in: int) -> int:
        bought = self.pair.amount_out(amount_in) if amount_in > 0 else 0
        return self.pair.least_in(bought)

    def _next_x(self, amount_in: int) -> int | None:
        bought = self.pair.amount_out(amount_in) + 1
        return self.pair.least_in(bought) if bought < self.reserve_out else None


class _Purchase:
    def __init__(self, pair: V2Reserves, victim: BuysExactly) -> None:
        self.pair, self.victim = pair, victim
        self.reserve_in, self.reserve_out, self.fee_pips = pair
        self.keep = PIPS - pair.fee_pips
        self.amount_out = victim.amount_out
        excess = victim.forward_excess + 1
        self.allowance = 2 * excess + excess * excess // self.reserve_in + 1 if victim.pays_forward else 1
        self.candidates_left = 0

    def best(self) -> Size:
        if not self._holds(0):
            return NOTHING
        last = self._last_front_run()
        if self._certainly_loses(last):
            return NOTHING
        steps = ROUNDING_STEPS if last <= FINE else FINE_STEPS
        self.candidates_left = 2 * steps
        best = self._downwards(last, steps)
        if target_above(best.profit) < self.allowance:
            best = self._upwards(last, steps, best)
        return best

    def _last_front_run(self) -> int:
        """The largest x under the victim's limit. For one y that is `(R + x) o / ((S - y - o) k) < limit`, solved for x."""
        pair = self.pair
        bought = pair.amount_out(self._limit_root())
        while bought and self._last_of(bought) < pair.least_in(bought):
            bought = pair.amount_out(pair.least_in(bought) - 1)
        while (following := pair.least_in(bought + 1)) <= self._last_of(pair.amount_out(following)):
            bought = pair.amount_out(following)
        last = min(self._last_of(bought), following - 1)
        return last if self._holds(last) else largest_true(self._holds, known=0, guess=last)

    def _last_of(self, bought: int) -> int:
        left = self.reserve_out - bought - self.amount_out
        return (self.victim.max_amount_in * left * self.keep - 1) // (self.amount_out * PIPS) - self.reserve_in

    def _downwards(self, last: int, steps: int) -> Size:
        best, high = NOTHING, last
        for _ in range(steps):
            if high <= 0 or not self.candidates_left:
                break
            bought = self.pair.amount_out(high)
            low = max(self.pair.least_in(bought), 1)
            best = self._best_of_range(best, bought, low, high)
            high = low - 1
            least = target_above(best.profit) - self.allowance
            if least >= 0 and not self._real_gain_reaches(high, least):
                break
        return best

    def _certainly_loses(self, last: int) -> bool:
        """Whether no size up to the limit gains, even by rounding: a real gain, once there, only grows up to the limit."""
        least = target_above(0) - self.allowance
        return least >= 0 and not self._real_gain_reaches(last, least)

    def _upwards(self, last: int, steps: int, best: Size) -> Size:
        """From 0 on: a loss smaller than the allowance may still be a gain."""
        low = 1
        for _ in range(steps):
            bought = self.pair.amount_out(low)
            high = min(self.pair.least_in(bought + 1) - 1, last) if bought + 1 < self.reserve_out else last
            if low > last or not self._real_gain_reaches(low, target_above(best.profit) - self.allowance):
                break
            best = self._best_of_range(best, bought, low, high)
            low = high + 1
        return best

    def _best_of_range(self, best: Size, bought: int, low: int, high: int) -> Size:
        """The best of `low` to `high`, which all buy the same; from either end inwards while the line may still gain."""
        if not bought:
            return best
        # The low end comes first, lest the scan from the high end use up the candidates.
        for inwards in (range(low, min(low + 1, high)), range(high, low - 1, -1), range(low + 1, high)):
            for amount_in in inwards[: self.candidates_left]:
                self.candidates_left -= 1
                reaches = self._line_reaches(amount_in, bought, target_above(best.profit) - self.allowance)
                if not (reaches or best.profit):
                    break
                profit = self._profit(amount_in, bought)
                if profit > best.profit:
                    best = Size(amount_in, profit)
                    reaches = self._line_reaches(amount_in, bought, target_above(profit) - self.allowance)
                if not reaches:
                    break
        return best

    def _victim(self, amount_in: int, bought: int) -> tuple[int, int]:
        """What the victim's hop puts in and takes out after the front-run."""
        reserve_in, reserve_out = self.reserve_in + amount_in, self.reserve_out - bought
        asked = amount_in_rounding_up(self.amount_out, reserve_in, reserve_out, self.fee_pips)
        if not self.victim.pays_forward:
            return asked, self.amount_out
        put_in = self.victim.forward(asked) if self.victim.forward else asked
        return put_in, amount_out_rounding_down(put_in, reserve_in, reserve_out, self.fee_pips)

    def _profit(self, amount_in: int, bought: int) -> int:
        put_in, taken = self._victim(amount_in, bought)
        reserve_in, reserve_out = self.reserve_in + amount_in + put_in, self.reserve_out - bought - taken
        return amount_out_rounding_down(bought, reserve_out, reserve_in, self.fee_pips) - amount_in

    def _holds(self, amount_in: int) -> bool:
        bought = self.pair.amount_out(amount_in)
        reserve_in, reserve_out = self.reserve_in + amount_in, self.reserve_out - bought
        if reserve_out <= self.amount_out:
            return False
        asked = amount_in_rounding_up(self.amount_out, reserve_in, reserve_out, self.fee_pips)
        if asked > self.victim.max_amount_in:
            return False
        return reserve_in + self._victim(amount_in, bought)[0] <= MAX_RESERVE

    def _limit_root(self) -> int:
        """The largest x at which the victim would be asked for its maximum, before rounding."""
        keep, amount_out, most = self.keep, self.amount_out, min(self.victim.max_amount_in, MAX_RESERVE)
        reserve_pips = self.reserve_in * PIPS
        square = amount_out * PIPS * keep
        linear = amount_out * (PIPS * reserve_pips + reserve_pips * keep + most * keep * keep)
        constant = reserve_pips * (amount_out * reserve_pips - most * keep * (self.reserve_out - amount_out))
        return positive_root(square, linear, constant)

    def _real_gain_reaches(self, amount_in: int, least: int) -> bool:
        """Whether the gain without any rounding is at least `least`."""
        keep, amount_out = self.keep, self.amount_out
        scaled_in = self.reserve_in * PIPS + amount_in * keep
        left = self.reserve_out * self.reserve_in * PIPS - amount_out * scaled_in
        if left <= 0:
            return True
        bought = amount_in * keep * self.reserve_out
        # All three pool amounts are over `scaled_in` here; the victim's input is (R + x) * o / (left * k).
        put_in = (self.reserve_in + amount_in) * (left * keep + amount_out * scaled_in * PIPS)
        return bought * put_in >= (amount_in + least) * left * (left * PIPS + bought * keep)

    def _line_reaches(self, amount_in: int, bought: int, least: int) -> bool:
        """Whether the gain at this y, with x and the victim's input not rounded, is at least `least`."""
        keep, amount_out = self.keep, self.amount_out
        left = self.reserve_out - bought - amount_out
        put_in = (self.reserve_in + amount_in) * (left * keep + amount_out * PIPS)
        return bought * put_in >= (amount_in + least) * left * (left * PIPS + bought * keep)


def positive_root(square: int, linear: int, constant: int) -> int:
    """The root of `square x² + linear x + constant` above 0, rounded down; 0 where there is none."""
    if constant >= 0:
        return 0
    return (isqrt(linear * linear - 4 * square * constant) - linear) // (2 * square)
