"""Calldata that leads to the same bytes over and over, and parts that fail after they have been read."""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode

from tests.decode.calls import FRIEND, USDC, address, calldata
from tests.decode.wide_calls import LONGEST, blob, word, words
from tests.decode.wrappers.wrapped import MULTICALL3

AGGREGATE3 = bytes.fromhex("82ad56cb")
Made = tuple[bytes, bytes]
"""The contract and its calldata, other ones of the same sort at each turn: pools that were looked for are kept."""


def aggregated(calls: Sequence[tuple[bytes, bytes]]) -> Made:
    """Multicall3's calls of which each may fail."""
    return MULTICALL3, calldata("aggregate3((address,bool,bytes)[])", [(to, True, data) for to, data in calls])


def over_and_over(call: Made, times: int) -> Made:
    """Multicall3's calls that lead to one and the same, which may fail; behind them one that reverts with all of them."""
    to, data = call
    element = words(int.from_bytes(to), 1, 96) + blob(data)
    last = words(int.from_bytes(MULTICALL3), 0, 96) + blob(AGGREGATE3 + words(32))
    offsets = word(32 * (times + 1)) * times + word(32 * (times + 1) + len(element))
    return MULTICALL3, AGGREGATE3 + words(32, times + 1) + offsets + element + last


def filled_up(call: Made) -> Made:
    """With bytes after its end, since it is by its length that bytes are counted."""
    to, data = call
    return to, data.ljust(LONGEST, b"\0")


def empty_calls(count: int) -> Made:
    """One call without data over and over."""
    empty = words(int.from_bytes(FRIEND), 1, 96, 0)
    return MULTICALL3, AGGREGATE3 + words(32, count) + word(32 * count) * count + empty


def path_that_reverts(currency: int, steps: int) -> Made:
    """A V4 path of one step over and over, the last of which has hook data of a length that no calldata has."""
    step, last = words(currency, 500, 10, 0, 160, 0), words(currency, 500, 10, 0, 160, 1 << 200)
    offsets = word(32 * steps) * (steps - 1) + word(32 * steps + len(step))
    path = words(32, int.from_bytes(USDC), 128, 5, 5, steps) + offsets + step + last
    plan = encode(["bytes", "bytes[]"], [b"\x07", [path]])
    return address("ur2"), calldata("execute(bytes,bytes[])", b"\x10", [plan])


def paths_that_revert(turn: int, depth: int, steps: int, beside: int = 1) -> Made:
    """Of them some at each depth, so that each level has all its bytes for them."""
    paths = [path_that_reverts(1 << 32 | turn, steps)] * beside
    call = aggregated(paths)
    for _ in range(depth - 1):
        call = aggregated([*paths, call])
    return filled_up(call)


def lists_read_over_and_over(_turn: int) -> Made:
    """A list of 320 empty actions that reverts, 96 times at the fourth depth."""
    count = 320
    lists = words(64, 96, 0, count) + b"".join(word(32 * (count + number)) for number in range(count)) + bytes(32 * count)
    call: Made = address("ur2"), calldata("execute(bytes,bytes[])", b"\x10", [lists])
    for times in (6, 4, 4):
        call = over_and_over(call, times)
    return filled_up(aggregated([call]))
