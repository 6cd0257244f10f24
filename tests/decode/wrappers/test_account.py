"""Smart accounts of every make carry their calls, also where a transaction goes to one directly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall
from tests.decode.calls import WETH, calldata, tables
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    TARGET,
    UNKNOWN,
    USER_OP_V07,
    Example,
    assert_wraps_the_swap,
    batch,
    decoded,
    outcome,
    packed,
    swap_data,
    swap_execution,
    swap_router,
    user_op,
)

CALLS = "(address,uint256,bytes)[]"
SINGLE, TRY_SINGLE = bytes(32), bytes([0, 1]) + bytes(30)
BATCH, TRY_BATCH = bytes([1]) + bytes(31), bytes([1, 1]) + bytes(30)
DELEGATED = b"\xff" + bytes(31)
WITH_DATA = bytes([1]) + bytes(5) + bytes.fromhex("78210001") + bytes(22)
OF_BATCHES = bytes([1]) + bytes(5) + bytes.fromhex("78210002") + bytes(22)


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata("execute(address,uint256,bytes)", *swap_execution(of)), 0


EXAMPLES: dict[str, Example] = {"account": example}


def one() -> tuple[bytes, int, bytes]:
    return swap_execution(tables())


def wrapped_swap() -> bytes:
    return calldata("execute(address,uint256,bytes)", *one())


def lists() -> tuple[list[bytes], list[int], list[bytes]]:
    to, value_wei, data = one()
    return [to], [value_wei], [data]


SHAPES: dict[str, Callable[[], bytes]] = {
    "execute(address,uint256,bytes)": lambda: calldata("execute(address,uint256,bytes)", *one()),
    "execute with an operation": lambda: calldata("execute(address,uint256,bytes,uint8)", *one(), 0),
    "execute of calls": lambda: calldata(f"execute({CALLS})", [one()]),
    "execute of signed calls": lambda: calldata(f"execute({CALLS},bytes)", [one()], b"signature"),
    "execute of a batched call": lambda: calldata(f"execute(({CALLS},bool))", ([one()], True)),
    "execute of a signed batched call": lambda: calldata(
        f"execute((({CALLS},bool),uint256,bytes32,address,uint256),bytes)",
        (([one()], True), 0, bytes(32), TARGET, 0),
        b"signature",
    ),
    "execute_ncC": lambda: calldata("execute_ncC(address,uint256,bytes)", *one()),
    "call": lambda: calldata("call(address,uint256,bytes)", *one()),
    "executeCall": lambda: calldata("executeCall(address,uint256,bytes)", *one()),
    "execute4337Op": lambda: calldata("execute4337Op(address,uint256,bytes)", *one()),
    "execute4337Ops": lambda: calldata(f"execute4337Ops({CALLS})", [one()]),
    "executeBatch": lambda: calldata(f"executeBatch({CALLS})", [one()]),
    "executeBatch of lists": lambda: calldata("executeBatch(address[],uint256[],bytes[])", *lists()),
    "executeBatch of lists without values": lambda: calldata("executeBatch(address[],bytes[])", lists()[0], lists()[2]),
    "executeBatch with an empty list of values": lambda: calldata(
        "executeBatch(address[],uint256[],bytes[])", lists()[0], [], lists()[2]
    ),
    "executeBatch_y6U": lambda: calldata("executeBatch_y6U(address[],uint256[],bytes[])", *lists()),
    "executeBatchCall": lambda: calldata("executeBatchCall(address[],uint256[],bytes[])", *lists()),
    "executeBatchCall_4by": lambda: calldata("executeBatchCall_4by(address[],uint256[],bytes[])", *lists()),
    "executeBySender": lambda: calldata(f"executeBySender({CALLS})", [one()]),
    "executeMultiple": lambda: calldata(f"executeMultiple(({CALLS},bytes)[])", [([one()], b"")]),
    "multicall": lambda: calldata("multicall((address,bytes)[])", [(one()[0], one()[2])]),
    "executeUserOp of a Safe": lambda: calldata("executeUserOp(address,uint256,bytes,uint8)", *one(), 0),
    "executeUserOpWithErrorString": lambda: calldata("executeUserOpWithErrorString(address,uint256,bytes,uint8)", *one(), 0),
    "executeUserOp": lambda: calldata(
        f"executeUserOp({USER_OP_V07},bytes32)",
        user_op(ACCOUNT, UNKNOWN + wrapped_swap()),
        bytes(32),
    ),
    "executeUserOp of a batched call": lambda: calldata(
        f"executeUserOp({USER_OP_V07},bytes32)",
        user_op(ACCOUNT, UNKNOWN + encode([f"({CALLS},bool)"], [([one()], True)])),
        bytes(32),
    ),
    "execute of a mode": lambda: moded(SINGLE, packed(one())),
    "executeFromExecutor": lambda: calldata("executeFromExecutor(bytes32,bytes)", SINGLE, packed(one())),
}


def moded(mode: bytes, data: bytes) -> bytes:
    return calldata("execute(bytes32,bytes)", mode, data)


def ran(mode: bytes, data: bytes) -> DecodedCall:
    return decoded(ACCOUNT, moded(mode, data))


@pytest.mark.parametrize("name", SHAPES)
def test_each_function_carries_the_swap_and_is_known_by_its_selector_alone(name: str) -> None:
    call = decoded(ACCOUNT, SHAPES[name]())
    assert_wraps_the_swap(call)
    assert (call.router, call.by_selector) == ("account", True)
    assert not call.intents[0].allow_revert


@pytest.mark.parametrize(
    ("mode", "data", "may_fail"),
    [
        (SINGLE, lambda: packed(one()), False),
        (TRY_SINGLE, lambda: packed(one()), True),
        (BATCH, lambda: batch([one()]), False),
        (TRY_BATCH, lambda: batch([one()]), True),
        (WITH_DATA, lambda: batch([one()]), False),
        (WITH_DATA, lambda: encode([CALLS, "bytes"], [[one()], b"signature"]), False),
        (OF_BATCHES, lambda: encode(["bytes[]"], [[batch([one()])]]), False),
    ],
)
def test_each_mode_packs_its_calls_in_its_own_way(mode: bytes, data: Callable[[], bytes], may_fail: bool) -> None:
    call = ran(mode, data())
    assert_wraps_the_swap(call)
    assert call.intents[0].allow_revert is may_fail


def test_target_zero_of_a_batch_is_the_account_itself() -> None:
    inner = calldata("execute(address,uint256,bytes)", *one())
    call = ran(BATCH, batch([(bytes(20), 0, inner)]))
    assert_wraps_the_swap(call)


def test_signed_batch_has_its_deadline_and_target_zero_is_the_account() -> None:
    inner = calldata("execute(address,uint256,bytes)", *one())
    signed = (([(bytes(20), 0, inner)], True), 0, bytes(32), TARGET, 99)
    call = decoded(ACCOUNT, calldata(f"execute((({CALLS},bool),uint256,bytes32,address,uint256),bytes)", signed, b""))
    assert_wraps_the_swap(call)
    assert call.intents[0].deadline == 99


def test_delegated_execution_runs_the_code_as_the_account() -> None:
    inner = calldata("execute(address,uint256,bytes)", *one())
    assert_wraps_the_swap(ran(DELEGATED, TARGET + inner))
    assert "delegates 0xdeadbeef" in ran(DELEGATED, TARGET + UNKNOWN).reason
    assert_wraps_the_swap(decoded(ACCOUNT, calldata("execute(address,uint256,bytes,uint8)", TARGET, 0, inner, 1)))


def test_batch_whose_second_call_is_unknown_is_partial() -> None:
    call = ran(BATCH, batch([one(), (TARGET, 0, UNKNOWN)]))
    assert (call.completeness, len(call.intents)) == (Completeness.PARTIAL, 1)


def test_batch_that_is_allowed_to_go_on_puts_each_call_in_a_scope() -> None:
    call = decoded(ACCOUNT, calldata(f"execute(({CALLS},bool))", ([one(), one()], False)))
    assert_wraps_the_swap(call, 2)
    assert len({intent.revert_scopes for intent in call.intents}) == 2


@pytest.mark.parametrize(
    "data",
    [
        moded(b"\x02" + bytes(31), b""),
        moded(bytes([0, 7]) + bytes(30), b""),
        moded(SINGLE, bytes(51)),
        moded(BATCH, bytes(31)),
        calldata("execute(address,uint256,bytes,uint8)", TARGET, 0, b"", 2),
        calldata("executeBatch(address[],uint256[],bytes[])", [TARGET], [1, 2], [b""]),
        calldata("executeBatch(address[],bytes[])", [TARGET], []),
    ],
)
def test_what_an_account_reverts_on_is_none_of_its_calls_where_it_is_known_by_selector_alone(data: bytes) -> None:
    assert outcome(ACCOUNT, data) is None


def test_account_that_is_called_by_another_contract_reverts_with_it() -> None:
    inner = moded(SINGLE, bytes(51))
    broken = calldata("execute(address,uint256,bytes)", ACCOUNT, 0, inner)
    assert outcome(ACCOUNT, broken) is None
    with pytest.raises(MalformedCalldata):
        decoded(
            bytes.fromhex("ca11bde05977b3631167028862be2a173976ca11"),
            calldata("aggregate((address,bytes)[])", [(ACCOUNT, inner)]),
        )


def test_value_alone_is_paid_out_and_no_swap() -> None:
    call = ran(BATCH, batch([(TARGET, 5, b"")]))
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("execute",))


def test_approval_before_the_swap_leaves_it_exact() -> None:
    approve = calldata("approve(address,uint256)", swap_router(tables()), 11)
    call = ran(BATCH, batch([(WETH, 0, approve), (swap_router(tables()), 0, swap_data(tables()))]))
    assert_wraps_the_swap(call)
    assert call.commands == ("execute", "approve", "swapExactTokensForTokens")
