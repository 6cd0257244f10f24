"""1inch's router v5: the same words as v4 with a recipient, limit orders, and six mined swaps along pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn, ExactOut, Size
from tests.decode.calls import FRIEND, SENDER, USDC, WETH, calldata
from tests.decode.mined_calls import mined_call
from tests.decode.packed_words import (
    ETH,
    NATIVE,
    TOKEN1_IN,
    UNWRAP_AFTER_V2,
    UNWRAP_AFTER_V3,
    V2_USDC_WETH,
    V3_USDC_WETH,
    Example,
    decoded_at,
    mined_amounts_in,
    v2_word_of,
    word,
)

V5 = bytes.fromhex("1111111254eeb25477b68fb85ed929f73a960582")
UNOSWAP = "unoswap(address,uint256,uint256,uint256[])"
UNOSWAP_TO = "unoswapTo(address,address,uint256,uint256,uint256[])"
UNOSWAP_PERMIT = "unoswapToWithPermit(address,address,uint256,uint256,uint256[],bytes)"
V3_TO = "uniswapV3SwapTo(address,uint256,uint256,uint256[])"
SWAP = "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes,bytes)"
CLIPPER_TO = "clipperSwapTo(address,address,address,address,uint256,uint256,uint256,bytes32,bytes32)"
ORDER = "(uint256,address,address,address,address,address,uint256,uint256,uint256,bytes)"
RFQ = "(uint256,address,address,address,address,uint256,uint256)"
MAKERS_AMOUNT = 1 << 255
MINED = [
    (17034869, "0x89f1f7fe2a1de44bffd1d9aad18dbc6a8e2ae06f62fdd82e7413cfcf53146dbd"),
    (17034869, "0x8a1908d64a3a18375ca6a94997e302ebed32ed5ab3b98a7e3e73aa83f27f185a"),
    (17034869, "0x99326196a9b467e700e0c2aab86abfdb599d641597a4dd7ac6c5e97650783497"),
    (18085863, "0xac962686d522cebb72ee179a4cf075b0ad8689c9dabfd2127d0cdee596366db4"),
    (19426586, "0xe90ab4d5e6fd25bd3fd37b6bf7c02e485995ca581449940e5c6705ac99b2e953"),
    (19426586, "0x1fa242912ee3e7aac57e228dba9d59d6a9a7494799ec9ad56f7c34e937bb51d5"),
]


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    _, pair = v2_word_of(of)
    return calldata(UNOSWAP, NATIVE, 11, 22, [pair]), 11


EXAMPLES: dict[str, Example] = {"one_inch_v5": example}


@pytest.mark.parametrize(
    ("data", "recipient"),
    [
        (calldata(UNOSWAP, USDC, 11, 22, [word(V2_USDC_WETH)]), SENDER),
        (calldata(UNOSWAP_TO, FRIEND, USDC, 11, 22, [word(V2_USDC_WETH)]), FRIEND),
        (calldata(UNOSWAP_PERMIT, FRIEND, USDC, 11, 22, [word(V2_USDC_WETH)], b"permit"), FRIEND),
    ],
)
def test_each_unoswap_has_its_recipient(data: bytes, recipient: bytes) -> None:
    call = decoded_at(V5, data)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, WETH, ExactIn(11, 22), recipient)
    assert (call.completeness, intent.measures_received) == (Completeness.EXACT, False)


def test_amount_beyond_112_bits_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="112 bits"):
        decoded_at(V5, calldata(UNOSWAP, USDC, 1 << 112, 22, [word(V2_USDC_WETH)]))


def test_value_of_a_v3_swap_is_wrapped_and_must_be_the_amount() -> None:
    data = calldata(V3_TO, FRIEND, 11, 22, [word(V3_USDC_WETH, TOKEN1_IN)])
    assert decoded_at(V5, data, 11).intents[0].token_in == WETH
    with pytest.raises(MalformedCalldata, match="the value sent is not the amount"):
        decoded_at(V5, data, 12)


def test_dirty_address_reverts() -> None:
    dirty = bytearray(calldata(UNOSWAP_TO, FRIEND, USDC, 11, 22, [word(V2_USDC_WETH)]))
    dirty[4 + 32] = 1
    with pytest.raises(MalformedCalldata):
        decoded_at(V5, bytes(dirty))


def test_executors_swap_shows_tokens_amount_minimum_and_that_it_may_sell_less() -> None:
    call = decoded_at(V5, calldata(SWAP, FRIEND, (ETH, USDC, FRIEND, FRIEND, 11, 22, 1), b"", b"program"), 11)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (NATIVE, USDC, ExactIn(11, 22), FRIEND)
    assert call.completeness is Completeness.PARTIAL
    assert "may sell less" in call.reason


def test_clipper_is_named_by_its_address() -> None:
    data = calldata(CLIPPER_TO, V3_USDC_WETH, FRIEND, USDC, NATIVE, 11, 22, 33, bytes(32), bytes(32))
    (intent,) = decoded_at(V5, data).intents
    assert (intent.hops[0].protocol, intent.hops[0].pool, intent.token_out) == ("clipper", V3_USDC_WETH, NATIVE)
    assert (intent.size, intent.recipient, intent.completeness) == (ExactIn(11, 22), FRIEND, Completeness.PARTIAL)


@pytest.mark.parametrize(("making", "taking", "size"), [(0, 50, ExactIn(50, 7)), (99, 0, ExactOut(99, 7))])
def test_limit_order_is_filled_by_one_sides_amount_within_a_threshold(making: int, taking: int, size: Size) -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, NATIVE, 1000, 500, 0, b"")
    signature = f"fillOrderTo({ORDER},bytes,bytes,uint256,uint256,uint256,address)"
    call = decoded_at(V5, calldata(signature, order, b"signature", b"", making, taking, 1 << 255 | 7, FRIEND))
    (intent,) = call.intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out, intent.size) == ("limit_order", USDC, WETH, size)
    assert (intent.recipient, call.completeness) == (FRIEND, Completeness.PARTIAL)


def test_limit_order_without_one_side_or_with_both_reverts() -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, NATIVE, 1000, 500, 0, b"")
    for making, taking in ((0, 0), (1, 1)):
        with pytest.raises(MalformedCalldata, match="one of the two"):
            decoded_at(
                V5, calldata(f"fillOrder({ORDER},bytes,bytes,uint256,uint256,uint256)", order, b"", b"", making, taking, 7)
            )


@pytest.mark.parametrize(
    ("flags_and_amount", "size"),
    [(0, ExactIn(500, 1000)), (50, ExactIn(50, 100)), (MAKERS_AMOUNT | 99, ExactIn(50, 99)), (1 << 252 | 51, ExactIn(51, 102))],
)
def test_rfq_order_says_by_flags_whose_amount_it_is(flags_and_amount: int, size: ExactIn) -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, 1000, 500)
    data = calldata(f"fillOrderRFQCompact({RFQ},bytes32,bytes32,uint256)", order, bytes(32), bytes(32), flags_and_amount)
    (intent,) = decoded_at(V5, data).intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, WETH, size, SENDER)


def test_unwrapping_flags_of_both_families() -> None:
    pair = calldata(UNOSWAP, USDC, 11, 22, [word(V2_USDC_WETH, UNWRAP_AFTER_V2)])
    pool = calldata(V3_TO, FRIEND, 11, 22, [word(V3_USDC_WETH, UNWRAP_AFTER_V3)])
    assert [decoded_at(V5, data).intents[0].token_out for data in (pair, pool)] == [WETH, WETH]


@pytest.mark.shared
@pytest.mark.parametrize(("number", "transaction_hash"), MINED)
def test_mined_swaps_went_through_the_pools_read_with_the_amount_read(
    shared_data: Path, number: int, transaction_hash: str
) -> None:
    call, logs = mined_call(shared_data, number, transaction_hash)
    (intent,) = call.intents
    mined = mined_amounts_in(intent, logs)
    assert isinstance(intent.size, ExactIn)
    assert mined[0] == (intent.hops[0].pool, intent.size.amount_in)
    assert all(amount for _, amount in mined)
    assert call.completeness in (Completeness.EXACT, Completeness.TOKENS_UNKNOWN)
