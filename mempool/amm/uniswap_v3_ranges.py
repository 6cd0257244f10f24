"""A V3 pool as ranges of constant liquidity from its price on. Whitepaper of V3, section 6.2: virtual reserves."""

from __future__ import annotations

from collections.abc import Iterator

from mempool.amm.curve import Range
from mempool.amm.tick_math import MAX_TICK, MIN_TICK, Q96, sqrt_ratio_at_tick
from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v3 import V3Pool
from mempool.errors import TicksUnknown


def ranges(pool: V3Pool, token_in: bytes) -> Iterator[Range]:
    """From one initialised tick to the next; stretches without liquidity are passed over. Raises `TicksUnknown`."""
    if not pool.sqrt_price_x96:
        return
    down, ticks, liquidity, tick = token_in == pool.token0, pool.ticks, pool.liquidity, pool.tick
    price = pool.sqrt_price_x96 / Q96
    while True:
        boundary, initialised, unknown = _next_initialised(ticks, tick, down=down)
        end = price if boundary is None else sqrt_ratio_at_tick(boundary) / Q96
        if liquidity and end != price:
            yield _falling(liquidity, price, end) if down else _rising(liquidity, price, end)
        if unknown is not None:
            raise unknown
        if boundary is None or not initialised:
            return
        price = end
        liquidity += -ticks.net_liquidity(boundary) if down else ticks.net_liquidity(boundary)
        tick = boundary - 1 if down else boundary


def _falling(liquidity: int, price: float, end: float) -> Range:
    """Token 0 comes in."""
    return Range(liquidity / price, liquidity * price, liquidity * (price - end) / (price * end))


def _rising(liquidity: int, price: float, end: float) -> Range:
    """Token 1 comes in."""
    return Range(liquidity * price, liquidity / price, liquidity * (end - price))


def _next_initialised(ticks: TickTable, tick: int, *, down: bool) -> tuple[int | None, bool, TicksUnknown | None]:
    """The next tick where liquidity changes, or where the known words or the prices end; None where nothing is known."""
    following = ticks.next_below if down else ticks.next_above
    boundary = None
    while True:
        try:
            boundary, initialised = following(tick)
        except TicksUnknown as error:
            return boundary, False, error
        if initialised or boundary in (MIN_TICK, MAX_TICK):
            return boundary, initialised, None
        tick = boundary - 1 if down else boundary
