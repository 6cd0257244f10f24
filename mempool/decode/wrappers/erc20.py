"""Tokens and Permit2: no swaps, but they move the balances that a later swap of the same call may sell."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.tables import RouterKind
from mempool.model.swap import Take


def transfer(call: Call, arguments: tuple[Any, ...]) -> None:
    """transfer(to, amount)"""
    to, amount = arguments
    call.books().move(call.sender, call.contract, to, amount)


def transfer_from(call: Call, arguments: tuple[Any, ...]) -> None:
    """transferFrom(from, to, amount)"""
    holder, to, amount = arguments
    call.books().move(holder, call.contract, to, amount)


def deposit(call: Call, _arguments: tuple[Any, ...]) -> None:
    """deposit(): wraps the value sent. Of another contract than the wrapped native token it is anything's deposit."""
    if call.contract != call.router.wrapped_native:
        call.note_opaque(f"deposit of 0x{call.contract.hex()}")
        return
    call.books().take(call.sender, NATIVE, Take(call.value_wei))
    call.books().credit(call.sender, call.contract, Holding(call.value_wei))


def withdraw(call: Call, arguments: tuple[Any, ...]) -> None:
    """withdraw(amount): unwraps it"""
    if call.contract != call.router.wrapped_native:
        call.note_opaque(f"withdraw of 0x{call.contract.hex()}")
        return
    call.books().take(call.sender, call.contract, Take(arguments[0]))
    call.books().credit(call.sender, NATIVE, Holding(arguments[0]))


def permit2_transfer(call: Call, arguments: tuple[Any, ...]) -> None:
    """transferFrom(from, to, amount, token) of Permit2"""
    holder, to, amount, token = arguments
    call.books().move(holder, token, to, amount)


def permit2_transfers(call: Call, arguments: tuple[Any, ...]) -> None:
    """transferFrom((from, to, amount, token)[])"""
    for each in arguments[0]:
        call.charge_command()
        permit2_transfer(call, each)


def permit2_signed(call: Call, arguments: tuple[Any, ...]) -> None:
    """permit[Witness]TransferFrom(((token, amount), nonce, deadline), (to, requestedAmount), owner, …)"""
    (permitted, *_), (to, amount), owner, *_ = arguments
    call.books().move(owner, permitted[0], to, amount)


def permit2_signed_batch(call: Call, arguments: tuple[Any, ...]) -> None:
    """permit[Witness]TransferFrom(((token, amount)[], nonce, deadline), (to, requestedAmount)[], owner, …)"""
    (permitted, *_), transfers, owner, *_ = arguments
    if len(permitted) != len(transfers):
        raise call.malformed("a batch's lists differ in length")
    for (token, _), (to, amount) in zip(permitted, transfers, strict=True):
        call.charge_command()
        call.books().move(owner, token, to, amount)


ERC20 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"transfer": transfer, "transferFrom": transfer_from, "deposit": deposit, "withdraw": withdraw},
)

_SINGLE = "((address,uint256),uint256,uint256),(address,uint256),address"
_BATCH = "((address,uint256)[],uint256,uint256),(address,uint256)[],address"
PERMIT2 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "transferFrom(address,address,uint160,address)": permit2_transfer,
        "transferFrom((address,address,uint160,address)[])": permit2_transfers,
        f"permitTransferFrom({_SINGLE},bytes)": permit2_signed,
        f"permitWitnessTransferFrom({_SINGLE},bytes32,string,bytes)": permit2_signed,
        f"permitTransferFrom({_BATCH},bytes)": permit2_signed_batch,
        f"permitWitnessTransferFrom({_BATCH},bytes32,string,bytes)": permit2_signed_batch,
    },
)
