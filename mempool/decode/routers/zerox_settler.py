"""0x Settler, wherever it is deployed: a list of actions, each calldata of its own, and a check of what they brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mempool.abi import Padding, read_arguments
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.zerox_parts import add_hidden, normal_token
from mempool.decode.routers.zerox_settlement import Action, Settlement, pay_out, settlement_of
from mempool.decode.routers.zerox_settler_actions import SETTLER_ACTIONS
from mempool.decode.tables import Entry, RouterKind
from mempool.model.swap import ExactIn

_SELECTOR_BYTES = 4
_FUNDING = frozenset({"TRANSFER_FROM", "TRANSFER_FROM_WITH_PERMIT", "METATXN_TRANSFER_FROM"})


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute, executeWithPermit((recipient, buyToken, minAmountOut), actions, zid[, permitData]): the sender pays"""
    slippage, actions, *_ = arguments
    _settle(call, slippage, actions, call.sender)


def execute_meta_txn(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeMetaTxn((recipient, buyToken, minAmountOut), actions, zid, msgSender, sig): the signer pays"""
    slippage, actions, _, signer, _ = arguments
    _settle(call, slippage, actions, signer)


def _settle(call: Call, slippage: tuple[bytes, bytes, int], actions: Sequence[bytes], payer: bytes) -> None:
    """Without a token and a minimum nothing is checked, and what is left stays."""
    recipient, buy_token, minimum = slippage
    is_checked = bool(minimum or any(buy_token))
    bought = normal_token(buy_token) if is_checked else b""
    first, opaque = len(call.intents), len(call.opaque)
    settlement = settlement_of(read_actions(call, actions), payer, bought)
    run_actions(call, settlement)
    if bought and len(call.opaque) > opaque and len(call.intents) == first:
        _add_whole(call, settlement, (recipient, bought, minimum))
    if is_checked:
        pay_out(call, bought, recipient, minimum)


def read_actions(call: Call, actions: Iterable[bytes]) -> list[Action]:
    """Each action's row in the tables and its arguments; an action that is not in the tables has a row that is opaque."""
    call.enter(call.size)
    left = call.bytes_left
    read = [_read_action(call, data) for data in actions]
    size = left - call.bytes_left
    call.leave()
    call.hold(size)
    return read


def _read_action(call: Call, data: bytes) -> Action:
    call.charge_command()
    entry = call.router.commands.get(int.from_bytes(data[:_SELECTOR_BYTES].ljust(_SELECTOR_BYTES, b"\0")))
    if entry is None:
        return Entry(f"0x{data[:_SELECTOR_BYTES].hex()}", None, None, is_opaque=True), ()
    arguments = () if entry.read is None else read_arguments(entry.read, data, _SELECTOR_BYTES, call)
    return entry, arguments


def run_actions(call: Call, settlement: Settlement) -> None:
    """The actions in their order, on the contract's balances."""
    call.books().credit(call.contract, NATIVE, Holding(call.value_wei))
    call.enter(call.size)
    for index, (entry, arguments) in enumerate(settlement.actions):
        settlement.index = index
        if entry.handler is None:
            call.note_opaque(entry.name) if entry.is_opaque else call.note(entry.name)
            continue
        call.note(entry.name)
        call.function = entry.name
        entry.handler(call, (settlement, arguments))
    call.leave()


def _add_whole(call: Call, settlement: Settlement, bought: tuple[bytes, bytes, int]) -> None:
    """Nothing in it is understood but what comes in and what must come out."""
    recipient, token_out, minimum = bought
    permits = [arguments[1] for entry, arguments in settlement.actions if entry.name in _FUNDING]
    (token_in, amount), *_ = permits[0] if permits else ((NATIVE, call.value_wei),)
    if amount:
        add_hidden(call, "", (token_in, token_out), ExactIn(amount, minimum), recipient)


ZEROX_SETTLER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v3"}),
    functions={"execute": execute, "executeWithPermit": execute, "executeMetaTxn": execute_meta_txn},
    commands=SETTLER_ACTIONS,
)
