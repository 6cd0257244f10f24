"""0x BridgeSettler: swaps through a Settler, and then sends what it has to another chain."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.zerox_basic import basic
from mempool.decode.routers.zerox_parts import NATIVE_SIGN
from mempool.decode.routers.zerox_settlement import settlement_of
from mempool.decode.routers.zerox_settler import read_actions, run_actions
from mempool.decode.routers.zerox_settler_actions import transfer_from
from mempool.decode.tables import RouterKind
from mempool.model.swap import Take


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(actions, zid)"""
    run_actions(call, settlement_of(read_actions(call, arguments[0]), call.sender, b""))


def settler_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """SETTLER_SWAP(token, amount, settler, settlerData): as the Settler's payer"""
    _, (token, amount, settler, data) = arguments
    value_wei = amount if token == NATIVE_SIGN else 0
    call.books().take(call.contract, NATIVE, Take(value_wei))
    call.call_contract(settler, data, value_wei)


def send_away(call: Call, arguments: tuple[Any, ...]) -> None:
    """BRIDGE_…: no swap, but what is left is not known"""
    call.books().forget_all()


_BRIDGES = ("RELAY", "MAYAN", "ACROSS", "STARGATE_V2")
ZEROX_BRIDGE_SETTLER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"execute": execute},
    commands={
        "TRANSFER_FROM": transfer_from,
        "SETTLER_SWAP": settler_swap,
        "BASIC": basic,
        **{f"BRIDGE_{kind}_TO_{bridge}": send_away for bridge in _BRIDGES for kind in ("ERC20", "NATIVE")},
        **{f"BRIDGE_TO_{bridge}": send_away for bridge in ("LAYER_ZERO_OFT", "DEBRIDGE", "CCIP")},
    },
    harmless_commands=frozenset({"UNDERPAYMENT_CHECK"}),
)
