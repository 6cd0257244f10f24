"""Relay's router makes its calls with what the approval proxy brings to it, and pays out what is left."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness
from tests.decode.calls import FRIEND, SENDER, USDC, WETH, address, calldata, tables
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    TARGET,
    UNKNOWN,
    Example,
    assert_wraps_the_swap,
    decoded,
    swap_data,
    swap_execution,
    swap_router,
)

ROUTER = bytes.fromhex("b92fe925dc43a0ecde6c8b1a2709c170ec4fff4f")
PROXY = bytes.fromhex("ccc88a9d1b4ed6b0eaba998850414b24f1c315be")
DEPOSITORY = bytes.fromhex("4cd00e387622c35bddb9b4c962c136462338bc31")
CALLS = "(address,bool,uint256,bytes)[]"
PERMIT = "((address,uint256)[],uint256,uint256)"
V2 = "(uint256,uint256,address[],address)"
Calls = list[tuple[bytes, bool, int, bytes]]


def one_swap(of: DecodeTables, *, may_fail: bool = False) -> Calls:
    target, value_wei, data = swap_execution(of)
    return [(target, may_fail, value_wei, data)]


def multicall(calls: Calls) -> bytes:
    return calldata(f"multicall({CALLS},address,address,bytes)", calls, FRIEND, FRIEND, b"")


def transfer_and_multicall(calls: Calls, tokens: list[bytes], amounts: list[int]) -> bytes:
    types = f"(address[],uint256[],{CALLS},address,address,bytes)"
    return calldata("transferAndMulticall" + types, tokens, amounts, calls, FRIEND, FRIEND, b"")


def permit2_and_multicall(calls: Calls, signature: bytes = b"signature") -> bytes:
    types = f"(address,{PERMIT},{CALLS},address,address,bytes,bytes)"
    permit = ([(USDC, 7)], 0, 1)
    return calldata("permit2TransferAndMulticall" + types, ACCOUNT, permit, calls, FRIEND, FRIEND, b"", signature)


def router_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return multicall(one_swap(of)), 0


def proxy_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return permit2_and_multicall(one_swap(of)), 0


EXAMPLES: dict[str, Example] = {"relay_router": router_example, "relay_approval_proxy": proxy_example}


def paid_to_router(recipient: bytes = ROUTER) -> tuple[bytes, bool, int, bytes]:
    """A swap whose output goes to Relay's router."""
    return address("02"), False, 0, calldata("swapExactTokensForTokens" + V2, 11, 0, [USDC, WETH], recipient)


def sold_by(router: str, to: bytes) -> tuple[bytes, bool, int, bytes]:
    """SwapRouter02 sells what it has of the token."""
    return address(router), False, 0, calldata("swapExactTokensForTokens" + V2, 0, 0, [WETH, USDC], to)


def test_router_makes_each_call_and_lets_fail_what_may() -> None:
    call = decoded(ROUTER, multicall(one_swap(tables())))
    assert_wraps_the_swap(call)
    assert not call.intents[0].allow_revert
    assert decoded(ROUTER, multicall(one_swap(tables(), may_fail=True))).intents[0].allow_revert


@pytest.mark.parametrize(
    "data",
    [
        lambda calls: transfer_and_multicall(calls, [USDC], [7]),
        permit2_and_multicall,
        lambda calls: permit2_and_multicall(calls, b""),
    ],
)
def test_proxy_has_the_router_make_the_calls(data: object) -> None:
    assert callable(data)
    call = decoded(PROXY, data(one_swap(tables())))
    assert_wraps_the_swap(call)
    to_sender = calldata(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        (USDC, WETH, 500, bytes(19) + b"\x01", 1, 0, 0),
    )
    call = decoded(PROXY, data([(address("02"), False, 0, to_sender)]))
    assert call.intents[0].recipient == ROUTER


def test_what_is_left_of_a_token_is_paid_out_whole() -> None:
    clean = calldata("cleanupErc20s(address[],address[],uint256[],bytes)", [WETH], [address("02")], [0], b"")
    call = decoded(ROUTER, multicall([paid_to_router(), (ROUTER, False, 0, clean), sold_by("02", FRIEND)]))
    assert call.intents[1].size == BalanceIn(0, (0,), 0)
    assert call.completeness is Completeness.EXACT


def test_stated_amount_is_paid_out_as_stated() -> None:
    clean = calldata("cleanupErc20s(address[],address[],uint256[],bytes)", [WETH], [address("02")], [5], b"")
    call = decoded(ROUTER, multicall([paid_to_router(), (ROUTER, False, 0, clean), sold_by("02", FRIEND)]))
    assert call.intents[1].size == BalanceIn(5, (), 0)


def test_native_coin_that_is_left_is_no_swap() -> None:
    clean = calldata("cleanupNative(uint256,address,bytes)", 0, FRIEND, b"")
    call = decoded(ROUTER, multicall([*one_swap(tables()), (ROUTER, False, 0, clean)]))
    assert_wraps_the_swap(call)


def test_calls_that_take_what_is_left_are_calls() -> None:
    by_call = calldata(
        "cleanupErc20sViaCall(address[],address[],bytes[],uint256[],bytes)",
        [USDC],
        [swap_router(tables())],
        [swap_data(tables())],
        [0],
        b"",
    )
    assert_wraps_the_swap(decoded(ROUTER, by_call))
    native = calldata("cleanupNativeViaCall(uint256,address,bytes,bytes)", 5, *swap_execution(tables())[::2], b"")
    assert_wraps_the_swap(decoded(ROUTER, native))


@pytest.mark.parametrize(
    ("to", "data"),
    [
        (PROXY, transfer_and_multicall([], [USDC], [])),
        (ROUTER, calldata("cleanupErc20s(address[],address[],uint256[],bytes)", [USDC], [], [1], b"")),
        (ROUTER, calldata("cleanupErc20sViaCall(address[],address[],bytes[],uint256[],bytes)", [USDC], [], [], [], b"")),
    ],
)
def test_lists_of_different_length_revert(to: bytes, data: bytes) -> None:
    with pytest.raises(MalformedCalldata):
        decoded(to, data)


def test_deposit_is_not_a_swap() -> None:
    deposit = calldata("depositNative(address,bytes32)", SENDER, bytes(32))
    assert decoded(DEPOSITORY, deposit, 1).completeness is Completeness.NOT_A_SWAP
    call = decoded(ROUTER, multicall([(DEPOSITORY, False, 1, deposit), (TARGET, False, 0, UNKNOWN)]))
    assert call.completeness is Completeness.OPAQUE
