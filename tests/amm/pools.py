"""Pools for tests: every word of the bitmap is known, and the ticks follow from the positions."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st

from mempool.amm.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool

TOKEN0, TOKEN1, TOKEN2 = b"\x11" * 20, b"\x22" * 20, b"\x33" * 20
BOUNDED = settings(max_examples=100, deadline=None)
"""Of property tests: no deadline, since a shared machine may stall."""
TICK_SPACINGS = {100: 1, 500: 10, 3000: 60, 10_000: 200}
Position = tuple[int, int, int]
"""Lower tick, upper tick, liquidity."""


def v2_pool(reserve0: int, reserve1: int, fee_pips: int = 3000, address: bytes = b"\xaa" * 20) -> V2Pool:
    return V2Pool(address, TOKEN0, TOKEN1, fee_pips, reserve0, reserve1)


def v3_pool(
    positions: Sequence[Position], tick: int = 0, fee_pips: int = 3000, price_offset: int = 0, address: bytes = b"\xbb" * 20
) -> V3Pool:
    """A pool whose price stands `price_offset` above the ratio of `tick`."""
    spacing = TICK_SPACINGS[fee_pips]
    words = dict.fromkeys(range(MIN_TICK // spacing >> 8, (MAX_TICK // spacing >> 8) + 1), 0)
    ticks = TickTable(address, spacing, words, {})
    for lower, upper, liquidity in positions:
        ticks = ticks.with_position(lower, upper, liquidity)
    active = sum(liquidity for lower, upper, liquidity in positions if lower <= tick < upper)
    return V3Pool(address, TOKEN0, TOKEN1, fee_pips, sqrt_ratio_at_tick(tick) + price_offset, tick, active, ticks)


def liquidity_by_ticks(pool: V3Pool) -> int:
    """The active liquidity as the crossed ticks make it."""
    return sum(each.net for tick, each in pool.ticks.ticks.items() if tick <= pool.tick)


@st.composite
def v3_pools(draw: st.DrawFn) -> V3Pool:
    """Pools with one wide position, so that swaps can end, and up to six narrow ones that overlap and leave gaps."""
    fee_pips = draw(st.sampled_from([500, 3000, 10_000]))
    spacing = TICK_SPACINGS[fee_pips]
    index = st.integers(-40, 40)
    liquidity = st.integers(10**6, 10**24)
    positions = [(-300 * spacing, 300 * spacing, draw(liquidity))]
    for low, high, amount in draw(st.lists(st.tuples(index, index, liquidity), max_size=6)):
        if low < high:
            positions.append((low * spacing, high * spacing, amount))
    return v3_pool(positions, draw(st.integers(-30 * spacing, 30 * spacing)), fee_pips, draw(st.integers(0, 1000)))
