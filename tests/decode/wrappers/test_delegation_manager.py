"""Redeemed delegations run as the account that gave the first of them."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness
from tests.decode.calls import SENDER, calldata, tables
from tests.decode.wrappers.wrapped import (
    ACCOUNT,
    TARGET,
    UNKNOWN,
    Example,
    assert_wraps_the_swap,
    batch,
    decoded,
    packed,
    swap_execution,
)

MANAGER = bytes.fromhex("db9b1e94b5b69df7e401ddbede43491141047db3")
REDEEM = "redeemDelegations(bytes[],bytes32[],bytes[])"
DELEGATION = "(address,address,bytes32,(address,bytes,bytes)[],uint256,bytes)"
SINGLE, TRY_SINGLE, BATCH = bytes(32), bytes([0, 1]) + bytes(30), bytes([1]) + bytes(31)


def delegations(*delegators: bytes) -> bytes:
    rows = [(SENDER, delegator, b"\xff" * 32, [(TARGET, b"terms", b"")], 7, bytes(65)) for delegator in delegators]
    return encode([DELEGATION + "[]"], [rows])


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata(REDEEM, [delegations(ACCOUNT)], [SINGLE], [packed(swap_execution(of))]), 0


EXAMPLES: dict[str, Example] = {"delegation_manager": example}


def redeemed(context: bytes, mode: bytes, data: bytes) -> bytes:
    return calldata(REDEEM, [context], [mode], [data])


def paid_to_sender() -> bytes:
    """A swap whose output goes to whoever sends it."""
    data = calldata(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        (tables().wrapped_native, TARGET, 500, bytes(19) + b"\x01", 1, 0, 0),
    )
    return packed((bytes.fromhex("68b3465833fb72a70ecdf485e0e4c7bd8665fc45"), 0, data))


def test_execution_is_carried_out() -> None:
    call = decoded(MANAGER, example(tables(), tables().routers[MANAGER])[0])
    assert_wraps_the_swap(call)
    assert call.commands == ("redeemDelegations", "executeFromExecutor", "swapExactTokensForTokens")


@pytest.mark.parametrize(
    ("givers", "account"), [((), SENDER), ((ACCOUNT,), ACCOUNT), ((TARGET, ACCOUNT), ACCOUNT), ((ACCOUNT, TARGET), TARGET)]
)
def test_account_is_the_root_delegator_or_without_one_the_sender(givers: tuple[bytes, ...], account: bytes) -> None:
    call = decoded(MANAGER, redeemed(delegations(*givers), SINGLE, paid_to_sender()))
    assert call.intents[0].recipient == account


def test_batches_and_tries_are_read_by_their_mode() -> None:
    execution = swap_execution(tables())
    data = calldata(REDEEM, [delegations(ACCOUNT)] * 2, [BATCH, TRY_SINGLE], [batch([execution, execution]), packed(execution)])
    call = decoded(MANAGER, data)
    assert_wraps_the_swap(call, 3)
    assert [intent.allow_revert for intent in call.intents] == [False, False, True]


@pytest.mark.parametrize(
    "data",
    [
        calldata(REDEEM, [delegations(ACCOUNT)], [], [b""]),
        calldata(REDEEM, [b""], [SINGLE], [packed((TARGET, 0, b""))]),
        redeemed(delegations(ACCOUNT), SINGLE, bytes(51)),
    ],
)
def test_what_the_manager_reverts_on_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedCalldata):
        decoded(MANAGER, data)


def test_unknown_execution_is_opaque() -> None:
    call = decoded(MANAGER, redeemed(delegations(ACCOUNT), SINGLE, packed((TARGET, 0, UNKNOWN))))
    assert call.completeness is Completeness.OPAQUE
