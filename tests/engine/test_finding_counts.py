"""Each finding counts once, as what it came to."""

from __future__ import annotations

from fractions import Fraction

from mempool.engine.counters import Counters
from mempool.engine.finding_counts import FindingCounts
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, Rejection
from mempool.model.record import ArbitrageFound


def seen(number: int, profit_eth: float | None, rejection: Rejection | None = None) -> ArbitrageFound:
    found = BookArbitrage(
        kind=ArbitrageKind.CROSS_EXCHANGE,
        money="USD",
        trades=(),
        gross_profit=Fraction(1),
        net_profit=Fraction(1),
        may_be_more=False,
        lived_ns=0,
        rejection=rejection,
    )
    return ArbitrageFound(number, found, profit_eth, None, 1)


def test_finding_counts_once_though_another_came_before_it_was_seen_again() -> None:
    counters = Counters()
    counts = FindingCounts(counters, 0.0)
    told = [counts.is_worth_reporting(seen(number, 1.0)) for number in (1, 2, 1, 2, 3)]
    assert (told, counters.arbitrages) == ([True] * 5, 3)


def test_finding_below_the_minimum_is_counted_once_and_not_reported_until_it_is_above() -> None:
    counters = Counters()
    counts = FindingCounts(counters, 0.5)
    told = [counts.is_worth_reporting(each) for each in (seen(1, 0.1), seen(2, 1.0), seen(1, 0.2), seen(1, 0.6), seen(3, None))]
    assert told == [False, True, False, True, False]
    assert (counters.arbitrages, counters.below_minimum) == (2, 2)


def test_near_miss_is_reported_whatever_it_would_gain() -> None:
    counters = Counters()
    assert FindingCounts(counters, 0.5).is_worth_reporting(seen(1, 0.1, Rejection.FEES))
    assert (counters.arbitrages, counters.near_misses) == (0, 1)


def test_near_miss_that_is_seen_nearer_counts_once() -> None:
    counters = Counters()
    counts = FindingCounts(counters, 0.0)
    assert all(counts.is_worth_reporting(seen(number, None, Rejection.FEES)) for number in (1, 2, 1))
    assert (counters.arbitrages, counters.near_misses) == (0, 2)


def test_what_has_ended_is_forgotten() -> None:
    counters = Counters()
    counts = FindingCounts(counters, 0.0)
    for _ in range(2):
        assert counts.is_worth_reporting(seen(1, 1.0))
        assert counts.ends(1)
    assert counters.arbitrages == 2


def test_only_what_was_reported_ends() -> None:
    counts = FindingCounts(Counters(), 0.5)
    assert not counts.is_worth_reporting(seen(1, 0.1))
    assert not counts.ends(1)
    assert not counts.ends(2)
