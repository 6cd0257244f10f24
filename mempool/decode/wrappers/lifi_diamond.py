"""LI.FI's diamond: swaps on one chain, each a call of another router, paid out to the receiver at the end."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, plain_token
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn


def swap_many(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapTokensGeneric and swapTokensMultipleV3…(transactionId, integrator, referrer, receiver, minAmountOut, swapData[])"""
    receiver, minimum, swaps = arguments[3:6]
    if not swaps:
        raise call.malformed("there is no swap to make")
    call.books()
    for swap in swaps[:-1]:
        _swap(call, swap, 0)
    _swap(call, swaps[-1], minimum)
    _pay_out(call, plain_token(swaps[-1][3]), receiver, minimum)


def swap_single(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapTokensSingleV3…(transactionId, integrator, referrer, receiver, minAmountOut, swapData)"""
    *others, swap = arguments
    swap_many(call, (*others, (swap,)))


def _swap(call: Call, swap: tuple[Any, ...], minimum: int) -> None:
    """(callTo, approveTo, sendingAssetId, receivingAssetId, fromAmount, callData, requiresDeposit)

    A call that leaves the asset what it is collects a fee; any other is a swap, whose pools are hidden where it gives none.
    """
    to, _, token_in, token_out, amount_in, data, _ = swap
    known = len(call.intents)
    call.call_contract(to, data, amount_in if plain_token(token_in) == NATIVE else 0)
    if len(call.intents) == known and token_in != token_out:
        size = ExactIn(amount_in, minimum)
        add_hidden(call, (token_in, token_out), size, call.contract, f"swapped by a call of 0x{to.hex()}")


def _pay_out(call: Call, token: bytes, receiver: bytes, minimum: int) -> None:
    """All of the last asset goes to the receiver. Routers that unwrap what they pay out are booked with the wrapped native."""
    books = call.books()
    paid = token
    if token == NATIVE and books.balance(call.contract, NATIVE).is_empty:
        paid = call.router.wrapped_native
    held = books.take_all(call.contract, paid)
    call.require(held, minimum)
    books.credit(receiver, token, held)


LIFI_DIAMOND = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "swapTokensGeneric": swap_many,
        "swapTokensMultipleV3ERC20ToERC20": swap_many,
        "swapTokensMultipleV3ERC20ToNative": swap_many,
        "swapTokensMultipleV3NativeToERC20": swap_many,
        "swapTokensSingleV3ERC20ToERC20": swap_single,
        "swapTokensSingleV3ERC20ToNative": swap_single,
        "swapTokensSingleV3NativeToERC20": swap_single,
    },
)
