"""Balancer V2's Vault: single swaps, and batches whose steps make chains; pools by their 32-byte id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.payments import add_paid, pay_out_native, swap_intent
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Hop, Size

_GIVEN_IN, _GIVEN_OUT = 0, 1
_UNLIMITED = (1 << 256) - 1


class Chain(Struct):
    """Steps of a batch of which each continues the one before it, in trade order."""

    hops: list[Hop]
    given: int
    """The amount of the step that runs first: the input of the first hop, or the output of the last."""
    pays_native: bool
    """Its last asset is stated as the native coin."""


class Batch(Struct, frozen=True):
    """What the steps of a batch have in common. Limits are on what the Vault receives, negative where it pays."""

    gives_in: bool
    assets: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    limits: dict[bytes, int]
    """By token; one that stands twice among the assets has none here."""


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap((poolId, kind, assetIn, assetOut, amount, userData), funds, limit, deadline)"""
    (pool_id, kind, asset_in, asset_out, amount, _), funds, limit, deadline = arguments
    if not amount:
        raise call.malformed("the amount is 0")
    hop = _hop(call, pool_id, _token(call, asset_in), _token(call, asset_out))
    size = ExactIn(amount, limit) if _gives_in(call, kind) else ExactOut(amount, limit)
    around = call.deadline
    call.hold_to(deadline)
    _add(call, Chain([hop], amount, asset_out == NATIVE), size, funds)
    call.deadline = around


def batch_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """batchSwap(kind, (poolId, assetInIndex, assetOutIndex, amount, userData)[], assets, funds, limits, deadline)"""
    kind, steps, assets, funds, limits, deadline = arguments
    batch = _batch(call, kind, assets, limits)
    chains = _chains(call, steps, batch)
    _check_given(call, batch, chains)
    around = call.deadline
    call.hold_to(deadline)
    first = len(call.intents)
    paid_out = {chain.hops[-1].token_out for chain in chains}
    for chain in chains:
        _add(call, chain, _size(batch, chain, paid_out), funds)
    if batch.gives_in:
        _require_minimums(call, first, batch)
    call.deadline = around


def change_balances(call: Call, _arguments: tuple[Any, ...]) -> None:
    """joinPool, exitPool, manageUserBalance: no swap, but balances move by amounts that only a simulation knows"""
    call.books().forget_all()


def _token(call: Call, asset: bytes) -> bytes:
    """Pools hold the wrapped native token; the Vault wraps and unwraps around them what is stated as address 0."""
    return call.router.wrapped_native if asset == NATIVE else asset


def _gives_in(call: Call, kind: int) -> bool:
    if kind not in (_GIVEN_IN, _GIVEN_OUT):
        raise call.malformed(f"there is no kind {kind} of a swap")
    return bool(kind == _GIVEN_IN)


def _hop(call: Call, pool_id: bytes, token_in: bytes, token_out: bytes) -> Hop:
    if token_in == token_out:
        raise call.malformed("a swap has the same token on both sides")
    return Hop("balancer_v2", "", pool_id, token_in, token_out, None)


def _batch(call: Call, kind: int, assets: tuple[bytes, ...], limits: tuple[int, ...]) -> Batch:
    if len(assets) != len(limits):
        raise call.malformed("there is not one limit for each asset")
    tokens = tuple(_token(call, asset) for asset in assets)
    times = Counter(tokens)
    by_token = {token: limit for token, limit in zip(tokens, limits, strict=True) if times[token] == 1}
    return Batch(_gives_in(call, kind), assets, tokens, by_token)


def _chains(call: Call, steps: Sequence[tuple[Any, ...]], batch: Batch) -> list[Chain]:
    """The steps by chains. One without an amount takes what the one before it came to: its output, or with outputs given its
    input."""
    chains: list[Chain] = []
    for pool_id, index_in, index_out, amount, _ in steps:
        call.charge_command()
        if max(index_in, index_out) >= len(batch.assets):
            raise call.malformed("a step names an asset beyond the assets")
        hop = _hop(call, pool_id, batch.tokens[index_in], batch.tokens[index_out])
        pays_native = batch.assets[index_out] == NATIVE
        if amount:
            chains.append(Chain([hop], amount, pays_native))
        elif not chains:
            raise call.malformed("the first step has no amount")
        elif batch.gives_in:
            _append(call, chains[-1], hop, pays_native=pays_native)
        else:
            _prepend(call, chains[-1], hop)
    return chains


def _append(call: Call, chain: Chain, hop: Hop, *, pays_native: bool) -> None:
    if hop.token_in != chain.hops[-1].token_out:
        raise call.malformed("a step without an amount does not continue the one before it")
    chain.hops.append(hop)
    chain.pays_native = pays_native


def _prepend(call: Call, chain: Chain, hop: Hop) -> None:
    if hop.token_out != chain.hops[0].token_in:
        raise call.malformed("a step without an amount does not continue the one before it")
    chain.hops.insert(0, hop)


def _check_given(call: Call, batch: Batch, chains: Sequence[Chain]) -> None:
    """Where an asset moves by stated amounts alone, its limit must allow them."""
    firsts = {chain.hops[0].token_in for chain in chains}
    lasts = {chain.hops[-1].token_out for chain in chains}
    given: Counter[bytes] = Counter()
    for chain in chains:
        given[chain.hops[0].token_in if batch.gives_in else chain.hops[-1].token_out] += chain.given
    for token in given.keys() - (lasts if batch.gives_in else firsts):
        received = given[token] if batch.gives_in else -given[token]
        if received > batch.limits.get(token, received):
            raise call.malformed("a limit forbids the amounts that are given")


def _size(batch: Batch, chain: Chain, paid_out: set[bytes]) -> Size:
    """What an asset costs at most holds for each chain that begins with it, unless others bring some of it."""
    if batch.gives_in:
        return ExactIn(chain.given, 0)
    token_in = chain.hops[0].token_in
    limit = _UNLIMITED if token_in in paid_out else batch.limits.get(token_in, _UNLIMITED)
    return ExactOut(chain.given, max(limit, 0))


def _require_minimums(call: Call, first: int, batch: Batch) -> None:
    """What the batch must bring of each asset that none of its chains begins with."""
    intents = call.intents[first:]
    sources: dict[bytes, tuple[int, ...]] = {}
    for index, intent in enumerate(intents, first):
        sources[intent.token_out] = (*sources.get(intent.token_out, ()), index)
    for token in sources.keys() - {intent.token_in for intent in intents}:
        call.require(Holding(sources=sources[token]), max(-batch.limits.get(token, 0), 0))


def _add(call: Call, chain: Chain, size: Size, funds: tuple[bytes, bool, bytes, bool]) -> None:
    payer, _, recipient, to_internal = funds
    intent = swap_intent(call, tuple(chain.hops), size, recipient)
    add_paid(call, payer, intent)
    if chain.pays_native:
        pay_out_native(call, recipient)
    elif to_internal and call.ledger is not None:
        call.ledger.forget(recipient, intent.token_out)


BALANCER_V2_VAULT = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "swap": swap,
        "batchSwap": batch_swap,
        "joinPool": change_balances,
        "exitPool": change_balances,
        "manageUserBalance": change_balances,
    },
)
