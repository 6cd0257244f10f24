"""Augustus v5's paths: at each token adapters share the amount, each splits it over routes, some of whose payloads show pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from mempool.abi import Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, add_shown, pay_in, plain_token, receiver, wrapped_token
from mempool.decode.routers.paraswap_v5_direct import v3_factory
from mempool.decode.routers.paraswap_v5_pairs import packed_pairs
from mempool.decode.routers.paraswap_v5_terms import Terms, settle
from mempool.model.swap import ExactIn, Hop, Size

_WHOLE = 10_000
_ADAPTER_01 = bytes.fromhex("3a0430bf7cd2633af111ce3204db4b0990857a6f")
"""Ethereum's first adapter; another one numbers its exchanges otherwise."""
Path = Sequence[tuple[bytes, int, Sequence[Any]]]
"""(token out, unused, adapters), the adapters being (address, percent, unused, routes)."""
RouteHops = Callable[[Call, tuple[bytes, bytes], bytes, bytes], "tuple[Hop, ...] | None"]
"""`(call, tokens, exchange, payload) -> hops`; None where the pools are not known."""


class Part(Struct, frozen=True):
    """One route: `amount_in` is None where it sells all that the steps before brought."""

    tokens: tuple[bytes, bytes]
    amount_in: int | None
    hops: tuple[Hop, ...]


def multi_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """[protected]MultiSwap(data): one path"""
    token_in, amount, minimum, _, beneficiary, path, partner, fee, _, deadline, _ = arguments[0]
    if not path:
        raise call.malformed("there is no path")
    call.hold_to(deadline)
    terms = Terms(token_in, path[-1][0], amount, minimum, receiver(call, beneficiary), partner, fee)
    _follow(call, terms, [(_WHOLE, path)])


def mega_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """[protected]MegaSwap(data): paths side by side, each with its share of the amount, the last with what is left"""
    token_in, amount, minimum, _, beneficiary, paths, partner, fee, _, deadline, _ = arguments[0]
    if not paths or not all(path for _, path in paths):
        raise call.malformed("there is no path")
    call.hold_to(deadline)
    terms = Terms(token_in, paths[0][1][-1][0], amount, minimum, receiver(call, beneficiary), partner, fee)
    _follow(call, terms, paths)


def buy_by_adapter(call: Call, arguments: tuple[Any, ...]) -> None:
    """buy(data): an adapter that buys"""
    _, token_in, token_out, max_in, amount_out, _, beneficiary, _, _, _, _, deadline, _ = arguments[0]
    call.hold_to(deadline)
    terms = Terms(token_in, token_out, max_in, amount_out, receiver(call, beneficiary), buys=True)
    pay_in(call, plain_token(token_in), max_in)
    add_hidden(call, terms.tokens, terms.size(call), terms.recipient, "the adapter's routes are not known")


def _follow(call: Call, terms: Terms, paths: Sequence[tuple[int, Path]]) -> None:
    size = terms.size(call)
    pay_in(call, plain_token(terms.token_in), terms.amount_in)
    parts = _parts(call, terms.token_in, size.amount_in, paths) if isinstance(size, ExactIn) else None
    if parts is None:
        add_hidden(call, terms.tokens, size, terms.recipient, "not all of the adapters' routes are known")
        return
    call.books()
    for part in parts:
        _add_part(call, part)
    settle(call, terms)


def _add_part(call: Call, part: Part) -> None:
    token_in, token_out = map(plain_token, part.tokens)
    size: Size
    size = call.sell_balance(call.contract, token_in, 0) if part.amount_in is None else ExactIn(part.amount_in, 0)
    unwraps = token_out == NATIVE and part.hops[-1].token_out != NATIVE
    add_shown(call, part.hops, size, call.contract, pays_native=unwraps)


def _parts(call: Call, token_in: bytes, amount: int, paths: Sequence[tuple[int, Path]]) -> list[Part] | None:
    """All routes with their amounts, None where one is not understood: later steps must not be split."""
    parts: list[Part] = []
    rest = amount
    for number, (percent, path) in enumerate(paths, start=1):
        share = rest if number == len(paths) else amount * percent // _WHOLE
        first = _first_step(call, (token_in, path[0][0]), share, path[0][2])
        later = _later_steps(call, path)
        if first is None or later is None:
            return None
        rest -= sum(part.amount_in or 0 for part in first)
        parts += [*first, *later]
    return parts


def _first_step(call: Call, tokens: tuple[bytes, bytes], amount: int, adapters: Sequence[Any]) -> list[Part] | None:
    parts: list[Part] = []
    for adapter, percent, _, routes in adapters:
        for route in routes:
            hops = _route_hops(call, tokens, adapter, route)
            if hops is None:
                return None
            parts.append(Part(tokens, amount * percent // _WHOLE * route[2] // _WHOLE, hops))
    return parts or None


def _later_steps(call: Call, path: Path) -> list[Part] | None:
    parts: list[Part] = []
    for before, (token_out, _, adapters) in pairwise(path):
        if len(adapters) != 1 or len(adapters[0][3]) != 1 or adapters[0][3][0][2] != _WHOLE:
            return None
        tokens = before[0], token_out
        hops = _route_hops(call, tokens, adapters[0][0], adapters[0][3][0])
        if hops is None:
            return None
        parts.append(Part(tokens, None, hops))
    return parts


def _route_hops(call: Call, tokens: tuple[bytes, bytes], adapter: bytes, route: tuple[Any, ...]) -> tuple[Hop, ...] | None:
    call.charge_command()
    index, exchange, _, payload, _ = route
    read = _ROUTES.get(index)
    if adapter != _ADAPTER_01 or read is None:
        return None
    hops = read(call, tokens, exchange, payload)
    if hops is None:
        return None
    ends = hops[0].token_in, hops[-1].token_out
    fitting = all(end in (b"", plain_token(token), wrapped_token(call, token)) for end, token in zip(ends, tokens, strict=True))
    return hops if fitting else None


def _fork_route(call: Call, tokens: tuple[bytes, bytes], _exchange: bytes, payload: bytes) -> tuple[Hop, ...]:
    """(weth, pools), packed as those of swapOnUniswapV2Fork"""
    wrapped, pools = _read(call, _FORK, payload)
    return packed_pairs(call, (tokens[0], wrapped_token(call, tokens[1])), wrapped, pools)


def _v3_route(call: Call, _tokens: tuple[bytes, bytes], exchange: bytes, payload: bytes) -> tuple[Hop, ...] | None:
    """(path, deadline), the exchange being a V3 router"""
    packed, _ = _read(call, _V3, payload)
    factory = v3_factory(call, exchange)
    return None if factory is None else factory.packed_path(packed, call).hops


def _curve_route(_call: Call, tokens: tuple[bytes, bytes], exchange: bytes, _payload: bytes) -> tuple[Hop, ...] | None:
    """Indices of coins, which the tokens name; not where the native coin is one, which the payload may have wrapped"""
    if NATIVE in map(plain_token, tokens):
        return None
    return (Hop("curve", "", exchange, *tokens, None),)


def _read(call: Call, read: Read, payload: bytes) -> Any:
    call.enter(call.size)
    value = read_arguments(read, payload, 0, call)[0]
    call.leave()
    return value


def _payload_reader(types: str) -> Read:
    return arguments_reader([parse_type(types)], Padding.CHECKED)


_FORK, _V3 = _payload_reader("(address,uint256[])"), _payload_reader("(bytes,uint256)")
_ROUTES: Mapping[int, RouteHops] = {3: _curve_route, 4: _fork_route, 6: _v3_route, 10: _curve_route}
