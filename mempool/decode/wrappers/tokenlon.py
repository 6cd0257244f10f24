"""Tokenlon: a user's order, filled on one of Uniswap's or Sushi's routers or on a Curve pool.

The fee, and what comes out above the order, stay with the contract. The first wrapper added up to a few basis points of its own
where the exchange brought less than the order asks for; which is not in the calldata, so the order's amount is the limit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mempool.abi import Padding, Read, inputs_reader
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, add_shown, keep_share, pay_in, plain_token, receiver, wrapped_token
from mempool.decode.tables import RouterKind, RouterTable
from mempool.decode.wrappers.executions import read_carried, router_named
from mempool.model.swap import ExactIn, Hop, Take

_WRAPPER = "tokenlon_amm_wrapper"
"""The name in the chain's tables of what the proxy calls: the last of several, which stands for those before it."""
_SINGLE, _PATH = 1, 2

_read_kind: Read = inputs_reader([{"type": "uint8"}], Padding.CHECKED)
_read_single: Read = inputs_reader([{"type": "uint8"}, {"type": "uint24"}], Padding.CHECKED)
_read_path: Read = inputs_reader([{"type": "uint8"}, {"type": "bytes"}], Padding.CHECKED)


class Order(NamedTuple):
    """`maker` is the exchange. The native coin is zeros or its alias."""

    maker: bytes
    token_in: bytes
    token_out: bytes
    amount_in: int
    min_amount_out: int
    user: bytes
    recipient: bytes
    salt: int
    deadline: int


def to_amm(call: Call, arguments: tuple[Any, ...]) -> None:
    """toAMM(payload)"""
    call.call_contract(router_named(call, _WRAPPER), arguments[0], call.value_wei)


def trade(call: Call, arguments: tuple[Any, ...]) -> None:
    """trade: the order's fields with a fee among them, or (order, sig, fee); with a path, either
    (order, fee, sig, makerSpecificData, path) or (order, sig, makerSpecificData, path, fee)
    """
    fields, specific, path = arguments[0], b"", ()
    if isinstance(fields, bytes):
        fields = (*arguments[:5], *arguments[6:10])
    elif len(arguments) > 3:
        specific, path = arguments[3:] if isinstance(arguments[1], int) else arguments[2:4]
    order = Order(*fields)
    call.hold_to(order.deadline)
    _fill(call, order, specific, path)


def _fill(call: Call, order: Order, specific: bytes, path: tuple[bytes, ...]) -> None:
    native = plain_token(order.token_in) == NATIVE
    if native and order.amount_in != call.value_wei:
        raise call.malformed("the amount is not the value sent")
    if native:
        pay_in(call, NATIVE, order.amount_in)
    elif call.ledger is not None:
        call.ledger.take(order.user, order.token_in, Take(order.amount_in))
    size, recipient = ExactIn(order.amount_in, order.min_amount_out), receiver(call, order.recipient)
    hops = _hops(call, order, specific, path)
    if hops is None:
        add_hidden(call, (order.token_in, order.token_out), size, recipient, "the exchange's pools are not known")
        return
    pays_native = plain_token(order.token_out) == NATIVE and hops[-1].token_out != NATIVE
    add_shown(call, hops, size, recipient, pays_native=pays_native)
    keep_share(call, recipient, plain_token(order.token_out))


def _hops(call: Call, order: Order, specific: bytes, path: tuple[bytes, ...]) -> tuple[Hop, ...] | None:
    exchange = call.tables.routers.get(order.maker)
    if exchange is None:
        return (Hop("curve", "", order.maker, plain_token(order.token_in), plain_token(order.token_out), None),)
    ends = wrapped_token(call, order.token_in), wrapped_token(call, order.token_out)
    if "uniswap_v3" in exchange.factories and specific:
        return _v3_hops(call, exchange, ends, specific)
    if "uniswap_v2" not in exchange.factories:
        return None
    if path and (path[0], path[-1]) != ends:
        raise call.malformed("the path does not join the order's tokens")
    return exchange.factories["uniswap_v2"].token_path(path or ends, call)


def _v3_hops(call: Call, exchange: RouterTable, ends: tuple[bytes, bytes], specific: bytes) -> tuple[Hop, ...]:
    (kind,) = read_carried(call, _read_kind, specific)
    if kind == _SINGLE:
        packed = ends[0] + read_carried(call, _read_single, specific)[1].to_bytes(3) + ends[1]
    elif kind == _PATH:
        packed = read_carried(call, _read_path, specific)[1]
    else:
        raise call.malformed(f"there is no way {kind} to swap")
    hops = exchange.factories["uniswap_v3"].packed_path(packed, call).hops
    if (hops[0].token_in, hops[-1].token_out) != ends:
        raise call.malformed("the path does not join the order's tokens")
    return hops


TOKENLON = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"toAMM": to_amm})
TOKENLON_AMM_WRAPPER = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"trade": trade})
