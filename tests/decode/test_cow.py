"""CoW Protocol's settlements: orders at common prices, and the interactions that trade for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, address, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

SETTLEMENT = bytes.fromhex("9008d19f58aabd9ed0d60971565aa8510560ab41")
OWNER, NOBODY, ETH = b"\x51" * 20, bytes(20), b"\xee" * 20
TRADE = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)"
SETTLE = f"settle(address[],uint256[],{TRADE}[],(address,uint256,bytes)[][3])"
SWAP = f"swap((bytes32,uint256,uint256,uint256,bytes)[],address[],{TRADE})"
BUYS, PARTIALLY, PRESIGNED = 1, 2, 0x60
POOL_ID, OTHER_POOL_ID = b"\x77" * 32, b"\x78" * 32
Interaction = tuple[bytes, int, bytes]


def trade(flags: int = 0, *, amounts: tuple[int, int] = (1_000, 900), executed: int = 0, receiver: bytes = FRIEND) -> Any:
    """Sells the first token for the second; a fee of 10."""
    return (0, 1, receiver, *amounts, DEADLINE, bytes(32), 10, flags, executed, OWNER + b"rest")


def settle(
    trades: list[Any],
    interactions: tuple[list[Interaction], list[Interaction], list[Interaction]] = ([], [], []),
    *,
    tokens: tuple[bytes, bytes] = (DAI, USDC),
    prices: tuple[int, ...] = (95, 100),
) -> bytes:
    return calldata(SETTLE, tokens, prices, trades, interactions)


def v2_swap(amount_in: int, path: list[bytes]) -> Interaction:
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return address("v2"), 0, calldata(signature, amount_in, 22, path, SETTLEMENT, DEADLINE)


def decoded(data: bytes) -> DecodedCall:
    call = decode(tables(), SETTLEMENT, data, 0, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return settle([trade()], tokens=(of.wrapped_native, other)), 0


EXAMPLES: dict[str, Example] = {"cow_settlement": example}


def test_interactions_are_the_swaps_and_orders_are_steps() -> None:
    call = decoded(settle([trade()], ([], [v2_swap(1_010, [DAI, USDC])], [])))
    (intent,) = call.intents
    assert (intent.router, intent.recipient, intent.size) == ("uniswap_v2_router02", SETTLEMENT, ExactIn(1_010, 22))
    assert call.completeness is Completeness.EXACT
    assert call.commands == (
        "settle",
        f"order: 1010 of 0x{DAI.hex()} for 950 of 0x{USDC.hex()}",
        "swapExactTokensForTokens",
    )


def test_what_an_order_brings_is_there_for_the_interactions() -> None:
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address)"
    sell = (address("02"), 0, calldata(signature, 0, 22, [DAI, USDC], SETTLEMENT))
    transfer = (DAI, 0, calldata("transfer(address,uint256)", address("02"), 1_010))
    call = decoded(settle([trade()], ([], [transfer, sell], [])))
    assert call.intents[0].size == BalanceIn(1_010, (), 22)
    assert call.completeness is Completeness.EXACT


@pytest.mark.parametrize(
    ("flags", "executed", "size"),
    [
        (0, 0, ExactIn(1_010, 950)),
        (BUYS, 0, ExactOut(900, 947 + 10)),
        (PARTIALLY, 501, ExactIn(501 + 5, 476)),
        (PARTIALLY | BUYS, 450, ExactOut(450, 473 + 5)),
    ],
)
def test_orders_without_a_swap_are_partial_at_the_common_prices(flags: int, executed: int, size: Any) -> None:
    call = decoded(settle([trade(flags, executed=executed)]))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, size, FRIEND)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "no interaction shows the order's pools")


def test_owner_receives_where_the_signature_names_it() -> None:
    (intent,) = decoded(settle([trade(PRESIGNED, receiver=NOBODY)])).intents
    assert intent.recipient == OWNER
    (intent,) = decoded(settle([trade(receiver=NOBODY)])).intents
    assert intent.recipient == b""


def test_native_coin_can_be_bought() -> None:
    (intent,) = decoded(settle([trade()], tokens=(DAI, ETH))).intents
    assert intent.token_out == bytes(20)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (settle([trade()], prices=(95,)), "2 tokens have 1 prices"),
        (settle([trade()], prices=(89, 100)), "limit price is not respected"),
        (settle([trade()], prices=(95, 0)), "divided by a price"),
        (settle([trade(amounts=(1 << 250, 1))], prices=(95, 100)), "exceeds 256 bits"),
        (settle([(2, *trade()[1:])]), "names a token that is not there"),
        (settle([trade(PARTIALLY, amounts=(0, 0))]), "divided by a price"),
    ],
)
def test_what_the_settlement_would_revert_on_is_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded(data)


def test_unknown_interaction_leaves_the_orders_partial() -> None:
    call = decoded(settle([trade()], ([], [(OWNER, 0, b"\x01\x02\x03\x04")], [])))
    assert (call.completeness, len(call.intents)) == (Completeness.PARTIAL, 1)
    assert call.reason == f"not understood: 0x01020304 of 0x{OWNER.hex()}"


@pytest.mark.parametrize(
    ("flags", "size", "steps"),
    [
        (0, ExactIn(1_000, 955), [(POOL_ID, 0, 2, 1_000, b""), (OTHER_POOL_ID, 2, 1, 0, b"")]),
        (BUYS, ExactOut(900, 955), [(OTHER_POOL_ID, 2, 1, 900, b""), (POOL_ID, 0, 2, 0, b"")]),
    ],
)
def test_order_by_way_of_the_vault_is_a_path_in_trade_order(flags: int, size: Any, steps: list[Any]) -> None:
    call = decoded(calldata(SWAP, steps, [DAI, USDC, WETH], trade(flags, executed=955)))
    (intent,) = call.intents
    assert [hop.pool for hop in intent.hops] == [POOL_ID, OTHER_POOL_ID]
    assert (intent.token_in, intent.token_out, intent.size, intent.deadline) == (DAI, USDC, size, DEADLINE)
    assert call.completeness is Completeness.EXACT


def test_split_order_by_way_of_the_vault_is_partial() -> None:
    steps = [(POOL_ID, 0, 1, 500, b""), (OTHER_POOL_ID, 0, 1, 500, b"")]
    assert decoded(calldata(SWAP, steps, [DAI, USDC], trade(executed=955))).completeness is Completeness.PARTIAL


@pytest.mark.shared
def test_mined_settlement_is_the_pairs_that_logged_swaps(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 19426586, "0xaf36a32796888b2e41956a9df4ae9cbdaa40ac5ecfaaec1c8fa62adc6fd672d7")
    swapped = [log["address"][2:] for log in logs if log["topics"][0].startswith("0xd78ad95f")]
    assert [hop.pool.hex() for intent in call.intents for hop in intent.hops] == swapped
    assert len([name for name in call.commands if name.startswith("order: ")]) == 2


@pytest.mark.shared
def test_mined_settlement_that_sets_a_pools_fee_around_its_swap_is_exact(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 19929064, "0xa09927e821577b72c3bedde5ec1df3557f0e5b5d1cd640683b75e82345757591")
    swapped = [log["topics"][1][2:] for log in logs if log["topics"][0].startswith("0x2170c741")]
    assert [hop.pool.hex() for intent in call.intents for hop in intent.hops] == swapped
    assert call.completeness is Completeness.EXACT
