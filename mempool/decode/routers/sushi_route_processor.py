"""Sushi's route processors 3 to 5: a byte program of pools, each step paid by the sender, the processor or the step before.

Of a token the processor sells all but one unit, which stands there since the token's first use: what a call brings is sold whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, UNKNOWN, Holding
from mempool.decode.routers.aggregators import known_of_hops, plain_token
from mempool.decode.routers.sushi_program import ALL_SHARES, POOLS, POOLS_3, PoolStep, ReadPool, Source, read_program
from mempool.decode.tables import Handler, RouterKind
from mempool.model.swap import ALL, BalanceIn, Completeness, ExactIn, Hop, Size, SwapIntent, Take

_MAX_CANDIDATES = 3
_OPEN = BalanceIn(0, (), 0)


class Version(Struct, frozen=True):
    """What differs between the processors. With `sweeps_native` an unwrap pays out all of the native coin that is there."""

    pools: Mapping[int, ReadPool]
    sweeps_native: bool


class Route(Struct, frozen=True):
    """One route under way: what the call states of it, and what its steps say of tokens between them."""

    token_out: bytes
    min_amount_out: int
    recipient: bytes
    version: Version
    paid: Mapping[bytes, bytes]
    """The token of each pool that a step before pays."""
    kept: tuple[bytes, ...]
    """The tokens that pass through the processor."""


def process_route(call: Call, arguments: tuple[Any, ...], version: Version) -> None:
    """(…, tokenIn, amountIn, tokenOut, amountOutMin, to, route): the minimum is checked on what `to` has more at the end"""
    _, amount_in, token_out, min_amount_out, recipient, program = arguments[-6:]
    steps = read_program(program, amount_in, version.pools, call)
    paid = {step.pool: step.funds.token for step in steps if step.funds.source is Source.POOL}
    kept = dict.fromkeys(step.funds.token for step in steps if step.funds.source is Source.PROCESSOR)
    route = Route(plain_token(token_out), min_amount_out, recipient, version, paid, tuple(kept))
    books = call.books()
    had_none = books.balance(recipient, route.token_out).is_empty
    call.enter(call.size)
    for step in steps:
        call.note(step.name)
        _ACTIONS[step.name](call, step, route)
    call.leave()
    if had_none:
        call.require(books.balance(recipient, route.token_out), min_amount_out)


def route_only(call: Call, arguments: tuple[Any, ...], version: Version) -> None:
    """processRoute(tokenIn, amountIn, tokenOut, amountOutMin, to, route)"""
    call.books().credit(call.contract, NATIVE, Holding(call.value_wei))
    process_route(call, arguments, version)


def value_first(call: Call, arguments: tuple[Any, ...], version: Version) -> None:
    """transferValueAndprocessRoute(transferValueTo, amountValueTransfer, …): native coin, out of the value sent"""
    call.books().credit(call.contract, NATIVE, Holding(call.value_wei))
    call.books().move(call.contract, NATIVE, *arguments[:2])
    process_route(call, arguments, version)


def input_first(call: Call, arguments: tuple[Any, ...], version: Version) -> None:
    """processRouteWithTransferValueInput(transferValueTo, amountValueTransfer, tokenIn, …): of the token in"""
    to, amount, token = arguments[:3]
    call.books().credit(call.contract, NATIVE, Holding(call.value_wei))
    payer = call.contract if plain_token(token) == NATIVE else call.sender
    call.books().move(payer, plain_token(token), to, amount)
    process_route(call, arguments, version)


def output_after(call: Call, arguments: tuple[Any, ...], version: Version) -> None:
    """processRouteWithTransferValueOutput(transferValueTo, amountValueTransfer, …): the output is shared"""
    to, amount, token_in, amount_in, token_out, min_amount_out, recipient, program = arguments
    books, token = call.books(), plain_token(token_out)
    books.credit(call.contract, NATIVE, Holding(call.value_wei))
    process_route(call, (token_in, amount_in, token_out, min_amount_out, call.contract, program), version)
    books.move(call.contract, token, to, amount)
    books.credit(recipient, token, books.take_all(call.contract, token))


def _swap_pair(call: Call, step: PoolStep, route: Route) -> None:
    """A pair sells what it received; the processor reckons the output with the fee of the program."""
    hop = _hop(call, "uniswap_v2", step, route)
    if hop.fee_pips != step.fee_pips:
        hop = replace(hop, kind="", fee_pips=step.fee_pips)
    _add(call, step, hop, _paid_into_pair(call, step), measures_received=True)


def _swap_v3(call: Call, step: PoolStep, route: Route) -> None:
    if step.funds.source is Source.POOL or (step.funds.source is Source.SENDER and not step.funds.wei):
        raise call.malformed("a V3 pool is asked to swap nothing")
    _add(call, step, _hop(call, "uniswap_v3", step, route), _taken(call, step))


def _swap_curve(call: Call, step: PoolStep, _route: Route) -> None:
    hop = Hop("curve", "", step.pool, step.funds.token, step.token_out, None)
    _add(call, step, hop, _taken(call, step))


def _swap_trident(call: Call, step: PoolStep, route: Route) -> None:
    """A pool inside BentoBox: paid in BentoBox's shares of a token, which no calldata turns into amounts."""
    tokens = _candidates(call, step, route)
    token_out = tokens[0] if len(tokens) == 1 else b""
    _add(call, step, Hop("trident", "", step.pool, step.funds.token, token_out, None), _OPEN)


def _bridge_bento(call: Call, step: PoolStep, _route: Route) -> None:
    _holding(call, step)
    call.books().forget(step.recipient, step.funds.token)


