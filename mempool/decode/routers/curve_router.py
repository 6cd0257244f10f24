"""Curve's routers: a route of tokens and pools, each step with a type that says what the router does there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.curve_pool import coin_of
from mempool.decode.routers.payments import EXACT, add_paid, swap_intent
from mempool.decode.tables import RouterKind
from mempool.model.swap import Completeness, ExactIn, Hop

_NOBODY = bytes(20)
_SWAP_TYPE = 2


class Step(Struct, frozen=True):
    """What a router does at one step. `protocol` names it in its hop; what is no swap of one pool has a `reason`."""

    protocol: str
    reason: str = ""
    through_zap: bool = False
    """The route names a zap; the pool that it trades in stands in the array of pools."""


_EXCHANGE = Step("curve")
_ZAP = Step("curve", "the route goes through a zap, which may trade in several pools", through_zap=True)
_LIQUIDITY = Step("curve_liquidity", "the route adds or removes liquidity, which no pool logs as a swap")
_CONVERSION = Step("curve_conversion", "the route converts a token outside of a pool")

# Curve Router NG: 1 exchange, 2 exchange_underlying, 3 by a zap, 4 and 5 add liquidity, 6 and 7 remove it, 8 wraps and stakes,
# 9 synths in the first versions and shares of a vault in 1.2.
_NG_STEPS: Mapping[int, Step] = {
    **dict.fromkeys((1, 2), _EXCHANGE),
    3: _ZAP,
    **dict.fromkeys((4, 5, 6, 7), _LIQUIDITY),
    **dict.fromkeys((8, 9), _CONVERSION),
}
# Registry Exchange: 1 to 4 exchanges of stable and of crypto pools, 5 and 6 by zaps, 7 to 14 liquidity, 15 wraps.
_REGISTRY_STEPS: Mapping[int, Step] = {
    **dict.fromkeys((1, 2, 3, 4), _EXCHANGE),
    **dict.fromkeys((5, 6), _ZAP),
    **dict.fromkeys(range(7, 15), _LIQUIDITY),
    15: _CONVERSION,
}


def exchange_ng(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange(route, swapParams, amount, minDy[, pools[, receiver]])"""
    _follow_route(call, arguments, _NG_STEPS)


def exchange_multiple(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange_multiple(route, swapParams, amount, expected[, pools[, receiver]])"""
    _follow_route(call, arguments, _REGISTRY_STEPS)


def exchange_in_pool(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange(pool, from, to, amount, expected[, receiver])"""
    pool, token_in, token_out, amount_in, min_amount_out = arguments[:5]
    recipient = arguments[5] if len(arguments) > 5 else call.sender
    hop = Hop("curve", "", pool, coin_of(token_in), coin_of(token_out), None)
    _add(call, (hop,), ExactIn(amount_in, min_amount_out), recipient, "")


def exchange_with_best_rate(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange_with_best_rate(from, to, amount, expected[, receiver]): the contract looks for the pool itself"""
    token_in, token_out, amount_in, min_amount_out = arguments[:4]
    recipient = arguments[4] if len(arguments) > 4 else call.sender
    hop = Hop("", "", b"", coin_of(token_in), coin_of(token_out), None)
    reason = "the contract chooses the pool with the best rate"
    _add(call, (hop,), ExactIn(amount_in, min_amount_out), recipient, reason)


def _follow_route(call: Call, arguments: tuple[Any, ...], steps: Mapping[int, Step]) -> None:
    route, swap_params, amount_in, min_amount_out, *options = arguments
    pools = options[0] if options else (_NOBODY,) * len(swap_params)
    recipient = options[1] if len(options) > 1 else call.sender
    taken = [
        _taken(call, route[2 * number : 2 * number + 3], steps.get(params[_SWAP_TYPE]), pools[number])
        for number, params in enumerate(swap_params[: _length(route)])
    ]
    taken = [(step, hop) for step, hop in taken if not _is_native_wrap(call, hop)]
    # Conversions alone are no swap.
    if any(step is not _CONVERSION for step, _ in taken):
        reason = next((step.reason for step, _ in taken if step.reason), "")
        _add(call, tuple(hop for _, hop in taken), ExactIn(amount_in, min_amount_out), recipient, reason)


def _length(route: Sequence[bytes]) -> int:
    """The steps of a route: the first runs always, the others up to one without a pool."""
    return next((number for number in range(1, len(route) // 2) if route[2 * number + 1] == _NOBODY), len(route) // 2)


def _taken(call: Call, part: Sequence[bytes], step: Step | None, pool: bytes) -> tuple[Step, Hop]:
    token_in, target, token_out = part
    if step is None:
        raise call.malformed("the route has a step of a type that the router lacks")
    if _NOBODY in (target, token_out):
        raise call.malformed("the route lacks a pool or a token")
    if step.through_zap and pool != _NOBODY:
        target = pool
    return step, Hop(step.protocol, "", target, coin_of(token_in), coin_of(token_out), None)


def _is_native_wrap(call: Call, hop: Hop) -> bool:
    """One for one, so that the amounts stay as they are."""
    return hop.protocol == _CONVERSION.protocol and {hop.token_in, hop.token_out} == {NATIVE, call.router.wrapped_native}


def _add(call: Call, hops: tuple[Hop, ...], size: ExactIn, recipient: bytes, reason: str) -> None:
    known = (Completeness.PARTIAL, reason) if reason else EXACT
    add_paid(call, call.sender, swap_intent(call, hops, size, recipient, known))


CURVE_ROUTER_NG = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"exchange": exchange_ng})
CURVE_REGISTRY_EXCHANGE = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "exchange": exchange_in_pool,
        "exchange_with_best_rate": exchange_with_best_rate,
        "exchange_multiple": exchange_multiple,
    },
)
