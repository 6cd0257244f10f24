"""Backrun: the best arbitrage through a pool that the swap moves, less what was open there before it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from msgspec import Struct

from mempool.amm.optimal import CERTAINLY_NO_GAIN, Size
from mempool.amm.path import swap_path_exact_in
from mempool.detect.cycles import Cycle, best_size, cycles_through, first_unit
from mempool.detect.gas import GasAssumption, net_profit
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView
from mempool.model.opportunity import Bound, Leg, Opportunity, OpportunityKind
from mempool.model.pool import PoolState
from mempool.model.swap import SwapResult


class _Arbitrage(Struct, frozen=True):
    """A cycle entered at its profit token, its pools after the cause, the best size, and the best gain before the cause."""

    cycle: Cycle
    states: tuple[PoolState, ...]
    size: Size
    gain_before: int


def detect_backrun(
    view: MarketView, cause: SwapResult, gas: GasAssumption, *, taxed: Container[bytes] = frozenset()
) -> Iterator[Opportunity]:
    """For each profit token at most one finding: the two- or three-pool cycle that gains most through a pool the swap has moved.

    `gross_profit` is what the cycle gains after the swap less what the same cycle gained before it, which others may take
    anyway; the legs are the whole trade at its best size. Cycles gain in the wrapped native token where they pass it, else in
    their token with most pools in the view. At most `MAX_CYCLES` cycles are looked at for each moved pool.
    The figure is an upper bound where a token of the cycle is in `taxed`, or the router measures what arrives.
    Cycles whose size needs unknown pool state give one `STATE_UNKNOWN` finding together, without legs.
    """
    if cause.reverts:
        return
    after = view.overlay({hop.hop.pool: hop.after for hop in cause.hops})
    best: dict[bytes, Opportunity] = {}
    unknown: StateUnknown | None = None
    for cycle in _distinct_cycles(after, cause):
        try:
            arbitrage = _arbitrage(view, after, cause, cycle.starting_from(_profit_token(after, cycle, gas)))
            finding = arbitrage and _finding(after, arbitrage, gas, _bound(arbitrage.cycle, cause, taxed))
        except StateUnknown as error:
            unknown = unknown or error
            continue
        if finding and (finding.profit_token not in best or _rank(finding) > _rank(best[finding.profit_token])):
            best[finding.profit_token] = finding
    yield from best.values()
    if unknown:
        yield _unknown_finding(after, gas, unknown)


def _distinct_cycles(after: MarketView, cause: SwapResult) -> Iterator[Cycle]:
    """The cycles through any moved pool that the first unit's price does not rule out, each once however it is entered."""
    seen: set[Cycle] = set()
    for address in dict.fromkeys(hop.hop.pool for hop in cause.hops):
        moved = after.pool(address)
        for cycle in cycles_through(after, moved) if moved else ():
            states = cycle.states(after)
            if len(states) < len(cycle.pools) or first_unit(states, cycle.tokens) <= CERTAINLY_NO_GAIN:
                continue
            same = cycle.starting_from(min(cycle.tokens))
            if same not in seen:
                seen.add(same)
                yield cycle


def _profit_token(view: MarketView, cycle: Cycle, gas: GasAssumption) -> bytes:
    if gas.wrapped_native in cycle.tokens:
        return gas.wrapped_native
    return max(cycle.tokens, key=lambda token: len(view.pools_with(token)))


def _arbitrage(before: MarketView, after: MarketView, cause: SwapResult, cycle: Cycle) -> _Arbitrage | None:
    states = cycle.states(after)
    guess = _guess(states, cycle.tokens, _amounts(cause, cycle))
    size = best_size(states, cycle.tokens, guess)
    if not size.profit:
        return None
    gain_before = best_size(_states_before(before, cause, cycle), cycle.tokens, guess).profit
    return _Arbitrage(cycle, states, size, gain_before) if size.profit > gain_before else None


def _states_before(before: MarketView, cause: SwapResult, cycle: Cycle) -> tuple[PoolState, ...]:
    """As the swap found them: after the call's earlier swaps, which the view need not hold."""
    moved = {hop.hop.pool: hop.before for hop in reversed(cause.hops)}
    return cycle.states(before.overlay(moved))


def _amounts(cause: SwapResult, cycle: Cycle) -> Mapping[bytes, int]:
    amounts: dict[bytes, int] = {}
    for hop in cause.hops:
        if hop.hop.pool in cycle.pools:
            amounts |= {hop.hop.token_in: hop.amount_in, hop.hop.token_out: hop.amount_out}
    return amounts


def _guess(states: Sequence[PoolState], tokens: Sequence[bytes], amounts: Mapping[bytes, int]) -> int:
    """The swap's own amount in terms of the first token, since what it moved is what can be taken back."""
    price = 1.0
    for state, token in zip(states, tokens, strict=True):
        if token in amounts:
            return max(int(amounts[token] / price), 1)
        numerator, denominator = state.mid_price(token)
        price *= numerator / denominator
    return 1


def _finding(view: MarketView, arbitrage: _Arbitrage, gas: GasAssumption, bound: Bound) -> Opportunity | None:
    try:
        swaps = swap_path_exact_in(arbitrage.states, arbitrage.cycle.tokens, arbitrage.size.amount_in)
    except SwapImpossible:
        return None
    tokens = arbitrage.cycle.tokens
    legs = tuple(
        Leg(pool, token_in, token_out, swap.amount_in, swap.amount_out)
        for pool, token_in, token_out, swap in zip(arbitrage.cycle.pools, tokens, (*tokens[1:], tokens[0]), swaps, strict=True)
    )
    gross = legs[-1].amount_out - legs[0].amount_in - arbitrage.gain_before
    units = gas.units(state.kind for state in arbitrage.states)
    return Opportunity(
        kind=OpportunityKind.BACKRUN,
        bound=bound,
        profit_token=tokens[0],
        gross_profit=gross,
        net_profit=net_profit(view, gas, tokens[0], gross, units),
        legs=legs,
        gas_units=units,
        gas_price_wei=gas.price_wei,
        block_number=view.block.number,
        note=f"{arbitrage.gain_before} was open before the swap" if arbitrage.gain_before else "",
    )


def _unknown_finding(view: MarketView, gas: GasAssumption, unknown: StateUnknown) -> Opportunity:
    return Opportunity(
        kind=OpportunityKind.BACKRUN,
        bound=Bound.STATE_UNKNOWN,
        profit_token=gas.wrapped_native,
        gross_profit=0,
        net_profit=None,
        legs=(),
        gas_units=0,
        gas_price_wei=gas.price_wei,
        block_number=view.block.number,
        note=str(unknown),
    )


def _bound(cycle: Cycle, cause: SwapResult, taxed: Container[bytes]) -> Bound:
    may_be_taxed = cause.intent.measures_received or any(token in taxed for token in cycle.tokens)
    return Bound.UPPER_BOUND if may_be_taxed else Bound.EXACT


def _rank(finding: Opportunity) -> int:
    return finding.gross_profit if finding.net_profit is None else finding.net_profit