def _convert(call: Call, step: PoolStep, route: Route) -> None:
    """Wraps or unwraps, and hands on."""
    books, taken = call.books(), _holding(call, step)
    if step.token_out == NATIVE and route.version.sweeps_native:
        books.credit(call.contract, NATIVE, taken)
        taken = books.take_all(call.contract, NATIVE)
    books.credit(step.recipient, step.token_out, taken)


_ACTIONS: Mapping[str, Callable[[Call, PoolStep, Route], None]] = {
    "swapUniV2": _swap_pair,
    "swapUniV3": _swap_v3,
    "swapCurve": _swap_curve,
    "swapTrident": _swap_trident,
    "bentoBridge": _bridge_bento,
    "wrapNative": _convert,
}


def _hop(call: Call, kind: str, step: PoolStep, route: Route) -> Hop:
    """The pool's hop. Its token out is not in the step: it is what the next step takes, or what the call is for."""
    zero_for_one = step.flags == 1 if kind == "uniswap_v2" else step.flags > 0
    candidates = _candidates(call, step, route)
    for token_out in candidates:
        hop = call.pool_hop(kind, step.pool, (step.funds.token, token_out), zero_for_one=zero_for_one)
        if hop.kind or len(candidates) == 1:
            return hop
    return call.pool_hop(kind, step.pool, (step.funds.token, b""), zero_for_one=zero_for_one)


def _candidates(call: Call, step: PoolStep, route: Route) -> list[bytes]:
    """The tokens that the recipient of a step is known to do something with."""
    to = step.recipient
    tokens = [route.paid[to]] if to in route.paid else []
    tokens += [route.token_out] if to == route.recipient else []
    tokens += route.kept[:_MAX_CANDIDATES] if to == call.contract else ()
    return [token for token in dict.fromkeys(tokens) if token not in (step.funds.token, NATIVE)]


def _paid_into_pair(call: Call, step: PoolStep) -> Size:
    """What the pair received: what it is paid now and what it was paid before."""
    books, pair = call.books(), step.pool
    if step.funds.source is Source.POOL or (step.funds.source is Source.SENDER and not step.funds.wei):
        return call.sell_balance(pair, step.funds.token, 0)
    before = books.balance(pair, step.funds.token)
    if before.is_empty or not before.known:
        return _taken(call, step)
    books.credit(pair, step.funds.token, _holding(call, step))
    return call.sell_balance(pair, step.funds.token, 0)


def _taken(call: Call, step: PoolStep) -> Size:
    """The size of a swap of what the step takes from its source."""
    if step.funds.source is Source.SENDER:
        _leave_sender(call, step)
        return ExactIn(step.funds.wei, 0)
    if step.funds.source is Source.PROCESSOR:
        return call.sell_balance(call.contract, step.funds.token, 0, _share(step))
    return _OPEN


def _holding(call: Call, step: PoolStep) -> Holding:
    """The same as a balance, for what is handed on unsold. A portion of an open balance is not known as a balance."""
    books, token = call.books(), step.funds.token
    if step.funds.source is Source.SENDER:
        _leave_sender(call, step)
        return Holding(step.funds.wei)
    if step.funds.source is not Source.PROCESSOR:
        return Holding() if step.funds.source is Source.POOL else UNKNOWN
    share = _share(step)
    if share is ALL:
        return books.take_all(call.contract, token)
    held = books.balance(call.contract, token)
    books.take(call.contract, token, share)
    return Holding(share.of(held.wei)) if held.known and not held.sources else UNKNOWN


def _leave_sender(call: Call, step: PoolStep) -> None:
    if not call.books().balance(call.sender, step.funds.token).is_empty:
        call.books().take(call.sender, step.funds.token, Take(step.funds.wei))


def _share(step: PoolStep) -> Take:
    return ALL if step.funds.share == ALL_SHARES else Take(0, step.funds.share, ALL_SHARES)


def _add(call: Call, step: PoolStep, hop: Hop, size: Size, *, measures_received: bool = False) -> None:
    completeness, reason = known_of_hops((hop,), size)
    if completeness is Completeness.AMOUNT_UNKNOWN and hop.protocol == "trident":
        reason = "sells shares of BentoBox"
    intent = SwapIntent(
        call.router.name,
        step.name,
        (hop,),
        size,
        step.recipient,
        call.deadline,
        0,
        call.revert_scopes,
        measures_received=measures_received,
        completeness=completeness,
        reason=reason,
    )
    call.add(intent)


def _kind(version: Version, functions: Mapping[str, Callable[[Call, tuple[Any, ...], Version], None]]) -> RouterKind:
    return RouterKind(
        padding=Padding.CHECKED,
        pools=frozenset(),
        functions={name: _bound(handle, version) for name, handle in functions.items()},
    )


def _bound(handle: Callable[[Call, tuple[Any, ...], Version], None], version: Version) -> Handler:
    return lambda call, arguments: handle(call, arguments, version)


_FUNCTIONS = {"processRoute": route_only, "transferValueAndprocessRoute": value_first}
_FUNCTIONS_5 = {
    **_FUNCTIONS,
    "processRouteWithTransferValueInput": input_first,
    "processRouteWithTransferValueOutput": output_after,
}

SUSHI_ROUTE_PROCESSOR_3 = _kind(Version(POOLS_3, sweeps_native=True), _FUNCTIONS)
SUSHI_ROUTE_PROCESSOR_4 = _kind(Version(POOLS, sweeps_native=True), _FUNCTIONS)
SUSHI_ROUTE_PROCESSOR_5 = _kind(Version(POOLS, sweeps_native=False), _FUNCTIONS_5)
