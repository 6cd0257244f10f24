"""The size of a pool's trade that gains most against a ladder of order books: near it in floats, then in the pool's integers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate

from msgspec import Struct

from mempool.amm import curve_of
from mempool.amm.curve import Curve, EndOfLiquidity
from mempool.books.ladder import Ladder
from mempool.detect.cross_view import Pair
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.consolidated import Exact, Trade
from mempool.model.pool import PoolState, PoolSwap

NEIGHBOURS = 2
"""How many inputs on each side of the optimum of the floats are tried; as the gain has one top, one would do but for rounding."""


class BestSize(Struct, frozen=True, gc=False):
    """The pool's trade, to the unit, and what it gains against the ladder, in the pair's money."""

    amount_in: int
    amount_out: int
    base: Fraction
    """What of it is traded at the exchanges, in the base asset's own unit."""
    gain: Fraction
    may_be_more: bool
    """Whether it stops where what is listed of a book, or what is known of the pool, ends."""


def best_size(pool: PoolState, pair: Pair, ladder: Ladder) -> BestSize | None:
    """Of all sizes the one that gains most; None where none gains.

    A ladder of sales takes what the pool pays for money; one of purchases brings what the pool is sold. The pool's real
    curve is concave and the ladder's value a concave line of straight pieces, so the gain has one top: inside a rung, where
    the pool's next unit costs what the rung pays, or at the end of one. No other size gains more than this by as much as the
    pool's rounding may cost: a smallest unit of what it pays, and one for each tick that it crosses.
    """
    steps = _Steps(ladder, pair)
    stop = _stop(curve_of(pool, steps.token_in), steps)
    best: PoolSwap | None = None
    most: Exact = 0
    for swap in _swaps_near(pool, steps, stop):
        gain = steps.gain(swap)
        if gain is not None and gain > most:
            best, most = swap, gain
    return None if best is None else steps.size(best, may_be_more=stop.is_unknown or steps.may_go_on(stop.step))


def same_size(pool: PoolState, pair: Pair, ladder: Ladder, size: BestSize) -> BestSize | None:
    """The same trade against another ladder, whatever it gains there; less where a ladder of purchases has less.

    None where that is nothing.
    """
    steps = _Steps(ladder, pair)
    amount_in = size.amount_in if ladder.trade is Trade.SELL else min(size.amount_in, int(steps.end(len(steps) - 1)))
    swap = _sold(pool, steps.token_in, amount_in)
    return None if swap is None or steps.gain(swap) is None else steps.size(swap, may_be_more=size.may_be_more)


class _Stop(Struct, frozen=True):
    """Where the floats find the top."""

    step: int
    """The step that the next unit would go to; how many there are where all are taken."""
    amount_in: float | None
    """Of the pool; None where the step before is taken to its end."""
    is_unknown: bool = False
    """Whether it stops where the known state of the pool ends."""


class _Steps:
    """The ladder's rungs in smallest units of the base token: sizes exactly, prices in smallest units of the money."""

    def __init__(self, ladder: Ladder, pair: Pair) -> None:
        self._ladder, self._pair = ladder, pair
        self.trade = ladder.trade
        self.token_in = pair.money.token if ladder.trade is Trade.SELL else pair.base.token
        size_decimals = max(ladder.size_decimals, pair.base.decimals)
        value_decimals = max(ladder.price_decimals + size_decimals, pair.money.decimals)
        self._unit = int(10**value_decimals)
        self._unit_base = int(10 ** (size_decimals - pair.base.decimals))
        self._unit_money = int(10 ** (value_decimals - pair.money.decimals))
        stretch = int(10 ** (size_decimals - ladder.size_decimals))
        raised = int(10 ** (value_decimals - ladder.price_decimals - size_decimals))
        self._prices = [rung.price * raised for rung in ladder.rungs]
        sizes = [rung.size * stretch for rung in ladder.rungs]
        self._ends = list(accumulate(sizes))
        values = [price * size for price, size in zip(self._prices, sizes, strict=True)]
        self._values = list(accumulate(values))
        per_unit = self._unit_base / self._unit_money
        self.prices = [float(price) * per_unit for price in self._prices]

    def __len__(self) -> int:
        return len(self._ends)

    def end(self, step: int) -> Fraction:
        """The size up to the end of a step, in smallest units of the base token; it need not be whole. 0 before the first."""
        return Fraction() if step < 0 else Fraction(self._ends[step], self._unit_base)

    def base_of(self, swap: PoolSwap) -> int:
        return swap.amount_out if self.trade is Trade.SELL else swap.amount_in

    def gain(self, swap: PoolSwap) -> Exact | None:
        """Scaled, to be compared; None where the steps have not got so much."""
        size = self.base_of(swap) * self._unit_base
        if not self._ends or size > self._ends[-1]:
            return None
        step = bisect_left(self._ends, size)
        value = self._values[step] - self._prices[step] * (self._ends[step] - size)
        if self.trade is Trade.SELL:
            return value - swap.amount_in * self._unit_money
        return swap.amount_out * self._unit_money - value

    def size(self, swap: PoolSwap, *, may_be_more: bool) -> BestSize:
        base = Fraction(self.base_of(swap), 10**self._pair.base.decimals)
        return BestSize(swap.amount_in, swap.amount_out, base, Fraction(self.gain(swap) or 0, self._unit), may_be_more)

    def may_go_on(self, step: int) -> bool:
        """Whether something may be there, unlisted, before this step or behind the last."""
        known_to, rungs = self._ladder.known_to, self._ladder.rungs
        return known_to is not None and (step == len(rungs) or self.trade.is_worse(rungs[step].price, known_to))


