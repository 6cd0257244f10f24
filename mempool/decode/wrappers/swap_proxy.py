"""Uniswap's SwapProxy: moves the sender's tokens into a Universal Router, and has it execute a plan that spends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.tables import RouterKind

_EXECUTE = bytes.fromhex("3593564c")
"""`execute(bytes,bytes[],uint256)`"""


def execute(call: Call, arguments: tuple[Any, ...]) -> None:
    """execute(router, token, amount, commands, inputs, deadline); the router's sender is the proxy"""
    router, token, amount, commands, inputs, deadline = arguments
    call.charge_items(len(inputs))  # to encode them costs what reading them did
    call.books().credit(router, token, Holding(amount))
    call.call_contract(router, call.kept(_execution(commands, inputs, deadline)))


def _execution(commands: bytes, inputs: Sequence[bytes], deadline: int) -> bytes:
    """The router's calldata, as the proxy encodes it."""
    plan = _blob(commands)
    tails = [_blob(each) for each in inputs]
    places = [32 * len(tails)]
    for tail in tails:
        places.append(places[-1] + len(tail))
    return _EXECUTE + _words(96, 96 + len(plan), deadline) + plan + _words(len(tails), *places[:-1]) + b"".join(tails)


def _blob(data: bytes) -> bytes:
    return _words(len(data)) + data + bytes(-len(data) % 32)


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32) for number in numbers)


SWAP_PROXY = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"execute": execute})
