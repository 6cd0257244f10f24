"""ERC-4337's EntryPoint, every version: calls of accounts, of which each may fail without failing the rest."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import run_as, run_user_op

_EXECUTE_USER_OP = bytes.fromhex("8dd7712f")
"""`executeUserOp(PackedUserOperation, bytes32)`: the account gets the whole operation, and acts on what follows."""


def handle_ops(call: Call, arguments: tuple[Any, ...]) -> None:
    """handleOps(ops, beneficiary)"""
    for operation in arguments[0]:
        _handle(call, operation)


def handle_aggregated_ops(call: Call, arguments: tuple[Any, ...]) -> None:
    """handleAggregatedOps((ops, aggregator, signature)[], beneficiary)"""
    for operations, *_ in arguments[0]:
        call.charge_command()
        for operation in operations:
            _handle(call, operation)


def _handle(call: Call, operation: tuple[Any, ...]) -> None:
    """(sender, nonce, initCode, callData, …): an operation without calldata calls nothing."""
    account, data = operation[0], operation[3]
    if not data:
        call.charge_command()
        return
    if data[:4] == _EXECUTE_USER_OP:
        call.note("executeUserOp")
        call.attempt(lambda: run_as(call, account, lambda: run_user_op(call, call.kept(data[4:]))))
    else:
        call.attempt(lambda: call.call_contract(account, data))


ENTRY_POINT = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"handleOps": handle_ops, "handleAggregatedOps": handle_aggregated_ops},
)
