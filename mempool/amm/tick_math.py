"""Ticks and square root prices, both ways, to the last bit of Uniswap V3's TickMath."""

from __future__ import annotations

from functools import lru_cache
from math import floor, isqrt, log

MIN_TICK, MAX_TICK = -887272, 887272
Q32, Q96, Q128 = 1 << 32, 1 << 96, 1 << 128
MAX_UINT256 = 2**256 - 1


def _half_powers() -> tuple[int, ...]:
    """`1.0001 ** -(2**i / 2)` for i in 0..19, as the nearest integers at scale 2**128.

    The contract lists them as constants; made at 400 bits, squaring loses far less than the half unit that rounding decides.
    """
    scale_bits = 400
    power = isqrt((10_000 << 2 * scale_bits) // 10_001)
    powers = []
    for _ in range(20):
        powers.append((power >> scale_bits - 129) + 1 >> 1)
        power = power * power >> scale_bits
    return tuple(powers)


HALF_POWERS = _half_powers()


@lru_cache(maxsize=16_384)
def sqrt_ratio_at_tick(tick: int) -> int:
    """`sqrt(1.0001 ** tick)` at scale 2**96, rounded as the contract rounds it. `tick` is within MIN_TICK..MAX_TICK."""
    steps = abs(tick)
    ratio = Q128
    for bit, power in enumerate(HALF_POWERS):
        if steps >> bit & 1:
            ratio = ratio * power >> 128
    if tick > 0:
        ratio = MAX_UINT256 // ratio
    return -(-ratio // Q32)


MIN_SQRT_RATIO, MAX_SQRT_RATIO = sqrt_ratio_at_tick(MIN_TICK), sqrt_ratio_at_tick(MAX_TICK)
LOG_OF_HALF_TICK = log(1.0001) / 2
UNSURE = 1e-6
"""So near to a whole tick the floating logarithm is not relied on; it is off by less than 1e-9 ticks."""


def tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """The greatest tick whose ratio is at most `sqrt_price_x96`, which is within MIN_SQRT_RATIO..MAX_SQRT_RATIO - 1.

    The floating logarithm is off by far less than one tick; where it stands near a whole one the verdict is the integers'.
    """
    position = log(sqrt_price_x96 / Q96) / LOG_OF_HALF_TICK
    tick = floor(position)
    if UNSURE < position - tick < 1 - UNSURE:
        return tick
    tick = min(max(tick, MIN_TICK), MAX_TICK - 1)
    while sqrt_ratio_at_tick(tick) > sqrt_price_x96:
        tick -= 1
    while sqrt_ratio_at_tick(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick
