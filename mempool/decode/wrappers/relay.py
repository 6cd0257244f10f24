"""Relay's router and the approval proxy before it: tokens go to the router, which makes the calls and pays out what is left."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import router_named, run_as, run_one
from mempool.model.swap import Take

_ROUTER = "relay_router"
"""The router's name in the chain's tables."""
_ALL = 0
Calls = tuple[tuple[bytes, bool, int, bytes], ...]


def multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """multicall((target, allowFailure, value, callData)[], refundTo, nftRecipient, metadata)"""
    _run_calls(call, arguments[0], call.value_wei)


def transfer_and_multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """transferAndMulticall(tokens, amounts, calls, refundTo, nftRecipient, metadata)"""
    tokens, amounts, calls, *_ = arguments
    if len(tokens) != len(amounts):
        raise call.malformed("a batch's lists differ in length")
    _fund(call, call.sender, tuple(zip(tokens, amounts, strict=True)), calls)


def permit2_transfer_and_multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """permit2TransferAndMulticall(user, ((token, amount)[], nonce, deadline), calls, …, signature): unsigned, it moves nothing"""
    user, (permitted, *_), calls, *_, signature = arguments
    _fund(call, user, permitted if signature else (), calls)


def clean_up_tokens(call: Call, arguments: tuple[Any, ...]) -> None:
    """cleanupErc20s(tokens, recipients, amounts, metadata): 0 is all that the router has"""
    tokens, recipients, amounts, _ = arguments
    if not len(tokens) == len(recipients) == len(amounts):
        raise call.malformed("a batch's lists differ in length")
    for token, recipient, amount in zip(tokens, recipients, amounts, strict=True):
        call.charge_command()
        _pay(call, token, recipient, amount)


def clean_up_native(call: Call, arguments: tuple[Any, ...]) -> None:
    """cleanupNative(amount, recipient, metadata)"""
    amount, recipient, _ = arguments
    _pay(call, NATIVE, recipient if any(recipient) else call.sender, amount)


def clean_up_tokens_by_call(call: Call, arguments: tuple[Any, ...]) -> None:
    """cleanupErc20sViaCall(tokens, tos, datas, amounts, metadata): each is called to take what it is approved"""
    tokens, targets, datas, amounts, _ = arguments
    if not len(tokens) == len(targets) == len(datas) == len(amounts):
        raise call.malformed("a batch's lists differ in length")
    for target, data in zip(targets, datas, strict=True):
        call.call_contract(target, data)


def clean_up_native_by_call(call: Call, arguments: tuple[Any, ...]) -> None:
    """cleanupNativeViaCall(amount, to, data, metadata)"""
    amount, target, data, _ = arguments
    call.call_contract(target, data, amount)


def _fund(call: Call, payer: bytes, paid: tuple[tuple[bytes, int], ...], calls: Calls) -> None:
    """The payer's tokens go to the router, which then makes the calls."""
    router, value_wei = router_named(call, _ROUTER), call.value_wei
    if not router:
        call.note_opaque("calls of Relay's router, which is not listed")
        return
    for token, amount in paid:
        call.charge_command()
        call.books().move(payer, token, router, amount)
    run_as(call, router, lambda: _run_calls(call, calls, value_wei))


def _run_calls(call: Call, calls: Calls, value_wei: int) -> None:
    call.books().credit(call.contract, NATIVE, Holding(value_wei))
    for target, may_fail, passed_wei, data in calls:
        run_one(call, (target, passed_wei, data), may_fail=may_fail)


def _pay(call: Call, token: bytes, recipient: bytes, amount: int) -> None:
    books = call.books()
    if amount == _ALL:
        books.credit(recipient, token, books.take_all(call.contract, token))
        return
    books.take(call.contract, token, Take(amount))
    books.credit(recipient, token, Holding(amount))


RELAY_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "multicall": multicall,
        "cleanupErc20s": clean_up_tokens,
        "cleanupErc20sViaCall": clean_up_tokens_by_call,
        "cleanupNative": clean_up_native,
        "cleanupNativeViaCall": clean_up_native_by_call,
    },
)
RELAY_APPROVAL_PROXY = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "transferAndMulticall": transfer_and_multicall,
        "permit2TransferAndMulticall": permit2_transfer_and_multicall,
    },
)
