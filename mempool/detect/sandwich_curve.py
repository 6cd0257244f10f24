"""The most that can be taken from one hop over a pool of any family, in reals: the pool as a curve, its fee kept apart.

All amounts count, after the fee, along the curve of the victim's direction from the price before the attack on. `C` is what the
pool has paid up to there, `p` its price (the slope of `C`), `k` what the fee leaves. The attacker goes from 0 to `u`, the victim
from `u` to `v`, and the sale of what was bought leads back to `w` with `C(w) = C(v) - k C(u)`: the gain is `v - w - u / k`.

- a hop that sells exactly `a`: `v = u + k a`. It holds while it is paid its minimum.
- a hop that buys exactly `o`: `C(v) = C(u) + o`. It holds while it puts in no more than its maximum.

Either holds while `d`, the most that it puts in, still pays `m`, the least that it must get: `C(u + d) - C(u) >= m`.
Where liquidity is constant the gain of a sale rises to one top and falls, that of a purchase may fall first and then only rises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import inf, log, sqrt

from mempool.amm.curve import Curve
from mempool.detect.sandwich_v2 import BuysExactly, SellsExactly
from mempool.errors import StateUnknown

MAX_PLACES = 64
"""How many ticks on the way are looked at, evenly chosen where there are more."""
ROUNDS = 100
CLOSE, CLOSE_TO_TOP = 1e-13, 1e-8
"""How near the limit is found, and a top, which is flat: as parts of the size."""


class OnCurve:
    """One victim's hop on the curve of its pool. Its methods raise `StateUnknown` and `EndOfLiquidity` like the curve's."""

    def __init__(self, curve: Curve, victim: SellsExactly | BuysExactly, least_price: float = 0.0) -> None:
        """`least_price` is where a sale's own price limit stops it, in what a unit after the fee still pays; 0 is nowhere."""
        self.curve, self.keep = curve, curve.keep
        self.sells = isinstance(victim, SellsExactly)
        self.stop = curve.down_to(least_price) if least_price else inf
        self.limit = inf
        """How far a front-run may go at most, once `best` has looked."""
        if isinstance(victim, SellsExactly):
            self.most_in, self.least_out = self.keep * victim.amount_in, float(victim.min_amount_out)
        else:
            self.most_in, self.least_out = self.keep * victim.max_amount_in, float(victim.amount_out)

    def best(self) -> float:
        """The front-run, fee included, that gains most; 0 where none gains."""
        top = self._limit_in_first_range()
        if top is not None:
            self.limit = top
            if self.sells and self._slope(0.0) <= 0:
                return 0.0
        if top is None or (self.sells and self._slope(top) < 0):
            top = self._best_over_ranges()
        return top / self.keep if top > 0 and self._gain(top) > 0 else 0.0

    def _limit_in_first_range(self) -> float | None:
        """Where the victim's limit stops the front-run; None beyond the first range."""
        reserve_in, reserve_out, capacity = self.curve.range(0)
        limit = self._limit_at(reserve_in, reserve_out)
        return max(limit, 0.0) if limit + self.most_in <= min(capacity, self.stop) else None

    def _limit_at(self, reserve_in: float, reserve_out: float) -> float:
        """How far beyond a place with these reserves the limit stands, if they last: `r (r + d) = d R S / m` with `r = R + u`."""
        most_in = self.most_in
        square = 4 * most_in * reserve_in * reserve_out / self.least_out
        return (sqrt(most_in * most_in + square) - most_in) / 2 - reserve_in

    def _best_over_ranges(self) -> float:
        """The limit, or the best of the tops before it; where what is known ends before the limit, one of the tops must be."""
        end, unknown = self._limit()
        self.limit = end
        if unknown is None and self._moves_too_little(end):
            return 0.0
        top = max((end, *self._tops(end)), key=self._gain)
        if unknown is not None and top == end and self._gain(end) > 0:
            raise unknown
        return top

    def _moves_too_little(self, end: float) -> bool:
        """Whether the victim moves the price nowhere by as much as both fees.

        Each unit of `C(u)` is sold back at most `o + (1 - k) C(u)` further along the curve than it was bought, `o` being what the
        victim takes; to gain, some must be sold where the price has fallen to less than `k²`. Over virtual reserves of S and more
        the price falls on a stretch of `c` to no less than `exp(-2 c / S)`: its root is a reserve over the liquidity, and each
        unit paid takes one from the reserve.
        """
        bought, _ = self.curve.after_in(end)
        taken = self.curve.after_in(min(self.most_in, self.stop))[0] if self.sells else self.least_out
        further = taken + (1 - self.keep) * bought
        return further <= -log(self.keep) * self.curve.least_reserve(self._victim_end(end, bought)[0])

    def _limit(self) -> tuple[float, StateUnknown | None]:
        """Where the victim's limit stops the front-run, or what is known ends: as if the liquidity at each place lasted."""
        low = 0.0
        for _ in range(ROUNDS):
            high = low + self._limit_at(*self.curve.reserves(low))
            if high - low <= CLOSE * high:
                break
            try:
                slack = self._slack(high)
            except StateUnknown as error:
                high = (self.curve.known_in - self.most_in) * (1 - CLOSE)
                if high <= low or self._slack(high) >= 0:
                    return max(high, low), error
                slack = -1.0
            if slack < 0:
                return _root(self._slack, low, high), None
            low = high
        return low, None

    def _tops(self, end: float) -> Iterator[float]:
        """Where the gain turns from rising to falling, between the places at which one of the two trades comes to a tick."""
        places = sorted({place for place in (*self.curve.ends_in, *self._starts_of_ends()) if 0 < place < end})
        thinned = places[:: len(places) // MAX_PLACES + 1]
        marks = [0.0, *thinned, end]
        slopes = [self._slope(mark) for mark in marks]
        for (low, at_low), (high, at_high) in pairwise(zip(marks, slopes, strict=True)):
            if at_low > 0 > at_high:
                yield _root(self._slope, low, high, CLOSE_TO_TOP)

    def _slack(self, front_run: float) -> float:
        """How far within its limit the victim stays, in what it is paid for the most that it may put in."""
        paid_before, _ = self.curve.after_in(front_run)
        paid, _ = self.curve.after_in(min(front_run + self.most_in, self.stop))
        return paid - paid_before - self.least_out

    def _gain(self, front_run: float) -> float:
        bought, _ = self.curve.after_in(front_run)
        victim_end, paid, _ = self._victim_end(front_run, bought)
        sold_back, _ = self.curve.after_out(paid - self.keep * bought)
        return victim_end - sold_back - front_run / self.keep

    def _slope(self, front_run: float) -> float:
        """The slope of the gain: `p(w) dw = p(v) dv - k p(u) du`, with `dv = du` for a sale (0 at its price limit), else
        `p(v) dv = p(u) du`.
        """
        bought, at_start = self.curve.after_in(front_run)
        _, paid, at_end = self._victim_end(front_run, bought)
        _, back = self.curve.after_out(paid - self.keep * bought)
        moved = at_start / at_end if not self.sells else float(front_run + self.most_in < self.stop)
        return moved - (at_end * moved - self.keep * at_start) / back - 1 / self.keep

    def _victim_end(self, front_run: float, bought: float) -> tuple[float, float, float]:
        """Where the victim leads, what the pool has paid by then, and the price there."""
        if self.sells:
            victim_end = min(front_run + self.most_in, self.stop)
            paid, price = self.curve.after_in(victim_end)
        else:
            paid = bought + self.least_out
            victim_end, price = self.curve.after_out(paid)
        return victim_end, paid, price

    def _starts_of_ends(self) -> Iterator[float]:
        """The front-runs after which the victim comes to a tick, or to its price limit."""
        yield self.stop - self.most_in
        for end_in, end_out in zip(self.curve.ends_in, self.curve.ends_out, strict=True):
            if self.sells:
                yield end_in - self.most_in
            elif end_out > self.least_out:
                yield self.curve.after_out(end_out - self.least_out)[0]


def _root(falling: Callable[[float], float], low: float, high: float, close: float = CLOSE) -> float:
    """Where the function comes to 0, given that it is above 0 at `low` and below 0 at `high`: by the Illinois method."""
    at_low, at_high = falling(low), falling(high)
    kept = 0
    for _ in range(ROUNDS):
        if high - low <= close * high or at_low <= 0:
            break
        middle = low + (high - low) * at_low / (at_low - at_high)
        found = falling(middle)
        if found >= 0:
            low, at_low = middle, found
            at_high, kept = (at_high / 2, 1) if kept == 1 else (at_high, 1)
        else:
            high, at_high = middle, found
            at_low, kept = (at_low / 2, -1) if kept == -1 else (at_low, -1)
    return low
