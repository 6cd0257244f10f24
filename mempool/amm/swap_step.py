"""One step of a V3 swap inside a single range of liquidity, equal to SwapMath's `computeSwapStep`.

Both functions return `(price_after, amount_in, amount_out)`, where `amount_in` holds the fee. `price` and `target` are square
roots at scale 2**96; a target at or below the price means that token 0 comes in. `remaining` is above 0, `liquidity` may be 0.
"""

from __future__ import annotations

from functools import lru_cache

from mempool.amm.sqrt_price_math import (
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
    price_after_amount0_in,
    price_after_amount0_out,
    price_after_amount1_in,
    price_after_amount1_out,
)

PIPS = 1_000_000
Step = tuple[int, int, int]


def step_exact_in(price: int, target: int, liquidity: int, remaining: int, fee_pips: int) -> Step:
    """Spend at most `remaining`, fee included. A step that stops short of the target takes all that is left, as the fee."""
    after_fee = remaining * (PIPS - fee_pips) // PIPS
    if price >= target:
        needed = amount0_rounding_up(target, price, liquidity)
        if after_fee >= needed:
            return target, with_fee(needed, fee_pips), amount1_rounding_down(target, price, liquidity)
        after = price_after_amount0_in(price, liquidity, after_fee)
        return after, remaining, amount1_rounding_down(after, price, liquidity)
    needed = amount1_rounding_up(price, target, liquidity)
    if after_fee >= needed:
        return target, with_fee(needed, fee_pips), amount0_rounding_down(price, target, liquidity)
    after = price_after_amount1_in(price, liquidity, after_fee)
    return after, remaining, amount0_rounding_down(price, after, liquidity)


def step_exact_out(price: int, target: int, liquidity: int, remaining: int, fee_pips: int) -> Step:
    """Take at most `remaining` out; rounding may grant a unit more, which the contract does not pay."""
    if price >= target:
        available = amount1_rounding_down(target, price, liquidity)
        after = target if remaining >= available else price_after_amount1_out(price, liquidity, remaining)
        amount_in = amount0_rounding_up(after, price, liquidity)
        amount_out = amount1_rounding_down(after, price, liquidity)
    else:
        available = amount0_rounding_down(price, target, liquidity)
        after = target if remaining >= available else price_after_amount0_out(price, liquidity, remaining)
        amount_in = amount1_rounding_up(price, after, liquidity)
        amount_out = amount0_rounding_down(price, after, liquidity)
    return after, with_fee(amount_in, fee_pips), min(amount_out, remaining)


def whole_step(price: int, target: int, liquidity: int, fee_pips: int) -> tuple[int, int]:
    """What a step takes, fee included, and pays that runs up to its target.

    A sale reaches the target exactly where it has so much left: `remaining * (PIPS - fee) // PIPS >= needed` holds if and only if
    `remaining` is at least `needed` and its fee rounded up. A purchase reaches it where at least the payment is asked.
    """
    if price >= target:
        return with_fee(amount0_rounding_up(target, price, liquidity), fee_pips), amount1_rounding_down(target, price, liquidity)
    return with_fee(amount1_rounding_up(price, target, liquidity), fee_pips), amount0_rounding_down(price, target, liquidity)


known_whole_step = lru_cache(maxsize=65_536)(whole_step)
"""The same remembered, for steps from tick to tick: these are crossed again and again."""


def with_fee(amount_in: int, fee_pips: int) -> int:
    """The amount and the fee on it, the fee rounded up."""
    return amount_in - (-amount_in * fee_pips // (PIPS - fee_pips))
