"""What wrappers have in common: calls made one after another, by another contract's leave, and in ERC-7579's encodings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mempool.abi import SPARE_BYTES, Budget, Padding, Read, inputs_reader, read_arguments
from mempool.decode.call import Call

Execution = tuple[bytes, int, bytes]
"""`(target, value_wei, calldata)`"""

_NOBODY = bytes(20)
_SINGLE, _BATCH, _STATIC, _DELEGATED = 0x00, 0x01, 0xFE, 0xFF
_MUST_SUCCEED, _TRIED = 0x00, 0x01
_BATCH_OF_BATCHES = bytes.fromhex("78210002")
_HEADER = 52
"""Bytes before a packed execution's calldata: an address and 32 bytes of value."""

_EXECUTION = [{"type": "address"}, {"type": "uint256"}, {"type": "bytes"}]
_read_executions: Read = inputs_reader([{"type": "tuple[]", "components": _EXECUTION}], Padding.CHECKED)
_read_batches: Read = inputs_reader([{"type": "bytes[]"}], Padding.CHECKED)
_BATCHED_CALL = [{"type": "tuple[]", "components": _EXECUTION}, {"type": "bool"}]
_read_batched_call: Read = inputs_reader([{"type": "tuple", "components": _BATCHED_CALL}], Padding.CHECKED)
_FIRST_OFFSET = (32).to_bytes(32)


def run_all(call: Call, executions: Iterable[Execution]) -> None:
    """Calls of the contract at hand, all or nothing."""
    for target, value_wei, data in executions:
        call.call_contract(target, data, value_wei)


def try_all(call: Call, executions: Iterable[Execution]) -> None:
    """Calls of the contract at hand, of which each may fail without failing the rest."""
    for execution in executions:
        run_one(call, execution, may_fail=True)


def run_one(call: Call, execution: Execution, *, may_fail: bool) -> None:
    """One call of the contract at hand; one that may fail does so without failing the rest."""
    target, value_wei, data = execution
    if may_fail:
        call.attempt(lambda: call.call_contract(target, data, value_wei))
    else:
        call.call_contract(target, data, value_wei)


def run_delegated(call: Call, target: bytes, data: bytes) -> None:
    """DELEGATECALL: the target's code runs as the contract at hand, with its sender and its balances."""
    call.charge_command()
    table = call.tables.contract(target, data[:4])
    if table is None:
        call.note_opaque(f"delegates 0x{data[:4].hex()} to 0x{target.hex()}")
        return
    around = (call.router, call.function, call.deadline)
    call.router = table
    call.enter(call.size)
    call.run(data, table.name)
    call.leave()
    call.router, call.function, call.deadline = around


def run_as(call: Call, contract: bytes, follow: Callable[[], None]) -> None:
    """Do what `follow` does as `contract`, which the contract at hand has called to do it."""
    around = (call.contract, call.sender, call.value_wei)
    call.contract, call.sender, call.value_wei = contract, call.contract, 0
    follow()
    call.contract, call.sender, call.value_wei = around


def read_carried(call: Call, read: Read, data: bytes) -> Any:
    """What is encoded inside one `bytes` of the call.

    `data` has been charged where it was read, so that its own length again is what reading inside of it may cost.
    """
    left = len(data) + SPARE_BYTES
    budget = Budget(call.selector, left, call.items_left)
    values = read_arguments(read, data, 0, budget)
    call.items_left = budget.items_left
    call.hold(left - budget.bytes_left)
    return values


def router_named(call: Call, name: str) -> bytes:
    """The address of a router by its name in the chain's tables, for those whose address a call leaves out; empty without one."""
    return next((address for address, router in call.tables.routers.items() if router.name == name), b"")


def run_mode(call: Call, mode: bytes, data: bytes) -> None:
    """ERC-7579's execution of the account at hand: the mode's first byte is how the calldata is packed, its second what a
    failure does, and its bytes 6 to 10 tell ERC-7821's batch of batches."""
    call_type, execution_type = mode[0], mode[1]
    if execution_type not in (_MUST_SUCCEED, _TRIED):
        raise call.malformed(f"execution type 0x{execution_type:02x} is none of ERC-7579's")
    run = run_all if execution_type == _MUST_SUCCEED else try_all
    if call_type == _SINGLE:
        run(call, [_packed(call, data)])
    elif call_type == _DELEGATED:
        run_delegated(call, data[:20], call.kept(data[20:]))
    elif call_type == _BATCH and mode[6:10] == _BATCH_OF_BATCHES:
        _run_batches(call, data)
    elif call_type == _BATCH:
        _run_batch(call, data, run)
    elif call_type != _STATIC:
        raise call.malformed(f"call type 0x{call_type:02x} is none of ERC-7579's")


def run_batched_call(call: Call, batched: tuple[Iterable[Execution], bool]) -> None:
    """Calibur's (calls, revertOnFailure)"""
    executions, must_succeed = batched
    run = run_all if must_succeed else try_all
    run(call, _own(call, executions))


def run_user_op(call: Call, data: bytes) -> None:
    """What the account at hand does with an operation's calldata behind the selector of `executeUserOp`: it calls itself with
    it, as Kernel and Alchemy's accounts do, or makes the batched call that is encoded there, as Calibur does."""
    if data[:32] == _FIRST_OFFSET:
        (batched,) = read_carried(call, _read_batched_call, data)
        run_batched_call(call, batched)
    else:
        call.call_contract(call.contract, data)


def _own(call: Call, executions: Iterable[Execution]) -> list[Execution]:
    """The calls, with the account itself for target 0 (ERC-7821)."""
    return [(call.contract if target == _NOBODY else target, value_wei, data) for target, value_wei, data in executions]


def _packed(call: Call, data: bytes) -> Execution:
    if len(data) < _HEADER:
        raise call.malformed("a packed execution is shorter than its header")
    return data[:20], int.from_bytes(data[20:_HEADER]), call.kept(data[_HEADER:])


def _run_batch(call: Call, data: bytes, run: Callable[[Call, Iterable[Execution]], None]) -> None:
    """abi.encode((target, value, calldata)[][, opData])"""
    (executions,) = read_carried(call, _read_executions, data)
    run(call, _own(call, executions))


def _run_batches(call: Call, data: bytes) -> None:
    """abi.encode(bytes[]): each as a batch of its own"""
    (batches,) = read_carried(call, _read_batches, data)
    for batch in batches:
        call.charge_command()
        _run_batch(call, batch, run_all)
