"""UniswapX reactors: signed Dutch orders that a filler fills, from its own balance or in a callback of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from mempool.abi import Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.decode.call import Call
from mempool.decode.routers.aggregators import add_hidden
from mempool.decode.tables import Handler, RouterKind
from mempool.model.swap import ExactIn, ExactOut, Size

_INFO = "(address,address,uint256,uint256,address,bytes)"
_INPUT, _OUTPUTS = "(address,uint256,uint256)", "(address,uint256,uint256,address)[]"
_COSIGNED = "(uint256,uint256,address,uint256,uint256,uint256[])"
_FILLED = "the filler pays from a balance of its own"
_FILLED_IN_CALLBACK = "the filler's callback hides the pools"


class Order(Struct, frozen=True):
    """A Dutch order: amounts move from start to end with time; the input never rises above `most_in`."""

    deadline: int
    token_in: bytes
    amounts_in: tuple[int, int]
    outputs: Sequence[tuple[bytes, int, int, bytes]]
    """Token, start amount, end amount, recipient."""


ReadOrder = Callable[[Call, bytes], Order]


def exclusive_order(call: Call, data: bytes) -> Order:
    """(info, decayStartTime, decayEndTime, exclusiveFiller, exclusivityOverrideBps, input, outputs)"""
    info, _, _, _, _, (token_in, start, end), outputs = _read(call, _EXCLUSIVE, data)
    return Order(info[3], token_in, (start, end), outputs)


def cosigned_order(call: Call, data: bytes) -> Order:
    """(info, cosigner, baseInput, baseOutputs, cosignerData, cosignature), whose cosigner may better the start amounts"""
    info, _, (token_in, start, end), outputs, cosigned, _ = _read(call, _COSIGNED_ORDER, data)
    *_, input_amount, output_amounts = cosigned
    if len(output_amounts) != len(outputs):
        raise call.malformed("the cosigner's outputs are not as many as the order's")
    if input_amount > start or any(0 < better < output[1] for better, output in zip(output_amounts, outputs, strict=True)):
        raise call.malformed("the cosigner's amounts are worse than the order's")
    bettered = [
        (token, better or first, last, recipient)
        for better, (token, first, last, recipient) in zip(output_amounts, outputs, strict=True)
    ]
    return Order(info[3], token_in, (input_amount or start, end), bettered)


def execute(read_order: ReadOrder) -> Handler:
    """execute((order, sig))"""

    def handle(call: Call, arguments: tuple[Any, ...]) -> None:
        _add(call, read_order, arguments, _FILLED)

    return handle


def execute_batch(read_order: ReadOrder) -> Handler:
    """executeBatch((order, sig)[])"""

    def handle(call: Call, arguments: tuple[Any, ...]) -> None:
        _add(call, read_order, arguments[0], _FILLED)

    return handle


def execute_with_callback(read_order: ReadOrder) -> Handler:
    """executeWithCallback((order, sig), callbackData)"""

    def handle(call: Call, arguments: tuple[Any, ...]) -> None:
        call.note_opaque("reactorCallback")
        _add(call, read_order, arguments[:1], _FILLED_IN_CALLBACK)

    return handle


def execute_batch_with_callback(read_order: ReadOrder) -> Handler:
    """executeBatchWithCallback((order, sig)[], callbackData)"""

    def handle(call: Call, arguments: tuple[Any, ...]) -> None:
        call.note_opaque("reactorCallback")
        _add(call, read_order, arguments[0], _FILLED_IN_CALLBACK)

    return handle


def _add(call: Call, read_order: ReadOrder, signed: Sequence[tuple[bytes, bytes]], reason: str) -> None:
    for data, _ in signed:
        call.charge_command()
        call.enter(call.size)
        order = read_order(call, data)
        call.leave()
        if not order.outputs:
            call.note_opaque("an order without outputs")
            continue
        around = call.deadline
        call.hold_to(order.deadline)
        token_out, _, _, recipient = order.outputs[0]
        others = "" if all(output[0] == token_out for output in order.outputs) else "the first of several tokens out; "
        add_hidden(call, (order.token_in, token_out), _size(order), recipient, others + reason)
        call.deadline = around


def _size(order: Order) -> Size:
    """What moves with time is taken at its worst for the swapper; amounts of the first output's token count together."""
    token_out = order.outputs[0][0]
    least_out = sum(min(start, end) for token, start, end, _ in order.outputs if token == token_out)
    start_in, end_in = order.amounts_in
    return ExactIn(start_in, least_out) if start_in == end_in else ExactOut(least_out, max(start_in, end_in))


def _read(call: Call, read: Read, data: bytes) -> Any:
    return read_arguments(read, data, 0, call)[0]


def _order_reader(*types: str) -> Read:
    return arguments_reader([parse_type(f"({','.join(types)})")], Padding.CHECKED)


_EXCLUSIVE = _order_reader(_INFO, "uint256", "uint256", "address", "uint256", _INPUT, _OUTPUTS)
_COSIGNED_ORDER = _order_reader(_INFO, "address", _INPUT, _OUTPUTS, _COSIGNED, "bytes")


def _reactor(read_order: ReadOrder) -> RouterKind:
    return RouterKind(
        padding=Padding.CHECKED,
        pools=frozenset(),
        functions={
            "execute": execute(read_order),
            "executeBatch": execute_batch(read_order),
            "executeWithCallback": execute_with_callback(read_order),
            "executeBatchWithCallback": execute_batch_with_callback(read_order),
        },
    )


UNISWAP_X_EXCLUSIVE_DUTCH = _reactor(exclusive_order)
UNISWAP_X_V2_DUTCH = _reactor(cosigned_order)
