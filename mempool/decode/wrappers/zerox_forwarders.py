"""0x AllowanceHolder and its forwarding multicall: they append their sender, whom 0x's contracts take for theirs."""

from __future__ import annotations

from functools import partial
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind

_REVERT, _LAST_POLICY = 0, 2
_HEED_THE_SENDER = frozenset({"zerox_allowance_holder", "zerox_settler", "zerox_bridge_settler"})
"""Kinds of contracts that ask a forwarder who called it (ERC-2771)."""


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """exec(operator, token, amount, target, data)"""
    _, _, _, target, data = arguments
    _forward(call, target, data, call.value_wei)


def multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """multicall((target, revertPolicy, value, data)[], contextdepth): policies 1 and 2 let a call fail, 1 ends with it"""
    for target, policy, value_wei, data in arguments[0]:
        if policy > _LAST_POLICY:
            raise call.malformed(f"there is no policy {policy}")
        follow = partial(_forward, call, target, data, value_wei)
        if policy == _REVERT:
            follow()
        else:
            call.attempt(follow)


def _forward(call: Call, target: bytes, data: bytes, value_wei: int) -> None:
    around = call.contract
    table = call.tables.contract(target, data[:4])
    if table is not None and table.kind in _HEED_THE_SENDER:
        call.contract = call.sender
    call.call_contract(target, data, value_wei)
    call.contract = around


ZEROX_ALLOWANCE_HOLDER = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"exec": execute})
ZEROX_MULTICALL = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"multicall": multicall})
