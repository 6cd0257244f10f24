"""MetaMask's DelegationManager: executions of accounts that have delegated them, each in ERC-7579's encoding."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding, Read, inputs_reader
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import read_carried, run_as, run_mode

_CAVEAT = [{"type": "address"}, {"type": "bytes"}, {"type": "bytes"}]
_DELEGATION = [
    {"type": "address"},
    {"type": "address"},
    {"type": "bytes32"},
    {"type": "tuple[]", "components": _CAVEAT},
    {"type": "uint256"},
    {"type": "bytes"},
]
_read_delegations: Read = inputs_reader([{"type": "tuple[]", "components": _DELEGATION}], Padding.CHECKED)
"""`(delegate, delegator, authority, caveats, salt, signature)[]`, from the one that is redeemed up to the first given."""


def redeem_delegations(call: Call, arguments: tuple[Any, ...]) -> None:
    """redeemDelegations(permissionContexts, modes, executionCallDatas): all or nothing"""
    contexts, modes, executions = arguments
    if not len(contexts) == len(modes) == len(executions):
        raise call.malformed("a batch's lists differ in length")
    for context, mode, data in zip(contexts, modes, executions, strict=True):
        call.charge_command()
        _redeem(call, _account(call, context), mode, data)


def _redeem(call: Call, account: bytes, mode: bytes, data: bytes) -> None:
    call.note("executeFromExecutor")
    run_as(call, account, lambda: run_mode(call, mode, data))


def _account(call: Call, context: bytes) -> bytes:
    """Whose execution it is: the root delegator's, or without any delegation the sender's own."""
    (delegations,) = read_carried(call, _read_delegations, context)
    delegator: bytes = delegations[-1][1] if delegations else call.sender
    return delegator


DELEGATION_MANAGER = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"redeemDelegations": redeem_delegations})
