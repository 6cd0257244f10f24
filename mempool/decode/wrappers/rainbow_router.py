"""Rainbow's router: an aggregator's calldata beside the tokens and the amount, less a fee that the router keeps."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, Take

_WHOLE = 10**18
"""What the fee of an output in the native coin is a fraction of."""


def native_to_token(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillQuoteEthToToken(buyToken, target, data, feeAmount): the fee is taken from the value sent"""
    token_out, target, data, fee_wei = arguments
    if fee_wei > call.value_wei:
        raise call.malformed("the fee exceeds the value sent")
    amount_in = call.value_wei - fee_wei
    _follow(call, (target, data, amount_in), (NATIVE, token_out), amount_in)


def token_to_token(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillQuoteTokenToToken[WithPermit](sellToken, buyToken, target, data, sellAmount, feeAmount[, permit])"""
    token_in, token_out, target, data, amount, fee = arguments[:6]
    if fee > amount:
        raise call.malformed("the fee exceeds the amount")
    call.books().move(call.sender, token_in, call.contract, amount - fee)
    _follow(call, (target, data, call.value_wei), (token_in, token_out), amount - fee)


def token_to_native(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillQuoteTokenToEth[WithPermit](sellToken, target, data, sellAmount, feeShare[, permit]): the fee is of what comes out"""
    token_in, target, data, amount, fee_share = arguments[:5]
    if fee_share > _WHOLE:
        raise call.malformed("the fee exceeds what comes out")
    call.books().move(call.sender, token_in, call.contract, amount)
    _follow(call, (target, data, call.value_wei), (token_in, NATIVE), amount, Take(0, fee_share, _WHOLE))


def _follow(
    call: Call, carried: tuple[bytes, bytes, int], tokens: tuple[bytes, bytes], amount_in: int, fee: Take | None = None
) -> None:
    """Follow `(target, data, value_wei)`; where that gives no swap, what stands beside it is one with its pools hidden.

    All that the router then has of the token out is the sender's, less the fee.
    """
    target, data, value_wei = carried
    known = len(call.intents)
    call.call_contract(target, data, value_wei)
    if len(call.intents) == known:
        add_hidden(call, tokens, ExactIn(amount_in, 0), call.contract, f"swapped by a call of 0x{target.hex()}")
    books, token_out = call.books(), tokens[1]
    if fee is not None:
        books.take(call.contract, token_out, fee)
    books.credit(call.sender, token_out, books.take_all(call.contract, token_out))


RAINBOW_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "fillQuoteEthToToken": native_to_token,
        "fillQuoteTokenToToken": token_to_token,
        "fillQuoteTokenToTokenWithPermit": token_to_token,
        "fillQuoteTokenToEth": token_to_native,
        "fillQuoteTokenToEthWithPermit": token_to_native,
    },
)
