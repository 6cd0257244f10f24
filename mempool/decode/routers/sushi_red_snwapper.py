"""Sushi's RedSnwapper: hands tokens to an executor, calls it, and checks what the recipient has more of at the end."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.aggregators import add_hidden, plain_token
from mempool.decode.tables import RouterKind
from mempool.model.swap import BalanceIn, ExactIn, Size, Take

_HIDDEN = "the executor's own program"


def snwap(call: Call, arguments: tuple[Any, ...]) -> None:
    """snwap(tokenIn, amountIn, recipient, tokenOut, amountOutMin, executor, executorData); 0 is the contract's own balance"""
    token_in, amount_in, recipient, token_out, min_amount_out, executor, data = arguments
    inputs, outputs = ((token_in, amount_in, executor),), ((token_out, recipient, min_amount_out),)
    snwap_multiple(call, (inputs, outputs, ((executor, call.value_wei, data),)))


def snwap_multiple(call: Call, arguments: tuple[Any, ...]) -> None:
    """snwapMultiple((token, amountIn, transferTo)[], (token, recipient, amountOutMin)[], (executor, value, data)[])"""
    inputs, outputs, executors = arguments
    books = call.books()
    if not all(executor in call.tables.routers for executor, _, _ in executors):
        _add_hidden(call, inputs, outputs)
        return
    for token, amount, to in inputs:
        _hand_over(call, plain_token(token), amount, to)
    had_none = [books.balance(recipient, plain_token(token)).is_empty for token, recipient, _ in outputs]
    for executor, value_wei, data in executors:
        call.call_contract(executor, data, value_wei)
    for (token, recipient, minimum), is_known in zip(outputs, had_none, strict=True):
        if is_known:
            call.require(books.balance(recipient, plain_token(token)), minimum)


def _hand_over(call: Call, token: bytes, amount: int, to: bytes) -> None:
    """From the sender, or with an amount of 0 all that the contract has."""
    books = call.books()
    if token == NATIVE:
        return
    if amount:
        if not books.balance(call.sender, token).is_empty:
            books.take(call.sender, token, Take(amount))
        books.credit(to, token, Holding(amount))
    else:
        books.credit(to, token, books.take_all(call.contract, token))


def _add_hidden(call: Call, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """One token for one other is a swap whose pools are hidden; anything else may be several."""
    if len(inputs) != 1 or len(outputs) != 1:
        call.note_opaque("executors")
        return
    (token_in, amount_in, _), (token_out, recipient, min_amount_out) = inputs[0], outputs[0]
    size: Size
    if plain_token(token_in) == NATIVE:
        size = ExactIn(call.value_wei, min_amount_out)
    elif amount_in:
        size = ExactIn(amount_in, min_amount_out)
    else:
        size = call.sell_balance(call.contract, token_in, min_amount_out)
    if size == BalanceIn(0, (), min_amount_out):
        call.books().forget_all()
    add_hidden(call, (token_in, token_out), size, recipient, _HIDDEN)


SUSHI_RED_SNWAPPER = RouterKind(
    padding=Padding.CHECKED, pools=frozenset(), functions={"snwap": snwap, "snwapMultiple": snwap_multiple}
)
