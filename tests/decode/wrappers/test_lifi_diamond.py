"""LI.FI's swaps are those of the routers that it calls, and what it pays out at the end limits the last of them."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, USDC, WETH, address, calldata
from tests.decode.wrappers.wrapped import TARGET, UNKNOWN, Example, decoded, other_token, swap_execution

DIAMOND = bytes.fromhex("1231deb6f5749ef6ce6943a275a1d3e7486f4eae")
FEE_COLLECTOR = bytes.fromhex("bd6c7b0d2f68c2b7805d88388319cfb6ecb50ea9")
NATIVE = bytes(20)
SWAP_DATA = "(address,address,address,address,uint256,bytes,bool)"
HEAD = "bytes32,string,string,address,uint256"
Swap = tuple[bytes, bytes, bytes, bytes, int, bytes, bool]


def swap_of(to: bytes, tokens: tuple[bytes, bytes], amount: int, data: bytes) -> Swap:
    return (to, to, *tokens, amount, data, True)


def generic(swaps: list[Swap], minimum: int = 22) -> bytes:
    return calldata(f"swapTokensGeneric({HEAD},{SWAP_DATA}[])", bytes(32), "app", "", FRIEND, minimum, swaps)


def v2_swap(recipient: bytes = DIAMOND, minimum: int = 0) -> bytes:
    types = "(uint256,uint256,address[],address)"
    return calldata("swapExactTokensForTokens" + types, 11, minimum, [USDC, WETH], recipient)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    to, _, data = swap_execution(of)
    return generic([swap_of(to, (other_token(of), of.wrapped_native), 11, data)]), 0


EXAMPLES: dict[str, Example] = {"lifi_diamond": example}


def swapped(*swaps: Swap, minimum: int = 22) -> DecodedCall:
    return decoded(DIAMOND, generic(list(swaps), minimum))


def test_swap_is_the_inner_routers_and_the_diamonds_minimum_is_its_limit() -> None:
    call = swapped(swap_of(address("02"), (USDC, WETH), 11, v2_swap()))
    (intent,) = call.intents
    assert (intent.router, intent.size, intent.recipient) == ("uniswap_swap_router02", ExactIn(11, 22), DIAMOND)
    assert (call.router, call.completeness) == ("lifi_diamond", Completeness.EXACT)


SINGLES = ["SingleV3ERC20ToERC20", "SingleV3ERC20ToNative", "SingleV3NativeToERC20"]
MANY = ["MultipleV3ERC20ToERC20", "MultipleV3ERC20ToNative", "MultipleV3NativeToERC20"]


@pytest.mark.parametrize("name", SINGLES + MANY)
def test_each_function_carries_the_swap(name: str) -> None:
    swap = swap_of(address("02"), (USDC, WETH), 11, v2_swap())
    kind = SWAP_DATA if name in SINGLES else SWAP_DATA + "[]"
    data = calldata(f"swapTokens{name}({HEAD},{kind})", bytes(32), "app", "", FRIEND, 22, swap if name in SINGLES else [swap])
    assert decoded(DIAMOND, data).intents[0].size == ExactIn(11, 22)


def test_native_coin_that_the_router_unwraps_is_limited_too() -> None:
    call = swapped(swap_of(address("02"), (USDC, NATIVE), 11, v2_swap()))
    assert call.intents[0].size == ExactIn(11, 22)


def test_fee_that_is_collected_is_not_a_swap() -> None:
    fee = calldata("collectTokenFees(address,uint256,uint256,address)", USDC, 1, 1, FRIEND)
    call = swapped(swap_of(FEE_COLLECTOR, (USDC, USDC), 13, fee), swap_of(address("02"), (USDC, WETH), 11, v2_swap()))
    assert (call.completeness, len(call.intents)) == (Completeness.EXACT, 1)
    assert call.commands == ("swapTokensGeneric", "collectTokenFees", "swapExactTokensForTokens")


def test_unknown_router_leaves_tokens_and_amount_and_the_last_ones_minimum() -> None:
    call = swapped(swap_of(TARGET, (USDC, WETH), 11, UNKNOWN), swap_of(TARGET, (WETH, DAI), 12, UNKNOWN))
    assert [(intent.token_in, intent.token_out, intent.size) for intent in call.intents] == [
        (USDC, WETH, ExactIn(11, 0)),
        (WETH, DAI, ExactIn(12, 22)),
    ]
    assert {intent.completeness for intent in call.intents} == {Completeness.PARTIAL}
    assert call.completeness is Completeness.PARTIAL


def test_diamond_without_swaps_reverts() -> None:
    with pytest.raises(MalformedCalldata):
        swapped()


def test_bridges_are_opaque_by_their_selector() -> None:
    call = decoded(DIAMOND, UNKNOWN)
    assert (call.completeness, call.reason) == (Completeness.OPAQUE, "not understood: 0xdeadbeef")
