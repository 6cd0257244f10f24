"""Tokens and Permit2 swap nothing, and move what a later swap of the same call sells."""

from __future__ import annotations

import pytest

from mempool.decode import decode
from mempool.model.swap import BalanceIn, Completeness, DecodedCall
from tests.decode.calls import BALANCE, DAI, FRIEND, SENDER, USDC, WETH, address, calldata, path, plan, tables
from tests.decode.wrappers.wrapped import ACCOUNT, TARGET, Execution, batch, decoded

PERMIT2 = bytes.fromhex("000000000022d473030f116ddee9f6b43ac78ba3")
BATCH = bytes([1]) + bytes(31)
DETAILS = "((address,uint256),uint256,uint256)"
MANY_DETAILS = "((address,uint256)[],uint256,uint256)"
HARMLESS = {
    "approve": (USDC, calldata("approve(address,uint256)", FRIEND, 1)),
    "increaseAllowance": (USDC, calldata("increaseAllowance(address,uint256)", FRIEND, 1)),
    "decreaseAllowance": (USDC, calldata("decreaseAllowance(address,uint256)", FRIEND, 1)),
    "permit": (
        USDC,
        calldata("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", SENDER, FRIEND, 1, 2, 27, bytes(32), bytes(32)),
    ),
    "permit of DAI": (
        DAI,
        calldata(
            "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
            *(SENDER, FRIEND, 1, 2, True, 27, bytes(32), bytes(32)),
        ),
    ),
    "balanceOf": (USDC, calldata("balanceOf(address)", FRIEND)),
    "transfer": (USDC, calldata("transfer(address,uint256)", FRIEND, 1)),
    "deposit": (WETH, calldata("deposit()")),
    "withdraw": (WETH, calldata("withdraw(uint256)", 1)),
    "approve of Permit2": (PERMIT2, calldata("approve(address,address,uint160,uint48)", USDC, FRIEND, 1, 2)),
    "lockdown of Permit2": (PERMIT2, calldata("lockdown((address,address)[])", [(USDC, FRIEND)])),
}


def run(*executions: Execution) -> DecodedCall:
    return decoded(ACCOUNT, calldata("execute(bytes32,bytes)", BATCH, batch(executions)))


def sell_routers_balance(token: bytes = USDC) -> Execution:
    """A universal router swaps all that it has of the token."""
    codes, inputs = plan("ur2", [(0x00, (FRIEND, BALANCE, 0, path(token, 500, DAI), False))])
    return address("ur2"), 0, calldata("execute(bytes,bytes[])", codes, inputs)


@pytest.mark.parametrize("name", HARMLESS)
def test_token_function_inside_a_call_is_not_a_swap_and_hides_none(name: str) -> None:
    token, data = HARMLESS[name]
    assert run((token, 0, data)).completeness is Completeness.NOT_A_SWAP


FUNDING = {
    "transfer": (USDC, calldata("transfer(address,uint256)", address("ur2"), 7)),
    "transferFrom": (USDC, calldata("transferFrom(address,address,uint256)", SENDER, address("ur2"), 7)),
    "Permit2": (PERMIT2, calldata("transferFrom(address,address,uint160,address)", SENDER, address("ur2"), 7, USDC)),
    "Permit2 of many": (
        PERMIT2,
        calldata("transferFrom((address,address,uint160,address)[])", [(SENDER, address("ur2"), 7, USDC)]),
    ),
    "Permit2 signed": (
        PERMIT2,
        calldata(
            f"permitTransferFrom({DETAILS},(address,uint256),address,bytes)",
            *(((USDC, 9), 0, 1), (address("ur2"), 7), SENDER, b""),
        ),
    ),
    "Permit2 signed with a witness": (
        PERMIT2,
        calldata(
            f"permitWitnessTransferFrom({DETAILS},(address,uint256),address,bytes32,string,bytes)",
            *(((USDC, 9), 0, 1), (address("ur2"), 7), SENDER, bytes(32), "", b""),
        ),
    ),
    "Permit2 signed for many": (
        PERMIT2,
        calldata(
            f"permitTransferFrom({MANY_DETAILS},(address,uint256)[],address,bytes)",
            *(([(USDC, 9)], 0, 1), [(address("ur2"), 7)], SENDER, b""),
        ),
    ),
}


@pytest.mark.parametrize("name", FUNDING)
def test_what_is_moved_to_a_router_is_what_it_sells(name: str) -> None:
    to, data = FUNDING[name]
    call = run((to, 0, data), sell_routers_balance())
    assert call.intents[0].size == BalanceIn(7, (), 0)
    assert call.completeness is Completeness.EXACT


def test_native_coin_that_was_wrapped_can_be_sold_as_the_token() -> None:
    pay = calldata("transfer(address,uint256)", address("ur2"), 5)
    call = run((WETH, 5, calldata("deposit()")), (WETH, 0, pay), sell_routers_balance(WETH))
    assert call.intents[0].size == BalanceIn(5, (), 0)


@pytest.mark.parametrize("data", [calldata("deposit()"), calldata("withdraw(uint256)", 1)])
def test_deposit_anywhere_else_may_be_anything(data: bytes) -> None:
    assert run((TARGET, 0, data)).completeness is Completeness.OPAQUE


def test_tokens_are_known_inside_other_calls_alone() -> None:
    assert decode(tables(), USDC, HARMLESS["transfer"][1], 0, SENDER) is None