def _stop(curve: Curve, steps: _Steps) -> _Stop:
    """Step by step as long as the pool's next unit gains against the step."""
    try:
        price = curve.after_in(0.0)[1]
    except (EndOfLiquidity, StateUnknown):
        return _Stop(0, 0.0)
    for step, paid in enumerate(steps.prices):
        # A unit that is put in pays so much at least, after the pool's fee, or the step gains nothing.
        least = (1 / paid if steps.trade is Trade.SELL else paid) / curve.keep
        if price <= least:
            return _Stop(step, None)
        try:
            price = _price_behind(curve, steps, step)
        except (EndOfLiquidity, StateUnknown):
            return _inside(curve, step, least)
        if price <= least:
            return _inside(curve, step, least)
    return _Stop(len(steps), None)


def _price_behind(curve: Curve, steps: _Steps, step: int) -> float:
    """What the pool's next unit pays when the step is taken to its end."""
    size = float(steps.end(step))
    return curve.after_out(size)[1] if steps.trade is Trade.SELL else curve.after_in(size * curve.keep)[1]


def _inside(curve: Curve, step: int, least: float) -> _Stop:
    try:
        return _Stop(step, curve.down_to(least) / curve.keep)
    except EndOfLiquidity:
        return _Stop(step, curve.known_in / curve.keep)
    except StateUnknown:
        return _Stop(step, curve.known_in / curve.keep, is_unknown=True)


def _swaps_near(pool: PoolState, steps: _Steps, stop: _Stop) -> Iterator[PoolSwap]:
    """What the pool really does near the top: at whole inputs, and at the least inputs of whole outputs."""
    tried: set[int] = set()
    for near in _inputs_near(pool, steps, stop):
        for amount_in in _around(near):
            if amount_in in tried:
                continue
            tried.add(amount_in)
            swap = _sold(pool, steps.token_in, amount_in)
            if swap is not None:
                yield swap


def _inputs_near(pool: PoolState, steps: _Steps, stop: _Stop) -> Iterator[int]:
    first = _first_input(pool, steps, stop)
    if first is None:
        return
    yield first
    if stop.is_unknown:
        # Floats may have stepped over the end of what is known.
        yield first - (first >> 40) - NEIGHBOURS
    paid = _sold(pool, steps.token_in, first)
    if paid is not None:
        for amount_out in range(paid.amount_out - 1, paid.amount_out + 2):
            amount_in = _least_in(pool, steps.token_in, amount_out)
            if amount_in is not None:
                yield amount_in


def _first_input(pool: PoolState, steps: _Steps, stop: _Stop) -> int | None:
    if stop.amount_in is not None:
        return int(stop.amount_in)
    if not stop.step:
        return None
    size = int(steps.end(stop.step - 1))
    return size if steps.trade is Trade.BUY else _least_in(pool, steps.token_in, size)


def _around(amount_in: int) -> range:
    return range(max(amount_in - NEIGHBOURS, 1), amount_in + NEIGHBOURS + 1)


def _sold(pool: PoolState, token_in: bytes, amount_in: int) -> PoolSwap | None:
    """What the pool takes and pays; None where it would revert, or is not known so far."""
    try:
        return pool.swap_exact_in(token_in, amount_in)
    except (StateUnknown, SwapImpossible):
        return None


def _least_in(pool: PoolState, token_in: bytes, amount_out: int) -> int | None:
    try:
        return pool.swap_exact_out(token_in, amount_out).amount_in
    except (StateUnknown, SwapImpossible):
        return None
