"""1inch Aggregation Router v2: what its description states; calls that it makes of an executor hide the pools."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.open_ocean_exchange import swap
from mempool.decode.tables import RouterKind


def discounted_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """discountedSwap(caller, desc, calls): the router calls its own `swap`, and only notes it where that fails"""
    call.attempt(lambda: swap(call, arguments))


ONE_INCH_V2 = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"swap": swap, "discountedSwap": discounted_swap})
"""OpenOcean's exchange is made of its code, and has the same `swap`."""
