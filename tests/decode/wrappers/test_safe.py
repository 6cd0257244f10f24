"""Safes carry one call, or many by MultiSend, which they run as themselves."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.model.swap import Completeness
from tests.decode.calls import FRIEND, calldata, tables
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    TARGET,
    UNKNOWN,
    Example,
    Execution,
    assert_wraps_the_swap,
    decoded,
    outcome,
    swap_data,
    swap_execution,
    swap_router,
)

EXEC = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
NOBODY = bytes(20)
MULTI_SEND = bytes.fromhex("40a2accbd92bca938b02010e17a5b8929b49130d")
CALL, DELEGATE_CALL = 0, 1


def exec_transaction(execution: Execution, operation: int = CALL, *, safe_gas: int = 0, gas_price: int = 0) -> bytes:
    return calldata(EXEC, *execution, operation, safe_gas, 0, gas_price, NOBODY, NOBODY, bytes(65))


def transaction(execution: Execution, operation: int = CALL) -> bytes:
    target, value_wei, data = execution
    return bytes([operation]) + target + value_wei.to_bytes(32) + len(data).to_bytes(32) + data


def multi_send(*transactions: bytes) -> bytes:
    inner = calldata("multiSend(bytes)", b"".join(transactions))
    return exec_transaction((MULTI_SEND, 0, inner), DELEGATE_CALL)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return exec_transaction(swap_execution(of)), 0


EXAMPLES: dict[str, Example] = {"safe": example}


def test_safe_carries_one_call() -> None:
    call = decoded(ACCOUNT, exec_transaction(swap_execution(tables())))
    assert_wraps_the_swap(call)
    assert (call.router, call.by_selector) == ("safe", True)
    assert not call.intents[0].allow_revert


@pytest.mark.parametrize(("safe_gas", "gas_price"), [(1, 0), (0, 1)])
def test_safe_that_pays_for_gas_survives_the_failure_of_its_call(safe_gas: int, gas_price: int) -> None:
    call = decoded(ACCOUNT, exec_transaction(swap_execution(tables()), safe_gas=safe_gas, gas_price=gas_price))
    assert_wraps_the_swap(call)
    assert call.intents[0].allow_revert


@pytest.mark.parametrize("name", ["execTransactionFromModule", "execTransactionFromModuleReturnData"])
def test_module_is_told_of_a_failure(name: str) -> None:
    call = decoded(ACCOUNT, calldata(f"{name}(address,uint256,bytes,uint8)", *swap_execution(tables()), CALL))
    assert_wraps_the_swap(call)
    assert call.intents[0].allow_revert


def test_multi_send_makes_its_calls_as_the_safe() -> None:
    token = next(iter(tables().tokens))
    approve = (token, 0, calldata("approve(address,uint256)", FRIEND, 1))
    swap = swap_execution(tables())
    call = decoded(ACCOUNT, multi_send(transaction(approve), transaction(swap), transaction(swap)))
    assert_wraps_the_swap(call, 2)
    assert [step.contract for step in call.steps] == [
        "safe",
        "safe_multi_send",
        "erc20",
        "uniswap_swap_router02",
        "uniswap_swap_router02",
    ]


def test_what_was_sent_to_the_safes_own_pair_is_known_as_its_own() -> None:
    # A universal router told to pay "the sender" pays the Safe, not MultiSend.
    data = calldata(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        (tables().wrapped_native, TARGET, 500, bytes(19) + b"\x01", 1, 0, 0),
    )
    router = bytes.fromhex("68b3465833fb72a70ecdf485e0e4c7bd8665fc45")
    call = decoded(ACCOUNT, multi_send(transaction((router, 0, data))))
    assert call.intents[0].recipient == ACCOUNT


def test_multi_send_within_multi_send_is_delegated_too() -> None:
    inner = calldata("multiSend(bytes)", transaction(swap_execution(tables())))
    call = decoded(ACCOUNT, multi_send(transaction((MULTI_SEND, 0, inner), DELEGATE_CALL)))
    assert_wraps_the_swap(call)


@pytest.mark.parametrize("packed", [b"\0" * 84, transaction((TARGET, 0, b"1234"))[:-1], transaction((TARGET, 0, b""), 2)])
def test_packed_transactions_that_are_cut_or_ask_for_another_operation_are_broken(packed: bytes) -> None:
    assert outcome(ACCOUNT, multi_send(packed)) is None


def test_safe_that_runs_unknown_code_as_itself_is_opaque() -> None:
    call = decoded(ACCOUNT, exec_transaction((TARGET, 0, UNKNOWN), DELEGATE_CALL))
    assert call.completeness is Completeness.OPAQUE
    assert "delegates 0xdeadbeef" in call.reason


def test_safes_own_settings_are_not_a_swap() -> None:
    inner = calldata("changeThreshold(uint256)", 2)
    call = decoded(ACCOUNT, exec_transaction((ACCOUNT, 0, inner)))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("execTransaction", "changeThreshold"))


def test_multi_send_is_not_looked_for_outside_of_other_calls() -> None:
    assert outcome(MULTI_SEND, calldata("multiSend(bytes)", transaction((swap_router(tables()), 0, swap_data(tables()))))) is None
