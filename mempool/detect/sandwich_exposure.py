"""Sandwich exposure: the most that a third party could take from a swap, given the limit that its sender set."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mempool.detect.curves import Curves
from mempool.detect.front_run import best_trades, no_front_run_gains
from mempool.detect.gas import GasAssumption, net_profit
from mempool.detect.victim import Victim
from mempool.errors import StateUnknown
from mempool.market import MarketView
from mempool.model.opportunity import Bound, Leg, Opportunity, OpportunityKind
from mempool.model.swap import ExactOut, HopResult, SwapResult

NO_MAXIMUM = 2**128
"""A maximum in from here on is none: no token's supply in use comes near it."""


def detect_sandwich_exposure(
    view: MarketView, cause: SwapResult, gas: GasAssumption, *, taxed: Container[bytes] = frozenset()
) -> Iterator[Opportunity]:
    """One finding for each pool of the path from which something could be taken, in path order; profit in that hop's token in.

    Somebody buys ahead on that pool, the whole path runs within the sender's limit, they sell back what they bought. The other
    hops, and the call's other swaps, are as simulated. Each pool stands for itself: the figures do not add up. A pool that stands
    twice in the path is attacked before its first hop.
    The figure is an upper bound where a token of the path is in `taxed` (known to take a fee on transfers) or the router
    measures what arrives (which is how taxed tokens are sold): a tax makes the real limit tighter and costs the attacker too.
    A size that needs an unknown part of a pool gives a `STATE_UNKNOWN` finding without legs.
    """
    if cause.reverts:
        return
    curves = Curves(view)
    for index, hop in enumerate(cause.hops):
        if index and any(earlier.hop.pool == hop.hop.pool for earlier in cause.hops[:index]):
            continue
        if no_front_run_gains(cause, hop):
            continue
        try:
            trades = best_trades(Victim(cause, index), curves)
        except StateUnknown as error:
            yield _finding(view, gas, hop, (), Bound.STATE_UNKNOWN, str(error))
            continue
        if trades:
            upper_bound = cause.intent.measures_received or _is_taxed(cause, taxed)
            bound = Bound.UPPER_BOUND if upper_bound else Bound.EXACT
            yield _finding(view, gas, hop, trades, bound, _note(cause, upper_bound=upper_bound))


def _is_taxed(cause: SwapResult, taxed: Container[bytes]) -> bool:
    return any(hop.hop.token_in in taxed or hop.hop.token_out in taxed for hop in cause.hops)


def _finding(
    view: MarketView, gas: GasAssumption, hop: HopResult, trades: tuple[Leg, ...], bound: Bound, note: str
) -> Opportunity:
    token = hop.hop.token_in
    gross = trades[-1].amount_out - trades[0].amount_in if trades else 0
    units = 2 * gas.units((hop.hop.kind,))  # Both trades are transactions of their own.
    return Opportunity(
        kind=OpportunityKind.SANDWICH_EXPOSURE,
        bound=bound,
        profit_token=token,
        gross_profit=gross,
        net_profit=net_profit(view, gas, token, gross, units) if trades else None,
        legs=trades,
        gas_units=units,
        gas_price_wei=gas.price_wei,
        block_number=view.block.number,
        note=note,
    )


def _note(cause: SwapResult, *, upper_bound: bool) -> str:
    size = cause.intent.size
    unlimited = size.max_amount_in >= NO_MAXIMUM if isinstance(size, ExactOut) else size.min_amount_out == 0
    notes = ["no limit" if unlimited else "", "a token may take a fee on transfers" if upper_bound else ""]
    return "; ".join(note for note in notes if note)
