"""Tokenlon's orders swap on the exchange that they name, along its pair or the path beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, address, calldata, path, tables
from tests.decode.mined_calls import mined_call
from tests.decode.wrappers.wrapped import Example, decoded, other_token

TOKENLON = bytes.fromhex("03f34be1bf910116595db1b11e9d1b2ca5d59659")
WRAPPER = bytes.fromhex("4a14347083b80e5216ca31350a2d21702ac3650d")
SUSHI_ROUTER = bytes.fromhex("d9e1ce17f2641f24ae83637ab66a2cca9c378b9f")
CURVE = bytes.fromhex("bebc44782c7db0a1a60cb6fe97d0b483032ff1c7")
V2_USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
V2_DAI_WETH = bytes.fromhex("a478c2975ab1ea89e8196811f51a7b7ade33eb11")
SUSHI_USDC_WETH = bytes.fromhex("397ff1542f962076d0bfe58ea045ffa2d347aca0")
V3_USDC_WETH = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
USER, ETH, NOBODY = b"\x55" * 20, b"\xee" * 20, bytes(20)
Tokens = tuple[bytes, bytes]

FIRST = "trade(address,address,address,uint256,uint256,uint256,address,address,uint256,uint256,bytes)"
ORDER = "(address,address,address,uint256,uint256,address,address,uint256,uint256)"
SECOND = f"trade({ORDER},bytes,uint16)"
WITH_PATH = f"trade({ORDER},uint256,bytes,bytes,address[])"
LAST = f"trade({ORDER},bytes,bytes,address[],uint16)"


def to_amm(payload: bytes) -> bytes:
    return calldata("toAMM(bytes)", payload)


def order(maker: bytes, tokens: Tokens) -> tuple[object, ...]:
    return (maker, *tokens, 11, 22, USER, FRIEND, 7, DEADLINE)


def trade(signature: str, maker: bytes, tokens: Tokens, specific: bytes = b"", along: tuple[bytes, ...] = ()) -> bytes:
    if signature == FIRST:
        return calldata(FIRST, maker, *tokens, 11, 22, 30, USER, FRIEND, 7, DEADLINE, b"signed")
    if signature == SECOND:
        return calldata(SECOND, order(maker, tokens), b"signed", 30)
    if signature == WITH_PATH:
        return calldata(WITH_PATH, order(maker, tokens), 30, b"signed", specific, along)
    return calldata(LAST, order(maker, tokens), b"signed", specific, along, 30)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return to_amm(trade(LAST, address("v2"), (ETH, other_token(of)))), 11


def example_of_wrapper(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return trade(LAST, address("v2"), (ETH, other_token(of))), 11


EXAMPLES: dict[str, Example] = {"tokenlon": example, "tokenlon_amm_wrapper": example_of_wrapper}


@pytest.mark.parametrize("signature", [FIRST, SECOND, WITH_PATH, LAST])
def test_every_form_of_an_order_swaps_on_the_makers_pair(signature: str) -> None:
    call = decoded(TOKENLON, to_amm(trade(signature, address("v2"), (USDC, WETH))))
    (intent,) = call.intents
    assert ([hop.pool for hop in intent.hops], intent.size) == ([V2_USDC_WETH], ExactIn(11, 22))
    assert (intent.recipient, intent.deadline, call.completeness) == (FRIEND, DEADLINE, Completeness.EXACT)
    (intent,) = decoded(TOKENLON, to_amm(trade(signature, SUSHI_ROUTER, (NOBODY, USDC))), 11).intents
    assert ([hop.pool for hop in intent.hops], intent.token_in) == ([SUSHI_USDC_WETH], WETH)


@pytest.mark.parametrize("signature", [WITH_PATH, LAST])
def test_path_beside_the_order_is_followed(signature: str) -> None:
    along = (DAI, WETH, USDC)
    (intent,) = decoded(TOKENLON, to_amm(trade(signature, address("v2"), (DAI, USDC), b"", along))).intents
    assert [hop.pool for hop in intent.hops] == [V2_DAI_WETH, V2_USDC_WETH]
    single, packed = encode(["uint8", "uint24"], [1, 500]), encode(["uint8", "bytes"], [2, path(USDC, 500, WETH)])
    for specific in (single, packed):
        (intent,) = decoded(TOKENLON, to_amm(trade(signature, address("v3"), (USDC, ETH), specific))).intents
        assert ([hop.pool for hop in intent.hops], intent.token_out) == ([V3_USDC_WETH], WETH)


def test_maker_that_is_no_listed_router_is_a_curve_pool() -> None:
    (intent,) = decoded(TOKENLON, to_amm(trade(LAST, CURVE, (DAI, USDC)))).intents
    assert [(hop.protocol, hop.pool, hop.token_in, hop.token_out) for hop in intent.hops] == [("curve", CURVE, DAI, USDC)]
    call = decoded(TOKENLON, to_amm(trade(LAST, WRAPPER, (DAI, USDC))))
    assert (call.intents[0].size, call.completeness) == (ExactIn(11, 22), Completeness.PARTIAL)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (trade(LAST, address("v2"), (ETH, USDC)), "not the value sent"),
        (trade(LAST, address("v2"), (DAI, USDC), b"", (DAI, WETH)), "does not join"),
        (trade(LAST, address("v3"), (DAI, USDC), encode(["uint8", "bytes"], [2, path(DAI, 500, WETH)])), "does not join"),
        (trade(LAST, address("v3"), (DAI, USDC), encode(["uint8"], [3])), "no way 3"),
    ],
)
def test_orders_that_revert_are_malformed(payload: bytes, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decode(tables(), TOKENLON, to_amm(payload), 0, SENDER)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("number", "transaction", "amount_in", "minimum"),
    [
        (11743952, "0x11a69eca6d8a4a576aa3667d4698d394be9a73b234a6ba0057496370a99be5fe", 0x55FCF81F24CC40000, 0x616FF2FCD48AD00),
        (12243999, "0x06f9fbfd26a95a0d5c003b070186d5ecfc8b668e7a0bcccee784f810ea0a0f35", 1_500_000_000, 0x7F24848D5208E00),
    ],
)
def test_mined_orders_swap_on_the_pair_that_logged_it(
    shared_data: Path, number: int, transaction: str, amount_in: int, minimum: int
) -> None:
    call, logs = mined_call(shared_data, number, transaction)
    (intent,) = call.intents
    assert (intent.size, call.completeness) == (ExactIn(amount_in, minimum), Completeness.EXACT)
    assert "0x" + intent.hops[0].pool.hex() in {
        log["address"] for log in logs if len(log["topics"]) == 3 and len(log["data"]) == 258
    }
