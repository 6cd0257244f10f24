"""Backrun: the best arbitrage through a pool that the swap moves, less what was open there before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from mempool.amm.curve import Curve, best_input
from mempool.amm.path import swap_path_exact_in
from mempool.detect.curves import Curves
from mempool.detect.cycles import Cycle, Prices, best_size, cycles_entering
from mempool.detect.gas import GasAssumption, net_profit
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView
from mempool.model.opportunity import Bound, Leg, Opportunity, OpportunityKind
from mempool.model.pool import PoolState, PoolSwap
from mempool.model.swap import SwapResult

FLOAT_PART = 1e-12
"""What floats may have lost of an estimate, as a part of the amount put in."""

ROUNDING_UNITS = 64
"""How many of its smallest units a pool keeps by rounding on the way over its ticks, at the very most."""


class _Candidate(Struct, frozen=True):
    """A cycle entered at its profit token, its pools after the cause, what its gas costs, and the most that it may gain."""

    cycle: Cycle
    states: tuple[PoolState, ...]
    curves: Sequence[Curve]
    cost: int | None
    most: float

    def rank(self, gain: float) -> float:
        """What decides between cycles: the net profit where the gas can be priced, else the gross."""
        return gain if self.cost is None else gain - self.cost


class _Arbitrage(Struct, frozen=True):
    """The swaps of the best size after the cause, what they gain beyond it, and the best gain of the same cycle before it."""

    swaps: Sequence[PoolSwap]
    gross: int
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
    cycles = () if cause.reverts else _against(view, cause)
    if not cycles:
        return
    search = _Search(view, cause, gas)
    for candidates in search.by_profit_token(cycles).values():
        best = search.best(candidates)
        if best is not None:
            yield search.finding(*best, _bound(best[0].cycle, cause, taxed))
    if search.unknown:
        yield _unknown_finding(view, gas, search.unknown)


class _Search:
    """All sizes are first estimated on real curves, which pay no less than the pools; only what may be best is then quoted."""

    def __init__(self, view: MarketView, cause: SwapResult, gas: GasAssumption) -> None:
        self.view, self.cause, self.gas = view, cause, gas
        self.after = view.overlay({hop.hop.pool: hop.after for hop in cause.hops})
        self.unknown: StateUnknown | None = None
        self.prices = Prices(self.after)
        self._curves = Curves(view)
        self._costs: dict[tuple[bytes, int], int | None] = {}

    @cached_property
    def before(self) -> MarketView:
        """The pools as the swap found them: after the call's earlier swaps, which the view need not hold."""
        return self.view.overlay({hop.hop.pool: hop.before for hop in reversed(self.cause.hops)})

    @cached_property
    def prices_before(self) -> Prices:
        return Prices(self.before)

    def by_profit_token(self, cycles: Sequence[Cycle]) -> dict[bytes, list[_Candidate]]:
        """Those of the cycles that gain at some size."""
        found: defaultdict[bytes, list[_Candidate]] = defaultdict(list)
        for cycle in self._gaining(cycles):
            try:
                found[cycle.hops[0][1]].append(self._candidate(cycle))
            except StateUnknown as error:
                self.unknown = self.unknown or error
        return found

    def best(self, candidates: list[_Candidate]) -> tuple[_Candidate, _Arbitrage] | None:
        """The candidates in the order of what they may gain, until none of the others can gain more than the best one does."""
        best: tuple[_Candidate, _Arbitrage] | None = None
        for candidate in sorted(candidates, key=lambda each: each.rank(each.most), reverse=True):
            least = None if best is None else best[0].rank(best[1].gross)
            if least is not None and candidate.rank(candidate.most) <= least:
                break
            try:
                arbitrage = self._arbitrage(candidate, least)
            except StateUnknown as error:
                self.unknown = self.unknown or error
                continue
            if arbitrage is not None and (least is None or candidate.rank(arbitrage.gross) > least):
                best = candidate, arbitrage
        return best

    def finding(self, candidate: _Candidate, arbitrage: _Arbitrage, bound: Bound) -> Opportunity:
        cycle, tokens = candidate.cycle, candidate.cycle.tokens
        legs = tuple(
            Leg(pool, token_in, token_out, swap.amount_in, swap.amount_out)
            for (pool, token_in), token_out, swap in zip(cycle.hops, (*tokens[1:], tokens[0]), arbitrage.swaps, strict=True)
        )
        return Opportunity(
            kind=OpportunityKind.BACKRUN,
            bound=bound,
            profit_token=tokens[0],
            gross_profit=arbitrage.gross,
            net_profit=None if candidate.cost is None else arbitrage.gross - candidate.cost,
            legs=legs,
            gas_units=self._gas_units(candidate.states),
            gas_price_wei=self.gas.price_wei,
            block_number=self.after.block.number,
            note=f"{arbitrage.gain_before} was open before the swap" if arbitrage.gain_before else "",
        )

    def _gaining(self, cycles: Sequence[Cycle]) -> Iterator[Cycle]:
        """What the first unit's price does not rule out, each once, entered at the profit token."""
        seen: set[Cycle] = set()
        for cycle in cycles:
            if self.prices.may_gain(cycle):
                entered = cycle.starting_from(self._profit_token(cycle))
                if entered not in seen:
                    seen.add(entered)
                    yield entered

    def _profit_token(self, cycle: Cycle) -> bytes:
        if self.gas.wrapped_native in cycle.tokens:
            return self.gas.wrapped_native
        return max(cycle.tokens, key=lambda token: (len(self.after.pools_with(token)), token))

    def _candidate(self, cycle: Cycle) -> _Candidate:
        states = _states(self.after, cycle)
        curves = self._along(states, cycle)
        amount_in, gain = best_input(curves)
        return _Candidate(cycle, states, curves, self._cost(cycle, states), gain + amount_in * FLOAT_PART)

    def _arbitrage(self, candidate: _Candidate, least: float | None) -> _Arbitrage | None:
        """None where the cycle gained as much before, or where it cannot come above `least` in rank."""
        states: Sequence[PoolState] = ()
        curves: Sequence[Curve] = ()
        if self.prices_before.may_gain(candidate.cycle):
            states = _states(self.before, candidate.cycle)
            curves = self._along(states, candidate.cycle)
            if least is not None and candidate.rank(candidate.most - self._least_gain(candidate.cycle, curves)) <= least:
                return None
        size = best_size(candidate.states, candidate.cycle, candidate.curves)
        gain_before = best_size(states, candidate.cycle, curves).profit if curves and size.profit else 0
        if size.profit <= gain_before:
            return None
        try:
            swaps = swap_path_exact_in(candidate.states, candidate.cycle.tokens, size.amount_in)
        except SwapImpossible:
            return None
        return _Arbitrage(swaps, size.profit - gain_before, gain_before)

    def _along(self, states: Sequence[PoolState], cycle: Cycle) -> list[Curve]:
        return [self._curves.of(state, token) for state, (_, token) in zip(states, cycle.hops, strict=True)]

    def _least_gain(self, cycle: Cycle, curves: Sequence[Curve]) -> float:
        """What the cycle certainly gained before the swap: the estimate less what floats and the pools' rounding may hide."""
        amount_in, gain = best_input(curves)
        hidden, price = 0.0, 1.0
        for hop in reversed(cycle.hops):
            hidden += ROUNDING_UNITS * price
            price *= self.prices[hop]
        return gain - amount_in * FLOAT_PART - hidden

    def _cost(self, cycle: Cycle, states: Sequence[PoolState]) -> int | None:
        """What the gas costs in the cycle's profit token, or None."""
        key = cycle.hops[0][1], self._gas_units(states)
        if key not in self._costs:
            net = net_profit(self.after, self.gas, key[0], 0, key[1])
            self._costs[key] = None if net is None else -net
        return self._costs[key]

    def _gas_units(self, states: Sequence[PoolState]) -> int:
        return self.gas.units(state.kind for state in states)


def _against(view: MarketView, cause: SwapResult) -> Sequence[Cycle]:
    """The cycles that enter a moved pool with the token that the swap took out of it.

    One that runs with the swap through every pool that it shares with it gains no more than before: each of them pays less.
    """
    found: list[Cycle] = []
    for hop in cause.hops:
        found += cycles_entering(view, hop.after, hop.hop.token_out)
    return found


def _states(view: MarketView, cycle: Cycle) -> tuple[PoolState, ...]:
    return tuple([state for pool, _ in cycle.hops if (state := view.pool(pool)) is not None])


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
