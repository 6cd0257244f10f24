"""Cycles of two or three pools through a pool that has just moved, and the best size for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from mempool.amm.curve import Curve, best_input
from mempool.amm.optimal import CERTAINLY_NO_GAIN, DENSE, IMMATERIAL, NOTHING, Size, best_near, best_v2_cycle, unit_price
from mempool.amm.path import swap_path_exact_in, swap_path_exact_out
from mempool.amm.uniswap_v2 import V2Pool
from mempool.detect.front_run import v2_reserves
from mempool.errors import SwapImpossible
from mempool.market import MarketView
from mempool.model.pool import PoolState

MAX_CYCLES = 64
"""How many cycles are looked at for one moved pool, both directions counted; two-pool cycles come first."""

MAX_NEIGHBOURS = 32
"""How many pools beside one of its tokens are looked at for a third token."""

HopKey = tuple[bytes, bytes]
"""A pool and the token that goes into it."""


class Cycle(Struct, frozen=True, gc=False):
    """Pools in trade order, each with the token that goes in; what comes out of the last is the first token again."""

    hops: tuple[HopKey, ...]

    @property
    def pools(self) -> tuple[bytes, ...]:
        return tuple(pool for pool, _ in self.hops)

    @property
    def tokens(self) -> tuple[bytes, ...]:
        return tuple(token for _, token in self.hops)

    def starting_from(self, token: bytes) -> Cycle:
        """The same cycle entered at another of its tokens."""
        start = self.tokens.index(token)
        return Cycle(self.hops[start:] + self.hops[:start])


class Prices(dict[HopKey, float]):
    """What the first unit into a pool of the view pays, in floats; worked out when it is asked for.

    Prices of pools that the view's overlay does not move are kept with the view for its other overlays.
    """

    def __init__(self, view: MarketView) -> None:
        self._view, self._unmoved = view, view.memo.setdefault("prices", {})
        super().__init__(self._unmoved)
        for pool in view.changes.values():
            self.pop((pool.address, pool.token0), None)
            self.pop((pool.address, pool.token1), None)

    def __missing__(self, hop: HopKey) -> float:
        pool = self._view.pool(hop[0])
        price = 0.0 if pool is None else unit_price(pool.mid_price(hop[1]), pool.fee_pips)
        self[hop] = price
        if hop[0] not in self._view.changes:
            self._unmoved[hop] = price
        return price

    def may_gain(self, cycle: Cycle) -> bool:
        """Whether the first unit through the cycle brings more than it takes: no other size gains where it does not."""
        gain = 1.0
        for hop in cycle.hops:
            gain *= self[hop]
        return gain > CERTAINLY_NO_GAIN


def cycles_entering(view: MarketView, pool: PoolState, token_in: bytes) -> tuple[Cycle, ...]:
    """Those of `cycles_through` that sell `token_in` to the pool.

    They are kept with the view's index: pools are added seldom, and a pool moves often.
    """
    known: dict[HopKey, tuple[Cycle, ...]] = view.index.memo
    cycles = known.get((pool.address, token_in))
    if cycles is None:
        through = list(cycles_through(view, pool))
        for token in (pool.token0, pool.token1):
            known[pool.address, token] = tuple(cycle for cycle in through if (pool.address, token) in cycle.hops)
        cycles = known[pool.address, token_in]
    return cycles


def cycles_through(view: MarketView, pool: PoolState) -> Iterator[Cycle]:
    """At most `MAX_CYCLES` cycles through the pool, in both directions, over pools of the view."""
    return islice(_all_cycles(view, pool), MAX_CYCLES)


def best_size(states: Sequence[PoolState], cycle: Cycle, curves: Sequence[Curve]) -> Size:
    """The input of the first token that gains most, or `NOTHING`: the integer optimum for V2 pairs, within rounding of it else.

    Raises `StateUnknown` where the best stands beyond the known state.
    """
    pairs = [v2_reserves(state, token) for state, (_, token) in zip(states, cycle.hops, strict=True) if isinstance(state, V2Pool)]
    if len(pairs) == len(states):
        return best_v2_cycle(pairs)
    amount_in, gain = best_input(curves)
    if gain <= 0:
        return NOTHING
    quotes = _Quotes(states, cycle.tokens)
    return quotes.with_least_input(best_near(quotes.profit, int(amount_in)))


class _Quotes:
    """What the pools together really pay."""

    def __init__(self, states: Sequence[PoolState], tokens: Sequence[bytes]) -> None:
        self._states, self._tokens = states, tokens
        self._into_last: dict[int, int] = {}

    def profit(self, amount_in: int) -> int:
        """The gain; the loss of the whole input where a pool refuses it or a part of it, having no liquidity left."""
        try:
            swaps = swap_path_exact_in(self._states, self._tokens, amount_in)
        except SwapImpossible:
            return -amount_in
        offered = amount_in
        for swap in swaps:
            if swap.amount_in != offered:
                return -amount_in
            offered = swap.amount_out
        self._into_last[amount_in] = swaps[-1].amount_in
        return offered - amount_in

    def with_least_input(self, best: Size) -> Size:
        """Of all inputs that bring the last pool the same, the least gains most: that matters where its unit is a coarse one."""
        if best.amount_in <= DENSE:
            return best
        into_last = self._into_last[best.amount_in]
        if best.amount_in * IMMATERIAL < best.profit * into_last:
            return best
        states, tokens = self._states[:-1], self._tokens[:-1]
        for amount in (into_last - 1, into_last, into_last + 1):
            try:
                amount_in = swap_path_exact_out(states, tokens, amount)[0].amount_in
            except SwapImpossible:
                continue
            profit = self.profit(amount_in)
            if profit > best.profit:
                best = Size(amount_in, profit)
        return best


def _all_cycles(view: MarketView, moved: PoolState) -> Iterator[Cycle]:
    here, token0, token1 = moved.address, moved.token0, moved.token1
    for other in view.pools_between(token0, token1):
        if other != here:
            yield Cycle(((here, token0), (other, token1)))
            yield Cycle(((other, token0), (here, token1)))
    for middle in _third_tokens(view, moved):
        for out_pool in view.pools_between(token1, middle):
            for back_pool in view.pools_between(middle, token0):
                yield Cycle(((here, token0), (out_pool, token1), (back_pool, middle)))
                yield Cycle(((back_pool, token0), (out_pool, middle), (here, token1)))


def _third_tokens(view: MarketView, moved: PoolState) -> list[bytes]:
    """Tokens with a pool to each of the moved pool's tokens, looked for beside the token that has fewer pools."""
    near, far = sorted((moved.token0, moved.token1), key=lambda token: len(view.pools_with(token)))
    pools = (view.pool(address) for address in view.pools_with(near)[:MAX_NEIGHBOURS])
    beside = {(pool.token1 if pool.token0 == near else pool.token0): None for pool in pools if pool is not None}
    return [token for token in beside if token != far and view.pools_between(token, far)]
