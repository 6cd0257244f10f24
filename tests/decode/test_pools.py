"""Pools by CREATE2 against known addresses, and what is kept of strangers' paths."""

from __future__ import annotations

import pytest

from mempool.abi import Budget
from mempool.decode.pools import MAX_HOPS, MAX_KEPT
from mempool.errors import ConfigError, MalformedCalldata
from mempool.resources import load_tables
from tests.decode.calls import DAI, USDC, WETH, path

V2_USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
V3_USDC_WETH_500 = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")


def budget() -> Budget:
    return Budget(b"test", 1000)


def test_known_pools_have_their_addresses_whatever_the_order_of_the_tokens() -> None:
    tables = load_tables()
    for tokens in ((USDC, WETH), (WETH, USDC)):
        assert tables.pool_identity("uniswap_v2", *tokens, 0).address == V2_USDC_WETH
        identity = tables.pool_identity("uniswap_v3", *tokens, 500)
        assert (identity.address, identity.token0, identity.token1) == (V3_USDC_WETH_500, USDC, WETH)
        assert (identity.fee_pips, identity.tick_spacing) == (500, 10)


def test_fee_or_factory_that_is_not_listed_is_an_error() -> None:
    tables = load_tables()
    with pytest.raises(ConfigError, match="no fee of 123 pips"):
        tables.pool_identity("uniswap_v3", USDC, WETH, 123)
    with pytest.raises(ConfigError, match="no factory 'sushi'"):
        tables.pool_identity("sushi", USDC, WETH, 3000)


def test_known_path_is_the_same_object() -> None:
    v2, v3 = (load_tables().factories[name] for name in ("uniswap_v2", "uniswap_v3"))
    assert v2.token_path((USDC, DAI), budget()) is v2.token_path((USDC, DAI), budget())
    assert v3.packed_path(path(USDC, 500, DAI), budget()) is v3.packed_path(path(USDC, 500, DAI), budget())
    assert v3.single(USDC, DAI, 500, budget()).hops[0] is v3.packed_path(path(USDC, 500, DAI), budget()).hops[0]


def test_made_up_paths_do_not_fill_the_memory() -> None:
    factory = load_tables().factories["uniswap_v2"]
    for number in range(MAX_KEPT + 10):
        factory.token_path((USDC, number.to_bytes(20)), budget())
    assert len(factory.token_paths) <= MAX_KEPT
    assert len(factory.hops) <= MAX_KEPT
    long_path = tuple(number.to_bytes(20) for number in range(1, 60))
    factory.token_path(long_path, budget())
    assert long_path not in factory.token_paths


def test_path_that_no_block_could_pay_for_is_refused() -> None:
    tokens = tuple(number.to_bytes(20) for number in range(MAX_HOPS + 1))
    with pytest.raises(MalformedCalldata) as caught:
        load_tables().factories["uniswap_v2"].token_path(tokens, budget())
    assert caught.value.refused


def test_made_up_paths_of_one_call_are_worked_out_up_to_its_number_of_hashes() -> None:
    factory, of_one_call = load_tables().factories["uniswap_v2"], budget()
    for start in (1, 1_000):
        factory.token_path(tuple(number.to_bytes(20) for number in range(start, start + MAX_HOPS // 2 + 1)), of_one_call)
    with pytest.raises(MalformedCalldata, match="hashes") as caught:
        factory.token_path((USDC, bytes(20)), of_one_call)
    assert caught.value.refused


def test_path_written_backwards_names_the_fee_that_its_factory_lacks() -> None:
    factory, packed = load_tables().factories["uniswap_v3"], path(USDC, 123, WETH)
    assert factory.packed_path_reversed(packed, budget()).reason == factory.packed_path(packed, budget()).reason != ""
