"""OpenOcean's exchange: tokens, amount and minimum of its own swap; calls that it makes of its executor hide the pools."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(caller, desc, calls)"""
    token_in, token_out, _, recipient, amount, minimum, *_ = arguments[1]
    if not minimum:
        raise call.malformed("the least return is 0")
    pay_in(call, plain_token(token_in), amount)
    add_hidden(
        call, (token_in, token_out), ExactIn(amount, minimum), receiver(call, recipient), "the executor's calls hide the pools"
    )


OPEN_OCEAN_EXCHANGE = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"swap": swap})
