"""Optimal sizes against brute force."""

from __future__ import annotations

import random
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.amm.optimal import (
    CERTAINLY_NO_GAIN,
    NOTHING,
    Size,
    V2Reserves,
    best_near,
    best_on_one_hill,
    best_v2_cycle,
    largest_by_margin,
    largest_true,
    unit_price,
)
from tests.amm.pools import BOUNDED

reserves = st.integers(10**3, 2**112 - 1)
pairs = st.builds(V2Reserves, reserves, reserves, st.sampled_from([100, 500, 3000, 10_000]))


def run(cycle: list[V2Reserves], amount_in: int) -> int:
    for pair in cycle:
        amount_in = pair.amount_out(amount_in)
    return amount_in


def random_cycle(rng: random.Random, length: int) -> list[V2Reserves]:
    """Reserves of very different scales, so that now the input and now the output is the coarser one."""
    scales = [rng.choice((50, 500, 3000)) for _ in range(length)]
    scales[1:] = [scale * rng.choice((1, 1, 30)) for scale in scales[1:]]
    fees = (0, 500, 3000, 10_000)
    return [
        V2Reserves(rng.randrange(10, scale), rng.randrange(10, following), rng.choice(fees))
        for scale, following in zip(scales, (*scales[1:], scales[0]), strict=True)
    ]


@pytest.mark.parametrize(("length", "cases"), [(2, 1000), (3, 300)])
def test_cycle_of_v2_pairs_equals_brute_force(length: int, cases: int) -> None:
    rng = random.Random(length)
    fired = 0
    for _ in range(cases):
        cycle = random_cycle(rng, length)
        found = best_v2_cycle(cycle)
        # More than the last pair holds cannot come back.
        best = max(run(cycle, amount_in) - amount_in for amount_in in range(cycle[-1].reserve_out))
        assert found.profit == best
        assert found == NOTHING or run(cycle, found.amount_in) - found.amount_in == best
        fired += best > 0
    assert fired > cases // 5


@BOUNDED
@given(st.lists(pairs, min_size=2, max_size=3), st.integers(-3, 3), st.integers(1, 2**112))
def test_no_other_size_gains_materially_more(cycle: list[V2Reserves], nearby: int, elsewhere: int) -> None:
    found = best_v2_cycle(cycle)
    for amount_in in (max(found.amount_in + nearby, 1), found.amount_in + found.amount_in // 1000 + 1, elsewhere):
        assert run(cycle, amount_in) - amount_in <= found.profit + found.profit // 10**6 + 1000


@BOUNDED
@given(st.lists(pairs, min_size=2, max_size=3))
def test_price_test_never_rejects_a_cycle_that_gains(cycle: list[V2Reserves]) -> None:
    first_unit = prod(unit_price((pair.reserve_out, pair.reserve_in), pair.fee_pips) for pair in cycle)
    assert first_unit > CERTAINLY_NO_GAIN or best_v2_cycle(cycle) == NOTHING


def test_empty_pool_has_no_unit_price() -> None:
    assert unit_price((0, 5), 3000) == unit_price((5, 0), 3000) == 0


@BOUNDED
@given(pairs, st.data())
def test_least_input_pays_the_amount_and_one_less_does_not(pair: V2Reserves, data: st.DataObject) -> None:
    amount_out = data.draw(st.integers(1, pair.reserve_out - 1))
    least = pair.least_in(amount_out)
    assert pair.amount_out(least) >= amount_out
    assert pair.amount_out(least - 1) < amount_out


@BOUNDED
@given(st.integers(0, 2**200), st.integers(0, 2**200), st.integers(0, 2**200))
def test_largest_true_is_found_from_any_guess(bound: int, known: int, guess: int) -> None:
    known = min(known, bound)
    assert largest_true(lambda number: number <= bound, known, guess) == bound


@BOUNDED
@given(st.integers(0, 2**128), st.integers(1, 2**128), st.integers(1, 2**64), st.booleans())
def test_largest_by_margin_is_exact_below_a_billion_and_within_a_billionth_above(
    bound: int, guess: int, coarseness: int, says_by_how_much: bool
) -> None:
    def margin(number: int) -> int | None:
        return (bound - number) // coarseness if says_by_how_much or number <= bound else None

    found = largest_by_margin(margin, guess)
    assert bound - (bound >> 30) <= found <= bound


def test_largest_by_margin_is_zero_where_nothing_holds() -> None:
    assert largest_by_margin(lambda number: -1 - number, guess=10) == 0


@pytest.mark.parametrize("last", [1, 400, 5000, 10**24])
@pytest.mark.parametrize("part", [Fraction(0), Fraction(1, 3), Fraction(2, 3), Fraction(1)])
def test_top_of_one_hill_is_found(last: int, part: Fraction) -> None:
    top = int(last * part)
    best = 10**6 * (last + 1) ** 2
    found = best_on_one_hill(lambda number: best - (number - top) ** 2, last)
    assert abs(found.amount_in - max(top, 1)) <= last >> 20


def test_hill_that_never_rises_above_zero_is_nothing() -> None:
    assert best_on_one_hill(lambda number: -number, 100) == best_on_one_hill(lambda number: -number, 10**20) == NOTHING


@pytest.mark.parametrize("top", [0, 100, 5000, 10**24])
def test_best_near_a_real_optimum_tries_what_rounding_may_prefer(top: int) -> None:
    best = top + 5 if top < 10**20 else top
    found = best_near(lambda amount_in: 10**6 - 1000 * abs(amount_in - best), top)
    assert found == Size(best, 10**6)


def test_best_near_steps_back_from_a_size_that_is_refused() -> None:
    top = 10**24
    found = best_near(lambda amount_in: 7 if amount_in < top else -amount_in, top)
    assert found.profit == 7
    assert top - found.amount_in < top >> 39


def test_best_near_is_nothing_where_nothing_gains() -> None:
    assert best_near(lambda amount_in: -amount_in, 10) == best_near(lambda amount_in: -amount_in, 10**24) == NOTHING
