"""Wrapped calls of any depth and width stay inside the budgets."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from mempool.abi import MAX_CALLDATA_BYTES
from mempool.errors import MalformedCalldata
from mempool.model.swap import DecodedCall
from tests.decode.calls import calldata
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    ENTRY_POINT_V07,
    MULTICALL3,
    TARGET,
    handle_ops,
    outcome,
    user_op,
)

MEGABYTE = 1_048_576
LIMIT_SECONDS = 0.02
MANAGER = bytes.fromhex("db9b1e94b5b69df7e401ddbede43491141047db3")
METAMASK = bytes.fromhex("881d40237659c251811cec9c364ef91dc08d300c")
BATCH = bytes([1]) + bytes(31)
EXECUTE_BATCH = bytes.fromhex("34fcd5be")
EXECUTE_MODE = bytes.fromhex("e9ae5c53")
AGGREGATE = bytes.fromhex("252dba42")
SAFE = bytes.fromhex("6a761202")


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32) for number in numbers)


def blob(data: bytes) -> bytes:
    return words(len(data)) + data + bytes(-len(data) % 32)


def executions(data: bytes, count: int = 1) -> bytes:
    """`(address, uint256, bytes)[]`, all of whose `count` elements are the same one."""
    account = int.from_bytes(ACCOUNT)
    return words(32, count) + words(32 * count) * count + words(account, 0, 96) + blob(data)


def in_batch(data: bytes, count: int = 1) -> bytes:
    return EXECUTE_BATCH + executions(data, count)


def in_mode(data: bytes, count: int = 1) -> bytes:
    return EXECUTE_MODE + BATCH + words(64) + blob(executions(data, count))


def in_safe(data: bytes, count: int = 1) -> bytes:
    """A Safe's call of the account; it carries one only."""
    assert count == 1
    return SAFE + words(int.from_bytes(ACCOUNT), 0, 320, 0, 0, 0, 0, 0, 0, 320 + len(blob(data))) + blob(data) + words(0)


def in_aggregate(data: bytes, count: int = 1) -> bytes:
    to = int.from_bytes(MULTICALL3 if data[:4] == AGGREGATE else ACCOUNT)
    return AGGREGATE + words(32, count) + words(32 * count) * count + words(to, 64) + blob(data)


def nested(wrap: Callable[[bytes], bytes], depth: int, data: bytes = b"\xde\xad\xbe\xef") -> bytes:
    """The data inside `depth` wrappers and Multicall3 around them."""
    for _ in range(depth):
        data = wrap(data)
    return in_aggregate(data)


@pytest.mark.parametrize("depth", [1, 5, 7, 8, 20, 100, 500, 1_000])
@pytest.mark.parametrize("wrap", [in_batch, in_mode, in_safe])
def test_nesting_is_followed_to_depth_eight_and_refused_beyond(wrap: Callable[[bytes], bytes], depth: int) -> None:
    result = outcome(MULTICALL3, nested(wrap, depth))
    if isinstance(result, DecodedCall):
        assert depth <= 8
    else:
        assert depth > 8
        assert isinstance(result, MalformedCalldata)
        assert result.refused


def levels(wrap: Callable[[bytes, int], bytes], count: int, depth: int = 4) -> bytes:
    """Calls of `count` aliased calls each, `depth` levels deep."""
    data = b"\xde\xad\xbe\xef"
    for _ in range(depth):
        data = wrap(data, count)
    return in_aggregate(data)


