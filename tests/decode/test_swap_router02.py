"""All functions of SwapRouter02, its balances and its nested multicalls."""

from __future__ import annotations

import pytest

from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut
from tests.decode.calls import (
    DAI,
    DEADLINE,
    ETHER,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    USDC,
    WETH,
    address,
    calldata,
    decoded,
    path,
)

SINGLE = "((address,address,uint24,address,uint256,uint256,uint160))"
ALONG = "((bytes,address,uint256,uint256))"
V2 = "(uint256,uint256,address[],address)"
POOL = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")


def exact_input_single(amount_in: int = 11, recipient: bytes = FRIEND, minimum: int = 22) -> bytes:
    return calldata("exactInputSingle" + SINGLE, (USDC, WETH, 500, recipient, amount_in, minimum, 33))


def v2_exact_in(amount_in: int, tokens: list[bytes], recipient: bytes = FRIEND, minimum: int = 22) -> bytes:
    return calldata("swapExactTokensForTokens" + V2, amount_in, minimum, tokens, recipient)


def test_v3_functions_without_deadline_are_read_as_eth_abi_encoded_them() -> None:
    (intent,) = decoded("02", exact_input_single()).intents
    assert (intent.hops[0].pool, intent.size, intent.sqrt_price_limit_x96) == (POOL, ExactIn(11, 22), 33)
    assert (intent.recipient, intent.deadline) == (FRIEND, None)
    (intent,) = decoded("02", calldata("exactOutputSingle" + SINGLE, (USDC, WETH, 500, FRIEND, 11, 22, 0))).intents
    assert (intent.hops[0].pool, intent.size) == (POOL, ExactOut(11, 22))
    (intent,) = decoded("02", calldata("exactInput" + ALONG, (path(DAI, 100, USDC), FRIEND, 11, 22))).intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, 22))
    (intent,) = decoded("02", calldata("exactOutput" + ALONG, (path(DAI, 100, USDC), FRIEND, 11, 22))).intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactOut(11, 22))


def test_v2_functions_measure_and_pay_forward() -> None:
    (intent,) = decoded("02", v2_exact_in(11, [DAI, USDC])).intents
    assert (intent.size, intent.measures_received, intent.recipient) == (ExactIn(11, 22), True, FRIEND)
    (intent,) = decoded("02", calldata("swapTokensForExactTokens" + V2, 11, 22, [DAI, USDC], FRIEND)).intents
    assert (intent.size, intent.measures_received) == (ExactOut(11, 22, pays_forward=True), True)


@pytest.mark.parametrize(("recipient", "resolved"), [(TO_SENDER, SENDER), (TO_ROUTER, address("02")), (FRIEND, FRIEND)])
def test_recipients_one_and_two_are_the_sender_and_the_router(recipient: bytes, resolved: bytes) -> None:
    assert decoded("02", exact_input_single(recipient=recipient)).intents[0].recipient == resolved
    assert decoded("02", v2_exact_in(1, [DAI, USDC], recipient)).intents[0].recipient == resolved


@pytest.mark.parametrize(
    ("signature", "first", "deadline"),
    [
        ("multicall(bytes[])", (), None),
        ("multicall(uint256,bytes[])", (DEADLINE,), DEADLINE),
        ("multicall(bytes32,bytes[])", (bytes(32),), None),
    ],
)
def test_each_multicall_is_unwrapped(signature: str, first: tuple[object, ...], deadline: int | None) -> None:
    call = decoded("02", calldata(signature, *first, [exact_input_single(), v2_exact_in(5, [WETH, DAI])]))
    assert call.commands == ("multicall", "exactInputSingle", "swapExactTokensForTokens")
    assert [intent.deadline for intent in call.intents] == [deadline, deadline]
    assert call.completeness is Completeness.EXACT


def test_nested_multicall_keeps_the_earliest_deadline_inside_only() -> None:
    inner = calldata("multicall(uint256,bytes[])", DEADLINE - 5, [exact_input_single()])
    later = calldata("multicall(uint256,bytes[])", DEADLINE + 5, [exact_input_single()])
    call = decoded("02", calldata("multicall(uint256,bytes[])", DEADLINE, [inner, later, exact_input_single()]))
    assert [intent.deadline for intent in call.intents] == [DEADLINE - 5, DEADLINE, DEADLINE]


