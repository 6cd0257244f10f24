"""1inch's router v1: tokens, amount and minimum; the calls that it makes go to its own helpers, and hide the pools."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(fromToken, toToken, fromTokenAmount, minReturnAmount, guaranteedAmount, referrer, calls in four arrays)"""
    token_in, token_out, amount, minimum, *_ = arguments
    pay_in(call, plain_token(token_in), amount)
    add_hidden(call, (token_in, token_out), ExactIn(amount, minimum), call.sender, "the calls of helpers hide the pools")


ONE_INCH_V1 = RouterKind(padding=Padding.MASKED, pools=frozenset(), functions={"swap": swap})
