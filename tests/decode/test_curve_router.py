"""Curve's routers: routes, what is left out of them, and what keeps them from being exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

ROUTERS = (
    "f0d4c12a5768d806021f80a262b4d39d26c58b8d",
    "16c6521dff6bab339122a0fe25a9116693265353",
    "45312ea0eff7e09c83cbe249fa1d7598c4c8cd4e",
)
ROUTER_NG = bytes.fromhex(ROUTERS[2])
REGISTRY_EXCHANGE = bytes.fromhex("99a58482bd75cbab83b27ec03ca68ff489b5788f")
ETH, NATIVE, NOBODY = b"\xee" * 20, bytes(20), bytes(20)
POOL, OTHER_POOL, META_POOL = b"\x01" * 20, b"\x02" * 20, b"\x03" * 20
NG = "address[11],uint256[5][5],uint256,uint256"
MULTIPLE = "address[9],uint256[3][4],uint256,uint256"
Stop = tuple[bytes, bytes, int]
"""`(pool, token after it, swap type)`"""


def padded(parts: list[bytes], length: int) -> list[bytes]:
    return parts + [NOBODY] * (length - len(parts))


def route_of(token: bytes, stops: list[Stop], length: int) -> list[bytes]:
    return padded([token, *(part for pool, after, _ in stops for part in (pool, after))], length)


def exchanged(token: bytes, stops: list[Stop]) -> bytes:
    params = [[0, 1, kind, 1, 2] for *_, kind in stops] + [[0] * 5] * (5 - len(stops))
    return calldata(f"exchange({NG})", route_of(token, stops, 11), params, 11, 22)


def exchanged_multiple(token: bytes, stops: list[Stop], pools: list[bytes]) -> bytes:
    params = [[0, 1, kind] for *_, kind in stops] + [[0] * 3] * (4 - len(stops))
    route = route_of(token, stops, 9)
    return calldata(f"exchange_multiple({MULTIPLE},address[4],address)", route, params, 11, 22, padded(pools, 4), FRIEND)


def decoded(router: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), router, data, value_wei, SENDER)
    assert call is not None
    return call


def ng_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return exchanged(token, [(POOL, other, 1)]), 0


def registry_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return exchanged_multiple(token, [(POOL, other, 3)], []), 0


EXAMPLES: dict[str, Example] = {"curve_router_ng": ng_example, "curve_registry_exchange": registry_example}


@pytest.mark.parametrize("router", ROUTERS)
def test_route_is_one_intent_with_a_hop_for_each_pool(router: str) -> None:
    call = decoded(bytes.fromhex(router), exchanged(DAI, [(POOL, USDC, 1), (OTHER_POOL, WETH, 2)]))
    (intent,) = call.intents
    assert [(hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out, hop.fee_pips) for hop in intent.hops] == [
        ("curve", "", POOL, DAI, USDC, None),
        ("curve", "", OTHER_POOL, USDC, WETH, None),
    ]
    assert (intent.size, intent.recipient, intent.deadline) == (ExactIn(11, 22), SENDER, None)
    assert call.completeness is Completeness.EXACT


def test_pools_and_receiver_are_options() -> None:
    route = route_of(DAI, [(POOL, USDC, 1)], 11)
    params = [[0, 1, 1, 1, 2], *[[0] * 5] * 4]
    with_pools = calldata(f"exchange({NG},address[5])", route, params, 11, 22, [NOBODY] * 5)
    with_receiver = calldata(f"exchange({NG},address[5],address)", route, params, 11, 22, [NOBODY] * 5, FRIEND)
    assert [decoded(ROUTER_NG, data).intents[0].recipient for data in (with_pools, with_receiver)] == [SENDER, FRIEND]


def test_native_coin_is_twenty_zero_bytes() -> None:
    (intent,) = decoded(ROUTER_NG, exchanged(ETH, [(POOL, DAI, 1)]), 11).intents
    assert (intent.token_in, intent.token_out) == (NATIVE, DAI)


def test_wrapping_the_native_coin_is_no_hop_and_alone_no_swap() -> None:
    wrap = (WETH, WETH, 8)
    call = decoded(ROUTER_NG, exchanged(ETH, [wrap, (POOL, DAI, 1)]), 11)
    (intent,) = call.intents
    assert ([hop.pool for hop in intent.hops], intent.token_in, call.completeness) == ([POOL], WETH, Completeness.EXACT)
    assert decoded(ROUTER_NG, exchanged(ETH, [wrap]), 11).completeness is Completeness.NOT_A_SWAP


@pytest.mark.parametrize(
    ("kind", "protocol", "reason"),
    [
        (3, "curve", "through a zap"),
        (4, "curve_liquidity", "adds or removes liquidity"),
        (7, "curve_liquidity", "adds or removes liquidity"),
        (8, "curve_conversion", "outside of a pool"),
        (9, "curve_conversion", "outside of a pool"),
    ],
)
def test_step_that_is_no_swap_of_one_pool_leaves_the_intent_partial(kind: int, protocol: str, reason: str) -> None:
    (intent,) = decoded(ROUTER_NG, exchanged(DAI, [(POOL, USDC, 1), (OTHER_POOL, FRIEND, kind)])).intents
    assert [hop.protocol for hop in intent.hops] == ["curve", protocol]
    assert intent.completeness is Completeness.PARTIAL
    assert reason in intent.reason


def test_conversions_alone_are_no_swap() -> None:
    assert decoded(ROUTER_NG, exchanged(DAI, [(OTHER_POOL, FRIEND, 9)])).completeness is Completeness.NOT_A_SWAP


def test_zap_trades_in_the_pool_of_the_array() -> None:
    data = exchanged_multiple(DAI, [(POOL, USDC, 5)], [META_POOL])
    (intent,) = decoded(REGISTRY_EXCHANGE, data).intents
    assert (intent.hops[0].pool, intent.recipient, intent.completeness) == (META_POOL, FRIEND, Completeness.PARTIAL)


def test_registry_exchange_numbers_its_steps_otherwise() -> None:
    exact = decoded(REGISTRY_EXCHANGE, exchanged_multiple(DAI, [(POOL, USDC, 3), (OTHER_POOL, WETH, 4)], []))
    assert (len(exact.intents[0].hops), exact.completeness) == (2, Completeness.EXACT)
    call = decoded(REGISTRY_EXCHANGE, exchanged_multiple(WETH, [(WETH, ETH, 15), (POOL, DAI, 1)], []))
    assert [(hop.pool, hop.token_in) for hop in call.intents[0].hops] == [(POOL, NATIVE)]


def test_exchange_in_a_pool_names_its_tokens() -> None:
    plain = calldata("exchange(address,address,address,uint256,uint256)", POOL, DAI, ETH, 11, 22)
    (intent,) = decoded(REGISTRY_EXCHANGE, plain).intents
    assert (intent.hops[0].pool, intent.token_in, intent.token_out, intent.recipient) == (POOL, DAI, NATIVE, SENDER)
    to_friend = calldata("exchange(address,address,address,uint256,uint256,address)", POOL, DAI, USDC, 11, 22, FRIEND)
    assert decoded(REGISTRY_EXCHANGE, to_friend).intents[0].recipient == FRIEND


@pytest.mark.parametrize(("more", "recipient"), [([], SENDER), ([FRIEND], FRIEND)])
def test_best_rate_hides_the_pool(more: list[bytes], recipient: bytes) -> None:
    types = "address,address,uint256,uint256" + ",address" * len(more)
    (intent,) = decoded(REGISTRY_EXCHANGE, calldata(f"exchange_with_best_rate({types})", DAI, USDC, 11, 22, *more)).intents
    assert (intent.hops[0].pool, intent.hops[0].protocol, intent.recipient) == (b"", "", recipient)
    assert intent.completeness is Completeness.PARTIAL


@pytest.mark.parametrize(
    ("stops", "message"),
    [
        ([(POOL, USDC, 0)], "a type that the router lacks"),
        ([(POOL, USDC, 10)], "a type that the router lacks"),
        ([(POOL, USDC, 1), (POOL, NOBODY, 1)], "lacks a pool or a token"),
        ([(NOBODY, USDC, 1)], "lacks a pool or a token"),
    ],
)
def test_route_that_the_router_reverts_on_is_malformed(stops: list[Stop], message: str) -> None:
    with pytest.raises(MalformedCalldata, match=message):
        decoded(ROUTER_NG, exchanged(DAI, stops))


def test_dirty_address_reverts() -> None:
    dirty = bytearray(exchanged(DAI, [(POOL, USDC, 1)]))
    dirty[4] = 1
    with pytest.raises(MalformedCalldata, match="set bits beside"):
        decoded(ROUTER_NG, bytes(dirty))


@pytest.mark.shared
def test_mined_exchange_multiple_takes_one_coin_out_of_a_pool(shared_data: Path) -> None:
    found = mined_call(shared_data, 16257471, "0x8b45e329fa6517688f2420c17075479dcba8703fb418e867b9c0bf98dbe13254")
    call, logs = found
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (call.router, hop.protocol, intent.token_out) == ("curve_registry_exchange", "curve_liquidity", USDC)
    assert call.completeness is Completeness.PARTIAL
    removed = keccak256(b"RemoveLiquidityOne(address,uint256,uint256)").hex()
    (log,) = [log for log in logs if log["topics"][0] == f"0x{removed}"]
    sold, paid = (int(log["data"][2 + 64 * word : 66 + 64 * word], 16) for word in (0, 1))
    assert bytes.fromhex(log["address"][2:]) == hop.pool
    assert isinstance(intent.size, ExactIn)
    assert sold == intent.size.amount_in
    assert paid >= intent.size.min_amount_out
