"""Multicall3: calls of any contracts, where each may be allowed to fail; its own address is their sender."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import run_all, run_one, try_all


def aggregate(call: Call, arguments: tuple[Any, ...]) -> None:
    """aggregate((target, callData)[]), blockAndAggregate: all or nothing"""
    run_all(call, [(target, 0, data) for target, data in arguments[-1]])


def try_aggregate(call: Call, arguments: tuple[Any, ...]) -> None:
    """tryAggregate(requireSuccess, (target, callData)[]), tryBlockAndAggregate"""
    must_succeed, calls = arguments
    run = run_all if must_succeed else try_all
    run(call, [(target, 0, data) for target, data in calls])


def aggregate3(call: Call, arguments: tuple[Any, ...]) -> None:
    """aggregate3((target, allowFailure, callData)[])"""
    for target, may_fail, data in arguments[0]:
        run_one(call, (target, 0, data), may_fail=may_fail)


def aggregate3_value(call: Call, arguments: tuple[Any, ...]) -> None:
    """aggregate3Value((target, allowFailure, value, callData)[])"""
    for target, may_fail, value_wei, data in arguments[0]:
        run_one(call, (target, value_wei, data), may_fail=may_fail)


MULTICALL3 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "aggregate": aggregate,
        "blockAndAggregate": aggregate,
        "tryAggregate": try_aggregate,
        "tryBlockAndAggregate": try_aggregate,
        "aggregate3": aggregate3,
        "aggregate3Value": aggregate3_value,
    },
)
