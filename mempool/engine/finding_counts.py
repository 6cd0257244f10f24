"""Which findings are worth reporting, and between books each counted once however often it is seen again at a better size."""

from __future__ import annotations

from mempool.engine.counters import Counters
from mempool.model.record import ArbitrageEnded, ArbitrageFound


def is_below(min_profit_eth: float, profit_eth: float | None) -> bool:
    """Whether a finding gains less than the user's least profit; while there is one, also where no profit is known in ETH.

    It is a wish of the user's and no fault of the finding, which is therefore counted, and no near miss.
    """
    return min_profit_eth > 0 and (profit_eth is None or profit_eth < min_profit_eth)


class FindingCounts:
    """Of findings and near misses in which order books take part.

    A finding that starts below the minimum and comes above it counts as both.
    """

    def __init__(self, counters: Counters, min_profit_eth: float) -> None:
        self._counters, self._min_profit_eth = counters, min_profit_eth
        self._reported: set[int] = set()
        self._below: set[int] = set()

    def is_worth_reporting(self, record: ArbitrageFound | ArbitrageEnded) -> bool:
        """Near misses are; a finding below the minimum is counted only, and its end is none either."""
        number = record.number
        if isinstance(record, ArbitrageEnded):
            return self.ends(number)
        is_finding = record.arbitrage.rejection is None
        if is_finding and is_below(self._min_profit_eth, record.profit_eth):
            self._counters.below_minimum += number not in self._below
            self._below.add(number)
            return False
        if number not in self._reported:
            self._reported.add(number)
            self._counters.arbitrages += is_finding
            self._counters.near_misses += not is_finding
        return True

    def ends(self, number: int) -> bool:
        """Whether it was worth reporting; nothing more comes under this number."""
        was_reported = number in self._reported
        self._reported.discard(number)
        self._below.discard(number)
        return was_reported
