"""The size of a pool's trade that gains most against a ladder of order books: near it in floats, then in the pool's integers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import inf

from msgspec import Struct

from mempool.amm import curve_of
from mempool.amm.curve import EndOfLiquidity
from mempool.detect.cross_view import Pair
from mempool.detect.steps import SLACK, UNIT, Steps
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade
from mempool.model.pool import PoolState, PoolSwap

FLOAT_PART = 1e-12
"""What floats may lose of where a tick is, as a part of the amount."""
NEIGHBOURS = 2
"""How many inputs on each side of the optimum of the floats are tried; as the gain has one top, one would do but for rounding."""


class PoolSize(Struct, frozen=True, gc=False):
    """A trade of the pool, to the unit, and what of it is traded at each book, in the base asset's own unit."""

    amount_in: int
    amount_out: int
    fills: Mapping[Instrument, Fraction]
    may_be_more: bool
    """Whether it stops where what is listed of a book, or what is known of the pool, ends."""


class PoolSide:
    """One pool in the direction that goes with a trade at the exchanges: it pays what is sold there, or takes what is bought."""

    __slots__ = ("_price_scale", "base_unit", "curve", "money_unit", "pool", "token_in", "trade")

    def __init__(self, pool: PoolState, pair: Pair, trade: Trade) -> None:
        self.pool, self.trade = pool, trade
        self.token_in = pair.money.token if trade is Trade.SELL else pair.base.token
        self.curve = curve_of(pool, self.token_in)
        self.base_unit = UNIT // int(10**pair.base.decimals)
        """Of the steps' sizes, for the smallest unit of the base token."""
        self.money_unit = UNIT * UNIT // int(10**pair.money.decimals)
        """Of the steps' values, for the smallest unit of the money's token."""
        self._price_scale = 10.0 ** (pair.money.decimals - pair.base.decimals)

    def least_price(self, price: float) -> float:
        """What a unit that is put in must pay on the curve, so that nothing is lost at a price (money for one base asset)."""
        price *= self._price_scale
        return (1 / price if self.trade is Trade.SELL else price) / self.curve.keep

    def most_base(self, price: float) -> float:
        """How much of the base asset can be traded before the pool is no better than a price; infinity where it is not known."""
        try:
            put_in = self.curve.down_to(self.least_price(price))
            base = self.curve.after_in(put_in)[0] if self.trade is Trade.SELL else put_in / self.curve.keep
        except (EndOfLiquidity, StateUnknown):
            return inf
        return base * self.base_unit / UNIT

    def price_behind(self, size: int) -> float:
        """What the next unit on the curve pays when a size (as the steps' are) has been traded. Raises like `Curve`."""
        base = size / self.base_unit
        return self.curve.after_out(base)[1] if self.trade is Trade.SELL else self.curve.after_in(base * self.curve.keep)[1]

    def base_of(self, swap: PoolSwap) -> int:
        """What is traded at the exchanges, as the steps' sizes are."""
        return (swap.amount_out if self.trade is Trade.SELL else swap.amount_in) * self.base_unit

    def gain(self, swap: PoolSwap, steps: Steps) -> int | None:
        """Against the steps, as their values are; None where they have not got so much."""
        value = steps.value(self.base_of(swap))
        if value is None:
            return None
        if self.trade is Trade.SELL:
            return value - swap.amount_in * self.money_unit
        return swap.amount_out * self.money_unit - value

    def sized(self, swap: PoolSwap, steps: Steps, *, may_be_more: bool) -> PoolSize:
        fills = {instrument: Fraction(size, UNIT) for instrument, size in steps.fills(self.base_of(swap)).items()}
        return PoolSize(swap.amount_in, swap.amount_out, fills, may_be_more)

    def sold(self, amount_in: int) -> PoolSwap | None:
        """What the pool takes and pays; None where it would revert, or is not known so far."""
        try:
            return self.pool.swap_exact_in(self.token_in, amount_in)
        except (StateUnknown, SwapImpossible):
            return None

    def least_in(self, amount_out: int) -> int | None:
        try:
            return self.pool.swap_exact_out(self.token_in, amount_out).amount_in
        except (StateUnknown, SwapImpossible):
            return None


