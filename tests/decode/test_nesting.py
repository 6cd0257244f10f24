"""Calls inside calls of every kind that carries them: followed to the limit, refused beyond, in time that grows as the size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from eth_abi.abi import encode

from mempool.abi import MAX_CALLDATA_BYTES, MAX_DEPTH
from mempool.model.swap import Completeness, DecodedCall
from tests.decode.calls import DEADLINE, FRIEND, SENDER, USDC, WETH, address, calldata, tables
from tests.decode.costs import MEGABYTE, peak_bytes
from tests.decode.fuzzing import Input, outcome
from tests.decode.wrappers.wrapped import ACCOUNT, ENTRY_POINT_V07, MULTICALL3, USER_OP_V07, handle_ops, packed, user_op

DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 20, 50, 100, 150, 200, 300, 500, 1_000)
BATCH_MODE = bytes([1]) + bytes(31)
RATIO = 2.3
LONG = 125_000


def named(name: str) -> bytes:
    return next(to for to, router in tables().routers.items() if router.name == name)


LIFI, METASWAP = named("lifi_diamond"), named("metamask_swap")
MANAGER, ALLOWANCE_HOLDER = named("metamask_delegation_manager"), named("zerox_allowance_holder")
RELAY, ZEROX_MULTICALL, COW = named("relay_router"), named("zerox_multicall"), named("cow_settlement")
BALANCER = named("balancer_v3_batch_router")
_SAFE = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
_SWAP_DATA = "(address,address,address,address,uint256,bytes,bool)[]"
_TRADE = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)[]"
_INTERACTION = "(address,uint256,bytes)[]"
Wrap = Callable[[bytes], bytes]
"""The calldata of a contract that calls itself, or its like, with that calldata."""


def sub_plan(data: bytes) -> bytes:
    """The V2.0 router's plan inside a plan, whose input has no selector."""
    inner = data[4:] if data[:4] == EXECUTE else calldata("f(bytes,bytes[])", b"\x0a", [b""])[4:]
    return EXECUTE + calldata("f(bytes,bytes[])", b"\x21", [inner])[4:]


EXECUTE = bytes.fromhex("24856bc3")
WRAPS: dict[str, tuple[bytes, Wrap]] = {
    "multicall of SwapRouter02": (address("02"), lambda data: calldata("multicall(uint256,bytes[])", DEADLINE, [data])),
    "multicall of SwapRouter": (address("v3"), lambda data: calldata("multicall(bytes[])", [data])),
    "multicall of Balancer's router": (BALANCER, lambda data: calldata("multicall(bytes[])", [data])),
    "sub-plan": (address("ur2"), sub_plan),
    "execute": (ACCOUNT, lambda data: calldata("execute(address,uint256,bytes)", ACCOUNT, 0, data)),
    "executeBatch": (ACCOUNT, lambda data: calldata("executeBatch((address,uint256,bytes)[])", [(ACCOUNT, 0, data)])),
    "execute with a mode": (
        ACCOUNT,
        lambda data: calldata("execute(bytes32,bytes)", BATCH_MODE, calldata(f"f({_INTERACTION})", [(ACCOUNT, 0, data)])[4:]),
    ),
    "execTransaction": (
        ACCOUNT,
        lambda data: calldata(_SAFE, ACCOUNT, 0, data, 0, 0, 0, 0, bytes(20), bytes(20), b""),
    ),
    "aggregate3": (MULTICALL3, lambda data: calldata("aggregate3((address,bool,bytes)[])", [(MULTICALL3, True, data)])),
    "handleOps": (ENTRY_POINT_V07, lambda data: handle_ops(user_op(ENTRY_POINT_V07, data))),
    "executeUserOp": (
        ACCOUNT,
        lambda data: calldata(f"executeUserOp({USER_OP_V07},bytes32)", user_op(ACCOUNT, bytes(4) + data), bytes(32)),
    ),
    "redeemDelegations": (
        MANAGER,
        lambda data: calldata(
            "redeemDelegations(bytes[],bytes32[],bytes[])",
            [calldata("f((address,address,bytes32,(address,bytes,bytes)[],uint256,bytes)[])", [])[4:]],
            [bytes(32)],
            [packed((MANAGER, 0, data))],
        ),
    ),
    "exec of AllowanceHolder": (
        ALLOWANCE_HOLDER,
        lambda data: calldata("exec(address,address,uint256,address,bytes)", SENDER, USDC, 1, ALLOWANCE_HOLDER, data),
    ),
    "multicall of 0x": (
        ZEROX_MULTICALL,
        lambda data: calldata("multicall((address,uint8,uint256,bytes)[],uint256)", [(ZEROX_MULTICALL, 1, 0, data)], 0),
    ),
    "multicall of Relay": (
        RELAY,
        lambda data: calldata(
            "multicall((address,bool,uint256,bytes)[],address,address,bytes)", [(RELAY, True, 0, data)], FRIEND, FRIEND, b""
        ),
    ),
    "a swap of LiFi's": (
        LIFI,
        lambda data: calldata(
            f"swapTokensMultipleV3ERC20ToERC20(bytes32,string,string,address,uint256,{_SWAP_DATA})",
            *(bytes(32), "", "", FRIEND, 1, [(LIFI, LIFI, USDC, WETH, 1, data, True)]),
        ),
    ),
    "an interaction of CoW's": (
        COW,
        lambda data: calldata(f"settle(address[],uint256[],{_TRADE},{_INTERACTION}[3])", [], [], [], [[(COW, 0, data)], [], []]),
    ),
}


