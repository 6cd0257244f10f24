"""KyberSwap's MetaAggregationRouterV2: what its descriptions state, fees included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

ROUTER = bytes.fromhex("6131b5fae19ea4f9d964eac0408e4408b66337b5")
FIRST_ROUTER = bytes.fromhex("617dee16b86534a5d792a4d7a62fb491b544111e")
ETH, NOBODY = b"\xee" * 20, bytes(20)
DESCRIPTION = "(address,address,address[],uint256[],address[],uint256[],address,uint256,uint256,uint256,bytes)"
DESCRIPTION_WITHOUT_FEES = "(address,address,address[],uint256[],address,uint256,uint256,uint256,bytes)"
EXECUTION = f"((address,address,bytes,{DESCRIPTION},bytes))"
FEE_ON_TOKEN_OUT, FEE_IN_BPS = 0x40, 0x80


def swap(
    name: str = "swap",
    tokens: tuple[bytes, bytes] = (DAI, USDC),
    *,
    fees: list[int] | None = None,
    flags: int = 0,
    minimum: int = 22,
    recipient: bytes = FRIEND,
) -> bytes:
    fees = fees or []
    description = (*tokens, [FRIEND], [10_000], [FRIEND] * len(fees), fees, recipient, 10_000, minimum, flags, b"")
    if name == "swapSimpleMode":
        return calldata(f"swapSimpleMode(address,{DESCRIPTION},bytes,bytes)", FRIEND, description, b"program", b"{}")
    return calldata(name + EXECUTION, (FRIEND, NOBODY, b"program", description, b"{}"))


def swap_without_fees(name: str = "swap", tokens: tuple[bytes, bytes] = (DAI, USDC), minimum: int = 22) -> bytes:
    description = (*tokens, [FRIEND], [10_000], FRIEND, 10_000, minimum, 0, b"")
    return calldata(f"{name}(address,{DESCRIPTION_WITHOUT_FEES},bytes,bytes)", FRIEND, description, b"program", b"{}")


def decoded(data: bytes, value_wei: int = 0, router: bytes = ROUTER) -> DecodedCall:
    call = decode(tables(), router, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return swap(tokens=(ETH, other)), 10_000


def example_without_fees(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return swap_without_fees(tokens=(ETH, other)), 10_000


EXAMPLES: dict[str, Example] = {"kyber_meta_router": example, "kyber_meta_router_v1": example_without_fees}


@pytest.mark.parametrize("name", ["swap", "swapGeneric", "swapSimpleMode"])
def test_description_states_tokens_amount_minimum_and_recipient(name: str) -> None:
    call = decoded(swap(name))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(10_000, 22), FRIEND)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "the executor's program hides the pools")


def test_native_coin_and_nobody_are_resolved() -> None:
    (intent,) = decoded(swap(tokens=(ETH, USDC), recipient=NOBODY), 10_000).intents
    assert (intent.token_in, intent.recipient) == (bytes(20), SENDER)


@pytest.mark.parametrize(
    ("fees", "flags", "sold"),
    [
        ([30, 20], 0, 9_950),
        ([30, 20], FEE_IN_BPS, 9_950),
        ([1], FEE_IN_BPS, 9_999),
        ([30], FEE_IN_BPS | FEE_ON_TOKEN_OUT, 10_000),
    ],
)
def test_fees_on_the_token_in_lessen_what_is_sold(fees: list[int], flags: int, sold: int) -> None:
    (intent,) = decoded(swap(fees=fees, flags=flags)).intents
    assert intent.size == ExactIn(sold, 22)


def test_no_least_return_or_too_high_fees_revert() -> None:
    with pytest.raises(MalformedCalldata, match="least return is 0"):
        decoded(swap(minimum=0))
    with pytest.raises(MalformedCalldata, match="fees exceed the amount"):
        decoded(swap(fees=[10_001]))


@pytest.mark.shared
def test_mined_swap_inside_another_call_states_its_minimum(shared_data: Path) -> None:
    call, _ = mined_call(shared_data, 25215354, "0x62688a5c417b91f8a461a9a50726de1fbe2a869623cf95a9350fb28474892ef3")
    (intent,) = call.intents
    assert (intent.router, intent.token_out) == ("kyber_meta_router", bytes(20))
    assert intent.size == ExactIn(2921673841950719985219, 1400769652862917882)


@pytest.mark.parametrize("name", ["swap", "swapSimpleMode"])
def test_first_router_states_them_without_fees(name: str) -> None:
    call = decoded(swap_without_fees(name), router=FIRST_ROUTER)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(10_000, 22), FRIEND)
    assert call.completeness is Completeness.PARTIAL
    with pytest.raises(MalformedCalldata, match="least return is 0"):
        decoded(swap_without_fees(name, minimum=0), router=FIRST_ROUTER)
