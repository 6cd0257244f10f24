"""Velora's Augustus v5: packed pairs, calls of others, direct swaps, and adapters' routes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, ETHER, FRIEND, SENDER, USDC, WETH, address, calldata, path, tables
from tests.decode.mined_calls import mined_call
from tests.decode.test_paraswap_v6 import V6_2, uniswap, v2_pools

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

V5 = bytes.fromhex("def171fe48cf0115b1d80b88dc8eab59176fee57")
ADAPTER = bytes.fromhex("3a0430bf7cd2633af111ce3204db4b0990857a6f")
ETH, NOBODY, NATIVE = b"\xee" * 20, bytes(20), bytes(20)
UUID = bytes(16)
V2_USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
V2_DAI_WETH = bytes.fromhex("a478c2975ab1ea89e8196811f51a7b7ade33eb11")
V3_USDC_WETH = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
STRANGE_POOL = b"\x99" * 20
PACKED = "(address,uint256,uint256,address,uint256[])"
SIMPLE = (
    "((address,address,uint256,uint256,uint256,address[],bytes,uint256[],uint256[],"
    "address,address,uint256,bytes,uint256,bytes16))"
)
V3_DATA = "((address,address,address,uint256,uint256,uint256,uint256,uint256,address,bool,address,bytes,bytes,bytes16))"
CURVE_V1 = (
    "directCurveV1Swap((address,address,address,uint256,uint256,uint256,uint256,int128,int128,"
    "address,bool,uint8,address,bool,bytes,bytes16))"
)
CURVE_V2 = (
    "directCurveV2Swap((address,address,address,address,uint256,uint256,uint256,uint256,uint256,uint256,"
    "address,bool,uint8,address,bool,bytes,bytes16))"
)
BALANCER = (
    "(((bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],"
    "uint256,uint256,uint256,uint256,uint256,address,address,bool,address,bytes,bytes16))"
)
ROUTES = "(uint256,address,uint256,bytes,uint256)[]"
PATH = f"(address,uint256,(address,uint256,uint256,{ROUTES})[])[]"
MULTI = f"((address,uint256,uint256,uint256,address,{PATH},address,uint256,bytes,uint256,bytes16))"
MEGA = f"((address,uint256,uint256,uint256,address,(uint256,{PATH})[],address,uint256,bytes,uint256,bytes16))"
ORDER = "(uint256,uint128,address,address,address,address,uint256,uint256)"
FEE_ON_TOKEN_IN = 1 << 248 | 1 << 15
FORK, V3, CURVE = 4, 6, 3


def packed(pool: bytes, *, zero_for_one: bool, factor: int = 9_970) -> int:
    """A pool as a word: fee factor, direction, address."""
    return factor << 161 | (not zero_for_one) << 160 | int.from_bytes(pool)


USDC_TO_WETH = packed(V2_USDC_WETH, zero_for_one=True)
WETH_TO_USDC = packed(V2_USDC_WETH, zero_for_one=False)
WETH_TO_DAI = packed(V2_DAI_WETH, zero_for_one=False)


def on_pairs(token_in: bytes, wrapped: bytes, *pools: int, name: str = "swapOnUniswapV2Fork") -> bytes:
    return calldata(name + PACKED, token_in, 11, 22, wrapped, pools)


def simple(
    calls: list[tuple[bytes, int, bytes]], *, name: str = "simpleSwap", tokens: tuple[bytes, bytes] = (DAI, USDC)
) -> bytes:
    """Sells 11 for at least 22 by calls of (to, value, data)."""
    data = b"".join(each[2] for each in calls)
    starts = [sum(len(each[2]) for each in calls[:count]) for count in range(len(calls) + 1)]
    callees, values = [each[0] for each in calls], [each[1] for each in calls]
    arguments = (*tokens, 11, 22, 33, callees, data, starts, values, FRIEND, NOBODY, 0, b"", DEADLINE, UUID)
    return calldata(name + SIMPLE, arguments)


def direct_v3(name: str, packed_path: bytes, tokens: tuple[bytes, bytes], fee: int = 0, partner: bytes = NOBODY) -> bytes:
    arguments = (*tokens, address("v3"), 10_000, 22, 33, fee, DEADLINE, partner, True, FRIEND, packed_path, b"", UUID)
    return calldata(name + V3_DATA, arguments)


def balancer(name: str, steps: list[Any], assets: list[bytes], fee: int = 0) -> bytes:
    funds, limits = (V5, False, V5, False), [ETHER] * len(assets)
    tail = (10_000, 22, 33, DEADLINE, fee, FRIEND, FRIEND, True, FRIEND, b"", UUID)
    return calldata(name + BALANCER, (steps, assets, funds, limits, *tail))


def route(index: int, payload: bytes, exchange: bytes = NOBODY, percent: int = 10_000) -> tuple[int, bytes, int, bytes, int]:
    return index, exchange, percent, payload, 0


def fork_route(*pools: int, wrapped: bytes = NOBODY, percent: int = 10_000) -> Any:
    return route(FORK, encode(["(address,uint256[])"], [(wrapped, pools)]), percent=percent)


def v3_route(packed_path: bytes, percent: int = 10_000) -> Any:
    return route(V3, encode(["(bytes,uint256)"], [(packed_path, DEADLINE)]), address("v3"), percent)


def step(token_out: bytes, *adapters: tuple[int, list[Any]], adapter: bytes = ADAPTER) -> Any:
    return token_out, 0, [(adapter, percent, 0, routes) for percent, routes in adapters]


def multi(token_in: bytes, *steps: Any, name: str = "multiSwap") -> bytes:
    return calldata(name + MULTI, (token_in, 10_000, 22, 33, FRIEND, steps, NOBODY, 0, b"", DEADLINE, UUID))


def mega(token_in: bytes, *paths: tuple[int, list[Any]]) -> bytes:
    return calldata("megaSwap" + MEGA, (token_in, 10_001, 22, 33, FRIEND, paths, NOBODY, 0, b"", DEADLINE, UUID))


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), V5, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return calldata("swapOnUniswap(uint256,uint256,address[])", 11, 22, [ETH, other]), 11


EXAMPLES: dict[str, Example] = {"paraswap_v5": example}


def test_packed_pairs_are_found_and_tell_each_others_tokens() -> None:
    call = decoded(on_pairs(USDC, NOBODY, USDC_TO_WETH, WETH_TO_DAI))
    (intent,) = call.intents
    assert [hop.pool for hop in intent.hops] == [V2_USDC_WETH, V2_DAI_WETH]
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, DAI, ExactIn(11, 22), SENDER)
    assert (call.completeness, intent.measures_received) == (Completeness.EXACT, False)


def test_packed_pairs_begin_or_end_with_the_wrapped_token_for_the_native_coin() -> None:
    (buy,) = decoded(on_pairs(ETH, WETH, WETH_TO_USDC), 11).intents
    (sell,) = decoded(on_pairs(USDC, WETH, USDC_TO_WETH)).intents
    assert (buy.token_in, buy.token_out, sell.token_out) == (WETH, USDC, WETH)
    (exact_out,) = decoded(on_pairs(USDC, WETH, USDC_TO_WETH, name="buyOnUniswapV2Fork")).intents
    assert exact_out.size == ExactOut(22, 11)
    permitted = calldata(
        "swapOnUniswapV2ForkWithPermit(address,uint256,uint256,address,uint256[],bytes)",
        *(USDC, 11, 22, WETH, [USDC_TO_WETH], b"permit"),
    )
    assert decoded(permitted).intents[0].hops == sell.hops


def test_unknown_pool_leaves_its_other_token_open() -> None:
    call = decoded(on_pairs(ETH, WETH, packed(STRANGE_POOL, zero_for_one=True)), 11)
    (hop,) = call.intents[0].hops
    assert (hop.token_in, hop.token_out, hop.fee_pips, hop.zero_for_one) == (WETH, b"", 3000, True)
    assert call.completeness is Completeness.TOKENS_UNKNOWN


def test_fee_that_is_not_the_pools_own_is_not_simulated() -> None:
    (hop,) = decoded(on_pairs(USDC, WETH, packed(V2_USDC_WETH, zero_for_one=True, factor=9_900))).intents[0].hops
    assert (hop.pool, hop.kind, hop.fee_pips) == (V2_USDC_WETH, "", 10_000)


def test_path_of_tokens_is_one_of_uniswap_or_of_the_factory_that_is_named() -> None:
    uniswap = tables().factories["uniswap_v2"]
    plain = calldata("swapOnUniswap(uint256,uint256,address[])", 11, 22, [USDC, ETH])
    named = "swapOnUniswapFork(address,bytes32,uint256,uint256,address[])"
    same = calldata(named, uniswap.address, uniswap.init_code_hash, 11, 22, [USDC, ETH])
    other = calldata(named, FRIEND, bytes(32), 11, 22, [USDC, ETH])
    assert decoded(plain).intents[0].hops == decoded(same).intents[0].hops
    (hop,) = decoded(other).intents[0].hops
    assert (hop.protocol, hop.kind, hop.token_out, len(hop.pool)) == ("uniswap_v2_unlisted", "", WETH, 20)
    (intent,) = decoded(calldata("buyOnUniswap(uint256,uint256,address[])", 11, 22, [USDC, DAI])).intents
    assert intent.size == ExactOut(22, 11)
    forked = calldata("buyOnUniswapFork(address,bytes32,uint256,uint256,address[])", FRIEND, bytes(32), 11, 22, [USDC, DAI])
    assert decoded(forked).intents[0].size == ExactOut(22, 11)


def test_calls_of_others_are_followed_and_the_balance_is_a_limit() -> None:
    swap = calldata("exactInput((bytes,address,uint256,uint256,uint256))", (path(DAI, 100, USDC), V5, DEADLINE, 11, 1))
    approve = calldata("approve(address,address,uint256)", DAI, address("v3"), 11)
    for name in ("simpleSwap", "protectedSimpleSwap"):
        call = decoded(simple([(V5, 0, approve), (address("v3"), 0, swap)], name=name))
        (intent,) = call.intents
        assert (intent.router, intent.size, intent.recipient) == ("uniswap_v3_swap_router", ExactIn(11, 22), V5)
        assert (call.completeness, intent.deadline) == (Completeness.EXACT, DEADLINE)


def test_calls_that_show_no_swap_are_partial() -> None:
    for name, size in (
        ("simpleSwap", ExactIn(11, 22)),
        ("simpleBuy", ExactOut(22, 11)),
        ("protectedSimpleBuy", ExactOut(22, 11)),
    ):
        call = decoded(simple([(FRIEND, 0, b"\x01\x02\x03\x04")], name=name))
        (intent,) = call.intents
        assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, size, FRIEND)
        assert call.reason == f"not understood: 0x01020304 of 0x{FRIEND.hex()}"


def test_native_coin_is_wrapped_and_unwrapped_by_the_calls() -> None:
    wrap = (WETH, 11, calldata("deposit()"))
    swap = calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", 11, 0, [WETH, USDC], V5)
    call = decoded(simple([wrap, (address("02"), 0, swap)], tokens=(ETH, USDC)), 11)
    assert (call.intents[0].size, call.completeness) == (ExactIn(11, 22), Completeness.EXACT)
    swap = calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", 11, 0, [DAI, WETH], V5)
    unwrap = (V5, 0, calldata("withdrawAllWETH(address)", WETH))
    call = decoded(simple([(address("02"), 0, swap), unwrap], tokens=(DAI, ETH)))
    assert (call.intents[0].size, call.completeness) == (ExactIn(11, 22), Completeness.EXACT)


def test_what_a_contract_with_a_share_paid_out_is_not_the_swaps_output() -> None:
    router = address("02")
    shared = uniswap("swapExactAmountInOnUniswapV2", (DAI, WETH), v2_pools(DAI, WETH), router)
    sell = calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", 0, 0, [WETH, USDC], V5)
    call = decoded(simple([(V6_2, 0, shared), (router, 0, sell)]))
    assert [intent.completeness for intent in call.intents] == [Completeness.EXACT, Completeness.AMOUNT_UNKNOWN]


def test_calls_that_would_revert_are_malformed() -> None:
    with pytest.raises(MalformedCalldata, match="transferFrom is not allowed"):
        decoded(simple([(DAI, 0, bytes.fromhex("23b872dd") + bytes(96))]))
    arguments = (DAI, USDC, 11, 22, 33, [FRIEND], b"abcd", [0, 5], [0], FRIEND, NOBODY, 0, b"", DEADLINE, UUID)
    with pytest.raises(MalformedCalldata, match="beyond the calls' data"):
        decoded(calldata("simpleSwap" + SIMPLE, arguments))
    arguments = (DAI, USDC, 11, 22, 33, [FRIEND], b"abcd", [0], [0], FRIEND, NOBODY, 0, b"", DEADLINE, UUID)
    with pytest.raises(MalformedCalldata, match="differ in number"):
        decoded(calldata("simpleSwap" + SIMPLE, arguments))


def test_direct_v3_swaps_take_the_exchanges_pools() -> None:
    (sell,) = decoded(direct_v3("directUniV3Swap", path(USDC, 500, WETH), (USDC, ETH))).intents
    (buy,) = decoded(direct_v3("directUniV3Buy", path(WETH, 500, USDC), (USDC, ETH))).intents
    assert (sell.hops, sell.size, sell.recipient) == (buy.hops, ExactIn(10_000, 22), FRIEND)
    assert (sell.hops[0].pool, buy.size, buy.deadline) == (V3_USDC_WETH, ExactOut(22, 10_000), DEADLINE)
    with pytest.raises(MalformedCalldata, match="do not end with the token out"):
        decoded(direct_v3("directUniV3Swap", path(USDC, 500, WETH), (USDC, DAI)))


@pytest.mark.parametrize(
    ("fee", "partner", "size"),
    [
        (50, FRIEND, ExactIn(10_000, 22)),
        (FEE_ON_TOKEN_IN | 50, FRIEND, ExactIn(9_950, 22)),
        (FEE_ON_TOKEN_IN | 50, NOBODY, ExactIn(10_000, 22)),
        (FEE_ON_TOKEN_IN | 900, FRIEND, BalanceIn(0, (), 22)),
    ],
)
def test_fee_on_the_token_in_lessens_what_is_sold(fee: int, partner: bytes, size: Any) -> None:
    (intent,) = decoded(direct_v3("directUniV3Swap", path(USDC, 500, WETH), (USDC, WETH), fee, partner)).intents
    assert intent.size == size
    assert (intent.completeness is Completeness.AMOUNT_UNKNOWN) == isinstance(size, BalanceIn)


@pytest.mark.parametrize(("wraps", "traded"), [(False, NATIVE), (True, WETH)])
def test_direct_curve_swaps_name_the_pool_and_its_coins(wraps: bool, traded: bytes) -> None:
    amounts, indices = (11, 22, 33, 0), (0, 1)
    first = (ETH, USDC, STRANGE_POOL, *amounts, *indices, NOBODY, True, 0, FRIEND, wraps, b"", UUID)
    second = (ETH, USDC, STRANGE_POOL, NOBODY, *amounts, *indices, NOBODY, True, 0, FRIEND, wraps, b"", UUID)
    zap = (ETH, USDC, FRIEND, STRANGE_POOL, *amounts, *indices, NOBODY, True, 2, FRIEND, wraps, b"", UUID)
    for signature, arguments in ((CURVE_V1, first), (CURVE_V2, second), (CURVE_V2, zap)):
        (intent,) = decoded(calldata(signature, arguments), 11).intents
        assert (intent.token_in, intent.token_out, intent.hops[0].pool) == (traded, USDC, STRANGE_POOL)
        assert (intent.size, intent.hops[0].protocol) == (ExactIn(11, 22), "curve")


def test_direct_balancer_batches_are_paths_where_each_pool_sells_what_the_last_one_brought() -> None:
    first, second = (b"\x01" * 32, 0, 1, 10_000, b""), (b"\x02" * 32, 1, 2, 0, b"")
    (sell,) = decoded(balancer("directBalancerV2GivenInSwap", [first, second], [DAI, WETH, USDC])).intents
    assert ([hop.pool[0] for hop in sell.hops], sell.token_in, sell.token_out) == ([1, 2], DAI, USDC)
    assert (sell.size, sell.completeness) == (ExactIn(10_000, 22), Completeness.EXACT)
    last, before = (b"\x02" * 32, 1, 2, 22, b""), (b"\x01" * 32, 0, 1, 0, b"")
    (buy,) = decoded(balancer("directBalancerV2GivenOutSwap", [last, before], [DAI, WETH, USDC])).intents
    assert (buy.hops, buy.size) == (sell.hops, ExactOut(22, 10_000))
    split = [(b"\x01" * 32, 0, 1, 5_000, b""), (b"\x02" * 32, 0, 1, 5_000, b"")]
    call = decoded(balancer("directBalancerV2GivenInSwap", split, [DAI, USDC]))
    assert call.completeness is Completeness.PARTIAL
    with pytest.raises(MalformedCalldata, match="there are no pools"):
        decoded(balancer("directBalancerV2GivenInSwap", [], [DAI]))


def test_path_of_routes_sells_at_each_step_what_the_one_before_brought() -> None:
    for name in ("multiSwap", "protectedMultiSwap"):
        steps = step(WETH, (10_000, [fork_route(USDC_TO_WETH)])), step(DAI, (10_000, [v3_route(path(WETH, 3000, DAI))]))
        call = decoded(multi(USDC, *steps, name=name))
        assert [intent.size for intent in call.intents] == [ExactIn(10_000, 0), BalanceIn(0, (0,), 22)]
        assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(USDC, WETH), (WETH, DAI)]
        assert call.completeness is Completeness.EXACT


def test_first_step_is_split_over_adapters_and_their_routes() -> None:
    routes = [fork_route(USDC_TO_WETH, percent=2_500), v3_route(path(USDC, 500, WETH), 7_500)]
    call = decoded(multi(USDC, step(WETH, (6_000, routes), (4_000, [v3_route(path(USDC, 3000, WETH))]))))
    assert [intent.size for intent in call.intents] == [ExactIn(1_500, 0), ExactIn(4_500, 0), ExactIn(4_000, 0)]
    assert call.joint_minimums == (BalanceIn(0, (0, 1, 2), 22),)


def test_native_coin_between_the_steps_is_unwrapped_and_wrapped() -> None:
    unwrapping = step(ETH, (10_000, [fork_route(USDC_TO_WETH, wrapped=WETH)]))
    wrapping = step(DAI, (10_000, [fork_route(WETH_TO_DAI, wrapped=WETH)]))
    call = decoded(multi(USDC, unwrapping, wrapping))
    assert (call.intents[1].size, call.completeness) == (BalanceIn(0, (0,), 22), Completeness.EXACT)


def test_last_of_paths_side_by_side_sells_what_is_left() -> None:
    first = (3_333, [step(WETH, (10_000, [fork_route(USDC_TO_WETH)]))])
    second = (6_667, [step(WETH, (10_000, [v3_route(path(USDC, 500, WETH))]))])
    call = decoded(mega(USDC, first, second))
    assert [intent.size for intent in call.intents] == [ExactIn(3_333, 0), ExactIn(6_668, 0)]


@pytest.mark.parametrize(
    "steps",
    [
        [step(DAI, (10_000, [fork_route(USDC_TO_WETH, WETH_TO_DAI)]), adapter=FRIEND)],
        [step(DAI, (10_000, [route(9, b"")]))],
        [step(DAI, (10_000, [v3_route(path(USDC, 500, WETH))]))],
        [step(WETH, (10_000, [fork_route(USDC_TO_WETH)])), step(DAI, *[(5_000, [fork_route(WETH_TO_DAI)])] * 2)],
    ],
)
def test_routes_that_are_not_known_leave_the_whole_partial(steps: list[Any]) -> None:
    call = decoded(multi(USDC, *steps))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactIn(10_000, 22))
    assert call.reason == "not all of the adapters' routes are known"


def test_curve_route_is_a_hop_by_its_tokens() -> None:
    (intent,) = decoded(multi(USDC, step(DAI, (10_000, [route(CURVE, bytes(128), STRANGE_POOL)])))).intents
    assert (intent.hops[0].protocol, intent.hops[0].pool, intent.size) == ("curve", STRANGE_POOL, ExactIn(10_000, 22))


def test_adapter_that_buys_is_partial() -> None:
    signature = f"buy((address,address,address,uint256,uint256,uint256,address,{ROUTES},address,uint256,bytes,uint256,bytes16))"
    (intent,) = decoded(calldata(signature, (FRIEND, USDC, DAI, 11, 22, 33, FRIEND, [], NOBODY, 0, b"", DEADLINE, UUID))).intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactOut(22, 11))


def test_paths_that_are_empty_revert() -> None:
    for data in (multi(USDC), mega(USDC), mega(USDC, (10_000, []))):
        with pytest.raises(MalformedCalldata, match="there is no path"):
            decoded(data)


def test_makers_orders_are_partial() -> None:
    order = (1, 2, USDC, DAI, FRIEND, FRIEND, 22, 11)
    batch = f"({ORDER},bytes,uint256,bytes,bytes)[],uint8,uint256,uint256"
    infos = [(order, b"", 11, b"", b"")]
    zerox = "address,address,uint256,uint256,address,bytes"
    for data, size in (
        (calldata(f"swapOnAugustusRFQ({ORDER},bytes,uint8)", order, b"", 0), ExactIn(11, 22)),
        (calldata(f"swapOnAugustusRFQWithPermit({ORDER},bytes,uint8,bytes)", order, b"", 0, b""), ExactIn(11, 22)),
        (calldata(f"swapOnAugustusRFQTryBatchFill({batch})", infos, 0, 11, 22), ExactIn(11, 22)),
        (calldata(f"swapOnAugustusRFQTryBatchFillWithPermit({batch},bytes)", infos, 0, 11, 22, b""), ExactIn(11, 22)),
        (calldata(f"buyOnAugustusRFQTryBatchFill({batch})", infos, 0, 11, 22), ExactOut(22, 11)),
        (calldata(f"buyOnAugustusRFQTryBatchFillWithPermit({batch},bytes)", infos, 0, 11, 22, b""), ExactOut(22, 11)),
        (calldata(f"swapOnZeroXv2({zerox})", DAI, USDC, 11, 22, FRIEND, b""), ExactIn(11, 22)),
        (calldata(f"swapOnZeroXv4WithPermit({zerox},bytes)", DAI, USDC, 11, 22, FRIEND, b"", b""), ExactIn(11, 22)),
    ):
        call = decoded(data)
        (intent,) = call.intents
        assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, size, SENDER)
        assert call.reason == "fills makers' orders, not pools"


@pytest.mark.shared
def test_mined_swaps_are_on_the_pools_that_logged_them(shared_data: Path) -> None:
    known, logs = mined_call(shared_data, 17034869, "0xab66b9314e421edbe604084fe1196937382a254db677ecef205628b7c1659d48")
    assert [hop.pool.hex() for hop in known.intents[0].hops] == [logs[-1]["address"][2:]]
    assert (known.completeness, known.intents[0].size) == (Completeness.EXACT, ExactIn(3 * ETHER, 5712483577))
    unknown, logs = mined_call(shared_data, 16257471, "0xed28adcd14041cc143dc120b282777d302942d4f6f7be17ec30d136939621a10")
    (hop,) = unknown.intents[0].hops
    assert (hop.pool.hex(), hop.token_in, hop.zero_for_one) == (logs[-1]["address"][2:], WETH, False)
    assert unknown.completeness is Completeness.TOKENS_UNKNOWN
