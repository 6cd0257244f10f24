"""The best front-run on a curve against dense scans of its gain and against the search by quotes."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from mempool.amm import curve_of
from mempool.amm.curve import EndOfLiquidity
from mempool.amm.optimal import V2Reserves
from mempool.amm.uniswap_v3 import V3Pool
from mempool.detect.sandwich_curve import OnCurve
from mempool.detect.sandwich_exposure import detect_sandwich_exposure
from mempool.detect.sandwich_v2 import BuysExactly, SellsExactly, best_front_run_of_sale
from mempool.errors import StateUnknown
from mempool.model.swap import ExactIn, ExactOut, Size
from tests.amm.pools import TOKEN0, v2_pool, v3_pool
from tests.detect.scenes import GAS, gain_of_front_run, hop, intent, scene

LIQUIDITY = 10**24


def random_pool(rng: random.Random) -> V3Pool:
    """One wide position and narrow ones that make liquidity jump on the way."""
    narrow = [(low, low + 60 * rng.randrange(1, 20)) for low in (60 * rng.randrange(-40, 40) for _ in range(rng.randrange(5)))]
    positions = [(low, high, LIQUIDITY * rng.randrange(1, 30) // 10) for low, high in narrow]
    return v3_pool([(-60_000, 60_000, LIQUIDITY), *positions], tick=rng.randrange(-600, 600))


def random_victim(rng: random.Random, pool: V3Pool) -> SellsExactly | BuysExactly:
    amount_in = LIQUIDITY * rng.randrange(1, 100) // 1000
    amount_out = pool.swap_exact_in(TOKEN0, amount_in).amount_out
    if rng.random() < 0.5:
        return SellsExactly(amount_in, amount_out * rng.choice((70, 95, 99)) // 100)
    return BuysExactly(amount_out, amount_in * rng.choice((101, 105, 130)) // 100)


@pytest.mark.parametrize("seed", range(6))
def test_no_front_run_on_a_dense_grid_gains_more(seed: int) -> None:
    rng = random.Random(seed)
    fired = 0
    for _ in range(40):
        pool = random_pool(rng)
        victim = random_victim(rng, pool)
        size: Size
        if isinstance(victim, SellsExactly):
            size = ExactIn(victim.amount_in, victim.min_amount_out)
        else:
            size = ExactOut(victim.amount_out, victim.max_amount_in)
        price_limit = 0
        if isinstance(victim, SellsExactly) and rng.random() < 0.3:
            end = pool.swap_exact_in(TOKEN0, victim.amount_in * rng.randrange(9, 14) // 10).after
            price_limit = end.sqrt_price_x96 if isinstance(end, V3Pool) else 0
        view, cause = scene(intent(size, hop(pool, TOKEN0), price_limit=price_limit), pool)
        found = [each.gross_profit for each in detect_sandwich_exposure(view, cause, GAS)]
        curve = OnCurve(curve_of(pool, TOKEN0), victim)
        curve.best()
        grid = [int(min(curve.limit, 10 * LIQUIDITY) * part / 200) + 1 for part in range(1, 201)]
        best = max((gain_of_front_run(view, cause.intent, 0, amount) or 0 for amount in grid), default=0)
        assert (found[0] if found else 0) >= best - 10**6
        fired += best > 10**6
    assert fired > 10


def test_on_a_pair_like_pool_it_is_the_closed_form_of_the_pair_but_for_where_the_fee_goes() -> None:
    pair = V2Reserves(10**24, 10**24, 100)
    victim = SellsExactly(10**22, 98 * 10**20)
    closed = best_front_run_of_sale(pair, victim)
    on_curve = OnCurve(curve_of(v2_pool(10**24, 10**24, fee_pips=100), TOKEN0), victim)
    assert on_curve.best() == pytest.approx(closed.amount_in, rel=0.01)


@pytest.mark.parametrize("min_amount_out", [10**18 * 98 // 100, 10**18 // 2])
def test_sale_that_moves_the_price_by_less_than_the_fees_is_left_alone(min_amount_out: int) -> None:
    on_curve = OnCurve(curve_of(v3_pool([(-60_000, 60_000, LIQUIDITY)]), TOKEN0), SellsExactly(10**18, min_amount_out))
    assert on_curve.best() == 0


def test_front_run_that_still_gains_where_the_known_ticks_end_is_unknown_and_where_liquidity_ends_has_no_top() -> None:
    pool = v3_pool([(-60_000, 60_000, LIQUIDITY)])
    half_known = replace(
        pool, ticks=replace(pool.ticks, words={word: bits for word, bits in pool.ticks.words.items() if word >= -1})
    )
    victim = SellsExactly(LIQUIDITY // 50, 1)
    with pytest.raises(StateUnknown):
        OnCurve(curve_of(half_known, TOKEN0), victim).best()
    with pytest.raises(EndOfLiquidity):
        OnCurve(curve_of(v3_pool([(-600, 600, LIQUIDITY)]), TOKEN0), victim).best()
