"""Smart accounts of every make (ERC-4337, ERC-7579, EIP-7702): they are known by the functions that carry their calls."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import run_all, run_batched_call, run_delegated, run_mode, run_user_op

_CALL, _DELEGATE_CALL = 0, 1


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(target, value, callData)"""
    target, value_wei, data = arguments
    call.call_contract(target, data, value_wei)


def execute_operation(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(target, value, callData, operation): 1 runs the target's code as the account"""
    target, value_wei, data, operation = arguments
    if operation not in (_CALL, _DELEGATE_CALL):
        raise call.malformed(f"operation {operation} is neither a call nor a delegated one")
    if operation == _CALL:
        call.call_contract(target, data, value_wei)
    else:
        run_delegated(call, target, data)


def execute_mode(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(mode, executionCalldata), executeFromExecutor: ERC-7579 and ERC-7821"""
    mode, data = arguments
    run_mode(call, mode, data)


def execute_calls(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeBatch((target, value, callData)[]) and the like, with or without a signature behind them"""
    run_all(call, arguments[0])


def execute_lists(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeBatch(targets[, values], callDatas); without values, or with none in their list, they are 0"""
    targets, *values, datas = arguments
    values_wei = values[0] if values and values[0] else (0,) * len(targets)
    if not len(targets) == len(values_wei) == len(datas):
        raise call.malformed("a batch's lists differ in length")
    run_all(call, zip(targets, values_wei, datas, strict=True))


def execute_batched_call(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute((calls, revertOnFailure))"""
    run_batched_call(call, arguments[0])


def execute_signed_batched_call(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute((batchedCall, nonce, keyHash, executor, deadline), wrappedSignature): a deadline of 0 is none"""
    batched, *_, deadline = arguments[0]
    if deadline:
        call.hold_to(deadline)
    run_batched_call(call, batched)


def execute_multiple(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeMultiple((calls, signature)[])"""
    for executions, _ in arguments[0]:
        call.charge_command()
        run_all(call, executions)


def execute_user_op(call: Call, arguments: tuple[Any, ...]) -> None:
    """executeUserOp(userOp, userOpHash): what stands behind the selector in the operation's calldata"""
    run_user_op(call, call.kept(arguments[0][3][4:]))


def multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """multicall((target, callData)[])"""
    run_all(call, [(target, 0, data) for target, data in arguments[0]])


ACCOUNT = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "execute(address,uint256,bytes)": execute,
        "execute(address,uint256,bytes,uint8)": execute_operation,
        "execute(bytes32,bytes)": execute_mode,
        "execute((address,uint256,bytes)[])": execute_calls,
        "execute((address,uint256,bytes)[],bytes)": execute_calls,
        "execute(((address,uint256,bytes)[],bool))": execute_batched_call,
        "execute((((address,uint256,bytes)[],bool),uint256,bytes32,address,uint256),bytes)": execute_signed_batched_call,
        "execute_ncC": execute,
        "executeCall": execute,
        "call": execute,
        "execute4337Op": execute,
        "execute4337Ops": execute_calls,
        "executeBatch((address,uint256,bytes)[])": execute_calls,
        "executeBatch(address[],bytes[])": execute_lists,
        "executeBatch(address[],uint256[],bytes[])": execute_lists,
        "executeBatch_y6U": execute_lists,
        "executeBatchCall": execute_lists,
        "executeBatchCall_4by": execute_lists,
        "executeBySender": execute_calls,
        "executeMultiple": execute_multiple,
        "executeFromExecutor": execute_mode,
        "executeUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32)": execute_user_op,
        "executeUserOp(address,uint256,bytes,uint8)": execute_operation,
        "executeUserOpWithErrorString": execute_operation,
        "multicall": multicall,
    },
)
