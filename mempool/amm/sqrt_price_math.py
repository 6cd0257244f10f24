"""Amounts between two V3 prices, and the price after an amount, each rounded in the pool's favour as SqrtPriceMath does.

Prices are square roots at scale 2**96 (`sqrt_price_x96` everywhere, shortened to `price` here); `low <= high`.
"""

from __future__ import annotations

from mempool.amm.tick_math import Q96

LIMIT_UINT256 = 1 << 256
LIMIT_UINT160 = 1 << 160


class PoolReverts(ArithmeticError):
    """The contract's arithmetic reverts here. Never leaves `mempool.amm`: the pool turns it into `SwapImpossible`."""


def amount0_rounding_down(low: int, high: int, liquidity: int) -> int:
    """`liquidity * (1 / low - 1 / high)`, rounded down."""
    return (liquidity << 96) * (high - low) // high // low


def amount0_rounding_up(low: int, high: int, liquidity: int) -> int:
    """`liquidity * (1 / low - 1 / high)`, rounded up."""
    return -(-(liquidity << 96) * (high - low) // (high * low))


def amount1_rounding_down(low: int, high: int, liquidity: int) -> int:
    """`liquidity * (high - low)`, rounded down."""
    return liquidity * (high - low) >> 96


def amount1_rounding_up(low: int, high: int, liquidity: int) -> int:
    """`liquidity * (high - low)`, rounded up."""
    return -(-liquidity * (high - low) >> 96)


def price_after_amount0_in(price: int, liquidity: int, amount: int) -> int:
    """Token 0 comes in and the price falls, rounded up.

    Where `amount * price` or the sum leaves 256 bits the contract takes a coarser formula, and so must we.
    """
    scaled = liquidity << 96
    product = amount * price
    if product < LIMIT_UINT256 and scaled + product < LIMIT_UINT256:
        return -(-scaled * price // (scaled + product))
    return -(-scaled // (scaled // price + amount))


def price_after_amount0_out(price: int, liquidity: int, amount: int) -> int:
    """Token 0 goes out and the price rises, rounded up."""
    scaled = liquidity << 96
    product = amount * price
    if product >= LIMIT_UINT256 or scaled <= product:
        raise PoolReverts("more of token 0 is asked than the liquidity holds")
    after = -(-scaled * price // (scaled - product))
    if after >= LIMIT_UINT160:
        raise PoolReverts("the price would leave 160 bits")
    return after


def price_after_amount1_in(price: int, liquidity: int, amount: int) -> int:
    """Token 1 comes in and the price rises, rounded down."""
    after = price + amount * Q96 // liquidity
    if after >= LIMIT_UINT160:
        raise PoolReverts("the price would leave 160 bits")
    return after


def price_after_amount1_out(price: int, liquidity: int, amount: int) -> int:
    """Token 1 goes out and the price falls, rounded down."""
    fall = -(-amount * Q96 // liquidity)
    if fall >= price:
        raise PoolReverts("more of token 1 is asked than the liquidity holds")
    return price - fall
