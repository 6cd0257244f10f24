"""Every function of Multicall3 carries its calls, and those that may fail stand in a scope of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import WETH, address, calldata, tables
from tests.decode.wrappers.wrapped import (
    MULTICALL3,
    TARGET,
    UNKNOWN,
    Example,
    assert_wraps_the_swap,
    decoded,
    swap_call,
    swap_data,
    swap_router,
)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata("aggregate((address,bytes)[])", [swap_call(of)]), 0


EXAMPLES: dict[str, Example] = {"multicall3": example}

CALLS = "(address,bytes)[]"
FUNCTIONS: dict[str, tuple[Callable[[], bytes], bool]] = {
    "aggregate": (lambda: calldata(f"aggregate({CALLS})", [swap_call(tables())]), False),
    "blockAndAggregate": (lambda: calldata(f"blockAndAggregate({CALLS})", [swap_call(tables())]), False),
    "tryAggregate that must succeed": (lambda: calldata(f"tryAggregate(bool,{CALLS})", True, [swap_call(tables())]), False),
    "tryAggregate": (lambda: calldata(f"tryAggregate(bool,{CALLS})", False, [swap_call(tables())]), True),
    "tryBlockAndAggregate": (lambda: calldata(f"tryBlockAndAggregate(bool,{CALLS})", False, [swap_call(tables())]), True),
    "aggregate3": (lambda: aggregate3(may_fail=False), False),
    "aggregate3 that may fail": (lambda: aggregate3(may_fail=True), True),
    "aggregate3Value": (lambda: aggregate3_value(may_fail=False), False),
    "aggregate3Value that may fail": (lambda: aggregate3_value(may_fail=True), True),
}


def aggregate3(*, may_fail: bool) -> bytes:
    to, data = swap_call(tables())
    return calldata("aggregate3((address,bool,bytes)[])", [(to, may_fail, data)])


def aggregate3_value(*, may_fail: bool) -> bytes:
    to, data = swap_call(tables())
    return calldata("aggregate3Value((address,bool,uint256,bytes)[])", [(to, may_fail, 0, data)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_carries_the_swap_and_says_whether_it_may_fail(name: str) -> None:
    make, may_fail = FUNCTIONS[name]
    call = decoded(MULTICALL3, make())
    assert_wraps_the_swap(call)
    assert call.intents[0].allow_revert is may_fail
    assert (call.router, call.by_selector) == ("multicall3", False)
    assert [(step.depth, step.contract) for step in call.steps] == [(0, "multicall3"), (1, "uniswap_swap_router02")]


def test_value_that_is_passed_on_is_what_the_swap_is_paid_with() -> None:
    swap = calldata("swapExactETHForTokens(uint256,address[],address,uint256)", 22, [WETH, TARGET], TARGET, 1)
    row = (address("v2"), False, 77, swap)
    call = decoded(MULTICALL3, calldata("aggregate3Value((address,bool,uint256,bytes)[])", [row]), 77)
    assert call.intents[0].size == ExactIn(77, 22)


def test_each_call_that_may_fail_has_a_scope_of_its_own() -> None:
    to, data = swap_call(tables())
    call = decoded(MULTICALL3, calldata("aggregate3((address,bool,bytes)[])", [(to, True, data), (to, True, data)]))
    first, second = (intent.revert_scopes for intent in call.intents)
    assert len(first) == len(second) == 1
    assert first != second


def test_broken_swap_reverts_the_call_unless_it_may_fail() -> None:
    cut = swap_data(tables())[:-32]
    row = (swap_router(tables()), cut)
    with pytest.raises(MalformedCalldata):
        decoded(MULTICALL3, calldata("aggregate((address,bytes)[])", [row]))
    call = decoded(MULTICALL3, calldata("tryAggregate(bool,(address,bytes)[])", False, [row, swap_call(tables())]))
    assert_wraps_the_swap(call)
    assert [name for name in call.commands if name.startswith("reverts: ")]


def test_unknown_call_beside_the_swap_leaves_the_call_partial() -> None:
    call = decoded(MULTICALL3, calldata("aggregate((address,bytes)[])", [(TARGET, UNKNOWN), swap_call(tables())]))
    assert (call.completeness, len(call.intents)) == (Completeness.PARTIAL, 1)
    assert "0xdeadbeef" in call.reason


def test_questions_alone_are_not_a_swap() -> None:
    asks = calldata("getEthBalance(address)", TARGET)
    call = decoded(MULTICALL3, calldata("aggregate((address,bytes)[])", [(MULTICALL3, asks)]))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("aggregate", "getEthBalance"))
