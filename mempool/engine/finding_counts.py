"""Which findings between books are worth reporting, each counted once however often it is seen again at a better size."""

from __future__ import annotations

from mempool.engine.counters import Counters
from mempool.model.record import ArbitrageFound


class FindingCounts:
    """One that starts below the minimum and comes above it counts as both."""

    def __init__(self, counters: Counters, min_profit_eth: float) -> None:
        self._counters, self._min_profit_eth = counters, min_profit_eth
        self._reported: set[int] = set()
        self._below: set[int] = set()

    def is_worth_reporting(self, record: ArbitrageFound) -> bool:
        """Near misses are; a finding below the minimum, or one that no book prices while there is one, is counted only."""
        if record.arbitrage.rejection is not None:
            self._counters.near_misses += 1
            return True
        if self._is_below(record.profit_eth):
            self._counters.below_minimum += record.number not in self._below
            self._below.add(record.number)
            return False
        self._counters.arbitrages += record.number not in self._reported
        self._reported.add(record.number)
        return True

    def forget(self, number: int) -> None:
        """It has ended: nothing more comes under this number."""
        self._reported.discard(number)
        self._below.discard(number)

    def _is_below(self, profit_eth: float | None) -> bool:
        least = self._min_profit_eth
        return least > 0 and (profit_eth is None or profit_eth < least)
