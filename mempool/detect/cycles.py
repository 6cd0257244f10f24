"""Cycles of two or three pools through a pool that has just moved, and the best size for one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from mempool.amm.optimal import (
    CERTAINLY_NO_GAIN,
    NEIGHBOURS,
    NOTHING,
    Size,
    best_concave,
    best_v2_cycle,
    first_unit_pays,
)
from mempool.amm.path import swap_path_exact_in
from mempool.amm.uniswap_v2 import V2Pool
from mempool.detect.front_run import v2_reserves
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView
from mempool.model.pool import PoolState, PoolSwap

MAX_CYCLES = 64
"""How many cycles are looked at for one moved pool, both directions counted; two-pool cycles come first."""

MAX_NEIGHBOURS = 32
"""How many pools beside one of its tokens are looked at for a third token."""


class Cycle(Struct, frozen=True, gc=False):
    """Pools in trade order; `tokens[i]` goes into `pools[i]`, and what comes out of the last is `tokens[0]` again."""

    pools: tuple[bytes, ...]
    tokens: tuple[bytes, ...]

    def starting_from(self, token: bytes) -> Cycle:
        """The same cycle entered at another of its tokens."""
        start = self.tokens.index(token)
        return Cycle(self.pools[start:] + self.pools[:start], self.tokens[start:] + self.tokens[:start])

    def states(self, view: MarketView) -> tuple[PoolState, ...]:
        return tuple(state for state in map(view.pool, self.pools) if state is not None)


def cycles_through(view: MarketView, moved: PoolState) -> Iterator[Cycle]:
    """At most `MAX_CYCLES` cycles through the moved pool, in both directions, over pools of the view."""
    return islice(_all_cycles(view, moved), MAX_CYCLES)


def first_unit(states: Sequence[PoolState], tokens: Sequence[bytes]) -> float:
    """What the first unit brings, by mid prices in floats; 0 over an empty pool."""
    mid_prices = [state.mid_price(token) for state, token in zip(states, tokens, strict=True)]
    if not all(numerator and denominator for numerator, denominator in mid_prices):
        return 0.0
    return first_unit_pays(mid_prices, [state.fee_pips for state in states])


def best_size(states: Sequence[PoolState], tokens: Sequence[bytes], guess: int) -> Size:
    """The input of the first token that gains most, or `NOTHING`; exact for V2 pairs, by search over the pools' quotes else.

    `guess` is the size to begin the search with. Raises `StateUnknown` where the best stands at the end of the known state.
    """
    slope = first_unit(states, tokens)
    if slope <= CERTAINLY_NO_GAIN:
        return NOTHING
    pairs = [v2_reserves(state, token) for state, token in zip(states, tokens, strict=True) if isinstance(state, V2Pool)]
    if len(pairs) == len(states):
        return best_v2_cycle(pairs)
    quotes = _Quotes(states, tokens)
    return quotes.unless_unknown(best_concave(quotes.pays, slope, guess))


class _Quotes:
    """What the pools pay together; remembers the smallest size that left the known state."""

    def __init__(self, states: Sequence[PoolState], tokens: Sequence[bytes]) -> None:
        self.states, self.tokens = states, tokens
        self.unknown: tuple[int, StateUnknown] | None = None

    def pays(self, amount_in: int) -> int:
        try:
            swaps = swap_path_exact_in(self.states, self.tokens, amount_in)
        except SwapImpossible:
            return 0
        except StateUnknown as error:
            if self.unknown is None or amount_in < self.unknown[0]:
                self.unknown = amount_in, error
            return 0
        # A pool that took less than it was offered has no liquidity left: from there on the rest is only lost.
        offered = (amount_in, *(swap.amount_out for swap in swaps))
        return swaps[-1].amount_out if all(map(_took, swaps, offered)) else 0

    def unless_unknown(self, best: Size) -> Size:
        """The size found, if it does not lean on the end of what is known: then more might gain more."""
        if self.unknown is not None and self.unknown[0] - best.amount_in <= max(self.unknown[0] >> 10, NEIGHBOURS):
            raise self.unknown[1]
        return best


def _took(swap: PoolSwap, offered: int) -> bool:
    return swap.amount_in == offered


def _all_cycles(view: MarketView, moved: PoolState) -> Iterator[Cycle]:
    token0, token1 = moved.token0, moved.token1
    for other in view.pools_between(token0, token1):
        if other != moved.address:
            yield Cycle((moved.address, other), (token0, token1))
            yield Cycle((other, moved.address), (token0, token1))
    for middle in _third_tokens(view, moved):
        for out_pool in view.pools_between(token1, middle):
            for back_pool in view.pools_between(middle, token0):
                yield Cycle((moved.address, out_pool, back_pool), (token0, token1, middle))
                yield Cycle((back_pool, out_pool, moved.address), (token0, middle, token1))


def _third_tokens(view: MarketView, moved: PoolState) -> list[bytes]:
    """Tokens with a pool to each of the moved pool's tokens, looked for beside the token that has fewer pools."""
    near, far = sorted((moved.token0, moved.token1), key=lambda token: len(view.pools_with(token)))
    pools = (view.pool(address) for address in view.pools_with(near)[:MAX_NEIGHBOURS])
    beside = {(pool.token1 if pool.token0 == near else pool.token0): None for pool in pools if pool is not None}
    return [token for token in beside if token != far and view.pools_between(token, far)]
