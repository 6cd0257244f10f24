"""Velora's Augustus v6: packed pools in both orders, Curve's and Balancer's data, and what executors hide."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, ETHER, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

V6_2 = bytes.fromhex("6a000f20005980200259b80c5102003040001068")
ETH = b"\xee" * 20
NATIVE, NOBODY = bytes(20), bytes(20)
META = bytes(32)
SWAP_DATA = "(address,address,uint256,uint256,uint256,bytes32,address)"
UNI_DATA = "((address,address,uint256,uint256,uint256,bytes32,address,bytes),uint256,bytes)"
CURVE_V1 = "swapExactAmountInOnCurveV1((uint256,uint256,address,address,uint256,uint256,uint256,bytes32,address),uint256,bytes)"
CURVE_V2 = (
    "swapExactAmountInOnCurveV2"
    "((uint256,uint256,uint256,address,address,address,uint256,uint256,uint256,bytes32,address),uint256,bytes)"
)
MAKER = "swapExactAmountInOutOnMakerPSM((address,address,uint256,uint256,uint256,uint256,address,address,bytes32,uint256),bytes)"
ORDERS = (
    "swapOnAugustusRFQTryBatchFill((uint256,uint256,uint8,bytes32,address),"
    "((uint256,uint128,address,address,address,address,uint256,uint256),bytes,uint256,bytes,bytes)[],bytes)"
)
BALANCER = "OnBalancerV2((uint256,uint256,uint256,bytes32,uint256),uint256,bytes,bytes)"
V2_USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
V3_USDC_WETH = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
POOL = b"\xbe" * 20


def v2_pools(*tokens: bytes) -> bytes:
    """The pools along a path: both tokens in order, and a last bit that is set where the first of them is sold."""
    return b"".join(min(pair) + max(pair) + bytes(23) + bytes([pair[0] < pair[1]]) for pair in pairwise(tokens))


def v3_pool(token_in: bytes, token_out: bytes, fee_pips: int) -> bytes:
    first = (1 << 255 if token_in < token_out else 0) | int.from_bytes(min(token_in, token_out))
    return first.to_bytes(32) + max(token_in, token_out).rjust(32, b"\0") + fee_pips.to_bytes(32)


def uniswap(name: str, tokens: tuple[bytes, bytes], pools: bytes, beneficiary: bytes = FRIEND) -> bytes:
    """fromAmount 11, toAmount 22, quotedAmount 33."""
    return calldata(name + UNI_DATA, (*tokens, 11, 22, 33, META, beneficiary, pools), 7, b"")


def executor_call(name: str, tokens: tuple[bytes, bytes], amounts: tuple[int, int] = (11, 22)) -> bytes:
    data = (*tokens, *amounts, 33, META, NOBODY)
    return calldata(f"{name}(address,{SWAP_DATA},uint256,bytes,bytes)", FRIEND, data, 7, b"", b"program")


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), V6_2, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    pools = v2_pools(of.wrapped_native, other)
    return uniswap("swapExactAmountInOnUniswapV2", (ETH, other), pools), 11


EXAMPLES: dict[str, Example] = {"paraswap_v6": example}


def test_v2_pools_are_read_in_trade_order_with_the_minimum_and_not_the_quote() -> None:
    for path in ((USDC, WETH, DAI), (DAI, WETH, USDC)):
        call = decoded(uniswap("swapExactAmountInOnUniswapV2", (path[0], path[2]), v2_pools(*path)))
        (intent,) = call.intents
        assert (intent.token_in, intent.hops[0].token_out, intent.token_out) == path
        assert (intent.size, intent.recipient, call.completeness) == (ExactIn(11, 22), FRIEND, Completeness.EXACT)
        assert V2_USDC_WETH in [hop.pool for hop in intent.hops]
        assert not intent.measures_received


def test_v2_exact_output_keeps_its_pools_order() -> None:
    (intent,) = decoded(uniswap("swapExactAmountOutOnUniswapV2", (USDC, DAI), v2_pools(USDC, WETH, DAI))).intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactOut(22, 11))


def test_native_coin_is_traded_wrapped_and_nobody_is_the_sender() -> None:
    call = decoded(uniswap("swapExactAmountInOnUniswapV2", (ETH, USDC), v2_pools(WETH, USDC), NOBODY), 11)
    assert (call.intents[0].token_in, call.intents[0].recipient) == (WETH, SENDER)
    call = decoded(uniswap("swapExactAmountInOnUniswapV3", (USDC, ETH), v3_pool(USDC, WETH, 500)))
    assert (call.intents[0].token_out, call.intents[0].hops[0].pool) == (WETH, V3_USDC_WETH)


def test_v3_exact_output_pools_stand_backwards() -> None:
    forward = v3_pool(DAI, USDC, 100) + v3_pool(USDC, WETH, 500)
    backwards = v3_pool(USDC, WETH, 500) + v3_pool(DAI, USDC, 100)
    (sell,) = decoded(uniswap("swapExactAmountInOnUniswapV3", (DAI, WETH), forward)).intents
    (buy,) = decoded(uniswap("swapExactAmountOutOnUniswapV3", (DAI, WETH), backwards)).intents
    assert sell.hops == buy.hops
    assert (sell.size, buy.size) == (ExactIn(11, 22), ExactOut(22, 11))
    assert sell.hops[1].pool == V3_USDC_WETH


@pytest.mark.parametrize(
    ("name", "tokens", "pools", "reason"),
    [
        ("swapExactAmountInOnUniswapV2", (USDC, WETH), b"", "there are no pools"),
        ("swapExactAmountInOnUniswapV2", (DAI, WETH), v2_pools(USDC, WETH), "do not begin with the token in"),
        ("swapExactAmountInOnUniswapV2", (USDC, DAI), v2_pools(USDC, WETH), "do not end with the token out"),
        ("swapExactAmountInOnUniswapV2", (USDC, DAI), v2_pools(USDC, WETH) + v2_pools(USDC, DAI), "not a path"),
        ("swapExactAmountInOnUniswapV2", (USDC, WETH), WETH + USDC + bytes(24), "two addresses in order"),
        ("swapExactAmountInOnUniswapV3", (USDC, WETH), v3_pool(USDC, WETH, 500)[:95], "there are no pools"),
        ("swapExactAmountInOnUniswapV3", (USDC, DAI), v3_pool(USDC, WETH, 500) + v3_pool(USDC, DAI, 500), "not a path"),
        ("swapExactAmountOutOnUniswapV3", (USDC, WETH), v3_pool(USDC, WETH, 500) + bytes(1), "not whole"),
    ],
)
def test_pools_that_would_revert_are_malformed(name: str, tokens: tuple[bytes, bytes], pools: bytes, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded(uniswap(name, tokens, pools))


def test_fee_that_the_factory_lacks_leaves_the_swap_partial() -> None:
    call = decoded(uniswap("swapExactAmountInOnUniswapV3", (USDC, WETH), v3_pool(USDC, WETH, 123)))
    assert (call.completeness, call.intents[0].hops[0].pool) == (Completeness.PARTIAL, b"")


@pytest.mark.parametrize("name", ["swapExactAmountIn", "swapExactAmountInPro", "swapExactAmountOut", "swapExactAmountOutPro"])
def test_executors_hide_the_pools_but_not_tokens_and_limits(name: str) -> None:
    call = decoded(executor_call(name, (ETH, USDC)), 11)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.recipient) == (NATIVE, USDC, SENDER)
    assert intent.size == (ExactOut(22, 11) if "Out" in name else ExactIn(11, 22))
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "the executor's program hides the pools")


def test_nothing_to_receive_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="receive is 0"):
        decoded(executor_call("swapExactAmountIn", (DAI, USDC), (11, 0)))


@pytest.mark.parametrize(
    ("wrapping", "tokens", "traded"),
    [
        (0, (DAI, USDC), (DAI, USDC)),
        (1, (ETH, USDC), (WETH, USDC)),
        (2, (USDC, ETH), (USDC, WETH)),
        (3, (ETH, USDC), (NATIVE, USDC)),
        (0, (USDC, ETH), (USDC, NATIVE)),
    ],
)
def test_curve_pools_take_and_give_the_coin_that_the_flags_say(
    wrapping: int, tokens: tuple[bytes, bytes], traded: tuple[bytes, bytes]
) -> None:
    flags = int.from_bytes(POOL) | 1 << 160 | wrapping << 161
    first = decoded(calldata(CURVE_V1, (flags, 1 << 128, *tokens, 11, 22, 33, META, FRIEND), 0, b"")).intents[0]
    second = decoded(calldata(CURVE_V2, (flags, 1, 0, NOBODY, *tokens, 11, 22, 33, META, FRIEND), 0, b"")).intents[0]
    for intent in (first, second):
        assert ((intent.token_in, intent.token_out), intent.hops[0].pool, intent.size) == (traded, POOL, ExactIn(11, 22))
        assert (intent.hops[0].protocol, intent.completeness) == ("curve", Completeness.EXACT)


def test_pool_behind_a_factorys_zap_is_the_pool() -> None:
    flags = int.from_bytes(FRIEND) | 2 << 163
    (intent,) = decoded(calldata(CURVE_V2, (flags, 1, 0, POOL, DAI, USDC, 11, 22, 33, META, FRIEND), 0, b"")).intents
    assert intent.hops[0].pool == POOL


@pytest.mark.parametrize(("flag", "size"), [(0, ExactIn(11, 22)), (1 << 254, ExactOut(22, 11))])
def test_maker_module_says_its_direction(flag: int, size: Any) -> None:
    data = (DAI, USDC, 11, 22, 0, 10**12, POOL, POOL, META, flag | int.from_bytes(FRIEND))
    (intent,) = decoded(calldata(MAKER, data, b"")).intents
    assert (intent.size, intent.hops[0].pool, intent.recipient) == (size, POOL, FRIEND)


@pytest.mark.parametrize(("flags", "size"), [(0, ExactIn(11, 22)), (8, ExactOut(22, 11))])
def test_makers_orders_are_partial(flags: int, size: Any) -> None:
    order = ((1, 2, USDC, DAI, FRIEND, FRIEND, 5, 6), b"", 3, b"", b"")
    (intent,) = decoded(calldata(ORDERS, (11, 22, flags, META, NOBODY), [order], b"")).intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, size)
    assert intent.completeness is Completeness.PARTIAL
    with pytest.raises(MalformedCalldata, match="no orders"):
        decoded(calldata(ORDERS, (11, 22, flags, META, NOBODY), [], b""))


def vault_call(kind: int, assets: tuple[bytes, ...]) -> bytes:
    """A batch of one pool, given in or out, that pays out of and into the router."""
    index_in, index_out = (0, 1) if kind == 0 else (1, 0)
    step = (b"\x77" * 32, index_in, index_out, 11, b"")
    signature = (
        "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
    )
    return calldata(signature, kind, [step], assets, (V6_2, False, V6_2, False), [ETHER, ETHER], 2**63)


@pytest.mark.parametrize(("name", "kind", "assets"), [("In", 0, (DAI, USDC)), ("Out", 1, (USDC, DAI))])
def test_balancer_swaps_name_the_tokens_of_the_vaults_call(name: str, kind: int, assets: tuple[bytes, ...]) -> None:
    data = calldata(f"swapExactAmount{name}{BALANCER}", (11, 22, 33, META, 0), 0, b"", vault_call(kind, assets))
    call = decoded(data)
    assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(DAI, USDC)]


def test_other_calls_of_the_vault_revert() -> None:
    data = calldata(f"swapExactAmountIn{BALANCER}", (11, 22, 33, META, 0), 0, b"", b"\x01\x02\x03\x04" + bytes(400))
    with pytest.raises(MalformedCalldata, match="no swap of the Balancer vault"):
        decoded(data)


@pytest.mark.shared
def test_mined_swap_has_the_smaller_amount_as_its_minimum_and_met_it(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 25215353, "0x04b8540be9ef2d964a054d95f5428e24b942f123414a00419cfb665f8cfe3847")
    (intent,) = call.intents
    paid = int(logs[-1]["data"], 16)
    assert intent.size == ExactIn(213444781614302103246751, 68289749890567479)
    assert 68289749890567479 <= paid < 206000000000000000, "the quote was not reached"
    assert [hop.pool.hex() for hop in intent.hops] == [logs[3]["address"][2:]]
    assert (call.completeness, intent.token_out) == (Completeness.EXACT, WETH)
