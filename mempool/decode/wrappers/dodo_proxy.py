"""DODO's proxy: its own pairs one after another, another exchange's calldata, or adapters that hide the pools."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.aggregators import NATIVE_ALIAS, add_hidden, add_shown, pay_in, plain_token, wrapped_token
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, Hop

Tokens = tuple[bytes, bytes]


def native_to_token(call: Call, arguments: tuple[Any, ...]) -> None:
    """dodoSwapV2ETHToToken(toToken, minReturnAmount, dodoPairs, directions, isIncentive, deadLine): sells the value sent"""
    token_out, minimum, pairs, _, _, deadline = arguments
    _add_pairs(call, "dodo_v2", (NATIVE_ALIAS, token_out), ExactIn(call.value_wei, minimum), pairs, deadline)


def token_to_native(call: Call, arguments: tuple[Any, ...]) -> None:
    """dodoSwapV2TokenToETH(fromToken, fromTokenAmount, minReturnAmount, dodoPairs, directions, isIncentive, deadLine)"""
    token_in, amount, minimum, pairs, _, _, deadline = arguments
    _add_pairs(call, "dodo_v2", (token_in, NATIVE_ALIAS), ExactIn(amount, minimum), pairs, deadline)


def token_to_token(call: Call, arguments: tuple[Any, ...]) -> None:
    """dodoSwapV2TokenToToken(fromToken, toToken, fromTokenAmount, minReturnAmount, dodoPairs, directions, …, deadLine)"""
    token_in, token_out, amount, minimum, pairs, _, _, deadline = arguments
    _add_pairs(call, "dodo_v2", (token_in, token_out), ExactIn(amount, minimum), pairs, deadline)


def along_first_pairs(call: Call, arguments: tuple[Any, ...]) -> None:
    """dodoSwapV1, whose arguments are those of tokens for tokens; either may be the native coin's alias"""
    token_in, token_out, amount, minimum, pairs, _, _, deadline = arguments
    _add_pairs(call, "dodo_v1", (token_in, token_out), ExactIn(amount, minimum), pairs, deadline)


def external_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """externalSwap(fromToken, toToken, approveTarget, swapTarget, fromTokenAmount, minReturnAmount, callDataConcat, …, deadLine)

    What the exchange leaves of either token is the sender's.
    """
    token_in, token_out, _, target, amount, minimum, data, _, deadline = arguments
    call.hold_to(deadline)
    pay_in(call, plain_token(token_in), amount)
    books, known = call.books(), len(call.intents)
    books.credit(call.contract, plain_token(token_in), Holding(amount))
    call.call_contract(target, data, call.value_wei if plain_token(token_in) == NATIVE else 0)
    if len(call.intents) == known:
        add_hidden(call, (token_in, token_out), ExactIn(amount, minimum), call.sender, "the exchange's call shows no swap")
        return
    held = books.take_all(call.contract, plain_token(token_out))
    call.require(held, minimum)
    books.credit(call.sender, plain_token(token_out), held)


def mix_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """mixSwap(fromToken, toToken, fromTokenAmount, minReturnAmount, mixAdapters, mixPairs, assetTo, …, deadLine)"""
    token_in, token_out, amount, minimum, *_, deadline = arguments
    call.hold_to(deadline)
    pay_in(call, plain_token(token_in), amount)
    add_hidden(call, (token_in, token_out), ExactIn(amount, minimum), call.sender, "adapters hide the pools' kinds")


def _add_pairs(call: Call, protocol: str, tokens: Tokens, size: ExactIn, pairs: tuple[bytes, ...], deadline: int) -> None:
    if not pairs:
        raise call.malformed("there are no pairs")
    call.check_hops(len(pairs))
    call.hold_to(deadline)
    ends = wrapped_token(call, tokens[0]), wrapped_token(call, tokens[1])
    # Only the pairs themselves know the tokens between them.
    path = (ends[0], *(b"" for _ in pairs[1:]), ends[1])
    hops = tuple(Hop(protocol, "", pair, *around, None) for pair, around in zip(pairs, pairwise(path), strict=True))
    pay_in(call, plain_token(tokens[0]), size.amount_in)
    add_shown(call, hops, size, call.sender, pays_native=plain_token(tokens[1]) == NATIVE)


DODO_PROXY = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "dodoSwapV2ETHToToken": native_to_token,
        "dodoSwapV2TokenToETH": token_to_native,
        "dodoSwapV2TokenToToken": token_to_token,
        "dodoSwapV1": along_first_pairs,
        "externalSwap": external_swap,
        "mixSwap": mix_swap,
    },
)
