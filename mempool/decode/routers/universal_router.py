"""Uniswap's Universal Router, every version: a command a byte, with its input; the layouts are chosen by address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from mempool.abi import Padding, blobs, item_at, word_at
from mempool.decode.call import Call, PlaceOf
from mempool.decode.ledger import NATIVE
from mempool.decode.quick_plans import quick_plan_of
from mempool.decode.routers import universal_commands as commands
from mempool.decode.routers.universal_v4 import ACTIONS, lists_of, v4_swap
from mempool.decode.tables import RouterKind


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(commands, inputs[, deadline])"""
    call.books().change(call.contract, NATIVE, call.value_wei)
    if len(arguments) == 3:
        call.hold_to(arguments[2])
    run_commands(call, arguments, _standing_in(call.data))


def execute_signed(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeSigned(commands, inputs, intent, data, verifySender, nonce, signature, deadline); the caller pays and receives"""
    commands, inputs, *_, deadline = arguments
    execute(call, (commands, inputs, deadline))


def run_commands(call: Call, arguments: tuple[Any, ...], place_of: PlaceOf) -> None:
    """(commands, inputs), of the entry point or of a sub-plan"""
    codes, inputs = arguments[:2]
    if len(codes) != len(inputs):
        raise call.malformed(f"{len(codes)} commands have {len(inputs)} inputs")
    call.enter(call.size)
    call.run_commands(codes, inputs, place_of)
    call.leave()


def execute_sub_plan(call: Call, arguments: tuple[Any, ...]) -> None:
    """(commands, inputs), or all of the bytes where the version reads them as it reads actions

    What stands in a plan fails or succeeds as a whole, since it is a call of the router to itself.
    """
    plan = arguments if len(arguments) == 2 else _plan_of(call, arguments[0])
    if call.may_fail:
        call.attempt(lambda: run_commands(call, plan, _passed_on(call, plan[1])))
    else:
        run_commands(call, plan, _passed_on(call, plan[1]))


def _standing_in(data: bytes) -> PlaceOf:
    """The inputs' places in the call that lists them as its second argument."""
    return lambda number: (data, item_at(data, 36 + word_at(data, 36), number)[0])


def _passed_on(call: Call, inputs: Sequence[bytes]) -> PlaceOf:
    """The same in the call that a router makes of itself for a plan in a plan: of it the part from the input on, encoded anew.

    Each time it is charged with the inputs in that part.
    """

    def place_of(number: int) -> tuple[bytes, int]:
        rest = inputs[number:]
        call.charge_items(len(rest))
        return blobs(rest), 32

    return place_of


def _plan_of(call: Call, data: bytes) -> tuple[bytes, list[bytes]]:
    codes, places = lists_of(call, data)
    call.bytes_left -= sum(length for _, length in places)
    if call.bytes_left < 0:
        raise call.out_of_bytes()
    return codes, [data[start : start + length] for start, length in places]


def moves_balances(call: Call, _arguments: tuple[Any, ...]) -> None:
    """A purchase or a deposit: no swap of tokens, but what the router holds afterwards is not known."""
    call.books().forget_all()


_COMMANDS = {
    "V3_SWAP_EXACT_IN": commands.v3_swap_exact_in,
    "V3_SWAP_EXACT_OUT": commands.v3_swap_exact_out,
    "V2_SWAP_EXACT_IN": commands.v2_swap_exact_in,
    "V2_SWAP_EXACT_OUT": commands.v2_swap_exact_out,
    "PERMIT2_TRANSFER_FROM": commands.permit2_transfer_from,
    "PERMIT2_TRANSFER_FROM_BATCH": commands.permit2_transfer_from_batch,
    "SWEEP": commands.sweep,
    "TRANSFER": commands.transfer,
    "PAY_PORTION": commands.pay_portion,
    "PAY_PORTION_FULL_PRECISION": commands.pay_portion_full_precision,
    "WRAP_ETH": commands.wrap_eth,
    "UNWRAP_WETH": commands.unwrap_weth,
    "EXECUTE_SUB_PLAN": execute_sub_plan,
    "V4_SWAP": v4_swap,
    "SEAPORT": moves_balances,
    "SEAPORT_V1_4": moves_balances,
    "SEAPORT_V1_5": moves_balances,
    "LOOKS_RARE_721": moves_balances,
    "LOOKS_RARE_1155": moves_balances,
    "LOOKS_RARE_V2": moves_balances,
    "CRYPTOPUNKS": moves_balances,
    "X2Y2_721": moves_balances,
    "X2Y2_1155": moves_balances,
    "FOUNDATION": moves_balances,
    "ELEMENT_MARKET": moves_balances,
    "V4_POSITION_MANAGER_CALL": moves_balances,
    "ACROSS_V4_DEPOSIT_V3": moves_balances,
}
_HARMLESS_COMMANDS = frozenset(
    {
        "PERMIT2_PERMIT",
        "PERMIT2_PERMIT_BATCH",
        "BALANCE_CHECK_ERC20",
        "OWNER_CHECK_721",
        "OWNER_CHECK_1155",
        "SWEEP_ERC721",
        "SWEEP_ERC1155",
        "APPROVE_ERC20",
        "V3_POSITION_MANAGER_PERMIT",
        "V3_POSITION_MANAGER_CALL",
        "V4_INITIALIZE_POOL",
    }
)

_SWAPS = {
    "V3_SWAP_EXACT_IN": 1,
    "V3_SWAP_EXACT_OUT": 1,
    "V2_SWAP_EXACT_IN": 1,
    "V2_SWAP_EXACT_OUT": 1,
    "PERMIT2_TRANSFER_FROM": 0,
    "SWEEP": 0,
    "TRANSFER": 0,
    "PAY_PORTION": 0,
    "PAY_PORTION_FULL_PRECISION": 0,
    "WRAP_ETH": 0,
    "UNWRAP_WETH": 0,
}
"""How many swaps a command adds: of those that nearly every plan is made of, and that carry nothing."""

# From V1.2 on the inputs' words are read by assembly: the deployed code runs with set bits beside a recipient, V1's reverts. What
# it reads beyond an input's length stands with each command, as `in_place`. Of V2.1.1 Uniswap/universal-router#498 tells it.
UNIVERSAL_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2", "uniswap_v3"}),
    functions={"execute": execute},
    quick={
        "execute(bytes,bytes[])": quick_plan_of(_SWAPS, has_deadline=False),
        "execute(bytes,bytes[],uint256)": quick_plan_of(_SWAPS, has_deadline=True),
    },
    commands=_COMMANDS,
    harmless_commands=_HARMLESS_COMMANDS,
    actions=ACTIONS,
    command_mask=0x3F,
    command_padding=Padding.MASKED_WORDS,
)
# V1 takes 32 commands, none of them a plan in a plan: its 0x20 is 0x00 again.
UNIVERSAL_ROUTER_V1 = replace(
    UNIVERSAL_ROUTER,
    commands=_COMMANDS | {"PERMIT2_TRANSFER_FROM": commands.permit2_transfer_from_to_stated},
    command_mask=0x1F,
    command_padding=Padding.CHECKED,
)
UNIVERSAL_ROUTER_7_BIT = replace(
    UNIVERSAL_ROUTER, functions={"execute": execute, "executeSigned": execute_signed}, command_mask=0x7F
)
