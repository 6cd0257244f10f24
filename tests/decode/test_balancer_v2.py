"""Balancer V2's Vault: single swaps, batches by their chains, and which limits hold for which chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.batches import ROUTER02, SELL_WETH_HELD, batched
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

VAULT = bytes.fromhex("ba12222222228d8ba445958a75a0704d566bf2c8")
NATIVE = bytes(20)
POOL, OTHER_POOL, THIRD_POOL = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
FUNDS = (SENDER, False, FRIEND, False)
GIVEN_IN, GIVEN_OUT = 0, 1
UNLIMITED = 2**256 - 1
SINGLE = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
BATCH = "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
Step = tuple[bytes, int, int, int]
"""`(pool id, index in, index out, amount)`"""


def single(kind: int, asset_in: bytes, asset_out: bytes, amount: int = 11) -> bytes:
    return calldata(SINGLE, (POOL, kind, asset_in, asset_out, amount, b""), FUNDS, 22, DEADLINE)


def batch(kind: int, steps: Sequence[Step], assets: Sequence[bytes], limits: Sequence[int]) -> bytes:
    return calldata(BATCH, kind, [(*step, b"") for step in steps], assets, FUNDS, limits, DEADLINE)


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), VAULT, data, value_wei, SENDER)
    assert call is not None
    return call


def path_of(call: DecodedCall) -> list[list[tuple[bytes, bytes, bytes]]]:
    return [[(hop.pool, hop.token_in, hop.token_out) for hop in intent.hops] for intent in call.intents]


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, other = list(of.tokens)[:2]
    return batch(GIVEN_IN, [(POOL, 0, 1, 11)], [token, other], [11, -22]), 0


EXAMPLES: dict[str, Example] = {"balancer_v2_vault": example}


def test_single_swap_given_in_is_exact_in_through_the_pools_id() -> None:
    call = decoded(single(GIVEN_IN, DAI, USDC))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out) == ("balancer_v2", "", POOL, DAI, USDC)
    assert (intent.size, intent.recipient, intent.deadline) == (ExactIn(11, 22), FRIEND, DEADLINE)
    assert call.completeness is Completeness.EXACT


def test_single_swap_given_out_is_exact_out() -> None:
    assert decoded(single(GIVEN_OUT, DAI, USDC)).intents[0].size == ExactOut(11, 22)


def test_native_asset_trades_as_the_wrapped_token_that_the_pool_holds() -> None:
    assert path_of(decoded(single(GIVEN_IN, NATIVE, USDC), 11)) == [[(POOL, WETH, USDC)]]
    assert path_of(decoded(single(GIVEN_IN, USDC, NATIVE))) == [[(POOL, USDC, WETH)]]


def test_steps_without_an_amount_continue_the_chain() -> None:
    call = decoded(batch(GIVEN_IN, [(POOL, 0, 1, 11), (OTHER_POOL, 1, 2, 0)], [DAI, USDC, WETH], [11, 0, -22]))
    assert path_of(call) == [[(POOL, DAI, USDC), (OTHER_POOL, USDC, WETH)]]
    assert (call.intents[0].size, call.intents[0].recipient, call.intents[0].deadline) == (ExactIn(11, 22), FRIEND, DEADLINE)
    assert call.completeness is Completeness.EXACT


def test_given_out_comes_out_in_trade_order() -> None:
    call = decoded(batch(GIVEN_OUT, [(POOL, 1, 2, 11), (OTHER_POOL, 0, 1, 0)], [DAI, USDC, WETH], [33, 0, -11]))
    assert path_of(call) == [[(OTHER_POOL, DAI, USDC), (POOL, USDC, WETH)]]
    assert call.intents[0].size == ExactOut(11, 33)


def test_chains_that_bring_the_same_asset_have_its_minimum_together() -> None:
    steps = [(POOL, 0, 2, 11), (OTHER_POOL, 1, 2, 12)]
    call = decoded(batch(GIVEN_IN, steps, [DAI, USDC, WETH], [11, 12, -44]))
    assert [intent.size for intent in call.intents] == [ExactIn(11, 0), ExactIn(12, 0)]
    assert call.joint_minimums == (BalanceIn(0, (0, 1), 44),)


def test_chains_that_bring_different_assets_have_their_own_minimums() -> None:
    steps = [(POOL, 0, 1, 11), (OTHER_POOL, 0, 2, 12)]
    call = decoded(batch(GIVEN_IN, steps, [DAI, USDC, WETH], [23, -44, -55]))
    assert [intent.size for intent in call.intents] == [ExactIn(11, 44), ExactIn(12, 55)]
    assert call.joint_minimums == ()


def test_asset_that_one_chain_brings_and_another_sells_limits_neither() -> None:
    steps = [(POOL, 0, 1, 11), (OTHER_POOL, 1, 0, 12)]
    call = decoded(batch(GIVEN_IN, steps, [DAI, USDC], [0, -44]))
    assert [intent.size for intent in call.intents] == [ExactIn(11, 0), ExactIn(12, 0)]
    call = decoded(batch(GIVEN_OUT, steps, [DAI, USDC], [7, 8]))
    assert [intent.size for intent in call.intents] == [ExactOut(11, UNLIMITED), ExactOut(12, UNLIMITED)]


def test_asset_that_stands_twice_limits_nothing() -> None:
    call = decoded(batch(GIVEN_IN, [(POOL, 0, 1, 11)], [DAI, WETH, NATIVE], [11, -44, -55]))
    assert call.intents[0].size == ExactIn(11, 0)


def test_limit_on_an_input_holds_for_each_chain_that_begins_with_it() -> None:
    steps = [(POOL, 0, 1, 11), (OTHER_POOL, 0, 1, 12)]
    call = decoded(batch(GIVEN_OUT, steps, [DAI, USDC], [44, -23]))
    assert [intent.size for intent in call.intents] == [ExactOut(11, 44), ExactOut(12, 44)]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([(POOL, 0, 1, 0)], "the first step has no amount"),
        ([(POOL, 0, 1, 11), (OTHER_POOL, 0, 2, 0)], "does not continue"),
        ([(POOL, 0, 3, 11)], "beyond the assets"),
        ([(POOL, 1, 1, 11)], "same token"),
    ],
)
def test_batch_that_the_vault_reverts_on_is_malformed(steps: Sequence[Step], message: str) -> None:
    with pytest.raises(MalformedCalldata, match=message):
        decoded(batch(GIVEN_IN, steps, [DAI, USDC, WETH], [0, 0, 0]))


def test_swap_that_the_vault_reverts_on_is_malformed() -> None:
    for data, message in (
        (single(GIVEN_IN, DAI, USDC, 0), "the amount is 0"),
        (single(GIVEN_IN, WETH, NATIVE), "same token"),
        (single(2, DAI, USDC), "no kind 2"),
        (batch(2, [(POOL, 0, 1, 11)], [DAI, USDC], [0, 0]), "no kind 2"),
        (batch(GIVEN_IN, [(POOL, 0, 1, 11)], [DAI, USDC], [0]), "not one limit for each"),
        (batch(GIVEN_IN, [(POOL, 0, 1, 11)] * 2, [DAI, USDC], [21, 0]), "a limit forbids"),
        (batch(GIVEN_OUT, [(POOL, 0, 1, 11)] * 2, [DAI, USDC], [99, -23]), "a limit forbids"),
    ):
        with pytest.raises(MalformedCalldata, match=message):
            decoded(data)


def test_more_steps_than_any_batch_has_are_refused() -> None:
    with pytest.raises(MalformedCalldata) as caught:
        decoded(batch(GIVEN_IN, [(POOL, 0, 1, 11)] * 300, [DAI, USDC], [0, 0]))
    assert caught.value.refused


def test_joining_a_pool_is_by_name_and_no_swap() -> None:
    join = "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
    call = decoded(calldata(join, POOL, SENDER, SENDER, ([DAI], [11], b"", False)))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("joinPool",))


@pytest.mark.parametrize(
    ("asset", "to_internal", "word"),
    [
        (WETH, False, Completeness.EXACT),
        (WETH, True, Completeness.AMOUNT_UNKNOWN),
        (NATIVE, False, Completeness.AMOUNT_UNKNOWN),
    ],
)
def test_output_is_a_balance_of_the_recipient_unless_it_is_unwrapped_or_kept_inside(
    asset: bytes, to_internal: bool, word: Completeness
) -> None:
    funds = (FRIEND, False, ROUTER02, to_internal)
    swap = calldata(SINGLE, (POOL, GIVEN_IN, DAI, asset, 11, b""), funds, 22, DEADLINE)
    paid = (WETH, calldata("transfer(address,uint256)", ROUTER02, 100))
    call = batched(paid, (VAULT, swap), (ROUTER02, SELL_WETH_HELD))
    assert call.intents[1].completeness is word


@pytest.mark.shared
def test_mined_swap_inside_a_settlement_is_what_the_vault_logged(shared_data: Path) -> None:
    found = mined_call(shared_data, 19929064, "0xa09927e821577b72c3bedde5ec1df3557f0e5b5d1cd640683b75e82345757591")
    call, logs = found
    (intent,) = [intent for intent in call.intents if intent.router == "balancer_v2_vault"]
    (hop,) = intent.hops
    topic = "0x" + keccak256(b"Swap(bytes32,address,address,uint256,uint256)").hex()
    (log,) = [log for log in logs if log["topics"][0] == topic]
    pool_id, token_in, token_out = (bytes.fromhex(each[2:]) for each in log["topics"][1:])
    assert (hop.pool, hop.token_in, hop.token_out) == (pool_id, token_in[12:], token_out[12:])
    paid, brought = (int(log["data"][2 + 64 * word : 66 + 64 * word], 16) for word in (0, 1))
    assert isinstance(intent.size, ExactIn)
    assert (paid, intent.completeness) == (intent.size.amount_in, Completeness.EXACT)
    assert brought >= intent.size.min_amount_out
