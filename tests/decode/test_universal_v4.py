"""V4_SWAP: its actions, what they leave open between them, and the one layout that the router takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.decode.routers.universal_v4_swaps import pool_id
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut, Take
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    ETHER,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    UNIVERSAL,
    USDC,
    WETH,
    address,
    calldata,
    executed,
    path,
    plan,
    tables,
)
from tests.decode.mined_calls import mined, mined_call
from tests.decode.v4_calls import (
    CLEAR_OR_TAKE,
    CLOSE,
    DAI_USDC,
    ETH,
    ETH_USDC,
    ETH_USDC_ID,
    IN,
    IN_SINGLE,
    NO_HOOKS,
    OUT,
    OUT_SINGLE,
    SETTLE,
    SETTLE_ALL,
    SETTLE_PAIR,
    STEPS,
    SWEEP_ACTION,
    TAKE,
    TAKE_ALL,
    TAKE_PAIR,
    TAKE_PORTION,
    TYPES,
    UNWRAP_ACTION,
    V4,
    V4_SWAP,
    WRAP_ACTION,
    Action,
    along,
    buy,
    directions,
    logged,
    sell,
    single,
    v4,
)

V3_IN, V2_IN, WRAP, UNWRAP, SWEEP, PORTION = 0x00, 0x08, 0x0B, 0x0C, 0x04, 0x06
Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]


def swapped(router: str, *actions: Action, value_wei: int = 0) -> DecodedCall:
    return executed(router, [v4(*actions)], value_wei)


def sizes(call: DecodedCall) -> list[Any]:
    return [intent.size for intent in call.intents]


def example(tables: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    """A sale of the native coin for the first listed token that is not the wrapped one."""
    token = next(each for each in tables.tokens if each != tables.wrapped_native)
    layout = "ur2.1.1" if router.kind == "universal_router_7_bit" else "ur2"
    if router.actions:
        commands = [v4(sell((ETH, token, 500, 10, NO_HOOKS), 5, router=layout), (SETTLE_ALL, (ETH, 5)), (TAKE_ALL, (token, 9)))]
    else:
        commands = [(WRAP, (TO_ROUTER, 5)), (V3_IN, (TO_SENDER, 5, 9, path(tables.wrapped_native, 500, token), False))]
    return calldata("execute(bytes,bytes[],uint256)", *plan(layout, commands), DEADLINE), 5


EXAMPLES: dict[str, Example] = dict.fromkeys(("universal_router_v1", "universal_router", "universal_router_7_bit"), example)


@pytest.mark.parametrize("router", UNIVERSAL)
def test_example_of_every_version_is_one_exact_swap(router: str) -> None:
    data, value_wei = example(tables(), tables().routers[address(router)])
    call = decode(tables(), address(router), data, value_wei, SENDER)
    assert call is not None
    assert (len(call.intents), call.completeness) == (1, Completeness.EXACT)


@pytest.mark.parametrize("router", V4)
def test_each_swap_is_read_in_its_versions_layout(router: str) -> None:
    usdc_step, dai_step = (USDC, 500, 10, NO_HOOKS, b"for the hook"), (DAI, 100, 1, FRIEND, b"")
    call = swapped(
        router,
        (IN_SINGLE, single(router, ETH_USDC, True, 11, 22, b"for the hook")),
        (IN, along(router, ETH, [usdc_step, dai_step], 33, 44)),
        (OUT_SINGLE, single(router, ETH_USDC, False, 55, 66)),
        (OUT, along(router, DAI, [(ETH, 500, 10, NO_HOOKS, b""), (USDC, 100, 1, FRIEND, b"")], 77, 88)),
    )
    assert sizes(call) == [ExactIn(11, 22), ExactIn(33, 44), ExactOut(55, 66), ExactOut(77, 88)]
    tokens = [[(hop.token_in, hop.token_out) for hop in intent.hops] for intent in call.intents]
    assert tokens == [[(ETH, USDC)], [(ETH, USDC), (USDC, DAI)], [(USDC, ETH)], [(ETH, USDC), (USDC, DAI)]]
    assert [intent.hops[0].pool for intent in call.intents] == [ETH_USDC_ID] * 4
    last = call.intents[1].hops[1]
    assert last.pool == call.intents[3].hops[1].pool == pool_id((DAI, USDC, 100, 1, FRIEND))
    assert (last.protocol, last.kind, last.fee_pips, last.tick_spacing, last.hooks) == ("uniswap_v4", "", 100, 1, FRIEND)
    names = ("SWAP_EXACT_IN_SINGLE", "SWAP_EXACT_IN", "SWAP_EXACT_OUT_SINGLE", "SWAP_EXACT_OUT")
    assert call.commands == ("execute", "V4_SWAP", *names)
    assert call.completeness is Completeness.EXACT


def test_fee_of_a_pool_whose_hook_sets_it_is_not_known() -> None:
    (intent,) = swapped("ur2", sell((ETH, USDC, 0x800000, 60, FRIEND))).intents
    assert (intent.hops[0].fee_pips, intent.hops[0].tick_spacing) == (None, 60)


@pytest.mark.parametrize(("recipient", "resolved"), [(TO_SENDER, SENDER), (TO_ROUTER, address("ur2")), (FRIEND, FRIEND)])
def test_recipient_of_a_swap_is_that_of_the_take(recipient: bytes, resolved: bytes) -> None:
    call = swapped("ur2", sell(), (SETTLE_ALL, (ETH, 11)), (TAKE, (USDC, recipient, 0)))
    assert call.intents[0].recipient == resolved


def test_take_all_raises_the_minimum_and_pays_the_sender() -> None:
    (intent,) = swapped("ur2", sell(), (SETTLE, (ETH, 0, True)), (TAKE_ALL, (USDC, 99))).intents
    assert (intent.size, intent.recipient) == (ExactIn(11, 99), SENDER)


def test_what_was_settled_first_is_sold_by_the_open_delta() -> None:
    call = swapped("ur2", (SETTLE, (DAI, 500, True)), sell(DAI_USDC, 0), (TAKE_ALL, (USDC, 99)))
    assert sizes(call) == [BalanceIn(500, (), 99)]
    assert call.completeness is Completeness.EXACT


def test_open_delta_sells_the_output_of_the_swap_before() -> None:
    call = swapped("ur2", sell(), sell(DAI_USDC, 0, 44, forward=False), (SETTLE_ALL, (ETH, 11)), (TAKE_ALL, (DAI, 55)))
    assert sizes(call) == [ExactIn(11, 22), BalanceIn(0, (0,), 55)]
    assert [intent.recipient for intent in call.intents] == [address("ur2"), SENDER]


def test_portion_of_the_open_delta_is_taken_off_before_the_rest_is_sold() -> None:
    call = swapped("ur2", sell(), (TAKE_PORTION, (USDC, FRIEND, 25)), sell(DAI_USDC, 0, 44, forward=False))
    assert call.intents[1].size == BalanceIn(0, (0,), 44, (Take(0, 25, 10_000),))
    size = swapped("ur2", sell(), (TAKE_PORTION, (USDC, FRIEND, 5000)), (TAKE_ALL, (USDC, 44))).intents[0].size
    assert size == ExactIn(11, 87)


def test_circle_must_bring_more_than_was_paid_into_it() -> None:
    back = sell((ETH, USDC, 3000, 60, NO_HOOKS), 0, 0, forward=False)
    call = swapped("ur2", sell(amount=100), back, (TAKE_ALL, (ETH, 7)))
    assert call.joint_minimums == (BalanceIn(-100, (1,), 7),)


def test_output_taken_to_the_router_is_the_balance_of_later_commands() -> None:
    take = (TAKE, (USDC, TO_ROUTER, 0))
    later = (V2_IN, (TO_SENDER, BALANCE, 22, [USDC, DAI], False))
    call = executed("ur2", [v4(sell(), (SETTLE_ALL, (ETH, 11)), take), (PORTION, (USDC, FRIEND, 25)), later], 11)
    assert call.intents[1].size == BalanceIn(0, (0,), 22, (Take(0, 25, 10_000),))
    assert call.completeness is Completeness.EXACT
    call = executed("ur2", [v4(sell(), (SETTLE_ALL, (ETH, 11)), take), (SWEEP, (USDC, TO_SENDER, 44))], 11)
    assert call.intents[0].size == ExactIn(11, 44)


def test_balance_of_the_router_is_settled_and_sold() -> None:
    first = (V3_IN, (TO_ROUTER, 11, 0, path(WETH, 500, USDC), True))
    call = executed("ur2", [first, v4((SETTLE, (USDC, BALANCE, False)), sell(DAI_USDC, 0, forward=False))])
    assert call.intents[1].size == BalanceIn(0, (0,), 22)
    native = v4((SETTLE, (ETH, BALANCE, False)), sell(amount=0), (TAKE_ALL, (USDC, 0)))
    assert executed("ur2", [native], 3 * ETHER).intents[0].size == BalanceIn(3 * ETHER, (), 22)


def test_debt_paid_by_the_router_leaves_the_rest_of_its_balance() -> None:
    wrap = (WRAP, (TO_ROUTER, 10))
    weth_usdc = (USDC, WETH, 500, 10, NO_HOOKS)
    swap = v4(sell(weth_usdc, 4, forward=False), (SETTLE, (WETH, 0, False)), (TAKE_ALL, (USDC, 0)))
    rest = (V2_IN, (TO_SENDER, BALANCE, 22, [WETH, DAI], False))
    assert executed("ur2", [wrap, swap, rest], 10).intents[1].size == BalanceIn(6, (), 22)
    bought = v4(buy(weth_usdc, 4, forward=False), (SETTLE, (WETH, 0, False)), (TAKE_ALL, (USDC, 0)))
    assert executed("ur2", [wrap, bought, rest], 10).intents[1].completeness is Completeness.AMOUNT_UNKNOWN


def test_settle_all_limits_what_an_exact_output_may_cost() -> None:
    assert swapped("ur2", buy(), (SETTLE_ALL, (ETH, 40))).intents[0].size == ExactOut(33, 40)
    assert swapped("ur2", buy(), buy(), (SETTLE_ALL, (ETH, 40))).intents[0].size == ExactOut(33, 44)
    with pytest.raises(MalformedCalldata, match="SETTLE_ALL pays at most 10, and 11 is owed"):
        swapped("ur2", sell(), (SETTLE_ALL, (ETH, 10)))


def test_what_was_taken_first_is_bought_by_the_open_delta() -> None:
    call = swapped("ur2", (TAKE, (USDC, TO_SENDER, 33)), buy(amount=0))
    assert sizes(call) == [ExactOut(33, 44)]
    assert call.completeness is Completeness.EXACT


def test_open_debt_is_what_an_exact_output_buys() -> None:
    first = sell((ETH, DAI, 3000, 60, NO_HOOKS), 70)
    call = swapped("ur2", first, buy(amount=0, forward=False), (TAKE_ALL, (DAI, 1)))
    assert call.intents[1].size == ExactOut(70, 44)
    assert call.completeness is Completeness.EXACT


@pytest.mark.parametrize(
    "actions",
    [
        [(SETTLE, (USDC, BALANCE, False)), sell(DAI_USDC, 0, forward=False)],
        [buy(), sell((ETH, DAI, 3000, 60, NO_HOOKS), 0)],
        [buy(), buy((ETH, DAI, 3000, 60, NO_HOOKS), 0, forward=False)],
        [sell(amount=0)],
    ],
)
def test_open_delta_that_the_call_does_not_fix_is_named(actions: list[Action]) -> None:
    call = swapped("ur2", *actions)
    assert call.completeness is Completeness.AMOUNT_UNKNOWN
    assert call.reason.startswith("trades OPEN_DELTA of 0x")


def test_actions_of_the_position_manager_move_the_same_balances() -> None:
    pair = [sell(), (SETTLE_PAIR, (ETH, DAI)), (TAKE_PAIR, (USDC, DAI, FRIEND))]
    assert swapped("ur2", *pair).intents[0].recipient == FRIEND
    closed = [sell(), (CLOSE, (ETH,)), (CLOSE, (USDC,))]
    assert swapped("ur2", *closed).intents[0].recipient == SENDER
    assert swapped("ur2", sell(), (CLEAR_OR_TAKE, (USDC, 5))).intents[0].recipient == SENDER
    wrapped = v4((WRAP_ACTION, (5,)), (UNWRAP_ACTION, (2,)), (SWEEP_ACTION, (ETH, FRIEND)))
    later = (V2_IN, (TO_SENDER, BALANCE, 22, [WETH, DAI], False))
    assert executed("ur2", [wrapped, later], 8).intents[0].size == BalanceIn(3, (), 22)
    owed = v4(sell((USDC, WETH, 500, 10, NO_HOOKS), 4, forward=False), (WRAP_ACTION, (0,)), (SETTLE, (WETH, 0, False)))
    assert executed("ur2", [owed, later], 8).intents[1].completeness is Completeness.AMOUNT_UNKNOWN


def test_action_without_a_name_leaves_the_rest_readable() -> None:
    call = swapped("ur2", (0x1F, b""), sell())
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "not understood: action 0x1f")
    assert len(call.intents) == 1


def test_parameters_without_their_outer_offset_are_read_where_the_first_currency_is_native() -> None:
    whole = single("ur2", ETH_USDC, True, 11, 22)
    assert swapped("ur2", (IN_SINGLE, whole[32:])).intents == swapped("ur2", (IN_SINGLE, whole)).intents
    with pytest.raises(MalformedCalldata):
        swapped("ur2", (IN_SINGLE, single("ur2", DAI_USDC, True, 11, 22)[32:]))


def test_layout_of_the_other_version_passes_where_the_deployed_routers_take_it() -> None:
    """Where the first currency is native and the hook data empty, the length of the hook data is read from that currency."""
    newer, older = single("ur2.1.1", ETH_USDC, True, 11, 22), single("ur2", ETH_USDC, True, 11, 22)
    zero_price = newer[: 32 * 10] + bytes(32) + newer[32 * 11 :]
    assert swapped("ur2", (IN_SINGLE, zero_price)).intents[0].size == ExactIn(11, 22)
    with pytest.raises(MalformedCalldata):
        swapped("ur2", (IN_SINGLE, single("ur2.1.1", DAI_USDC, True, 11, 22)))
    with pytest.raises(MalformedCalldata):
        swapped("ur2.1.1", (IN_SINGLE, single("ur2", DAI_USDC, True, 11, 22)))
    assert swapped("ur2.1.1", (IN_SINGLE, older)).intents[0].size == ExactIn(11, 22)


def test_dirty_words_are_masked_in_payments_and_refused_in_swaps() -> None:
    settle = b"\x80" + encode(TYPES[SETTLE_ALL], (ETH, 11))[1:]
    assert swapped("ur2", sell(), (SETTLE_ALL, settle)).completeness is Completeness.EXACT
    code, params = sell()
    for word in range(1, 10):
        if word != 9:
            dirty = params[: 32 * word] + b"\x40" + params[32 * word + 1 :]
            with pytest.raises(MalformedCalldata):
                swapped("ur2", (code, dirty))


def test_only_the_usual_layout_of_the_lists_is_taken() -> None:
    _, data = v4(sell(), (SETTLE_ALL, (ETH, 11)))
    assert isinstance(data, bytes)
    for position, value in ((0, 96), (32, 160), (128, 3), (160, 128), (192, 0), (224, 1 << 64), (224, 3)):
        changed = data[:position] + value.to_bytes(32) + data[position + 32 :]
        with pytest.raises(MalformedCalldata):
            executed("ur2", [(V4_SWAP, changed)])
    high_bits = data[:64] + b"\x01" + data[65:]
    assert executed("ur2", [(V4_SWAP, high_bits)]).intents == executed("ur2", [(V4_SWAP, data)]).intents
    for length in range(0, len(data), 31):
        with pytest.raises(MalformedCalldata):
            executed("ur2", [(V4_SWAP, data[:length])])


@pytest.mark.parametrize(
    ("router", "action", "reason"),
    [
        ("ur2", (IN_SINGLE, single("ur2", (USDC, DAI, 1, 1, ETH), True, 1, 1)), "not in order"),
        ("ur2", (IN, along("ur2", DAI, [(DAI, 1, 1, ETH, b"")], 1, 1)), "same currency on both sides"),
        ("ur2", (IN, along("ur2", DAI, [], 1, 1)), "empty path"),
        ("ur2", (TAKE_PORTION, (DAI, FRIEND, 10_001)), "more than all"),
        ("ur2", (SETTLE, b"short"), "fewer than 96"),
        ("ur2.1.1", (IN, encode([f"(address,{STEPS},uint256[],uint128,uint128)"], [(DAI, [], [1], 1, 1)])), "minimum prices"),
    ],
)
def test_what_the_router_reverts_on_is_malformed(router: str, action: Action, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        swapped(router, action)


def test_paths_that_share_their_bytes_are_refused_before_they_cost_much() -> None:
    steps = [(USDC if number % 2 else DAI, number, 1, ETH, b"") for number in range(500)]
    long_path = along("ur2", USDC, steps, 1, 1)
    with pytest.raises(MalformedCalldata) as caught:
        swapped("ur2", (IN, long_path), (IN, long_path))
    assert caught.value.refused


@pytest.mark.shared
def test_real_swap_of_unwrapped_ether_trades_the_pool_and_direction_that_were_logged(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 25215353, "0x45b8e901022296253485f4c8b2af3e13e5dbb26739686f527292361908bfc574")
    assert call.completeness is Completeness.EXACT
    assert directions(call.intents) == [swap[:2] for swap in logged(logs)] == [(ETH_USDC_ID, True)]
    assert call.intents[1].size == BalanceIn(0, (0,), 29582119)


@pytest.mark.shared
def test_real_plan_inside_an_unlisted_contracts_call_trades_the_pool_and_direction_that_were_logged(shared_data: Path) -> None:
    """The contract that carries it is nobody's: its calldata is read from where the router's selector stands."""
    transaction, logs = mined(shared_data, 25215353, "0xc52052ac9174d499909f39ddda0e56146891d760e4e295b3f61e022833a7cb05")
    data = bytes.fromhex(transaction["input"][2:])
    start = data.index(bytes.fromhex("24856bc3"))
    call = decode(tables(), address("ur2"), data[start:], 0, bytes.fromhex(transaction["to"][2:]))
    assert call is not None
    assert call.completeness is Completeness.EXACT
    pool, forward, amount_in = logged(logs)[0]
    assert directions(call.intents) == [(pool, forward)]
    assert call.intents[0].size == ExactIn(amount_in, 2505800792)


@pytest.mark.parametrize("router", V4)
def test_hook_data_behind_an_offset_that_leads_out_of_the_calldata_is_empty(router: str) -> None:
    swap, steps = single(router, ETH_USDC, True, 11, 22), [(USDC, 500, 10, NO_HOOKS, b"")]
    usual = [(IN_SINGLE, swap), (IN, along(router, ETH, steps, 33, 44))]
    odd = [(code, replaced_offset(data, 2 if code == IN_SINGLE else 3)) for code, data in usual]
    assert swapped(router, *odd).intents == swapped(router, *usual).intents


def replaced_offset(data: bytes, back: int) -> bytes:
    """The parameters with 2^255 for the last offset, which stands so many words before the end."""
    place = data.rindex((len(data) - 64 if back == 2 else 160).to_bytes(32))
    return data[:place] + BALANCE.to_bytes(32) + data[place + 32 :]