def best_size(side: PoolSide, steps: Steps) -> PoolSize | None:
    """Of all sizes the one that gains most; None where none gains.

    The pool's real curve is concave and what the steps come to a concave line of straight pieces, so the gain has one top:
    inside a step, where the pool's next unit costs what the step pays, or at the end of one. No other size gains more than
    this by as much as the pool's rounding may cost, which is a smallest unit of what it pays, and one for each tick that it
    crosses; with ticks also what floats lose of where one is, less than a `FLOAT_PART` of the amount.
    """
    stop = _stop(side, steps)
    best, most = None, 0
    for swap in _swaps_near(side, steps, stop):
        gain = side.gain(swap, steps)
        if gain is not None and gain > most:
            best, most = swap, gain
    return None if best is None else side.sized(best, steps, may_be_more=stop.is_unknown or steps.may_go_on(stop.step))


def same_size(side: PoolSide, steps: Steps, size: PoolSize) -> PoolSize | None:
    """The same trade against another ladder, whatever it gains there; less where a ladder of purchases has less.

    None where that is nothing.
    """
    amount_in = size.amount_in
    if side.trade is Trade.BUY:
        amount_in = min(amount_in, steps.ends[-1] // side.base_unit if steps.ends else 0)
    swap = side.sold(amount_in)
    if swap is None or steps.value(side.base_of(swap)) is None:
        return None
    return side.sized(swap, steps, may_be_more=size.may_be_more)


class _Stop(Struct, frozen=True):
    """Where the floats find the top."""

    step: int
    """The step that the next unit would go to; how many there are where all are taken."""
    amount_in: float | None = None
    """Of the pool; None where the step before is taken to its end."""
    is_unknown: bool = False
    """Whether it stops where the known state of the pool ends."""


def _stop(side: PoolSide, steps: Steps) -> _Stop:
    """Behind the last step at whose end the pool's next unit still gains against it, or inside the following one."""

    def is_not_passed(step: int) -> bool:
        try:
            return side.price_behind(steps.ends[step]) <= side.least_price(steps.price(step) / UNIT)
        except (EndOfLiquidity, StateUnknown):
            return True

    step = bisect_left(range(len(steps)), 1, key=is_not_passed)
    if step == len(steps):
        return _Stop(step)
    least = side.least_price(steps.price(step) / UNIT)
    try:
        if side.price_behind(steps.ends[step - 1] if step else 0) <= least:
            return _Stop(step)
        return _Stop(step, side.curve.down_to(least) / side.curve.keep)
    except EndOfLiquidity:
        # More than there is room for: the pool takes what leads to its end, to the unit.
        return _Stop(step, side.curve.known_in / side.curve.keep * (1 + SLACK))
    except StateUnknown:
        return _Stop(step, side.curve.known_in / side.curve.keep, is_unknown=True)


def _swaps_near(side: PoolSide, steps: Steps, stop: _Stop) -> Iterator[PoolSwap]:
    """What the pool really does near the top: at whole inputs, and at the least inputs of whole outputs."""
    tried: set[int] = set()
    for near in _inputs_near(side, steps, stop):
        for amount_in in range(max(near - NEIGHBOURS, 1), near + NEIGHBOURS + 1):
            if amount_in not in tried:
                tried.add(amount_in)
                swap = side.sold(amount_in)
                if swap is not None:
                    yield swap


def _inputs_near(side: PoolSide, steps: Steps, stop: _Stop) -> Iterator[int]:
    first = _first_input(side, steps, stop)
    if first is None:
        return
    yield first
    if stop.is_unknown:
        # Floats may have stepped over the end of what is known.
        yield first - (first >> 40) - NEIGHBOURS
    paid = side.sold(first)
    if paid is not None:
        for amount_out in range(paid.amount_out - 1, paid.amount_out + 2):
            amount_in = side.least_in(amount_out)
            if amount_in is not None:
                yield amount_in


def _first_input(side: PoolSide, steps: Steps, stop: _Stop) -> int | None:
    if stop.amount_in is not None:
        return int(stop.amount_in)
    if not stop.step:
        return None
    size = steps.ends[stop.step - 1] // side.base_unit
    return size if side.trade is Trade.BUY else side.least_in(size)
