"""Sandwich exposure against brute force, and what must not be reported."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool
from mempool.detect import DETECTORS, GasAssumption
from mempool.detect.sandwich_exposure import detect_sandwich_exposure
from mempool.model.opportunity import Bound, Opportunity, OpportunityKind
from mempool.model.pool import PoolState
from mempool.model.swap import BalanceIn, ExactIn, ExactOut, Hop, Size, SwapIntent
from tests.amm.pools import v3_pool
from tests.detect.scenes import (
    BLOCK,
    COIN,
    DOLLAR,
    ETHER,
    GAS,
    NATIVE,
    best_by_trying_all,
    gain_of_front_run,
    gross_by_pool,
    hop,
    intent,
    pair,
    scene,
)

LIMITS = (0, 50, 80, 90, 97, 99, 100)
"""Percent of the quote that the sender accepts at least."""
FEES = (0, 500, 3000, 10_000)
POOL = pair(NATIVE, 1000 * ETHER, DOLLAR, 3_000_000 * 10**6)


def random_pair(rng: random.Random, token_in: bytes, token_out: bytes) -> V2Pool:
    tops = (30, 100, 400)
    return pair(token_in, rng.randrange(10, rng.choice(tops)), token_out, rng.randrange(10, rng.choice(tops)), rng.choice(FEES))


def random_sale(rng: random.Random, *pools: V2Pool) -> SwapIntent:
    hops = path(*pools)
    amount_in = rng.randrange(1, 200)
    quote = scene(intent(ExactIn(amount_in, 0), *hops), *pools)[1].amount_out
    # Without a limit a small pool bears front-runs of many times its reserve, which would only make the brute force slow.
    return intent(ExactIn(amount_in, quote * rng.choice(LIMITS) // 100), *hops)


def random_purchase(rng: random.Random, *pools: V2Pool) -> SwapIntent:
    hops, pays_forward = path(*pools), rng.random() < 0.5
    last = pools[-1]
    reserve_out = last.reserve0 if hops[-1].token_out == last.token0 else last.reserve1
    amount_out = rng.randrange(1, max(reserve_out * rng.choice((10, 50, 90)) // 100, 2))
    quote = scene(intent(ExactOut(amount_out, 2**255, pays_forward), *hops), *pools)[1].amount_in
    return intent(ExactOut(amount_out, quote * rng.choice((100, 101, 105, 150, 300)) // 100, pays_forward), *hops)


def path(*pools: V2Pool) -> tuple[Hop, ...]:
    return tuple(hop(pool, token) for pool, token in zip(pools, (NATIVE, DOLLAR, COIN), strict=False))


@pytest.mark.parametrize("random_intent", [random_sale, random_purchase])
@pytest.mark.parametrize(("tokens", "cases"), [((NATIVE, DOLLAR), 1000), ((NATIVE, DOLLAR, COIN), 300)])
def test_exposure_equals_brute_force_on_small_pools(
    random_intent: Callable[..., SwapIntent], tokens: tuple[bytes, ...], cases: int
) -> None:
    rng = random.Random(f"{random_intent.__name__} {len(tokens)}")
    checked = fired = 0
    while checked < cases:
        pools = [random_pair(rng, *both) for both in pairwise(tokens)]
        view, cause = scene(random_intent(rng, *pools), *pools)
        if cause.reverts:
            continue
        found = gross_by_pool(list(detect_sandwich_exposure(view, cause, GAS)))
        for index, pool in enumerate(pools):
            best = best_by_trying_all(view, cause.intent, index)
            assert found.get(pool.address, 0) == best, (cause.intent, pools, index)
            checked += 1
            fired += best > 0
    assert fired > cases // 10


def sale(percent: int, pool: PoolState = POOL, amount_in: int = 20 * ETHER, measures_received: bool = False) -> SwapIntent:
    """A sale of the native token with that percentage of the quote as its minimum."""
    asked = hop(pool, pool.token0 if isinstance(pool, V3Pool) else NATIVE)
    quote = scene(intent(ExactIn(amount_in, 0), asked), pool)[1].amount_out
    return intent(ExactIn(amount_in, quote * percent // 100), asked, measures_received=measures_received)


def exposures(asked: SwapIntent, *pools: PoolState, **options: Any) -> list[Opportunity]:
    view, cause = scene(asked, *pools)
    return list(detect_sandwich_exposure(view, cause, GAS, **options))


def test_large_sale_with_a_loose_limit_is_exposed_and_says_how() -> None:
    (found,) = exposures(sale(95), POOL)
    front, back = found.legs
    assert found.kind is OpportunityKind.SANDWICH_EXPOSURE
    assert (found.bound, found.profit_token, found.block_number, found.note) == (Bound.EXACT, NATIVE, BLOCK.number, "")
    assert found.gross_profit == back.amount_out - front.amount_in > ETHER // 10
    assert (front.token_in, front.token_out, back.token_in, back.token_out) == (NATIVE, DOLLAR, DOLLAR, NATIVE)
    assert front.amount_out == back.amount_in


@pytest.mark.parametrize(
    "asked",
    [sale(95, amount_in=ETHER), sale(101)],
    ids=["the fees cost more than the swap moves", "the swap reverts by itself"],
)
def test_swap_that_nothing_can_be_taken_from_gives_no_finding(asked: SwapIntent) -> None:
    assert exposures(asked, POOL) == []


def test_limit_at_the_quote_leaves_only_what_rounding_hides() -> None:
    assert all(found.gross_profit < 10**9 for found in exposures(sale(100), POOL))


def test_swap_that_the_pool_refuses_gives_no_finding() -> None:
    assert exposures(intent(ExactIn(0, 0), hop(POOL, NATIVE)), POOL) == []


@pytest.mark.parametrize("size", [ExactIn(20 * ETHER, 0), BalanceIn(20 * ETHER, (), 0), ExactOut(10**10, 2**256 - 1)])
def test_sender_without_a_limit_is_exposed_as_far_as_the_pool_goes(size: Size) -> None:
    (found,) = exposures(intent(size, hop(POOL, NATIVE)), POOL)
    (limited,) = exposures(sale(95), POOL)
    assert found.note == "no limit"
    assert found.gross_profit > limited.gross_profit


def test_taxed_token_or_a_router_that_measures_makes_it_an_upper_bound() -> None:
    (measured,) = exposures(sale(95, measures_received=True), POOL)
    (taxed,) = exposures(sale(95), POOL, taxed={DOLLAR})
    (plain,) = exposures(sale(95), POOL, taxed={COIN})
    assert measured.bound is taxed.bound is Bound.UPPER_BOUND
    assert measured.note == taxed.note == "a token may take a fee on transfers"
    assert plain.bound is Bound.EXACT


def test_gas_of_both_transactions_is_taken_off_the_profit() -> None:
    view, cause = scene(sale(95), POOL)
    gas = GasAssumption(10**10, NATIVE, base_units=20_000, hop_units={"uniswap_v2": 80_000})
    (found,) = detect_sandwich_exposure(view, cause, gas)
    assert (found.gas_units, found.gas_price_wei) == (200_000, 10**10)
    assert found.net_profit == found.gross_profit - 200_000 * 10**10


def test_each_pool_of_a_path_has_its_own_finding_in_its_own_token() -> None:
    second = pair(DOLLAR, 2_000_000 * 10**6, COIN, 10**24)
    hops = path(POOL, second)
    quote = scene(intent(ExactIn(20 * ETHER, 0), *hops), POOL, second)[1].amount_out
    found = exposures(intent(ExactIn(20 * ETHER, quote * 9 // 10), *hops), POOL, second)
    assert [(each.profit_token, each.legs[0].pool) for each in found] == [(NATIVE, POOL.address), (DOLLAR, second.address)]


def test_pool_that_stands_twice_in_a_path_is_attacked_once() -> None:
    hops = (hop(POOL, NATIVE), hop(POOL, DOLLAR))
    assert len(exposures(intent(ExactIn(100 * ETHER, ETHER), *hops), POOL)) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_front_run_keeps_the_limit_and_one_unit_more_breaks_it_or_gains_no_more(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        pool = pair(NATIVE, rng.randrange(10**18, 10**24), DOLLAR, rng.randrange(10**9, 10**15))
        asked = sale(rng.randrange(50, 100), pool, rng.randrange(pool.reserve0 // 1000, pool.reserve0))
        view, _ = scene(asked, pool)
        for found in exposures(asked, pool):
            amount_in = found.legs[0].amount_in
            assert gain_of_front_run(view, asked, 0, amount_in) == found.gross_profit
            more = gain_of_front_run(view, asked, 0, amount_in + 1)
            assert more is None or more <= found.gross_profit


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_attacker_gains_no_more_than_the_sender_loses_and_the_pool_keeps(percent: int) -> None:
    """What the sender loses of its quote, at the price after all trades, covers the gain: the rest stays in the pool as fees."""
    asked = sale(percent)
    (found,) = exposures(asked, POOL)
    _, quoted = scene(asked, POOL)
    _, attacked = scene(asked, POOL.swap_exact_in(NATIVE, found.legs[0].amount_in).after)
    lost = quoted.amount_out - attacked.amount_out
    back = attacked.hops[0].after.swap_exact_in(DOLLAR, found.legs[1].amount_in).after
    numerator, denominator = back.mid_price(NATIVE)
    assert found.gross_profit * numerator <= lost * denominator


@pytest.mark.parametrize("percent", [90, 99])
@pytest.mark.parametrize("liquidity", [3_000, 100_000])
def test_exposure_on_v3_is_within_rounding_of_a_dense_scan(percent: int, liquidity: int) -> None:
    pool = v3_pool([(-60_000, 60_000, liquidity), (-120, 180, liquidity // 2)], tick=17)
    asked = sale(percent, pool, liquidity // 10)
    view, _ = scene(asked, pool)
    (found,) = exposures(asked, pool)
    best = best_by_trying_all(view, asked, 0)
    assert best - (0 if found.legs[0].amount_in < 512 else 3) <= found.gross_profit <= best


def test_v3_price_limit_bounds_the_exposure_too() -> None:
    pool = v3_pool([(-60_000, 60_000, 10**24)])
    limit = pool.swap_exact_in(pool.token0, 3 * 10**22).after
    assert isinstance(limit, V3Pool)
    asked = hop(pool, pool.token0)
    (bounded,) = exposures(intent(ExactIn(2 * 10**22, 10**22), asked, price_limit=limit.sqrt_price_x96), pool)
    (free,) = exposures(intent(ExactIn(2 * 10**22, 10**22), asked), pool)
    assert bounded.gross_profit < free.gross_profit


def test_front_run_that_needs_an_unknown_tick_is_reported_as_state_unknown() -> None:
    pool = v3_pool([(-60_000, 60_000, 10**24)])
    known = {word: bits for word, bits in pool.ticks.words.items() if word >= -1}
    half_known = replace(pool, ticks=replace(pool.ticks, words=known))
    asked = sale(10, half_known, 2 * 10**22)
    (found,) = exposures(asked, half_known)
    assert (found.bound, found.gross_profit, found.net_profit, found.legs) == (Bound.STATE_UNKNOWN, 0, None, ())
    assert "tick bitmap word -2 is not known" in found.note
    (within,) = exposures(sale(99, half_known, 2 * 10**22), half_known)
    assert within.bound is Bound.EXACT


def test_detector_stands_in_the_table() -> None:
    assert DETECTORS["sandwich_exposure"] is detect_sandwich_exposure
