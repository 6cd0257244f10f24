"""SwapProxy: what it pays into the router is what the router's plan spends, and the router's sender is the proxy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mempool.abi import MAX_ITEMS
from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    FRIEND,
    SENDER,
    TO_SENDER,
    USDC,
    WETH,
    Command,
    address,
    calldata,
    plan,
    tables,
)
from tests.decode.calls import path as v3_path
from tests.decode.mined_calls import mined_call
from tests.decode.v4_calls import directions, logged
from tests.decode.wide_calls import words

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
PROXY = bytes.fromhex("02e5be68d46dac0b524905bff209cf47ee6db2a9")
SIGNATURE = "execute(address,address,uint256,bytes,bytes[],uint256)"
ETH = bytes(20)
USDE = bytes.fromhex("4c9edd5852cd905f086c759e8383e09bff1e68b3")


def example(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token = next(each for each in chain.tokens if each != chain.wrapped_native)
    router = next(table.address for table in chain.routers.values() if table.kind == "universal_router" and table.actions)
    codes, inputs = plan("ur2", [(0x00, (FRIEND, BALANCE, 22, v3_path(token, 500, chain.wrapped_native), False))])
    return calldata(SIGNATURE, router, token, 11, codes, inputs, DEADLINE), 0


EXAMPLES: dict[str, Example] = {"swap_proxy": example}


def proxied(router: str, commands: list[Command], token: bytes = USDC) -> DecodedCall:
    data = calldata(SIGNATURE, address(router), token, 11, *plan(router, commands), DEADLINE)
    call = decode(tables(), PROXY, data, 0, SENDER)
    assert call is not None
    return call


@pytest.mark.parametrize("router", ["ur1.2", "ur2", "ur2.1.1"])
def test_amount_paid_in_is_the_balance_that_is_sold(router: str) -> None:
    call = proxied(router, [(0x00, (FRIEND, BALANCE, 22, v3_path(USDC, 500, WETH), False))])
    (intent,) = call.intents
    assert (intent.size, intent.recipient, intent.deadline) == (BalanceIn(11, (), 22), FRIEND, DEADLINE)
    assert call.commands == ("execute", "execute", "V3_SWAP_EXACT_IN")
    assert [step.contract for step in call.steps] == ["uniswap_swap_proxy", call.steps[1].contract, ""]
    assert "universal_router" in call.steps[1].contract
    assert call.completeness is Completeness.EXACT


def test_sender_of_the_router_is_the_proxy() -> None:
    call = proxied("ur2", [(0x00, (TO_SENDER, 11, 22, v3_path(USDC, 500, WETH), False))])
    assert call.intents[0].recipient == PROXY


def test_other_token_is_not_what_was_paid_in() -> None:
    call = proxied("ur2", [(0x08, (FRIEND, BALANCE, 22, [DAI, WETH], False))])
    assert call.completeness is Completeness.AMOUNT_UNKNOWN
    assert call.reason == f"sells CONTRACT_BALANCE of 0x{DAI.hex()}, which the call does not fix"


def test_broken_plan_is_malformed_and_another_router_opaque() -> None:
    with pytest.raises(MalformedCalldata):
        proxied("ur2", [(0x00, b"broken")])
    data = calldata(SIGNATURE, FRIEND, USDC, 11, b"", [], DEADLINE)
    call = decode(tables(), PROXY, data, 0, SENDER)
    assert call is not None
    assert (call.completeness, call.reason) == (Completeness.OPAQUE, f"not understood: 0x3593564c of 0x{FRIEND.hex()}")


@pytest.mark.shared
def test_real_proxied_v4_swap_trades_the_pools_and_directions_that_were_logged(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 25215354, "0x386dc28c97aec47098c6764e9d2cbd1ebdd8e72ae5b6ce8f88b66246c2739231")
    assert call.completeness is Completeness.EXACT
    (intent,) = call.intents
    assert directions([intent]) == [swap[:2] for swap in logged(logs)]
    assert [hop.token_in for hop in intent.hops] == [USDE, bytes.fromhex("dac17f958d2ee523a2206206994597c13d831ec7")]
    assert isinstance(intent.size, ExactIn)
    assert intent.size.amount_in == logged(logs)[0][2] == 57067655040991933458
    # The sweep asks for 0x62fa862e8008e5 wei of what is left after a portion of 25 bips.
    least = intent.size.min_amount_out
    assert least - least * 25 // 10_000 == 0x62FA862E8008E5
    assert intent.token_out == ETH


def test_inputs_count_twice_since_they_are_encoded_anew_for_the_router() -> None:
    fits, too_many = (over_and_over(count) for count in (MAX_ITEMS // 2, MAX_ITEMS // 2 + 1))
    call = decode(tables(), PROXY, fits, 0, SENDER)
    assert call is not None
    assert call.reason == f"not understood: 0x3593564c of 0x{FRIEND.hex()}"
    with pytest.raises(MalformedCalldata, match=f"has more than {MAX_ITEMS} array items"):
        decode(tables(), PROXY, too_many, 0, SENDER)


def over_and_over(count: int) -> bytes:
    """A call of so many inputs that are all the one that stands behind their offsets."""
    inputs = words(count, *[32 * count] * count, 0)
    head = FRIEND.rjust(32, b"\0") + USDC.rjust(32, b"\0") + words(11, 192, 224, DEADLINE)
    return keccak256(SIGNATURE.encode())[:4] + head + words(0) + inputs
