"""KyberSwap's MetaAggregationRouter and its V2: tokens, amount and minimum; an executor's program hides the pools."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn

_FEE_ON_TOKEN_OUT, _FEE_IN_BPS = 0x40, 0x80
_BPS = 10_000


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap((callTarget, approveTarget, targetData, desc, clientData)), and swapGeneric, which calls a listed contract"""
    _add(call, arguments[0][3])


def swap_simply(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapSimpleMode(caller, desc, executorData, clientData)"""
    _add(call, arguments[1])


def swap_without_fees(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap, swapSimpleMode (caller, desc, executorData, clientData) of the first router"""
    token_in, token_out, _, _, recipient, amount, minimum, *_ = arguments[1]
    _add_swap(call, (token_in, token_out), ExactIn(amount, minimum), recipient)


def _add(call: Call, description: tuple[Any, ...]) -> None:
    token_in, token_out, _, _, _, fees, recipient, amount, minimum, flags, _ = description
    rest = amount if flags & _FEE_ON_TOKEN_OUT else _less_fees(call, amount, fees, flags)
    _add_swap(call, (token_in, token_out), ExactIn(rest, minimum), recipient, amount)


def _add_swap(call: Call, tokens: tuple[bytes, bytes], size: ExactIn, recipient: bytes, paid_in: int | None = None) -> None:
    if not size.min_amount_out:
        raise call.malformed("the least return is 0")
    pay_in(call, plain_token(tokens[0]), size.amount_in if paid_in is None else paid_in)
    add_hidden(call, tokens, size, receiver(call, recipient), "the executor's program hides the pools")


def _less_fees(call: Call, amount: int, fees: tuple[int, ...], flags: int) -> int:
    """What is left to sell after the fees on the token in, each stated in wei or in basis points of the whole."""
    rest = amount - sum(amount * fee // _BPS if flags & _FEE_IN_BPS else fee for fee in fees)
    if rest < 0:
        raise call.malformed("the fees exceed the amount")
    return rest


KYBER_META_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"swap": swap, "swapGeneric": swap, "swapSimpleMode": swap_simply},
)
KYBER_META_ROUTER_V1 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"swap": swap_without_fees, "swapSimpleMode": swap_without_fees},
)