@cache
def nests(name: str) -> dict[int, bytes]:
    """By its depth the calldata of each that fits into a transaction, and the first that does not."""
    return dict(_nests(WRAPS[name][1]))


def _nests(wrap: Wrap) -> Iterator[tuple[int, bytes]]:
    data = b"\xde\xad\xbe\xef"
    for depth in range(1, DEPTHS[-1] + 1):
        data = wrap(data)
        if depth in DEPTHS:
            yield depth, data
        if len(data) > MAX_CALLDATA_BYTES:
            return


def ended(to: bytes, data: bytes) -> DecodedCall | None:
    return outcome(Input(tables(), to, data))


def deepest(call: DecodedCall | None) -> int:
    return 0 if call is None else max((step.depth for step in call.steps), default=0)


@pytest.mark.parametrize("name", WRAPS)
def test_nesting_is_followed_to_the_limit_and_refused_from_there_on(name: str) -> None:
    to = WRAPS[name][0]
    refused_from, followed = 0, 0
    for depth, data in nests(name).items():
        call = ended(to, data)
        if len(data) > MAX_CALLDATA_BYTES and to not in tables().routers:
            assert call is None
            continue
        assert call is not None
        if call.completeness is Completeness.REFUSED:
            refused_from = refused_from or depth
        else:
            assert not refused_from, "a deeper one is not refused"
            followed = max(followed, deepest(call))
    assert 0 < followed <= MAX_DEPTH
    assert MAX_DEPTH <= refused_from <= MAX_DEPTH + 2


@pytest.mark.parametrize("name", WRAPS)
def test_longest_call_at_any_depth_stays_within_a_megabyte(name: str) -> None:
    to, wrap = WRAPS[name]
    for depth in range(1, MAX_DEPTH + 2):
        data = EXECUTE + encode(["bytes", "bytes[]"], [b"\x0a", [bytes(LONG)]]) if name == "sub-plan" else bytes(LONG)
        for _ in range(depth):
            data = wrap(data)
        assert LONG < len(data) <= MAX_CALLDATA_BYTES
        given = Input(tables(), to, data)
        outcome(given)
        assert peak_bytes(given) <= MEGABYTE


@pytest.mark.parametrize("name", WRAPS)
def test_call_of_a_sixth_of_that_length_is_never_refused_for_what_it_holds(name: str) -> None:
    to, wrap = WRAPS[name]
    data = bytes(LONG // 6)
    for _ in range(MAX_DEPTH - 1):
        data = wrap(data)
    call = ended(to, data)
    assert call is not None
    assert call.completeness is not Completeness.REFUSED


@pytest.mark.parametrize("name", WRAPS)
def test_time_grows_with_the_depth_and_no_faster(name: str) -> None:
    to, many = WRAPS[name][0], nests(name)
    longest = max(depth for depth in many if 2 * depth in many)
    for depth in (MAX_DEPTH // 4, longest):
        assert any(fastest(to, many[2 * depth]) <= RATIO * fastest(to, many[depth]) for _ in range(5))


def fastest(to: bytes, data: bytes) -> float:
    """Seconds of this process alone, the best of several."""
    best = float("inf")
    for _ in range(9):
        start = time.process_time()
        ended(to, data)
        best = min(best, time.process_time() - start)
    return best
