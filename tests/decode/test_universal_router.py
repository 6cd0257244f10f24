"""Every version of the Universal Router, its layouts, its balances and its nested plans."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from mempool.abi import item_at, word_at
from mempool.decode.ledger import MAX_TAKES
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut, Take
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    ETHER,
    FIVE_FIELDS,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    UNIVERSAL,
    USDC,
    WETH,
    Command,
    address,
    calldata,
    command_input,
    decoded,
    executed,
    path,
    plan,
)

V3_IN, V3_OUT, V2_IN, V2_OUT = 0x00, 0x01, 0x08, 0x09
TRANSFER_FROM, SWEEP, TRANSFER, PORTION, FULL_PORTION = 0x02, 0x04, 0x05, 0x06, 0x07
WRAP, UNWRAP, TRANSFER_FROM_BATCH, SUB_PLAN = 0x0B, 0x0C, 0x0D, 0x21
ETH = bytes(20)
V3_POOL = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
PAIR = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")


def v3_in(recipient: bytes = TO_SENDER, amount: int = 11, minimum: int = 22, *, user: bool = True) -> Command:
    return V3_IN, (recipient, amount, minimum, path(USDC, 500, WETH), user)


def v2_in(tokens: list[bytes], amount: int, minimum: int = 22, *, recipient: bytes = TO_SENDER, user: bool = True) -> Command:
    return V2_IN, (recipient, amount, minimum, tokens, user)


@pytest.mark.parametrize("router", UNIVERSAL)
def test_each_swap_command_is_read_in_its_versions_layout(router: str) -> None:
    commands: list[Command] = [
        v3_in(),
        (V3_OUT, (FRIEND, 33, 44, path(WETH, 500, USDC), True)),
        v2_in([USDC, WETH], 55),
        (V2_OUT, (TO_ROUTER, 66, 77, [USDC, WETH], True)),
    ]
    call = executed(router, commands)
    assert [intent.size for intent in call.intents] == [
        ExactIn(11, 22),
        ExactOut(33, 44),
        ExactIn(55, 22),
        ExactOut(66, 77, pays_forward=True),
    ]
    assert [intent.hops[0].pool for intent in call.intents] == [V3_POOL, V3_POOL, PAIR, PAIR]
    assert [intent.recipient for intent in call.intents] == [SENDER, FRIEND, SENDER, address(router)]
    assert [intent.measures_received for intent in call.intents] == [False, False, True, True]
    assert {intent.deadline for intent in call.intents} == {DEADLINE}
    assert (call.completeness, call.extra_bytes) == (Completeness.EXACT, 0)
    assert call.commands == ("execute", "V3_SWAP_EXACT_IN", "V3_SWAP_EXACT_OUT", "V2_SWAP_EXACT_IN", "V2_SWAP_EXACT_OUT")


def test_signed_plan_is_read_like_any_other() -> None:
    codes, inputs = plan("ur2.1.1", [v3_in(TO_ROUTER), (SWEEP, (WETH, TO_SENDER, 33))])
    signed = "executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)"
    word = bytes(32)
    call = decoded("ur2.1.1", calldata(signed, codes, inputs, word, word, False, word, b"signature", DEADLINE))
    (intent,) = call.intents
    assert (call.selector.hex(), call.commands) == ("44684dc3", ("executeSigned", "V3_SWAP_EXACT_IN", "SWEEP"))
    assert (intent.size, intent.deadline) == (ExactIn(11, 33), DEADLINE)


@pytest.mark.parametrize("router", UNIVERSAL)
def test_execute_without_deadline_is_the_other_entry_point(router: str) -> None:
    call = decoded(router, calldata("execute(bytes,bytes[])", *plan(router, [v3_in()])))
    assert call.intents[0].deadline is None


def test_layout_of_another_version_does_not_pass_for_this_ones() -> None:
    five = plan("ur2", [v2_in([USDC, WETH], 55)])
    with pytest.raises(MalformedCalldata):
        decoded("ur2.1.1", calldata("execute(bytes,bytes[])", *five))


@pytest.mark.parametrize("router", UNIVERSAL)
def test_wrapped_value_is_sold_as_a_balance(router: str) -> None:
    sell = (V3_IN, (TO_SENDER, BALANCE, 22, path(WETH, 500, USDC), False))
    call = executed(router, [(WRAP, (TO_ROUTER, BALANCE)), sell], 3 * ETHER)
    assert call.intents[0].size == BalanceIn(3 * ETHER, (), 22)
    call = executed(router, [(WRAP, (TO_ROUTER, ETHER)), sell], 3 * ETHER)
    assert call.intents[0].size == BalanceIn(ETHER, (), 22)
    assert call.completeness is Completeness.EXACT


def test_output_left_in_the_router_is_sold_by_the_next_swap() -> None:
    call = executed("ur1.2", [v3_in(TO_ROUTER), v2_in([WETH, DAI], BALANCE, user=False)])
    assert call.intents[1].size == BalanceIn(0, (0,), 22)
    assert call.completeness is Completeness.EXACT


def test_output_paid_to_a_pair_is_what_amount_zero_sells() -> None:
    call = executed("ur2", [v3_in(PAIR), v2_in([WETH, USDC], 0)])
    assert call.intents[1].size == BalanceIn(0, (0,), 22)
    transfer = (TRANSFER_FROM, (WETH, PAIR, 5 * ETHER))
    call = executed("ur2", [transfer, v2_in([WETH, USDC], 0)])
    assert call.intents[0].size == BalanceIn(5 * ETHER, (), 22)
    batch = (TRANSFER_FROM_BATCH, ([(SENDER, PAIR, 2 * ETHER, WETH), (SENDER, FRIEND, ETHER, WETH)],))
    call = executed("ur2", [batch, v2_in([WETH, USDC], 0)])
    assert call.intents[0].size == BalanceIn(2 * ETHER, (), 22)


def test_fixed_amounts_paid_by_the_router_leave_the_rest() -> None:
    commands = [
        (WRAP, (TO_ROUTER, 10 * ETHER)),
        v2_in([WETH, DAI], 4 * ETHER, user=False),
        (TRANSFER, (WETH, FRIEND, ETHER)),
        v2_in([WETH, USDC], BALANCE, user=False),
    ]
    call = executed("ur1", commands, 10 * ETHER)
    assert call.intents[1].size == BalanceIn(5 * ETHER, (), 22)


def test_portion_of_a_fixed_balance_is_taken_off_rounded_down() -> None:
    commands = [(WRAP, (TO_ROUTER, 999)), (PORTION, (WETH, FRIEND, 25)), v2_in([WETH, USDC], BALANCE, user=False)]
    assert executed("ur2", commands, 999).intents[0].size == BalanceIn(999 - 999 * 25 // 10_000, (), 22)
    commands[1] = (FULL_PORTION, (WETH, FRIEND, 10**17))
    assert executed("ur2.1.1", commands, 999).intents[0].size == BalanceIn(999 - 99, (), 22)


def test_what_a_portion_leaves_of_an_earlier_output_is_fixed_by_the_call() -> None:
    commands = [v3_in(TO_ROUTER), (PORTION, (WETH, FRIEND, 25)), v2_in([WETH, DAI], BALANCE, user=False)]
    call = executed("ur2", commands)
    assert call.completeness is Completeness.EXACT
    size = call.intents[1].size
    assert size == BalanceIn(0, (0,), 22, (Take(0, 25, 10_000),))
    assert size.amount_in(1_000) == 998


def test_portion_that_the_router_pays_itself_changes_nothing_and_one_paid_to_a_pair_makes_it_unknown() -> None:
    sell = v2_in([WETH, DAI], BALANCE, user=False)
    commands = [(WRAP, (TO_ROUTER, 999)), (PORTION, (WETH, TO_ROUTER, 25)), sell]
    assert executed("ur2", commands, 999).intents[0].size == BalanceIn(999, (), 22)
    commands = [(TRANSFER_FROM, (WETH, PAIR, 5)), v3_in(TO_ROUTER), (PORTION, (WETH, PAIR, 25)), v2_in([WETH, USDC], 0)]
    assert executed("ur2", commands).intents[1].completeness is Completeness.AMOUNT_UNKNOWN


@pytest.mark.parametrize(
    ("router", "command", "reason"),
    [
        ("ur2", (PORTION, (WETH, FRIEND, 10_001)), "more than all"),
        ("ur2.1.1", (FULL_PORTION, (WETH, FRIEND, 10**18 + 1)), "more than all"),
        ("ur2", (TRANSFER, (ETH, FRIEND, BALANCE)), "no balance is taken"),
        ("ur2.1.1", v2_in([USDC, WETH, DAI], 11), "2 hops have 1 minimum prices"),
        ("ur2.1.1", (V3_OUT, (FRIEND, 1, 2, path(USDC, 500, WETH, 500, DAI), True)), "2 hops have 1 minimum prices"),
    ],
)
def test_what_a_command_reverts_on_is_malformed(router: str, command: Command, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        executed(router, [command])


def test_balance_that_no_command_fixes_is_unknown() -> None:
    portion: Command = (PORTION, (WETH, FRIEND, 25))
    sell = v2_in([WETH, DAI], BALANCE, user=False)
    exact_out: Command = (V3_OUT, (FRIEND, 33, 44, path(USDC, 500, WETH), False))
    late = [v3_in(TO_ROUTER), portion, v3_in(TO_ROUTER), sell]
    for commands in ([sell], late, [(WRAP, (TO_ROUTER, 100)), exact_out, sell]):
        call = executed("ur2", commands, 100)
        assert call.intents[-1].completeness is call.completeness is Completeness.AMOUNT_UNKNOWN
        assert call.intents[-1].size == BalanceIn(0, (), 22)
        assert call.reason == f"sells CONTRACT_BALANCE of 0x{WETH.hex()}, which the call does not fix"
    call = executed("ur2", [v2_in([WETH, DAI], 0)])
    assert call.reason == f"sells what the pair was already paid (0) of 0x{WETH.hex()}, which the call does not fix"


@pytest.mark.parametrize("last", [(UNWRAP, (TO_SENDER, 44)), (SWEEP, (WETH, TO_SENDER, 44))])
def test_minimum_of_the_last_step_is_a_limit_of_its_only_source(last: Command) -> None:
    assert executed("ur1.2", [v3_in(TO_ROUTER), last]).intents[0].size == ExactIn(11, 44)
    both = executed("ur1.2", [v3_in(TO_ROUTER), v3_in(TO_ROUTER), last])
    assert [intent.size for intent in both.intents] == [ExactIn(11, 22)] * 2
    assert both.joint_minimums == (BalanceIn(0, (0, 1), 44),)


def test_swaps_that_may_fail_or_follow_a_portion_have_no_minimum_together() -> None:
    inner = plan("ur2", [v3_in(TO_ROUTER)])
    optional: list[Command] = [(SUB_PLAN | 0x80, inner), v3_in(TO_ROUTER), (UNWRAP, (TO_SENDER, 44))]
    assert executed("ur2", optional).joint_minimums == ()
    late: list[Command] = [v3_in(TO_ROUTER), (PORTION, (WETH, FRIEND, 25)), v3_in(TO_ROUTER), (UNWRAP, (TO_SENDER, 44))]
    assert executed("ur2", late).joint_minimums == ()
    both: list[Command] = [v3_in(TO_ROUTER), v3_in(TO_ROUTER), (PORTION, (WETH, FRIEND, 5000)), (UNWRAP, (TO_SENDER, 44))]
    assert executed("ur2", both).joint_minimums == (BalanceIn(0, (0, 1), 87),)


@pytest.mark.parametrize("bips", [1, 25, 100, 3333, 9999])
@pytest.mark.parametrize("minimum", [1, 44, 10**6 + 7])
def test_portion_taken_before_the_minimum_raises_what_the_swap_must_bring(bips: int, minimum: int) -> None:
    commands: list[Command] = [v3_in(TO_ROUTER, minimum=0), (PORTION, (WETH, FRIEND, bips)), (UNWRAP, (TO_SENDER, minimum))]
    size = executed("ur2", commands).intents[0].size
    assert isinstance(size, ExactIn)
    needed = size.min_amount_out
    assert needed - needed * bips // 10_000 >= minimum > (needed - 1) - (needed - 1) * bips // 10_000


def test_unwrapped_output_can_be_wrapped_and_sold_again() -> None:
    commands = [v3_in(TO_ROUTER), (UNWRAP, (TO_ROUTER, 0)), (WRAP, (TO_ROUTER, BALANCE)), v2_in([WETH, DAI], BALANCE, user=False)]
    assert executed("ur2", commands).intents[1].size == BalanceIn(0, (0,), 22)


@pytest.mark.parametrize("router", UNIVERSAL[1:])
def test_swaps_of_a_sub_plan_may_fail_together_and_the_flag_on_a_swap_itself_means_nothing(router: str) -> None:
    inner = plan(router, [v3_in(), (0x80, v3_in()[1])])
    call = executed(router, [(SUB_PLAN, inner), (0x80 | SUB_PLAN, inner), v3_in()])
    assert [intent.allow_revert for intent in call.intents] == [False, False, True, True, False]
    assert len({intent.revert_scopes for intent in call.intents}) == 2
    assert call.commands.count("EXECUTE_SUB_PLAN") == 2


def test_broken_plan_that_may_revert_undoes_itself_only() -> None:
    swap = command_input("ur2", *v3_in())
    broken = (bytes([V3_IN, V3_IN]), [swap, b"broken"])
    call = executed("ur2", [(0x80 | SUB_PLAN, broken), v3_in()])
    assert len(call.intents) == 1
    assert call.commands[-2].startswith("reverts: ")
    with pytest.raises(MalformedCalldata):
        executed("ur2", [(SUB_PLAN, broken), v3_in()])


@pytest.mark.parametrize("router", UNIVERSAL[1:])
def test_plan_in_another_legal_layout_runs_in_version_1_2_alone(router: str) -> None:
    codes, inputs = plan(router, [v3_in()])
    usual = encode(["bytes", "bytes[]"], [codes, inputs])
    moved = (96).to_bytes(32) + (160).to_bytes(32) + bytes(32) + usual[64:]
    whole = executed(router, [(SUB_PLAN, usual)])
    if router == "ur1.2":
        assert executed(router, [(SUB_PLAN, moved)]).intents == whole.intents
    else:
        with pytest.raises(MalformedCalldata, match="not laid out"):
            executed(router, [(SUB_PLAN, moved)])


def nested(router: str, depth: int) -> bytes:
    codes, inputs = plan(router, [v3_in()])
    for _ in range(depth):
        codes, inputs = plan(router, [(SUB_PLAN, (codes, inputs))])
    return calldata("execute(bytes,bytes[])", codes, inputs)


def test_plans_are_followed_to_depth_eight() -> None:
    assert len(decoded("ur2", nested("ur2", 7)).intents) == 1
    with pytest.raises(MalformedCalldata, match="nested deeper than 8") as caught:
        decoded("ur2", nested("ur2", 8))
    assert caught.value.refused


@pytest.mark.parametrize("router", FIVE_FIELDS)
def test_mask_of_six_bits_tolerates_the_seventh(router: str) -> None:
    call = executed(router, [(0x40 | V3_IN, command_input(router, *v3_in()))])
    assert call.intents[0].size == ExactIn(11, 22)


def test_version_1_knows_no_plans_in_plans_and_takes_five_bits_of_a_command() -> None:
    call = executed("ur1", [(0x20 | V3_IN, command_input("ur1", *v3_in())), (0xA0 | V3_IN, command_input("ur1", *v3_in()))])
    assert call.commands == ("execute", "V3_SWAP_EXACT_IN", "V3_SWAP_EXACT_IN")


@pytest.mark.parametrize(("router", "to"), [("ur1", address("ur1")), ("ur1.2", TO_ROUTER), ("ur2", TO_ROUTER)])
def test_permit2_pays_the_router_by_its_sentinel_from_version_1_2_on(router: str, to: bytes) -> None:
    sell = v2_in([WETH, DAI], BALANCE, user=False)
    paid, unpaid = (executed(router, [(0x02, (WETH, each, 7)), sell]).intents[0] for each in (to, b"\0" * 19 + b"\x03"))
    assert (paid.size, unpaid.completeness) == (BalanceIn(7, (), 22), Completeness.AMOUNT_UNKNOWN)
    by_sentinel = executed(router, [(0x02, (WETH, TO_ROUTER, 7)), sell]).intents[0]
    assert (by_sentinel.size == paid.size) == (router != "ur1")


def test_mask_of_seven_bits_knows_the_bridge() -> None:
    call = executed("ur2.1.1", [(0x40, b"anything")])
    assert (call.completeness, call.commands[-1]) == (Completeness.NOT_A_SWAP, "ACROSS_V4_DEPOSIT_V3")


VERSIONS_OF_16 = {"ur1": "SEAPORT", "ur1.2": "SEAPORT_V1_5", "ur2": "V4_SWAP", "ur2.1.1": "V4_SWAP"}


@pytest.mark.parametrize(("router", "name"), VERSIONS_OF_16.items())
def test_command_sixteen_depends_on_the_version(router: str, name: str) -> None:
    call = executed(router, [(0x10, encode(["bytes", "bytes[]"], [b"", []]))])
    assert call.commands[-1] == name
    assert call.completeness is Completeness.NOT_A_SWAP


def test_command_without_a_name_beside_a_readable_one_is_partial_and_blurs_balances() -> None:
    call = executed("ur2", [(WRAP, (TO_ROUTER, 5)), (0x3F, b"anything"), v2_in([WETH, DAI], BALANCE, user=False)], 5)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "not understood: command 0x3f")
    assert call.intents[0].completeness is Completeness.AMOUNT_UNKNOWN


def test_unknown_command_is_tolerated_by_number() -> None:
    call = executed("ur1.2", [v3_in(), (0x3F, b"")])
    assert (call.completeness, call.commands[-1]) == (Completeness.PARTIAL, "command 0x3f")
    assert len(call.intents) == 1


def test_permits_and_checks_stand_by_name() -> None:
    call = executed("ur2", [(0x0A, b"permit"), (0x03, b"permits"), (0x0E, b"check"), v3_in()])
    assert call.commands == ("execute", "PERMIT2_PERMIT", "PERMIT2_PERMIT_BATCH", "BALANCE_CHECK_ERC20", "V3_SWAP_EXACT_IN")
    assert call.completeness is Completeness.EXACT


def test_commands_and_inputs_of_different_number_are_malformed() -> None:
    codes, inputs = plan("ur2", [v3_in(), v3_in()])
    with pytest.raises(MalformedCalldata, match="2 commands have 1 inputs"):
        decoded("ur2", calldata("execute(bytes,bytes[])", codes, inputs[:1]))


def test_native_sweep_does_not_touch_the_wrapped_balance() -> None:
    commands = [(WRAP, (TO_ROUTER, 5)), (SWEEP, (ETH, TO_SENDER, 0)), v2_in([WETH, DAI], BALANCE, user=False)]
    assert executed("ur1", commands, 8).intents[0].size == BalanceIn(5, (), 22)


def test_more_than_256_commands_are_refused() -> None:
    sweep: Command = (SWEEP, (WETH, TO_SENDER, 0))
    assert executed("ur2", [sweep] * 256).completeness is Completeness.NOT_A_SWAP
    with pytest.raises(MalformedCalldata, match="more than 256 commands") as caught:
        executed("ur2", [sweep] * 257)
    assert caught.value.refused


def with_dirty_word(data: bytes, word: bytes) -> bytes:
    """The calldata with the highest bit of the last such word set."""
    start = data.rindex(word)
    return data[:start] + bytes([word[0] | 0x80]) + data[start + 1 :]


@pytest.mark.parametrize("router", UNIVERSAL)
def test_dirty_recipient_executes_from_version_1_2_on_but_a_dirty_path_never(router: str) -> None:
    data = calldata("execute(bytes,bytes[])", *plan(router, [v2_in([USDC, WETH], 55, recipient=FRIEND)]))
    dirty_recipient = with_dirty_word(data, bytes(12) + FRIEND)
    if router == "ur1":
        with pytest.raises(MalformedCalldata):
            decoded(router, dirty_recipient)
    else:
        assert decoded(router, dirty_recipient) == decoded(router, data)
    with pytest.raises(MalformedCalldata):
        decoded(router, with_dirty_word(data, bytes(12) + WETH))


def test_minimum_that_portions_raise_over_and_over_is_at_most_what_a_balance_can_be() -> None:
    swap = (V3_IN, (TO_ROUTER, 11, 1, path(USDC, 500, WETH), True))
    for count, minimum in ((1, 10**19 - 10**18 + 1), (30, (1 << 256) - 1)):
        portions: list[Command] = [(FULL_PORTION, (WETH, FRIEND, 10**18 - 1))] * count
        call = executed("ur2.1.1", [swap, *portions, (SWEEP, (WETH, TO_SENDER, 10))])
        assert call.intents[0].size == ExactIn(11, minimum)


def test_balance_that_is_taken_from_over_and_over_is_not_kept_track_of() -> None:
    swap = (V3_IN, (TO_ROUTER, 11, 1, path(USDC, 500, WETH), True))
    for count, minimum in ((MAX_TAKES, 10 + 7 * MAX_TAKES), (MAX_TAKES + 1, 1)):
        payments: list[Command] = [(TRANSFER, (WETH, FRIEND, 7))] * count
        call = executed("ur2", [swap, *payments, (SWEEP, (WETH, TO_SENDER, 10))])
        assert call.intents[0].size == ExactIn(11, minimum)


def relengthened(router: str, commands: list[Command], number: int, length: int) -> bytes:
    """The plan as an encoder makes it, with another length stated for one of its inputs."""
    data = calldata("execute(bytes,bytes[])", *plan(router, commands))
    first = 36 + word_at(data, 36)
    start, _ = item_at(data, first, number)
    return data[: start - 32] + length.to_bytes(32) + data[start:]


IN_PLACE = ("ur1.2", "ur2", "ur2.1.1")
PAYMENTS: list[Command] = [
    (TRANSFER_FROM, (USDC, TO_ROUTER, 100)),
    (TRANSFER, (USDC, FRIEND, 7)),
    (WRAP, (TO_ROUTER, 9)),
    (UNWRAP, (TO_ROUTER, 1)),
    v3_in(amount=BALANCE, user=False),
    (SWEEP, (WETH, TO_SENDER, 0)),
]


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63])
@pytest.mark.parametrize("number", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("router", UNIVERSAL)
def test_words_beyond_an_inputs_stated_length_are_read_where_assembly_reads_them(router: str, number: int, length: int) -> None:
    data = relengthened(router, PAYMENTS, number, length)
    if router in IN_PLACE:
        whole = executed(router, PAYMENTS)
        call = decoded(router, data)
        assert (call.steps, [intent.size for intent in call.intents]) == (whole.steps, [intent.size for intent in whole.intents])
    else:
        with pytest.raises(MalformedCalldata):
            decoded(router, data)


@pytest.mark.parametrize(
    ("router", "least_of_bytes", "least_of_array"),
    [
        ("ur1.2", 6 * 32 + 43, 6 * 32 + 2),
        ("ur2", 6 * 32 + 43, 6 * 32 + 2),
        # The minimum prices come last.
        ("ur2.1.1", 11 * 32, 11 * 32),
    ],
)
def test_list_must_end_inside_its_input_whose_items_count_as_bytes_before_version_2_1_1(
    router: str, least_of_bytes: int, least_of_array: int
) -> None:
    swaps = [v3_in(), v2_in([USDC, WETH], 55)]
    sizes = [intent.size for intent in executed(router, swaps).intents]
    for number, least in ((0, least_of_bytes), (1, least_of_array)):
        assert [intent.size for intent in decoded(router, relengthened(router, swaps, number, least)).intents] == sizes
        with pytest.raises(MalformedCalldata, match="ends behind its input"):
            decoded(router, relengthened(router, swaps, number, least - 1))


def test_minimum_prices_of_version_2_1_1_may_begin_before_their_input() -> None:
    path_words = [word(3), *(bytes(12) + each for each in (USDC, DAI, WETH))]
    swap = b"".join((bytes(12) + TO_SENDER, word(55), word(22), word(6 * 32), word(1), word(-96), *path_words))
    # Two prices: the last word before the input's length, and that.
    before = b"".join((bytes(12) + TO_ROUTER, word(9), word(2), word(1 << 200)))
    data = calldata("execute(bytes,bytes[])", bytes([WRAP, V2_IN]), [before, swap])
    assert [intent.size for intent in decoded("ur2.1.1", data).intents] == [ExactIn(55, 22)]
    for odd in (-128, -64, -(1 << 255), 1 << 64):
        with pytest.raises(MalformedCalldata):
            decoded("ur2.1.1", data.replace(word(-96), word(odd)))


def word(number: int) -> bytes:
    return (number % (1 << 256)).to_bytes(32)


@pytest.mark.parametrize("router", IN_PLACE)
def test_words_beyond_an_input_of_a_sub_plan_are_those_of_the_next_input(router: str) -> None:
    last = encode(["bytes", "bytes[]"], [bytes([WRAP]), [TO_ROUTER.rjust(32, b"\0")]])
    assert executed(router, [(SUB_PLAN, last), v3_in_weth()], ETHER).intents[0].size == BalanceIn(0, (), 22)
    # The amount that is wrapped is the length of the input behind.
    some = encode(["bytes", "bytes[]"], [bytes([WRAP, TRANSFER]), [TO_ROUTER.rjust(32, b"\0"), bytes(96)]])
    assert executed(router, [(SUB_PLAN, some), v3_in_weth()], ETHER).intents[0].size == BalanceIn(96, (), 22)


def v3_in_weth() -> Command:
    return V3_IN, (TO_SENDER, BALANCE, 22, path(WETH, 500, USDC), False)


@pytest.mark.parametrize("router", UNIVERSAL)
def test_item_behind_an_offset_that_leads_out_of_the_calldata_is_empty_and_its_words_are_zero(router: str) -> None:
    data = calldata("execute(bytes,bytes[])", *plan(router, [(TRANSFER, (USDC, FRIEND, 7)), v2_in([USDC, WETH], 55)]))
    first = 36 + word_at(data, 36)
    odd = data[:first] + BALANCE.to_bytes(32) + data[first + 32 :]
    if router in IN_PLACE:
        assert decoded(router, odd) == decoded(router, data)
    else:
        with pytest.raises(MalformedCalldata):
            decoded(router, odd)


@pytest.mark.parametrize(("router", "minimum"), [("ur1", (1 << 160) + 5), ("ur1.2", 5), ("ur2", 5), ("ur2.1.1", 5)])
def test_minimum_of_a_sweep_has_160_bits_from_version_1_2_on(router: str, minimum: int) -> None:
    swap = (V3_IN, (TO_ROUTER, 11, 1, path(USDC, 500, WETH), True))
    call = executed(router, [swap, (SWEEP, (WETH, TO_SENDER, (1 << 160) + 5))])
    assert call.intents[0].size == ExactIn(11, minimum)
