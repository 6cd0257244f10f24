"""TickMath both ways, against the bounds that the contracts publish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.amm.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    Q96,
    sqrt_ratio_at_tick,
    tick_at_sqrt_ratio,
)
from tests.amm.pools import BOUNDED


@pytest.mark.parametrize(
    ("tick", "ratio"),
    [
        (MIN_TICK, 4295128739),
        (MIN_TICK + 1, 4295343490),
        (0, Q96),
        (MAX_TICK - 1, 1461373636630004318706518188784493106690254656249),
        (MAX_TICK, 1461446703485210103287273052203988822378723970342),
    ],
)
def test_ratio_at_the_bounds_is_the_contract_s(tick: int, ratio: int) -> None:
    assert sqrt_ratio_at_tick(tick) == ratio


@BOUNDED
@given(st.integers(MIN_TICK, MAX_TICK - 1), st.data())
def test_tick_of_a_price_is_the_greatest_whose_ratio_it_reaches(tick: int, data: st.DataObject) -> None:
    low, next_low = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    assert low < next_low
    for price in (low, next_low - 1, data.draw(st.integers(low, next_low - 1))):
        assert tick_at_sqrt_ratio(price) == tick


@pytest.mark.slow
def test_every_tick_is_found_from_the_edges_of_its_range() -> None:
    for tick in range(MIN_TICK, MAX_TICK):
        assert tick_at_sqrt_ratio(sqrt_ratio_at_tick(tick)) == tick
        assert tick_at_sqrt_ratio(sqrt_ratio_at_tick(tick + 1) - 1) == tick


def test_bounds_are_found_from_their_prices() -> None:
    assert tick_at_sqrt_ratio(MIN_SQRT_RATIO) == MIN_TICK
    assert tick_at_sqrt_ratio(MAX_SQRT_RATIO - 1) == MAX_TICK - 1
