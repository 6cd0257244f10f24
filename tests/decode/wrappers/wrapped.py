"""The swap that the wrappers' tests carry, and the encodings that several of them share; encoded by eth-abi."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import DecodedCall, ExactIn
from tests.decode.calls import FRIEND, SENDER, calldata, tables

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
Execution = tuple[bytes, int, bytes]

ACCOUNT = b"\xac" * 20
TARGET = b"\x7a" * 20
UNKNOWN = bytes.fromhex("deadbeef")
SIZE = ExactIn(11, 22)
USER_OP_V06 = "(address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)"
USER_OP_V07 = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"
MULTICALL3 = bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11")
ENTRY_POINT_V07 = bytes.fromhex("0000000071727de22e5e9d8baf0edac6f37da032")


def swap_router(of: DecodeTables) -> bytes:
    """The chain's SwapRouter02, or what stands for it."""
    return next(address for address, router in of.routers.items() if router.kind == "swap_router02")


def other_token(of: DecodeTables) -> bytes:
    """A listed token that is not the wrapped native one."""
    return next(token for token in of.tokens if token != of.wrapped_native)


def swap_data(of: DecodeTables) -> bytes:
    """11 of a token for at least 22 of the wrapped native one, along one pair."""
    path = [other_token(of), of.wrapped_native]
    types = "(uint256,uint256,address[],address)"
    return calldata("swapExactTokensForTokens" + types, SIZE.amount_in, SIZE.min_amount_out, path, FRIEND)


def swap_call(of: DecodeTables) -> tuple[bytes, bytes]:
    return swap_router(of), swap_data(of)


def swap_execution(of: DecodeTables) -> Execution:
    return swap_router(of), 0, swap_data(of)


def batch(executions: Sequence[Execution]) -> bytes:
    return encode(["(address,uint256,bytes)[]"], [executions])


def packed(execution: Execution) -> bytes:
    """ERC-7579's encoding of a single execution."""
    target, value_wei, data = execution
    return target + value_wei.to_bytes(32) + data


def decoded(to: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), to, data, value_wei, SENDER)
    assert call is not None
    return call


def outcome(to: bytes, data: bytes) -> DecodedCall | MalformedCalldata | None:
    try:
        return decode(tables(), to, data, 0, SENDER)
    except MalformedCalldata as error:
        return error


def assert_wraps_the_swap(call: DecodedCall, count: int = 1) -> None:
    """The carried swap comes out as the inner router's own, `count` times."""
    assert [intent.size for intent in call.intents] == [SIZE] * count
    assert {intent.router for intent in call.intents} == {tables().routers[swap_router(tables())].name}
    assert {intent.recipient for intent in call.intents} == {FRIEND}
    assert call.completeness == "exact"


def user_op(account: bytes, data: bytes) -> tuple[Any, ...]:
    return (account, 0, b"", data, bytes(32), 0, bytes(32), b"", b"")


def handle_ops(*operations: tuple[Any, ...]) -> bytes:
    return calldata(f"handleOps({USER_OP_V07}[],address)", operations, FRIEND)
