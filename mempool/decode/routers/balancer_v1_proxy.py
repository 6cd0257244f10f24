"""Balancer v1's ExchangeProxy: swaps side by side, each on one pool or on two in a row, or on pools that it finds itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, add_shown, pay_in, plain_token, wrapped_token
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Hop, Size

_LONGEST = 2
"""A second pool sells what the first one brought; a third would sell an amount of its own."""
Tokens = tuple[bytes, bytes]
Swaps = tuple[Any, ...]
"""`(pool, tokenIn, tokenOut, swapAmount, limitReturnAmount, maxPrice)` each; the amounts are the token in's and the limit the
token out's where what is sold is exact, and the other way round where what is bought is.
"""


def sell_on_single_pools(call: Call, arguments: tuple[Any, ...]) -> None:
    """batchSwapExactIn(swaps, tokenIn, tokenOut, totalAmountIn, minTotalAmountOut)"""
    swaps, token_in, token_out, amount, minimum = arguments
    _sell(call, tuple((swap,) for swap in swaps), (token_in, token_out), ExactIn(amount, minimum))


def sell(call: Call, arguments: tuple[Any, ...]) -> None:
    """multihopBatchSwapExactIn(swapSequences, tokenIn, tokenOut, totalAmountIn, minTotalAmountOut)"""
    sequences, token_in, token_out, amount, minimum = arguments
    _sell(call, sequences, (token_in, token_out), ExactIn(amount, minimum))


def buy_on_single_pools(call: Call, arguments: tuple[Any, ...]) -> None:
    """batchSwapExactOut(swaps, tokenIn, tokenOut, maxTotalAmountIn)"""
    swaps, token_in, token_out, max_amount_in = arguments
    _buy(call, tuple((swap,) for swap in swaps), (token_in, token_out), max_amount_in)


def buy(call: Call, arguments: tuple[Any, ...]) -> None:
    """multihopBatchSwapExactOut(swapSequences, tokenIn, tokenOut, maxTotalAmountIn)"""
    sequences, token_in, token_out, max_amount_in = arguments
    _buy(call, sequences, (token_in, token_out), max_amount_in)


def sell_on_found_pools(call: Call, arguments: tuple[Any, ...]) -> None:
    """smartSwapExactIn(tokenIn, tokenOut, totalAmountIn, minTotalAmountOut, nPools)"""
    token_in, token_out, amount, minimum, _ = arguments
    pay_in(call, plain_token(token_in), amount)
    add_hidden(call, (token_in, token_out), ExactIn(amount, minimum), call.sender, "a registry on the chain chooses the pools")


def buy_on_found_pools(call: Call, arguments: tuple[Any, ...]) -> None:
    """smartSwapExactOut(tokenIn, tokenOut, totalAmountOut, maxTotalAmountIn, nPools)"""
    token_in, token_out, amount, max_in, _ = arguments
    pay_in(call, plain_token(token_in), max_in)
    add_hidden(call, (token_in, token_out), ExactOut(amount, max_in), call.sender, "a registry on the chain chooses the pools")


def _sell(call: Call, sequences: tuple[Swaps, ...], tokens: Tokens, whole: ExactIn) -> None:
    pay_in(call, plain_token(tokens[0]), whole.amount_in)
    call.books()
    for swaps in filter(None, sequences):
        _add(call, swaps, ExactIn(swaps[0][3], swaps[-1][4]))
    _pay_out(call, tokens[1], whole.min_amount_out)


def _buy(call: Call, sequences: tuple[Swaps, ...], tokens: Tokens, max_amount_in: int) -> None:
    pay_in(call, plain_token(tokens[0]), max_amount_in)
    call.books()
    for swaps in filter(None, sequences):
        _add(call, swaps, ExactOut(swaps[-1][3], min(swaps[0][4], max_amount_in)))
    _pay_out(call, tokens[1], 0)


def _add(call: Call, swaps: Swaps, size: Size) -> None:
    hops = tuple(_hop(call, *swap[:3]) for swap in swaps)
    if len(hops) <= _LONGEST and all(before.token_out == after.token_in for before, after in pairwise(hops)):
        add_shown(call, hops, size, call.contract)
    else:
        add_hidden(call, (hops[0].token_in, hops[-1].token_out), size, call.contract, "the swaps of a sequence are no path")


def _hop(call: Call, pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    call.charge_command()
    if token_in == token_out:
        raise call.malformed("a swap has the same token on both sides")
    return Hop("balancer_v1", "", pool, token_in, token_out, None)


def _pay_out(call: Call, token_out: bytes, minimum: int) -> None:
    """The contract unwraps what is to be paid as the native coin."""
    books = call.books()
    held = books.take_all(call.contract, wrapped_token(call, token_out))
    call.require(held, minimum)
    books.credit(call.sender, NATIVE if plain_token(token_out) == NATIVE else token_out, held)


BALANCER_V1_PROXY = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "batchSwapExactIn": sell_on_single_pools,
        "batchSwapExactOut": buy_on_single_pools,
        "multihopBatchSwapExactIn": sell,
        "multihopBatchSwapExactOut": buy,
        "smartSwapExactIn": sell_on_found_pools,
        "smartSwapExactOut": buy_on_found_pools,
    },
)
