"""All functions of the V3 SwapRouter."""

from __future__ import annotations

import pytest

from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, FRIEND, USDC, WETH, address, calldata, decoded, path

POOL = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
SINGLE = "((address,address,uint24,address,uint256,uint256,uint256,uint160))"
ALONG = "((bytes,address,uint256,uint256,uint256))"
NOBODY = bytes(20)


def exact_input_single(recipient: bytes = FRIEND, minimum: int = 22, fee: int = 500) -> bytes:
    return calldata("exactInputSingle" + SINGLE, (USDC, WETH, fee, recipient, DEADLINE, 11, minimum, 33))


def test_exact_input_single_is_read_as_eth_abi_encoded_it() -> None:
    (intent,) = decoded("v3", exact_input_single()).intents
    (hop,) = intent.hops
    assert (hop.pool, hop.token_in, hop.token_out, hop.fee_pips, hop.tick_spacing) == (POOL, USDC, WETH, 500, 10)
    assert (intent.size, intent.recipient, intent.deadline) == (ExactIn(11, 22), FRIEND, DEADLINE)
    assert intent.sqrt_price_limit_x96 == 33


def test_exact_output_single_is_read_as_eth_abi_encoded_it() -> None:
    data = calldata("exactOutputSingle" + SINGLE, (WETH, USDC, 500, FRIEND, DEADLINE, 11, 22, 33))
    (intent,) = decoded("v3", data).intents
    assert (intent.hops[0].pool, intent.size, intent.sqrt_price_limit_x96) == (POOL, ExactOut(11, 22), 33)


def test_exact_input_follows_its_path() -> None:
    data = calldata("exactInput" + ALONG, (path(DAI, 100, USDC, 500, WETH), FRIEND, DEADLINE, 11, 22))
    (intent,) = decoded("v3", data).intents
    assert [(hop.token_in, hop.fee_pips) for hop in intent.hops] == [(DAI, 100), (USDC, 500)]
    assert (intent.hops[1].pool, intent.token_out, intent.size) == (POOL, WETH, ExactIn(11, 22))


def test_exact_output_comes_out_in_trade_order() -> None:
    data = calldata("exactOutput" + ALONG, (path(WETH, 500, USDC, 100, DAI), FRIEND, DEADLINE, 11, 22))
    for _ in range(2):
        (intent,) = decoded("v3", data).intents
        assert [(hop.token_in, hop.token_out, hop.fee_pips) for hop in intent.hops] == [(DAI, USDC, 100), (USDC, WETH, 500)]
        assert (intent.hops[1].pool, intent.size) == (POOL, ExactOut(11, 22))


def test_nobody_as_recipient_is_the_router() -> None:
    (intent,) = decoded("v3", exact_input_single(NOBODY)).intents
    assert intent.recipient == address("v3")


def test_minimum_of_the_unwrap_that_follows_is_a_limit_too() -> None:
    unwrap = calldata("unwrapWETH9(uint256,address)", 44, FRIEND)
    call = decoded("v3", calldata("multicall(bytes[])", [exact_input_single(NOBODY), unwrap]))
    assert call.intents[0].size == ExactIn(11, 44)
    assert call.commands == ("multicall", "exactInputSingle", "unwrapWETH9")


def test_smaller_minimum_of_a_sweep_leaves_the_swaps_own() -> None:
    sweep = calldata("sweepTokenWithFee(address,uint256,address,uint256,address)", WETH, 1, FRIEND, 10, FRIEND)
    call = decoded("v3", calldata("multicall(bytes[])", [exact_input_single(NOBODY), sweep]))
    assert call.intents[0].size == ExactIn(11, 22)


def test_minimum_over_two_swaps_together_is_no_limit_of_either() -> None:
    unwrap = calldata("unwrapWETH9(uint256,address)", 44, FRIEND)
    call = decoded("v3", calldata("multicall(bytes[])", [exact_input_single(NOBODY), exact_input_single(NOBODY), unwrap]))
    assert [intent.size for intent in call.intents] == [ExactIn(11, 22), ExactIn(11, 22)]


def test_refund_and_permit_stand_by_name_beside_a_swap() -> None:
    permit = calldata("selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)", USDC, 1, 2, 27, bytes(32), bytes(32))
    call = decoded("v3", calldata("multicall(bytes[])", [permit, exact_input_single(), calldata("refundETH()")]))
    assert call.commands == ("multicall", "selfPermit", "exactInputSingle", "refundETH")
    assert call.completeness is Completeness.EXACT


def test_multicall_without_a_swap_is_not_one() -> None:
    call = decoded("v3", calldata("multicall(bytes[])", [calldata("refundETH()")]))
    assert (call.completeness, call.intents) == (Completeness.NOT_A_SWAP, ())


def test_fee_that_the_factory_lacks_leaves_the_intent_partial_and_without_a_pool() -> None:
    call = decoded("v3", exact_input_single(fee=1234))
    (intent,) = call.intents
    assert intent.completeness is call.completeness is Completeness.PARTIAL
    assert (intent.hops[0].pool, intent.reason) == (b"", "uniswap_v3 has no fee of 1234 pips")


@pytest.mark.parametrize("length", [0, 20, 23, 42])
def test_path_shorter_than_one_pool_is_malformed(length: int) -> None:
    data = calldata("exactInput" + ALONG, (path(DAI, 100, USDC)[:length], FRIEND, DEADLINE, 11, 22))
    with pytest.raises(MalformedCalldata, match="a pool takes 43"):
        decoded("v3", data)


def test_bytes_after_the_last_whole_pool_of_a_path_are_passed_over_as_on_chain() -> None:
    whole = path(DAI, 100, USDC)
    for extra in (1, 22):
        data = calldata("exactInput" + ALONG, (whole + bytes(extra), FRIEND, DEADLINE, 11, 22))
        (intent,) = decoded("v3", data).intents
        assert (len(intent.hops), intent.token_out) == (1, USDC)


def test_same_token_on_both_sides_is_malformed() -> None:
    with pytest.raises(MalformedCalldata, match="same token"):
        decoded("v3", calldata("exactInput" + ALONG, (path(DAI, 100, DAI), FRIEND, DEADLINE, 11, 22)))
    with pytest.raises(MalformedCalldata, match="same token"):
        decoded("v3", calldata("exactInputSingle" + SINGLE, (DAI, DAI, 100, FRIEND, DEADLINE, 11, 22, 0)))


def test_dirty_words_revert_on_the_second_abi_coder() -> None:
    clean = exact_input_single()
    for word in (0, 1, 2, 3, 7):
        dirty = bytearray(clean)
        dirty[4 + 32 * word] = 1
        with pytest.raises(MalformedCalldata, match="set bits beside"):
            decoded("v3", bytes(dirty))
