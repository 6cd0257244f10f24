"""Operations of every EntryPoint version run as their accounts, each in a scope of its own."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable
from mempool.model.swap import Completeness
from tests.decode.calls import FRIEND, calldata, tables
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    ENTRY_POINT_V07,
    TARGET,
    UNKNOWN,
    USER_OP_V06,
    USER_OP_V07,
    Example,
    assert_wraps_the_swap,
    decoded,
    handle_ops,
    swap_data,
    swap_execution,
    swap_router,
    user_op,
)

ENTRY_POINTS = {
    "entry_point_v0_6": "5ff137d4b0fdcd49dca30c7cf57e578a026d2789",
    "entry_point_v0_7": "0000000071727de22e5e9d8baf0edac6f37da032",
    "entry_point_v0_8": "4337084d9e255ff0702461cf8895ce9e3b5ff108",
}


def execute(of: DecodeTables) -> bytes:
    return calldata("execute(address,uint256,bytes)", *swap_execution(of))


def operation(version: str, data: bytes) -> tuple[object, ...]:
    old = (ACCOUNT, 0, b"", data, 0, 0, 0, 0, 0, b"", b"")
    return old if version.endswith("6") else user_op(ACCOUNT, data)


def example(of: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    version = "0_6" if bytes.fromhex("1fad948c") in router.entries else "0_7"
    types = USER_OP_V06 if version == "0_6" else USER_OP_V07
    return calldata(f"handleOps({types}[],address)", [operation(version, execute(of))], FRIEND), 0


EXAMPLES: dict[str, Example] = {"entry_point": example}


@pytest.mark.parametrize("version", ENTRY_POINTS)
def test_each_version_runs_its_operations_as_the_account(version: str) -> None:
    to = bytes.fromhex(ENTRY_POINTS[version])
    call = decoded(to, example(tables(), tables().routers[to])[0])
    assert_wraps_the_swap(call)
    assert [step.contract for step in call.steps] == [version, "account", "uniswap_swap_router02"]


@pytest.mark.parametrize("version", ENTRY_POINTS)
def test_aggregated_operations_are_operations(version: str) -> None:
    types = USER_OP_V06 if version.endswith("6") else USER_OP_V07
    groups = [([operation(version, execute(tables()))] * 2, FRIEND, b"")]
    data = calldata(f"handleAggregatedOps(({types}[],address,bytes)[],address)", groups, FRIEND)
    assert_wraps_the_swap(decoded(bytes.fromhex(ENTRY_POINTS[version]), data), 2)


def test_operation_fails_alone() -> None:
    broken = calldata("execute(address,uint256,bytes)", swap_router(tables()), 0, swap_data(tables())[:-32])
    call = decoded(ENTRY_POINT_V07, handle_ops(user_op(ACCOUNT, broken), user_op(TARGET, execute(tables()))))
    assert_wraps_the_swap(call)
    assert call.intents[0].allow_revert


def test_operation_that_is_handed_whole_to_its_account_carries_a_call_of_the_account() -> None:
    whole = bytes.fromhex("8dd7712f") + execute(tables())
    call = decoded(ENTRY_POINT_V07, handle_ops(user_op(ACCOUNT, whole)))
    assert_wraps_the_swap(call)
    assert call.commands[:3] == ("handleOps", "executeUserOp", "execute")


def test_operation_that_is_handed_whole_may_be_a_batched_call() -> None:
    batched = encode(["((address,uint256,bytes)[],bool)"], [([swap_execution(tables())], False)])
    call = decoded(ENTRY_POINT_V07, handle_ops(user_op(ACCOUNT, bytes.fromhex("8dd7712f") + batched)))
    assert_wraps_the_swap(call)
    assert len(call.intents[0].revert_scopes) == 2


def test_operation_without_calldata_calls_nothing() -> None:
    call = decoded(ENTRY_POINT_V07, handle_ops(user_op(ACCOUNT, b"")))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("handleOps",))


def test_account_of_an_unknown_make_leaves_the_call_opaque() -> None:
    call = decoded(ENTRY_POINT_V07, handle_ops(user_op(ACCOUNT, UNKNOWN)))
    assert call.completeness is Completeness.OPAQUE
    assert "0xdeadbeef" in call.reason
