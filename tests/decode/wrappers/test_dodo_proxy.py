"""DODO's proxy sells along its own pairs, follows another exchange's calldata, and hides what adapters do."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.decode.pools import MAX_HOPS
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, address, calldata, path
from tests.decode.mined_calls import mined_call
from tests.decode.wrappers.wrapped import UNKNOWN, Example, decoded, other_token

PROXY = bytes.fromhex("a356867fdcea8e71aeaf87805808803806231fdc")
FIRST, SECOND, ETH = b"\x01" * 20, b"\x02" * 20, b"\xee" * 20

TERMS = "uint256,address[],uint256,bool,uint256)"
NATIVE_IN = f"dodoSwapV2ETHToToken(address,{TERMS}"
NATIVE_OUT = f"dodoSwapV2TokenToETH(address,uint256,{TERMS}"
TOKENS = f"dodoSwapV2TokenToToken(address,address,uint256,{TERMS}"
OF_V1 = f"dodoSwapV1(address,address,uint256,{TERMS}"
EXTERNAL = "externalSwap(address,address,address,address,uint256,uint256,bytes,bool,uint256)"
MIXED = "mixSwap(address,address,uint256,uint256,address[],address[],address[],uint256,bool,uint256)"


def external(target: bytes, data: bytes) -> bytes:
    return calldata(EXTERNAL, DAI, USDC, target, target, 11, 22, data, False, DEADLINE)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata(NATIVE_IN, other_token(of), 22, [FIRST], 0, False, DEADLINE), 11


EXAMPLES: dict[str, Example] = {"dodo_proxy": example}


@pytest.mark.parametrize(
    ("data", "value_wei", "tokens", "protocol"),
    [
        (calldata(NATIVE_IN, USDC, 22, [FIRST], 0, False, DEADLINE), 11, (WETH, USDC), "dodo_v2"),
        (calldata(NATIVE_OUT, USDC, 11, 22, [FIRST], 1, False, DEADLINE), 0, (USDC, WETH), "dodo_v2"),
        (calldata(TOKENS, DAI, USDC, 11, 22, [FIRST], 0, False, DEADLINE), 0, (DAI, USDC), "dodo_v2"),
        (calldata(OF_V1, ETH, USDC, 11, 22, [FIRST], 0, False, DEADLINE), 11, (WETH, USDC), "dodo_v1"),
    ],
)
def test_own_pair_trades_the_two_tokens(data: bytes, value_wei: int, tokens: tuple[bytes, bytes], protocol: str) -> None:
    call = decoded(PROXY, data, value_wei)
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.pool, hop.token_in, hop.token_out) == (protocol, FIRST, *tokens)
    assert (intent.size, intent.recipient, intent.deadline) == (ExactIn(11, 22), SENDER, DEADLINE)
    assert call.completeness is Completeness.EXACT


def test_tokens_between_pairs_are_not_in_the_calldata() -> None:
    call = decoded(PROXY, calldata(TOKENS, DAI, USDC, 11, 22, [FIRST, SECOND], 0, False, DEADLINE))
    (intent,) = call.intents
    assert [(hop.pool, hop.token_in, hop.token_out) for hop in intent.hops] == [(FIRST, DAI, b""), (SECOND, b"", USDC)]
    assert call.completeness is Completeness.TOKENS_UNKNOWN
    with pytest.raises(MalformedCalldata, match="no pairs"):
        decoded(PROXY, calldata(TOKENS, DAI, USDC, 11, 22, [], 0, False, DEADLINE))


def test_other_exchange_is_followed_and_held_to_the_minimum() -> None:
    swap = calldata("exactInput((bytes,address,uint256,uint256,uint256))", (path(DAI, 100, USDC), PROXY, DEADLINE, 11, 1))
    call = decoded(PROXY, external(address("v3"), swap))
    (intent,) = call.intents
    assert (intent.router, intent.size, call.completeness) == ("uniswap_v3_swap_router", ExactIn(11, 22), Completeness.EXACT)
    hidden = decoded(PROXY, external(FRIEND, UNKNOWN))
    assert (hidden.intents[0].size, hidden.completeness) == (ExactIn(11, 22), Completeness.PARTIAL)


def test_adapters_leave_tokens_and_amount() -> None:
    call = decoded(PROXY, calldata(MIXED, DAI, USDC, 11, 22, [FRIEND], [FIRST], [FIRST, PROXY], 0, False, DEADLINE))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, 22))
    assert call.completeness is Completeness.PARTIAL


@pytest.mark.shared
def test_mined_swap_was_on_the_pair_that_logged_it(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 12243999, "0xd5b108911aabd6e8138742003aa9f968e9c2e91b9d2b67f74513472c5ca213ab")
    (intent,) = call.intents
    (hop,) = intent.hops
    log = next(log for log in logs if log["address"] == "0x" + hop.pool.hex())
    sold, bought, amount_in, amount_out = (int(log["data"][2 + 64 * word :][:64], 16) for word in range(4))
    assert (sold, bought, amount_in) == (int.from_bytes(WETH), int.from_bytes(intent.token_out), 5 * 10**17)
    assert intent.size == ExactIn(amount_in, 0x11B02F7180BA316472E)
    assert amount_out >= 0x11B02F7180BA316472E


def test_more_pairs_than_a_call_may_have_are_refused_before_hops_are_made_of_them() -> None:
    pairs = [number.to_bytes(20) for number in range(1, MAX_HOPS + 2)]
    made = (calldata(TOKENS, DAI, USDC, 11, 22, each, 0, False, DEADLINE) for each in (pairs[1:], pairs))
    fits, too_many = made
    assert len(decoded(PROXY, fits).intents[0].hops) == MAX_HOPS
    with pytest.raises(MalformedCalldata, match=f"has more than {MAX_HOPS} hops") as caught:
        decoded(PROXY, too_many)
    assert caught.value.refused
