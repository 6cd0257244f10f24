"""KyberSwap's MetaAggregationRouterV2: tokens, amount and minimum; an executor's program hides the pools."""

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


def _add(call: Call, description: tuple[Any, ...]) -> None:
    token_in, token_out, _, _, _, fees, recipient, amount, minimum, flags, _ = description
    if not minimum:
        raise call.malformed("the least return is 0")
    pay_in(call, plain_token(token_in), amount)
    size = ExactIn(amount if flags & _FEE_ON_TOKEN_OUT else _less_fees(call, amount, fees, flags), minimum)
    add_hidden(call, (token_in, token_out), size, receiver(call, recipient), "the executor's program hides the pools")


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
