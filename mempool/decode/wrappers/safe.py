"""Safe accounts, and the MultiSend that they run as themselves to make several calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import run_delegated

_CALL, _DELEGATE_CALL = 0, 1
_HEADER = 85
"""Bytes before a packed transaction's calldata: operation, address, value and length."""


def exec_transaction(call: Call, arguments: tuple[Any, ...]) -> None:
    """execTransaction(to, value, data, operation, safeTxGas, baseGas, gasPrice, …): a failure is paid for and no revert where
    gas is set or refunded"""
    to, value_wei, data, operation, safe_gas, _, gas_price, *_ = arguments
    follow = _step(call, operation, (to, value_wei, data))
    if safe_gas or gas_price:
        call.attempt(follow)
    else:
        follow()


def exec_from_module(call: Call, arguments: tuple[Any, ...]) -> None:
    """execTransactionFromModule(to, value, data, operation): says whether it succeeded, and does not revert"""
    to, value_wei, data, operation = arguments
    call.attempt(_step(call, operation, (to, value_wei, data)))


def multi_send(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiSend(transactions): packed operation (1), target (20), value (32), length (32) and calldata, all or nothing"""
    packed = arguments[0]
    start = 0
    while start < len(packed):
        end = start + _HEADER + int.from_bytes(packed[start + 53 : start + _HEADER])
        if start + _HEADER > len(packed) or end > len(packed):
            raise call.malformed("a packed transaction is cut short")
        target, value = packed[start + 1 : start + 21], packed[start + 21 : start + 53]
        _step(call, packed[start], (target, int.from_bytes(value), call.kept(packed[start + _HEADER : end])))()
        start = end


def _step(call: Call, operation: int, execution: tuple[bytes, int, bytes]) -> Callable[[], None]:
    """What one transaction of the Safe does."""
    target, value_wei, data = execution
    if operation == _CALL:
        return lambda: call.call_contract(target, data, value_wei)
    if operation == _DELEGATE_CALL:
        return lambda: run_delegated(call, target, data)
    raise call.malformed(f"operation {operation} is neither a call nor a delegated one")


SAFE = RouterKind(
    # Safes of the versions in use are compiled by 0.5 to 0.7 without the pragma.
    padding=Padding.MASKED,
    pools=frozenset(),
    functions={
        "execTransaction": exec_transaction,
        "execTransactionFromModule": exec_from_module,
        "execTransactionFromModuleReturnData": exec_from_module,
    },
)
MULTI_SEND = RouterKind(padding=Padding.MASKED, pools=frozenset(), functions={"multiSend": multi_send})
