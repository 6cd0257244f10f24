"""Pools as real curves against their integer quotes."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.amm import curve_of
from mempool.amm.curve import Curve, EndOfLiquidity, Range, best_input
from mempool.amm.optimal import V2Reserves, best_v2_cycle
from mempool.amm.path import swap_path_exact_in
from mempool.amm.uniswap_v3 import V3Pool
from mempool.errors import SwapImpossible, TicksUnknown
from mempool.model.pool import PoolState
from tests.amm.pools import BOUNDED, TOKEN0, TOKEN1, v2_pool, v3_pool, v3_pools

TOKENS = st.sampled_from([TOKEN0, TOKEN1])
ROUNDINGS = 100
"""Units that a pool may keep over all its ticks and words."""


def close(real: float, quoted: int, units: float = ROUNDINGS) -> bool:
    return -1e-9 * quoted - 1 <= real - quoted <= units + 1e-9 * quoted


@BOUNDED
@given(v3_pools(), TOKENS, st.integers(1, 10**24))
def test_curve_pays_what_the_pool_pays_but_for_rounding(pool: V3Pool, token_in: bytes, amount_in: int) -> None:
    quote = pool.swap_exact_in(token_in, amount_in)
    assume(quote.amount_in == amount_in)
    curve = curve_of(pool, token_in)
    price = curve.after_in(0.0)[1]
    assert close(curve.after_in(amount_in * curve.keep)[0], quote.amount_out, ROUNDINGS * max(price, 1))


@BOUNDED
@given(v3_pools(), TOKENS, st.floats(1e3, 1e24))
def test_amount_in_leads_back_from_amount_out_and_the_price_only_falls(pool: V3Pool, token_in: bytes, amount_in: float) -> None:
    curve = curve_of(pool, token_in)
    try:
        amount_out = curve.after_in(amount_in)[0]
        again = curve.after_out(amount_out)[0]
    except EndOfLiquidity:
        return
    assert curve.after_in(again)[0] == pytest.approx(amount_out, rel=1e-9)
    assert 0 < curve.after_in(amount_in)[1] <= curve.after_in(amount_in / 2)[1] <= curve.after_in(0.0)[1]


def test_pair_is_one_range_without_end() -> None:
    curve = curve_of(v2_pool(10**6, 4 * 10**6), TOKEN0)
    assert curve.range(0) == Range(1e6, 4e6, inf)
    assert curve.after_in(1e6)[0] == pytest.approx(2e6)
    with pytest.raises(EndOfLiquidity):
        curve.range(1)


def test_empty_pools_have_no_range() -> None:
    for pool in (v2_pool(0, 0), replace(v3_pool([(-60, 60, 10**9)]), sqrt_price_x96=0)):
        with pytest.raises(EndOfLiquidity):
            curve_of(pool, TOKEN0).range(0)


@pytest.mark.parametrize("token_in", [TOKEN0, TOKEN1])
def test_curve_passes_gaps_and_ends_with_the_last_liquidity(token_in: bytes) -> None:
    pool = v3_pool([(-600, 600, 10**20), (1200, 1800, 10**21), (-1800, -1200, 10**21)])
    curve = curve_of(pool, token_in)
    assert curve.range(0).reserve_in < curve.range(1).reserve_in
    with pytest.raises(EndOfLiquidity):
        curve.range(2)
    quote = pool.swap_exact_in(token_in, 10**24)
    assert close(curve.ends_in[-1] / curve.keep, quote.amount_in)
    assert close(curve.ends_out[-1], quote.amount_out)


@pytest.mark.parametrize("token_in", [TOKEN0, TOKEN1])
def test_curve_ends_where_the_known_words_end_and_says_so_each_time(token_in: bytes) -> None:
    pool = v3_pool([(-60_000, 60_000, 10**24)], tick=30)
    known = replace(pool, ticks=replace(pool.ticks, words={0: pool.ticks.words[0], -1: pool.ticks.words[-1]}))
    curve = curve_of(known, token_in)
    for _ in range(2):
        with pytest.raises(TicksUnknown):
            curve.after_in(1e30)[0]
    inside = curve.known_in * 0.999
    assert close(curve.after_in(inside)[0], pool.swap_exact_in(token_in, int(inside / curve.keep)).amount_out)
    nothing_known = replace(pool, ticks=replace(pool.ticks, words={}))
    with pytest.raises(TicksUnknown):
        curve_of(nothing_known, token_in).range(0)


reserves = st.integers(10**12, 10**30)
pairs = st.builds(V2Reserves, reserves, reserves, st.sampled_from([100, 500, 3000, 10_000]))


@BOUNDED
@given(st.lists(pairs, min_size=2, max_size=3))
def test_best_input_of_pairs_is_that_of_the_closed_form(cycle: list[V2Reserves]) -> None:
    exact = best_v2_cycle(cycle)
    curves = [Curve(1 - pair.fee_pips / 10**6, iter([Range(float(pair.reserve_in), float(pair.reserve_out))])) for pair in cycle]
    amount_in, gain = best_input(curves)
    if exact.profit > 10**6:
        assert gain >= exact.profit * (1 - 1e-9)
        assert amount_in >= exact.profit / max(pair.reserve_out for pair in cycle)


@BOUNDED
@given(v3_pools(), v3_pools(), st.lists(st.floats(0.01, 3), min_size=5, max_size=5))
def test_no_other_size_gains_more_than_the_best_input(first: V3Pool, second: V3Pool, parts: list[float]) -> None:
    cycle: tuple[PoolState, ...] = (first, replace(second, address=b"\xcc" * 20))
    if first.sqrt_price_x96 < second.sqrt_price_x96:
        cycle = cycle[::-1]
    amount_in, gain = best_input([curve_of(cycle[0], TOKEN0), curve_of(cycle[1], TOKEN1)])
    if gain < 10**9:
        return

    def quoted(amount: int) -> int:
        try:
            return swap_path_exact_in(cycle, (TOKEN0, TOKEN1), amount)[-1].amount_out - amount
        except SwapImpossible:
            return -amount

    best = quoted(int(amount_in * (1 - 1e-12)))
    slack = ROUNDINGS * (1 + curve_of(cycle[1], TOKEN1).after_in(0.0)[1]) + amount_in * 1e-9
    assert close(gain, best, slack)
    assert all(quoted(int(amount_in * part) + 1) <= gain + slack for part in parts)
