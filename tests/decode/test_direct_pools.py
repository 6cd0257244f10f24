"""Pools called directly: what a pair or pool alone says of a swap, and Balancer V1 and Uniswap V4's manager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.batches import batched
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

POOL = b"\x77" * 20
USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
MANAGER = bytes.fromhex("000000000004444c5dc75cb358380d2e3de08a90")
NATIVE = bytes(20)
UNLIMITED = 2**256 - 1
PAIRS_SETTLED = "0xaf36a32796888b2e41956a9df4ae9cbdaa40ac5ecfaaec1c8fa62adc6fd672d7"
PRICE = 1 << 96
V4_SWAP = "swap((address,address,uint24,int24,address),(bool,int256,uint160),bytes)"
V1_IN = "swapExactAmountIn(address,uint256,address,uint256,uint256)"
V1_OUT = "swapExactAmountOut(address,uint256,address,uint256,uint256)"


def pair_swap(amount0_out: int, amount1_out: int, data: bytes = b"") -> bytes:
    return calldata("swap(uint256,uint256,address,bytes)", amount0_out, amount1_out, FRIEND, data)


def pool_swap(amount: int, *, zero_for_one: bool = True, limit: int = PRICE) -> bytes:
    return calldata("swap(address,bool,int256,uint160,bytes)", FRIEND, zero_for_one, amount, limit, b"")


def manager_swap(amount: int, fee: int = 500, *, zero_for_one: bool = True) -> bytes:
    return calldata(V4_SWAP, (NATIVE, USDC, fee, 10, NATIVE), (zero_for_one, amount, PRICE), b"")


def decoded(pool: bytes, data: bytes) -> DecodedCall:
    call = decode(tables(), pool, data, 0, SENDER)
    assert call is not None
    return call


def v1_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return calldata(V1_IN, token, 11, other, 22, UNLIMITED), 0


EXAMPLES: dict[str, Example] = {
    "uniswap_v2_pair": lambda _of, _router: (pair_swap(0, 11), 0),
    "uniswap_v3_pool": lambda _of, _router: (pool_swap(11), 0),
    "uniswap_v4_pool_manager": lambda _of, _router: (manager_swap(-11), 0),
    "balancer_v1_pool": v1_example,
}


@pytest.mark.parametrize(("outputs", "zero_for_one"), [((0, 11), True), ((11, 0), False)])
def test_pair_pays_out_what_is_stated_for_what_it_was_paid(outputs: tuple[int, int], zero_for_one: bool) -> None:
    call = decoded(POOL, pair_swap(*outputs))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.pool, hop.token_in, hop.token_out, hop.zero_for_one) == (POOL, b"", b"", zero_for_one)
    assert (intent.size, intent.recipient) == (ExactOut(11, UNLIMITED), FRIEND)
    assert call.completeness is Completeness.TOKENS_UNKNOWN
    assert "its input is what it was paid before" in call.reason
    assert call.by_selector


def test_pair_that_the_call_paid_before_is_found_by_that_token() -> None:
    sold, bought = min(USDC, WETH), max(USDC, WETH)
    paid = (sold, calldata("transfer(address,uint256)", USDC_WETH, 100))
    call = batched(paid, (USDC_WETH, pair_swap(0, 11)))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out) == (
        "uniswap_v2",
        "uniswap_v2",
        USDC_WETH,
        sold,
        bought,
    )
    assert (intent.size, call.completeness) == (ExactOut(11, UNLIMITED), Completeness.EXACT)


def test_pair_that_the_call_paid_in_two_tokens_is_not_looked_for() -> None:
    paid = [(token, calldata("transfer(address,uint256)", POOL, 100)) for token in (USDC, WETH)]
    (intent,) = batched(*paid, (POOL, pair_swap(0, 11))).intents
    assert (intent.token_in, intent.completeness) == (b"", Completeness.TOKENS_UNKNOWN)


def test_pair_that_pays_out_both_tokens_is_partial() -> None:
    call = decoded(POOL, pair_swap(11, 22, b"loan"))
    assert (call.completeness, call.intents[0].hops[0].pool) == (Completeness.PARTIAL, POOL)


def test_pair_that_pays_out_nothing_is_none_of_ours() -> None:
    assert decode(tables(), POOL, pair_swap(0, 0), 0, SENDER) is None


def test_v3_pool_sells_above_zero_and_buys_below() -> None:
    call = decoded(POOL, pool_swap(11))
    (intent,) = call.intents
    assert (intent.hops[0].pool, intent.hops[0].zero_for_one) == (POOL, True)
    assert (intent.size, intent.recipient, intent.sqrt_price_limit_x96) == (ExactIn(11, 0), FRIEND, PRICE)
    assert call.completeness is Completeness.TOKENS_UNKNOWN
    (intent,) = decoded(POOL, pool_swap(-11, zero_for_one=False)).intents
    assert (intent.size, intent.hops[0].zero_for_one) == (ExactOut(11, UNLIMITED), False)


@pytest.mark.parametrize(("amount", "limit"), [(0, PRICE), (11, 0), (11, 2**160 - 1)])
def test_v3_swap_that_the_pool_reverts_on_is_none_of_ours(amount: int, limit: int) -> None:
    assert decode(tables(), POOL, pool_swap(amount, limit=limit), 0, SENDER) is None


def test_balancer_v1_pool_names_the_tokens() -> None:
    call = decoded(POOL, calldata(V1_IN, DAI, 11, USDC, 22, UNLIMITED))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.pool, hop.token_in, hop.token_out) == ("balancer_v1", POOL, DAI, USDC)
    assert (intent.size, intent.recipient, call.completeness) == (ExactIn(11, 22), SENDER, Completeness.EXACT)
    (intent,) = decoded(POOL, calldata(V1_OUT, DAI, 11, USDC, 22, UNLIMITED)).intents
    assert intent.size == ExactOut(22, 11)


def test_balancer_v1_swap_of_a_token_for_itself_is_none_of_ours() -> None:
    assert decode(tables(), POOL, calldata(V1_IN, DAI, 11, DAI, 22, UNLIMITED), 0, SENDER) is None


def test_v4_manager_sells_below_zero_and_buys_above_in_the_pool_of_the_key() -> None:
    (intent,) = decoded(MANAGER, manager_swap(-11)).intents
    (hop,) = intent.hops
    words = (bytes(32), USDC.rjust(32, b"\0"), (500).to_bytes(32), (10).to_bytes(32), bytes(32))
    assert (hop.protocol, hop.pool) == ("uniswap_v4", keccak256(b"".join(words)))
    assert (hop.token_in, hop.token_out, hop.fee_pips, hop.tick_spacing, hop.hooks) == (NATIVE, USDC, 500, 10, NATIVE)
    assert (intent.size, intent.sqrt_price_limit_x96) == (ExactIn(11, 0), PRICE)
    (intent,) = decoded(MANAGER, manager_swap(11, 0x800000, zero_for_one=False)).intents
    assert (intent.size, intent.token_in, intent.hops[0].fee_pips) == (ExactOut(11, UNLIMITED), USDC, None)


def test_what_the_v4_manager_unlocks_is_opaque() -> None:
    call = decoded(MANAGER, calldata("unlock(bytes)", b"program"))
    assert (call.completeness, call.reason) == (Completeness.OPAQUE, "not understood: unlock")
    with pytest.raises(MalformedCalldata, match="the amount is 0"):
        decoded(MANAGER, manager_swap(0))


@pytest.mark.shared
def test_mined_balancer_v1_swap_is_what_the_pool_logged(shared_data: Path) -> None:
    found = mined_call(shared_data, 12047794, "0xedca076752ade5ecbb8b8dfb73a07dbbdcf4343be795be632c41f5e6f0074b56")
    call, logs = found
    (intent,) = call.intents
    assert (call.completeness, intent.token_out) == (Completeness.EXACT, WETH)
    topic = "0x" + keccak256(b"LOG_SWAP(address,address,address,uint256,uint256)").hex()
    (log,) = [log for log in logs if log["topics"][0] == topic]
    assert bytes.fromhex(log["address"][2:]) == intent.hops[0].pool
    assert [bytes.fromhex(each[26:]) for each in log["topics"][2:]] == [intent.token_in, intent.token_out]
    paid, brought = (int(log["data"][2 + 64 * word : 66 + 64 * word], 16) for word in (0, 1))
    assert isinstance(intent.size, ExactIn)
    assert paid == intent.size.amount_in
    assert brought >= intent.size.min_amount_out


@pytest.mark.shared
def test_mined_pair_swaps_inside_a_settlement_are_what_the_pairs_logged(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 19426586, PAIRS_SETTLED)
    swaps = [intent for intent in call.intents if intent.router == "uniswap_v2_pair"]
    topic = "0x" + keccak256(b"Swap(address,uint256,uint256,uint256,uint256,address)").hex()
    logged = [log for log in logs if log["topics"][0] == topic]
    assert [intent.hops[0].pool for intent in swaps] == [bytes.fromhex(log["address"][2:]) for log in logged]
    for intent, log in zip(swaps, logged, strict=True):
        out = [int(log["data"][2 + 64 * word : 66 + 64 * word], 16) for word in (2, 3)]
        assert intent.size == ExactOut(max(out), UNLIMITED)
        assert intent.hops[0].zero_for_one in (None, bool(out[1]))
