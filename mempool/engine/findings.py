"""Runs the detectors over what a call does, one intent after the other, and prices what they find."""

from __future__ import annotations

from collections.abc import Iterator

from mempool.decode import DecodeTables
from mempool.detect import DETECTORS, GasAssumption
from mempool.detect.cex_dex import detect_cex_dex
from mempool.detect.cross_view import CrossView, assets_of
from mempool.engine.counters import Counters
from mempool.engine.desk import Desk
from mempool.engine.finding_counts import is_below
from mempool.market import MarketView
from mempool.model.opportunity import Bound, Opportunity
from mempool.model.record import OpportunityFound
from mempool.simulate import CallResult
from mempool.simulate.value import value_in

WEI = 10**18
MAX_TAXED = 100_000
"""Tokens that are remembered to take a fee on transfers, the one learnt first forgotten first."""


class Findings:
    """Those whose profit is below `min_profit_eth`, or cannot be priced while there is a minimum, are counted only."""

    def __init__(self, tables: DecodeTables, min_profit_eth: float, priority_fee_wei: int, counters: Counters) -> None:
        self._tables, self._counters = tables, counters
        self._desk: Desk | None = None
        self._min_profit_eth, self._priority_fee_wei = min_profit_eth, priority_fee_wei
        self._taxed: dict[bytes, None] = {}

    def compare_with(self, desk: Desk) -> None:
        """From now on, hold what swaps do to pools against these books too."""
        self._desk, self._assets = desk, assets_of(self._tables, desk.books.rows)

    def learn_tax(self, token: bytes) -> None:
        """A transfer of this token was seen to bring less than was sent: what is found with it is an upper bound from now on."""
        self._taxed[token] = None
        if len(self._taxed) > MAX_TAXED:
            del self._taxed[next(iter(self._taxed))]

    def of_call(self, transaction_hash: str, outcome: CallResult, view: MarketView, now_ns: int) -> Iterator[OpportunityFound]:
        """What each intent opens, on the state that those before it leave. A call that reverts opens nothing."""
        if outcome.reverts:
            return
        gas = GasAssumption(view.block.base_fee_per_gas_wei + self._priority_fee_wei, self._tables.wrapped_native)
        for index, result in outcome.by_intent():
            for detect in DETECTORS.values():
                for opportunity in detect(view, result, gas, taxed=self._taxed):
                    yield from self._worth_reporting(transaction_hash, index, opportunity, view, now_ns)
            if self._desk is not None:
                books = self._desk.view(now_ns)
                cross = CrossView(view, books, self._assets)
                for found in detect_cex_dex(cross, result, gas, self._desk.terms, taxed=self._taxed):
                    self._desk.report(found, transaction_hash, index, books)
            if not result.reverts:
                view = view.overlay({hop.hop.pool: hop.after for hop in result.hops})

    def _worth_reporting(
        self, transaction_hash: str, index: int, opportunity: Opportunity, view: MarketView, now_ns: int
    ) -> Iterator[OpportunityFound]:
        if opportunity.bound is Bound.STATE_UNKNOWN:
            self._counters.state_unknown += 1
        profit = opportunity.gross_profit if opportunity.net_profit is None else opportunity.net_profit
        value = value_in(view, self._tables, opportunity.profit_token, profit)
        profit_eth = None if value.native_wei is None else value.native_wei / WEI
        if is_below(self._min_profit_eth, profit_eth):
            self._counters.below_minimum += 1
            return
        self._counters.opportunities += 1
        yield OpportunityFound(transaction_hash, index, opportunity, profit_eth, value.usd, now_ns)
