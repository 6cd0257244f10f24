"""Velora's Augustus v4: pairs by a path, calls of others, and adapters' routes, which stay hidden."""

from __future__ import annotations

from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, address, calldata, tables
from tests.decode.test_paraswap_v5 import ETH, NOBODY, V2_DAI_WETH, V2_USDC_WETH, Example

V4 = bytes.fromhex("1bd435f3c054b6e901b7b108a0ab7617c808677b")
SUSHI = bytes.fromhex("c0aee478e3658e2610c5f7a4a2e1777ce9e4f2ac")
SUSHI_CODE = bytes.fromhex("e18a34eb0e04b04f7a0ac29a6e80748dca96319b42c54d679cb821dca90c6303")
SUSHI_USDC_WETH = bytes.fromhex("397ff1542f962076d0bfe58ea045ffa2d347aca0")
ON_UNISWAP, ON_FORK = "(uint256,uint256,address[],uint8)", "(address,bytes32,uint256,uint256,address[],uint8)"
SIMPLE = "simpleSwap(address,address,uint256,uint256,uint256,address[],bytes,uint256[],uint256[],address,string,bool)"
PATH = "(address,uint256,(address,address,uint256,bytes,uint256)[])[]"
MULTI = f"multiSwap((address,uint256,uint256,uint256,address,string,bool,{PATH}))"
MEGA = f"megaSwap((address,uint256,uint256,uint256,address,string,bool,(uint256,{PATH})[]))"
ROUTE = (FRIEND, FRIEND, 10_000, b"", 0)


def simple(*calls: tuple[bytes, bytes], minimum: int = 22) -> bytes:
    packed = b"".join(data for _, data in calls)
    starts = [sum(len(data) for _, data in calls[:count]) for count in range(len(calls) + 1)]
    callees, values = [callee for callee, _ in calls], [0 for _ in calls]
    return calldata(SIMPLE, DAI, USDC, 11, minimum, 33, callees, packed, starts, values, FRIEND, "name", False)


def through_adapters(signature: str, path: list[Any], minimum: int = 22) -> bytes:
    return calldata(signature, (DAI, 11, minimum, 33, NOBODY, "name", False, path))


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), V4, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return calldata("swapOnUniswap" + ON_UNISWAP, 11, 22, [ETH, other], 0), 11


EXAMPLES: dict[str, Example] = {"paraswap_v4": example}


def test_paths_of_pairs_sell_and_buy() -> None:
    (sell,) = decoded(calldata("swapOnUniswap" + ON_UNISWAP, 11, 22, [DAI, WETH, USDC], 0)).intents
    assert [hop.pool for hop in sell.hops] == [V2_DAI_WETH, V2_USDC_WETH]
    assert (sell.size, sell.recipient) == (ExactIn(11, 22), SENDER)
    (buy,) = decoded(calldata("buyOnUniswap" + ON_UNISWAP, 11, 22, [USDC, ETH], 0)).intents
    assert (buy.token_in, buy.token_out, buy.size) == (USDC, WETH, ExactOut(22, 11))


@pytest.mark.parametrize(("name", "size"), [("swapOnUniswapFork", ExactIn(11, 22)), ("buyOnUniswapFork", ExactOut(22, 11))])
def test_pairs_of_a_fork_are_computed_from_its_factory(name: str, size: ExactIn | ExactOut) -> None:
    (intent,) = decoded(calldata(name + ON_FORK, SUSHI, SUSHI_CODE, 11, 22, [USDC, WETH], 0)).intents
    assert ([hop.pool for hop in intent.hops], intent.size) == ([SUSHI_USDC_WETH], size)


def test_calls_of_other_routers_are_followed() -> None:
    swap = calldata("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 11, 1, [DAI, USDC], V4, DEADLINE)
    call = decoded(simple((address("v2"), swap)))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), V4)
    assert call.completeness is Completeness.EXACT
    hidden = decoded(simple((FRIEND, b"\x01\x02\x03\x04")))
    assert (hidden.intents[0].size, hidden.intents[0].recipient) == (ExactIn(11, 22), FRIEND)


def test_routes_of_adapters_leave_tokens_and_amount() -> None:
    path = [(WETH, 0, [ROUTE]), (USDC, 0, [ROUTE])]
    for data in (through_adapters(MULTI, path), through_adapters(MEGA, [(5_000, path), (5_000, path)])):
        call = decoded(data)
        (intent,) = call.intents
        assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), SENDER)
        assert call.completeness is Completeness.PARTIAL


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (through_adapters(MULTI, []), "there is no path"),
        (through_adapters(MEGA, []), "there is no path"),
        (through_adapters(MULTI, [(USDC, 0, [ROUTE])], 0), "amount to receive is 0"),
        (simple((FRIEND, b"\x01\x02\x03\x04"), minimum=0), "amount to receive is 0"),
    ],
)
def test_calls_that_revert_are_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded(data)
