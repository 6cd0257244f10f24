"""1inch's routers v3 and v4: words of V2 pairs and V3 pools, and what is done about tokens that the calldata does not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata
from tests.decode.mined_calls import mined_call
from tests.decode.packed_words import (
    ETH,
    NATIVE,
    OTHER_UNLISTED,
    PART,
    TOKEN,
    TOKEN1_IN,
    UNLISTED,
    UNWRAP_AFTER_V2,
    UNWRAP_AFTER_V3,
    V2_DAI_WETH,
    V2_USDC_WETH,
    V3_DAI_USDC,
    V3_USDC_WETH,
    Example,
    decoded_at,
    mined_amounts_in,
    packed,
    v2_word_of,
    word,
)

V3_ROUTER = bytes.fromhex("11111112542d85b3ef69ae05771c2dccff4faa26")
V4 = bytes.fromhex("1111111254fb6c44bac0bed2854e76f90643097d")
UNOSWAP = "unoswap(address,uint256,uint256,bytes32[])"
V3 = "uniswapV3Swap(uint256,uint256,uint256[])"
V3_TO = "uniswapV3SwapTo(address,uint256,uint256,uint256[])"
V3_PERMIT = "uniswapV3SwapToWithPermit(address,address,uint256,uint256,uint256[],bytes)"
SWAP = "swap(address,(address,address,address,address,uint256,uint256,uint256,bytes),bytes)"
RFQ = "(uint256,address,address,address,address,uint256,uint256)"


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    _, pair = v2_word_of(of)
    return calldata(UNOSWAP, NATIVE, 11, 22, packed(pair)), 11


EXAMPLES: dict[str, Example] = {"one_inch_v3": example, "one_inch_v4": example}


def test_pairs_are_followed_by_their_directions_from_the_token_in_alone() -> None:
    words = packed(word(V2_USDC_WETH), word(V2_DAI_WETH, TOKEN1_IN))
    call = decoded_at(V4, calldata(UNOSWAP, USDC, 11, 22, words))
    (intent,) = call.intents
    assert [(hop.protocol, hop.pool, hop.token_in, hop.token_out) for hop in intent.hops] == [
        ("uniswap_v2", V2_USDC_WETH, USDC, WETH),
        ("uniswap_v2", V2_DAI_WETH, WETH, DAI),
    ]
    assert (intent.size, intent.recipient, intent.measures_received) == (ExactIn(11, 22), SENDER, False)
    assert call.completeness is Completeness.EXACT


def test_router_of_v3_reads_the_same_words() -> None:
    (intent,) = decoded_at(V3_ROUTER, calldata(UNOSWAP, USDC, 11, 22, packed(word(V2_USDC_WETH)))).intents
    assert (intent.hops[0].pool, intent.token_out, intent.size) == (V2_USDC_WETH, WETH, ExactIn(11, 22))


def test_discounted_swap_may_fail_without_the_call() -> None:
    description = (USDC, ETH, FRIEND, NATIVE, 11, 22, 4, b"")
    plain, discounted = (
        decoded_at(V3_ROUTER, calldata(name, FRIEND, description, b"program"))
        for name in (SWAP, SWAP.replace("swap", "discountedSwap", 1))
    )
    assert [call.intents[0].allow_revert for call in (plain, discounted)] == [False, True]
    assert (discounted.intents[0].size, discounted.completeness) == (ExactIn(11, 22), Completeness.PARTIAL)


def test_token_of_zero_is_the_value_sent_and_no_other_value_is_taken() -> None:
    words = packed(word(V2_USDC_WETH, TOKEN1_IN))
    assert decoded_at(V4, calldata(UNOSWAP, NATIVE, 11, 22, words), 11).intents[0].token_in == WETH
    for token, value_wei in ((NATIVE, 10), (NATIVE, 0), (WETH, 11)):
        with pytest.raises(MalformedCalldata, match="the value sent is not the amount"):
            decoded_at(V4, calldata(UNOSWAP, token, 11, 22, words), value_wei)


def test_flag_to_unwrap_tells_the_last_token() -> None:
    call = decoded_at(V4, calldata(UNOSWAP, USDC, 11, 22, packed(word(UNLISTED, UNWRAP_AFTER_V2))))
    (hop,) = call.intents[0].hops
    assert (hop.kind, hop.pool, hop.token_in, hop.token_out) == ("", UNLISTED, USDC, WETH)
    assert call.completeness is Completeness.EXACT


def test_pair_of_no_listed_factory_leaves_the_tokens_behind_it_unknown() -> None:
    words = packed(word(UNLISTED, TOKEN1_IN), word(OTHER_UNLISTED))
    call = decoded_at(V4, calldata(UNOSWAP, TOKEN, 11, 22, words))
    first, second = call.intents[0].hops
    assert (first.pool, first.token_in, first.token_out, first.zero_for_one) == (UNLISTED, TOKEN, b"", False)
    assert (second.pool, second.token_in, second.token_out, second.zero_for_one) == (OTHER_UNLISTED, b"", b"", True)
    assert (call.completeness, call.reason) == (
        Completeness.TOKENS_UNKNOWN,
        f"the tokens of 0x{UNLISTED.hex()} are not in the calldata",
    )


def test_pair_that_is_found_tells_the_token_of_the_one_before_it() -> None:
    words = packed(word(UNLISTED), word(V2_USDC_WETH, TOKEN1_IN))
    decoded_at(V4, calldata(UNOSWAP, USDC, 11, 22, packed(word(V2_USDC_WETH))))
    hops = decoded_at(V4, calldata(UNOSWAP, TOKEN, 11, 22, words)).intents[0].hops
    assert [(hop.token_in, hop.token_out) for hop in hops] == [(TOKEN, WETH), (WETH, USDC)]


def test_pair_that_is_reckoned_with_another_fee_than_its_own_is_not_simulated() -> None:
    same, other = (
        decoded_at(V4, calldata(UNOSWAP, USDC, 11, 22, packed(word(V2_USDC_WETH, 0, part)))).intents[0].hops[0]
        for part in (PART, PART - 1)
    )
    assert same.identity is not None
    assert (other.identity, other.pool, other.token_out) == (None, V2_USDC_WETH, WETH)


def test_v3_pools_tell_each_other_the_tokens_from_the_unwrapped_end() -> None:
    words = [word(V3_DAI_USDC), word(V3_USDC_WETH, UNWRAP_AFTER_V3)]
    call = decoded_at(V4, calldata(V3, 11, 22, words))
    (intent,) = call.intents
    assert [(hop.pool, hop.token_in, hop.token_out) for hop in intent.hops] == [
        (V3_DAI_USDC, DAI, USDC),
        (V3_USDC_WETH, USDC, WETH),
    ]
    assert (call.completeness, intent.sqrt_price_limit_x96) == (Completeness.EXACT, 0)


def test_v3_swap_of_the_value_sent_begins_with_the_wrapped_token() -> None:
    data = calldata(V3_TO, FRIEND, 11, 22, [word(V3_USDC_WETH, TOKEN1_IN)])
    (intent,) = decoded_at(V4, data, 11).intents
    assert (intent.token_in, intent.token_out, intent.recipient) == (WETH, USDC, FRIEND)


def test_v3_pool_whose_tokens_nothing_tells_keeps_its_direction() -> None:
    call = decoded_at(V4, calldata(V3, 11, 22, [word(UNLISTED, TOKEN1_IN)]))
    (hop,) = call.intents[0].hops
    assert (hop.pool, hop.token_in, hop.token_out, hop.zero_for_one) == (UNLISTED, b"", b"", False)
    assert call.completeness is Completeness.TOKENS_UNKNOWN


def test_v3_swap_with_permit_says_its_token() -> None:
    data = calldata(V3_PERMIT, FRIEND, USDC, 11, 22, [word(V3_USDC_WETH)], b"permit")
    (intent,) = decoded_at(V4, data).intents
    assert (intent.token_in, intent.token_out, intent.completeness) == (USDC, WETH, Completeness.EXACT)


def test_calls_without_pools() -> None:
    with pytest.raises(MalformedCalldata, match="there are no pools"):
        decoded_at(V4, calldata(V3, 11, 22, []))
    assert decoded_at(V4, calldata(UNOSWAP, USDC, 11, 22, [])).completeness is Completeness.OPAQUE


def test_path_that_no_transaction_pays_for_is_refused() -> None:
    with pytest.raises(MalformedCalldata) as caught:
        decoded_at(V4, calldata(UNOSWAP, TOKEN, 11, 22, packed(word(UNLISTED)) * 257))
    assert caught.value.refused


def test_executors_swap_shows_tokens_amount_and_minimum() -> None:
    data = calldata(SWAP, FRIEND, (USDC, ETH, FRIEND, NATIVE, 11, 22, 4, b""), b"program")
    call = decoded_at(V4, data)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, NATIVE, ExactIn(11, 22), SENDER)
    assert (call.completeness, intent.hops[0].pool) == (Completeness.PARTIAL, b"")


def test_executors_swap_without_a_minimum_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="the minimum is 0"):
        decoded_at(V4, calldata(SWAP, FRIEND, (USDC, ETH, FRIEND, NATIVE, 11, 0, 4, b""), b"program"))


@pytest.mark.parametrize(
    ("making", "taking", "size"),
    [(0, 0, ExactIn(500, 1000)), (0, 50, ExactIn(50, 100)), (99, 0, ExactIn(50, 99))],
)
def test_rfq_order_is_filled_at_its_price_in_whole_or_by_either_side(making: int, taking: int, size: ExactIn) -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, 1000, 500)
    data = calldata(f"fillOrderRFQTo({RFQ},bytes,uint256,uint256,address)", order, b"signature", making, taking, FRIEND)
    call = decoded_at(V4, data)
    (intent,) = call.intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out, intent.size) == ("limit_order", USDC, WETH, size)
    assert (intent.recipient, call.completeness) == (FRIEND, Completeness.PARTIAL)


def test_rfq_order_asked_for_both_sides_or_too_much_reverts() -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, 1000, 500)
    for making, taking in ((1, 1), (1001, 0), (0, 501)):
        with pytest.raises(MalformedCalldata):
            decoded_at(V4, calldata(f"fillOrderRFQ({RFQ},bytes,uint256,uint256)", order, b"", making, taking))


def test_rfq_order_whose_amounts_overflow_reverts() -> None:
    order = (1, WETH, USDC, FRIEND, NATIVE, 1 << 255, 4)
    with pytest.raises(MalformedCalldata, match="overflow"):
        decoded_at(V4, calldata(f"fillOrderRFQ({RFQ},bytes,uint256,uint256)", order, b"", 1 << 255, 0))


def test_clipper_is_named_by_its_tokens() -> None:
    call = decoded_at(V4, calldata("clipperSwapTo(address,address,address,uint256,uint256)", FRIEND, NATIVE, USDC, 11, 22), 11)
    (intent,) = call.intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out) == ("clipper", NATIVE, USDC)
    assert (intent.size, intent.recipient, call.completeness) == (ExactIn(11, 22), FRIEND, Completeness.PARTIAL)


@pytest.mark.shared
def test_mined_executors_swap_paid_at_least_its_minimum(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 14029313, "0xb5f40a23a4c28757722931b4b85e4a4b336edc7d0685ac8ea392fbb5f2545e8b")
    (intent,) = call.intents
    assert isinstance(intent.size, ExactIn)
    recipient = "0x" + intent.recipient.rjust(32, b"\0").hex()
    received = [int(log["data"], 16) for log in logs if log["topics"][2:] == [recipient]]
    assert (call.completeness, intent.token_out) == (Completeness.PARTIAL, USDC)
    assert max(received) >= intent.size.min_amount_out


@pytest.mark.shared
def test_mined_discounted_swap_failed_without_its_transaction(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 12520364, "0x2dfbf990a6098fd6f7bebc1ef838950134df455078c9e512e71b9c72990aa4a0")
    assert (call.commands, call.intents[0].allow_revert) == (("discountedSwap",), True)
    assert any(b"Swap failed" in bytes.fromhex(log["data"][2:]) for log in logs)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("number", "transaction_hash"),
    [
        (12243999, "0x71cfbb7ca207a530af89e188326a3ce611e1a35a3b423b47b0dacdd5a56cd1c2"),
        (13217637, "0xcb1e823ed2894d94dda19f600f45588eb12f14654f36e1c4ab113e43624e3f7c"),
    ],
)
def test_mined_swaps_of_v3_inside_metamasks_went_through_the_pools_read(
    shared_data: Path, number: int, transaction_hash: str
) -> None:
    call, logs = mined_call(shared_data, number, transaction_hash)
    (intent,) = call.intents
    assert isinstance(intent.size, ExactIn)
    assert (call.commands, mined_amounts_in(intent, logs)[0]) == (
        ("swap", "unoswap"),
        (intent.hops[0].pool, intent.size.amount_in),
    )
