"""Balancer v1's ExchangeProxy: sequences of one pool or two, in both directions, and pools that only the chain knows."""

from __future__ import annotations

from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, SENDER, USDC, WETH, calldata, tables
from tests.decode.test_open_ocean import ETH, NOBODY, Example

PROXY = bytes.fromhex("3e66b66fd1d0b02fda6c811da9e0547970db2f21")
FIRST, SECOND = b"\x01" * 20, b"\x02" * 20
SWAP = "(address,address,address,uint256,uint256,uint256)"
SELL_SINGLE, BUY_SINGLE = (
    f"batchSwapExactIn({SWAP}[],address,address,uint256,uint256)",
    f"batchSwapExactOut({SWAP}[],address,address,uint256)",
)
SELL = f"multihopBatchSwapExactIn({SWAP}[][],address,address,uint256,uint256)"
BUY = f"multihopBatchSwapExactOut({SWAP}[][],address,address,uint256)"
TERMS = "(address,address,uint256,uint256,uint256)"


def swap(pool: bytes, token_in: bytes, token_out: bytes, amount: int, limit: int) -> tuple[Any, ...]:
    return pool, token_in, token_out, amount, limit, (1 << 256) - 1


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), PROXY, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return calldata(SELL_SINGLE, [swap(FIRST, of.wrapped_native, other, 11, 0)], ETH, other, 11, 22), 11


EXAMPLES: dict[str, Example] = {"balancer_v1_proxy": example}


def test_two_pools_in_a_row_are_one_path_held_to_the_whole_minimum() -> None:
    sequence = [swap(FIRST, DAI, WETH, 11, 1), swap(SECOND, WETH, USDC, 7, 2)]
    call = decoded(calldata(SELL, [sequence], DAI, USDC, 11, 22))
    (intent,) = call.intents
    assert [(hop.protocol, hop.pool) for hop in intent.hops] == [("balancer_v1", FIRST), ("balancer_v1", SECOND)]
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, 22))
    assert call.completeness is Completeness.EXACT


@pytest.mark.parametrize("signature", [SELL, SELL_SINGLE])
def test_sequences_side_by_side_share_the_whole_minimum(signature: str) -> None:
    swaps = [swap(FIRST, WETH, USDC, 4, 1), swap(SECOND, WETH, USDC, 7, 2)]
    sequences = [[each] for each in swaps] if signature == SELL else swaps
    call = decoded(calldata(signature, sequences, ETH, USDC, 11, 22), 11)
    assert [(intent.hops[0].pool, intent.size) for intent in call.intents] == [(FIRST, ExactIn(4, 1)), (SECOND, ExactIn(7, 2))]
    assert [joint.min_amount_out for joint in call.joint_minimums] == [22]


def test_buying_states_what_is_bought_last_and_the_most_to_pay_first() -> None:
    (single,) = decoded(calldata(BUY_SINGLE, [swap(FIRST, USDC, WETH, 11, 44)], USDC, ETH, 33)).intents
    assert (single.token_out, single.size) == (WETH, ExactOut(11, 33))
    sequence = [swap(FIRST, DAI, WETH, 5, 30), swap(SECOND, WETH, USDC, 11, 7)]
    (double,) = decoded(calldata(BUY, [sequence], DAI, USDC, 33)).intents
    assert ([hop.pool for hop in double.hops], double.size) == ([FIRST, SECOND], ExactOut(11, 30))


@pytest.mark.parametrize(("name", "size"), [("smartSwapExactIn", ExactIn(11, 22)), ("smartSwapExactOut", ExactOut(11, 22))])
def test_pools_that_the_chain_chooses_are_hidden(name: str, size: ExactIn | ExactOut) -> None:
    call = decoded(calldata(name + TERMS, ETH, USDC, 11, 22, 3), 22)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (NOBODY, USDC, size)
    assert call.completeness is Completeness.PARTIAL


@pytest.mark.parametrize(
    "later",
    [
        [swap(SECOND, DAI, USDC, 7, 2)],
        [swap(SECOND, WETH, DAI, 7, 2), swap(FIRST, DAI, USDC, 7, 2)],
    ],
)
def test_sequences_that_are_no_path_leave_tokens_and_amount(later: list[Any]) -> None:
    call = decoded(calldata(SELL, [[swap(FIRST, DAI, WETH, 11, 1), *later]], DAI, USDC, 11, 22))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, 22))
    assert call.reason == "the swaps of a sequence are no path"


def test_swap_of_a_token_for_itself_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="same token on both sides"):
        decoded(calldata(SELL, [[swap(FIRST, DAI, DAI, 11, 1)]], DAI, USDC, 11, 22))