BOMBS: dict[str, tuple[bytes, bytes]] = {
    "4 levels of 16 batches": (MULTICALL3, levels(in_batch, 16)),
    "4 levels of 32 batches": (MULTICALL3, levels(in_batch, 32)),
    "4 levels of 900 batches": (MULTICALL3, levels(in_batch, 900)),
    "4 levels of 16 moded batches": (MULTICALL3, levels(in_mode, 16)),
    "4 levels of 900 moded batches": (MULTICALL3, levels(in_mode, 900)),
    "4 levels of 900 aggregates": (MULTICALL3, levels(in_aggregate, 900)),
    "a batch of 2,000 aliased calls": (MULTICALL3, in_aggregate(in_batch(bytes(30_000), 2_000))),
    "an aggregate of 4,000 calls": (MULTICALL3, in_aggregate(b"\xde\xad\xbe\xef", 4_000)),
    "1,500 operations without calldata": (
        ENTRY_POINT_V07,
        bytes.fromhex("765e827f") + words(64, 0, 1_500) + words(32 * 1_500) * 1_500 + words(0, 0, 288, 288, 0, 0, 0, 288, 288, 0),
    ),
    "1,000 operations that revert": (
        ENTRY_POINT_V07,
        bytes.fromhex("765e827f")
        + words(64, 0, 1_000)
        + words(32 * 1_000) * 1_000
        + words(int.from_bytes(ACCOUNT), 0, 352, 288, 0, 0, 0, 352, 352, 4)
        + EXECUTE_BATCH.ljust(32, b"\0")
        + words(0),
    ),
    "multiSend of 1,400 calls": (MULTICALL3, in_aggregate(calldata("multiSend(bytes)", (b"\0" + bytes(84)) * 1_400))),
    "600 redemptions of one context": (
        MANAGER,
        bytes.fromhex("cef6d209") + words(96, 96, 96, 600) + words(32 * 600) * 600 + blob(words(32, 0)),
    ),
    "a redemption of 60 aliased delegations": (
        MANAGER,
        calldata(
            "redeemDelegations(bytes[],bytes32[],bytes[])",
            [words(32, 60) + words(32 * 60) * 60 + words(1, 2, 3, 192, 5, 192, 0) + bytes(20_000)] * 4,
            [bytes(32)] * 4,
            [bytes(52)] * 4,
        ),
    ),
    "a swap of MetaMask's that is mostly filler": (
        METAMASK,
        calldata("swap(string,address,uint256,bytes)", "0x", TARGET, 1, bytes(120_000)),
    ),
    "deep safes": (MULTICALL3, nested(in_safe, 200)),
    "4 levels around 120,000 bytes": (MULTICALL3, nested(in_mode, 4, bytes(120_000))),
    "7 levels around 120,000 bytes": (MULTICALL3, nested(in_mode, 7, bytes(120_000))),
    "7 batches around 120,000 bytes": (MULTICALL3, nested(in_batch, 7, bytes(120_000))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_costs_at_most_a_megabyte_and_twenty_milliseconds(name: str) -> None:
    to, data = BOMBS[name]
    assert len(data) <= MAX_CALLDATA_BYTES
    outcome(to, data)
    assert fastest(to, data) <= LIMIT_SECONDS
    tracemalloc.start()
    try:
        outcome(to, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEGABYTE


def fastest(to: bytes, data: bytes, times: int = 5) -> float:
    """Seconds of this process alone, the best of several."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        outcome(to, data)
        best = min(best, time.process_time() - start)
    return best


GROWING: dict[str, tuple[bytes, Callable[[int], bytes]]] = {
    "calls side by side": (MULTICALL3, lambda n: in_aggregate(b"\xde\xad\xbe\xef", 4 * n)),
    "operations side by side": (ENTRY_POINT_V07, lambda n: handle_ops(*[user_op(ACCOUNT, in_batch(b""))] * (4 * n))),
    "bytes inside seven levels": (MULTICALL3, lambda n: nested(in_mode, 7, bytes(2_000 * n))),
}


@pytest.mark.parametrize("name", GROWING)
def test_time_grows_with_the_size_and_no_faster(name: str) -> None:
    to, make = GROWING[name]
    once, twice = make(24), make(48)
    ratios = (fastest(to, twice, 9) / fastest(to, once, 9) for _ in range(5))
    assert any(ratio <= 2.3 for ratio in ratios)
