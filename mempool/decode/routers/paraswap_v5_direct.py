"""Augustus v5's direct swaps: a V3 router's path, one Curve pool, or a batch of the Balancer vault."""

from __future__ import annotations

from typing import Any

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.pools import PoolFactory
from mempool.decode.routers.aggregators import (
    add_hidden,
    add_shown,
    keep_share,
    pay_in,
    plain_token,
    receiver,
    vault_path,
    wrapped_token,
)
from mempool.decode.routers.paraswap_v5_terms import Terms
from mempool.model.swap import Hop


def v3_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """directUniV3Swap(data): the exchange is a V3 router, whose factory tells the pools"""
    token_in, token_out, exchange, amount, minimum, _, fee, deadline, partner, _, beneficiary, packed, _, _ = arguments[0]
    call.hold_to(deadline)
    terms = Terms(token_in, token_out, amount, minimum, receiver(call, beneficiary), partner, fee)
    factory = v3_factory(call, exchange)
    _add_direct(call, terms, None if factory is None else factory.packed_path(packed, call).hops)


def v3_buy(call: Call, arguments: tuple[Any, ...]) -> None:
    """directUniV3Buy(data), the path from the token out backwards"""
    token_in, token_out, exchange, max_in, amount_out, _, _, deadline, _, _, beneficiary, packed, _, _ = arguments[0]
    call.hold_to(deadline)
    terms = Terms(token_in, token_out, max_in, amount_out, receiver(call, beneficiary), buys=True)
    factory = v3_factory(call, exchange)
    _add_direct(call, terms, None if factory is None else factory.packed_path_reversed(packed, call).hops)


def curve_v1(call: Call, arguments: tuple[Any, ...]) -> None:
    """directCurveV1Swap(data)"""
    token_in, token_out, pool, amount, minimum, _, fee, _, _, partner, _, _, beneficiary, wraps, _, _ = arguments[0]
    terms = Terms(token_in, token_out, amount, minimum, receiver(call, beneficiary), partner, fee)
    _add_curve(call, terms, pool, wraps=wraps)


def curve_v2(call: Call, arguments: tuple[Any, ...]) -> None:
    """directCurveV2Swap(data); type 2 goes by way of a factory's zap, which trades on the pool named apart"""
    data = arguments[0]
    token_in, token_out, exchange, pool, amount, minimum, _, fee, _, _, partner, _, swap_type, beneficiary, wraps, _, _ = data
    terms = Terms(token_in, token_out, amount, minimum, receiver(call, beneficiary), partner, fee)
    _add_curve(call, terms, pool if swap_type == 2 else exchange, wraps=wraps)


def balancer_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """directBalancerV2GivenInSwap(data): the vault's batch, from the first pool's amount on"""
    swaps, assets, _, _, amount, minimum, _, deadline, fee, _, partner, _, beneficiary, _, _ = arguments[0]
    hops = vault_path(call, assets, swaps)
    tokens = _asset(call, assets, swaps[0][1]), _asset(call, assets, swaps[-1][2])
    call.hold_to(deadline)
    terms = Terms(*tokens, amount, minimum, receiver(call, beneficiary), partner, fee)
    _add_direct(call, terms, hops if terms.takes_from_token_in or swaps[0][3] == amount else None)


def balancer_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """directBalancerV2GivenOutSwap(data): the vault's batch, from the last pool's amount backwards"""
    swaps, assets, _, _, max_in, amount_out, _, deadline, _, _, _, _, beneficiary, _, _ = arguments[0]
    hops = vault_path(call, assets, swaps, is_backwards=True)
    tokens = _asset(call, assets, swaps[-1][1]), _asset(call, assets, swaps[0][2])
    call.hold_to(deadline)
    terms = Terms(*tokens, max_in, amount_out, receiver(call, beneficiary), buys=True)
    _add_direct(call, terms, hops if swaps[0][3] == amount_out else None)


def _asset(call: Call, assets: tuple[bytes, ...], index: int) -> bytes:
    if index >= len(assets):
        raise call.malformed("a pool's swap names an asset that is not there")
    return assets[index]


def _add_curve(call: Call, terms: Terms, pool: bytes, *, wraps: bool) -> None:
    token_in, token_out = (wrapped_token(call, token) if wraps else plain_token(token) for token in terms.tokens)
    _add_direct(call, terms, (Hop("curve", "", pool, token_in, token_out, None),))


def _add_direct(call: Call, terms: Terms, hops: tuple[Hop, ...] | None) -> None:
    pay_in(call, plain_token(terms.token_in), terms.amount_in)
    size = terms.size(call)
    if hops is None:
        add_hidden(call, terms.tokens, size, terms.recipient, "the exchange's pools are not known")
        return
    token_out = hops[-1].token_out
    if token_out not in (plain_token(terms.token_out), wrapped_token(call, terms.token_out)):
        raise call.malformed("the pools do not end with the token out")
    unwraps = plain_token(terms.token_out) == NATIVE and token_out == call.router.wrapped_native
    add_shown(call, hops, size, terms.recipient, pays_native=unwraps)
    keep_share(call, terms.recipient, plain_token(terms.token_out))


def v3_factory(call: Call, exchange: bytes) -> PoolFactory | None:
    """The factory whose pools a listed V3 router trades on."""
    table = call.tables.routers.get(exchange)
    return None if table is None else table.factories.get("uniswap_v3")
