"""Prices through the known pools."""

from __future__ import annotations

from typing import Any

import pytest

from mempool.amm.uniswap_v2 import V2Pool
from mempool.decode import DecodeTables
from mempool.market import view_of
from mempool.model.chain import Chain, PreloadedPool, Token
from mempool.model.pool import PoolIdentity, PoolState
from mempool.simulate.value import Value, value_in
from tests.amm.pools import v3_pool
from tests.simulate.swaps import BLOCK

NATIVE, DOLLAR, TOKEN, STRANGER = b"\x10" * 20, b"\x20" * 20, b"\x30" * 20, b"\x40" * 20
USD_POOL = V2Pool(b"\xa0" * 20, NATIVE, DOLLAR, 3000, 10 * 10**18, 20_000 * 10**6)
"""2,000 dollars of six decimals for one ether."""


def tables() -> DecodeTables:
    identity = PoolIdentity("uniswap_v2", USD_POOL.address, NATIVE, DOLLAR, 3000)
    usd_pool = PreloadedPool("a factory", ("WETH", "USDC"))
    chain = Chain("a chain", 1, "ETH", "0x" + NATIVE.hex(), 12, usd_pool, (), (), ())
    tokens = {
        NATIVE: Token("WETH", "0x" + NATIVE.hex(), 18),
        DOLLAR: Token("USDC", "0x" + DOLLAR.hex(), 6, usd_stable=True),
    }
    return DecodeTables(
        chain=chain, routers={}, tokens=tokens, factories={}, wrapped_native=NATIVE, preloaded=(), usd_pool=identity
    )


def value(token: bytes, amount: int, *pools: PoolState) -> Value:
    return value_in(view_of(BLOCK, pools), tables(), token, amount)


def approx(native_wei: float | None, usd: float | None) -> Value:
    """Equal to a value but for what floats lose."""
    worths: list[Any] = [each if each is None else pytest.approx(each, rel=1e-12) for each in (native_wei, usd)]
    return Value(*worths)


def pair(address: int, token0: bytes, token1: bytes, reserve0: int, reserve1: int) -> V2Pool:
    return V2Pool(bytes([address]) * 20, token0, token1, 3000, reserve0, reserve1)


def test_native_token_is_itself_and_priced_by_the_dollar_pool() -> None:
    assert value(NATIVE, 10**18, USD_POOL) == approx(10**18, 2000)
    assert value(NATIVE, -(10**18), USD_POOL) == approx(-(10**18), -2000)


def test_listed_dollar_is_one_dollar() -> None:
    assert value(DOLLAR, 1000 * 10**6, USD_POOL) == approx(10**18 / 2, 1000)
    assert value(DOLLAR, 1000 * 10**6) == approx(None, 1000)


def test_token_is_priced_by_its_deepest_pool_with_the_native_token() -> None:
    shallow, deep = pair(1, NATIVE, TOKEN, 10**18, 10**18), pair(2, NATIVE, TOKEN, 10**20, 4 * 10**20)
    assert value(TOKEN, 4 * 10**18, USD_POOL, shallow, deep) == approx(10**18, 2000)
    assert value(TOKEN, 4 * 10**18, shallow, deep) == approx(10**18, None)


def test_token_without_a_native_pool_is_priced_by_a_dollar() -> None:
    with_dollar = pair(3, DOLLAR, TOKEN, 50 * 10**6, 10**18)
    assert value(TOKEN, 10**18, USD_POOL, with_dollar) == approx(10**18 / 40, 50)


def test_token_that_no_known_pool_prices_has_no_value() -> None:
    assert value(STRANGER, 10**18, USD_POOL) == approx(None, None)
    assert value(TOKEN, 10**18, USD_POOL, pair(4, NATIVE, TOKEN, 0, 0)) == approx(None, None)


def test_v3_pool_counts_with_its_liquidity_at_the_price() -> None:
    model = v3_pool([(-600, 600, 10**24)])
    deep = type(model)(b"\x07" * 20, NATIVE, TOKEN, 500, model.sqrt_price_x96, 0, model.liquidity, model.ticks)
    assert value(TOKEN, 5, pair(5, NATIVE, TOKEN, 10**18, 2 * 10**18), deep).native_wei == pytest.approx(5)