def test_amount_in_of_zero_sells_what_an_earlier_swap_left_in_the_router() -> None:
    first = exact_input_single(recipient=TO_ROUTER)
    call = decoded("02", calldata("multicall(bytes[])", [first, v2_exact_in(0, [WETH, DAI])]))
    assert call.intents[1].size == BalanceIn(0, (0,), 22)
    assert call.completeness is Completeness.EXACT


def test_amount_in_of_zero_sells_what_was_wrapped_and_pulled() -> None:
    wrap = calldata("wrapETH(uint256)", 3 * ETHER)
    pull = calldata("pull(address,uint256)", WETH, ETHER)
    call = decoded("02", calldata("multicall(bytes[])", [wrap, pull, v2_exact_in(0, [WETH, DAI])]), 3 * ETHER)
    assert call.intents[0].size == BalanceIn(4 * ETHER, (), 22)
    assert call.completeness is Completeness.EXACT


def test_amount_in_of_zero_that_nothing_in_the_call_fixes_is_unknown() -> None:
    for data in (exact_input_single(0), v2_exact_in(0, [WETH, DAI])):
        call = decoded("02", data)
        (intent,) = call.intents
        assert (intent.size, intent.completeness) == (BalanceIn(0, (), 22), Completeness.AMOUNT_UNKNOWN)
        assert call.completeness is Completeness.AMOUNT_UNKNOWN
        assert call.reason == f"sells CONTRACT_BALANCE (0) of 0x{intent.token_in.hex()}, which the call does not fix"


def test_a_balance_is_sold_once() -> None:
    wrap = calldata("wrapETH(uint256)", ETHER)
    call = decoded("02", calldata("multicall(bytes[])", [wrap, v2_exact_in(0, [WETH, DAI]), v2_exact_in(0, [WETH, USDC])]))
    assert [intent.completeness for intent in call.intents] == [Completeness.EXACT, Completeness.AMOUNT_UNKNOWN]


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("unwrapWETH9(uint256)", (44,)),
        ("unwrapWETH9(uint256,address)", (44, FRIEND)),
        ("unwrapWETH9WithFee(uint256,uint256,address)", (44, 10, FRIEND)),
        ("unwrapWETH9WithFee(uint256,address,uint256,address)", (44, FRIEND, 10, FRIEND)),
        ("sweepToken(address,uint256)", (WETH, 44)),
        ("sweepToken(address,uint256,address)", (WETH, 44, FRIEND)),
        ("sweepTokenWithFee(address,uint256,uint256,address)", (WETH, 44, 10, FRIEND)),
    ],
)
def test_minimum_of_what_empties_the_router_is_a_limit_too(signature: str, arguments: tuple[object, ...]) -> None:
    swap = exact_input_single(recipient=TO_ROUTER)
    call = decoded("02", calldata("multicall(bytes[])", [swap, calldata(signature, *arguments)]))
    assert call.intents[0].size == ExactIn(11, 44)


def test_adding_liquidity_after_a_swap_is_by_name_and_forgets_the_balances() -> None:
    mint = calldata(
        "mint((address,address,uint24,int24,int24,uint256,uint256,address))", (USDC, WETH, 500, -10, 10, 0, 0, FRIEND)
    )
    swap = exact_input_single(recipient=TO_ROUTER)
    call = decoded("02", calldata("multicall(bytes[])", [swap, mint, v2_exact_in(0, [WETH, DAI])]))
    assert call.commands == ("multicall", "exactInputSingle", "mint", "swapExactTokensForTokens")
    assert call.intents[1].completeness is Completeness.AMOUNT_UNKNOWN


def test_approvals_alone_are_not_a_swap() -> None:
    call = decoded("02", calldata("approveMax(address)", USDC))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("approveMax",))


def test_dirty_path_word_reverts() -> None:
    dirty = bytearray(v2_exact_in(1, [DAI, USDC]))
    dirty[4 + 32 * 5] = 1
    with pytest.raises(MalformedCalldata):
        decoded("02", bytes(dirty))
