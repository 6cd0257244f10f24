"""Backruns: what a swap opens between pools, exact sizes, and what must not be reported."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from mempool.amm.path import swap_path_exact_in
from mempool.amm.uniswap_v3 import V3Pool
from mempool.detect import DETECTORS, GasAssumption
from mempool.detect.backrun import detect_backrun
from mempool.detect.cycles import MAX_CYCLES, cycles_through
from mempool.errors import SwapImpossible
from mempool.market import view_of
from mempool.model.opportunity import Bound, Opportunity, OpportunityKind
from mempool.model.pool import PoolState
from mempool.model.swap import ExactIn, SwapIntent
from tests.amm.pools import TOKEN0, TOKEN1, v2_pool, v3_pool
from tests.detect.scenes import BLOCK, COIN, DOLLAR, ETHER, GAS, NATIVE, OTHER, hop, intent, pair, scene

HERE = pair(NATIVE, 1000 * ETHER, DOLLAR, 3_000_000 * 10**6)
THERE = pair(NATIVE, 2000 * ETHER, DOLLAR, 6_000_000 * 10**6, number=1)
LARGE = intent(ExactIn(50 * ETHER, 0), hop(HERE, NATIVE))
SMALL = intent(ExactIn(ETHER, 0), hop(HERE, NATIVE))


def backruns(asked: SwapIntent, *pools: PoolState, gas: GasAssumption = GAS, **options: Any) -> list[Opportunity]:
    view, cause = scene(asked, *pools)
    return list(detect_backrun(view, cause, gas, **options))


def best_by_trying_all(states: tuple[PoolState, ...], tokens: tuple[bytes, ...], most: int) -> int:
    best = 0
    for amount_in in range(1, most + 1):
        try:
            best = max(best, swap_path_exact_in(states, tokens, amount_in)[-1].amount_out - amount_in)
        except SwapImpossible:
            continue
    return best


def test_swap_that_moves_one_of_two_equal_pools_opens_a_backrun() -> None:
    (found,) = backruns(LARGE, HERE, THERE)
    out, back = found.legs
    assert found.kind is OpportunityKind.BACKRUN
    assert (found.bound, found.profit_token, found.block_number, found.note) == (Bound.EXACT, NATIVE, BLOCK.number, "")
    # The native token is cheap where it was sold: sold dear there, bought back here.
    assert (out.pool, out.token_in, out.token_out) == (THERE.address, NATIVE, DOLLAR)
    assert (back.pool, back.token_in, back.token_out) == (HERE.address, DOLLAR, NATIVE)
    assert out.amount_out == back.amount_in
    assert found.gross_profit == back.amount_out - out.amount_in > ETHER // 10


@pytest.mark.parametrize(
    ("asked", "pools"),
    [
        (SMALL, (HERE, THERE)),
        (LARGE, (HERE,)),
        (LARGE, (HERE, replace(THERE, reserve0=0, reserve1=0))),
        (intent(ExactIn(50 * ETHER, 2**128), hop(HERE, NATIVE)), (HERE, THERE)),
    ],
    ids=["the prices part by less than the fees", "there is no other pool", "the other pool is empty", "the swap reverts"],
)
def test_swap_that_opens_nothing_gives_no_finding(asked: SwapIntent, pools: tuple[PoolState, ...]) -> None:
    assert backruns(asked, *pools) == []


def test_what_was_open_before_is_not_counted() -> None:
    apart = pair(NATIVE, 2000 * ETHER, DOLLAR, 6_300_000 * 10**6, number=1)
    (found,) = backruns(LARGE, HERE, apart)
    before = int(found.note.removesuffix(" was open before the swap"))
    assert before > 0
    assert found.gross_profit == found.legs[-1].amount_out - found.legs[0].amount_in - before
    dearer = pair(NATIVE, 2000 * ETHER, DOLLAR, 5_000_000 * 10**6, number=1)
    assert backruns(SMALL, HERE, dearer) == [], "the swap closes a part of what was open"


def test_cycle_over_a_third_token_is_found() -> None:
    coin_here = pair(DOLLAR, 5_000_000 * 10**6, COIN, 10**25)
    coin_there = pair(COIN, 10**25, NATIVE, 5_000_000 * ETHER // 3000)
    (found,) = backruns(LARGE, HERE, coin_here, coin_there)
    assert [leg.token_in for leg in found.legs] == [NATIVE, COIN, DOLLAR]
    assert found.profit_token == found.legs[-1].token_out == NATIVE
    assert found.gas_units == GAS.units(["uniswap_v2"] * 3)


def test_without_the_native_token_the_profit_is_in_the_token_with_most_pools() -> None:
    here, there = (pair(COIN, 10**24, DOLLAR, 10**12, number=number) for number in (0, 1))
    gas_pool = pair(NATIVE, 10**21, DOLLAR, 3 * 10**12)
    asked = intent(ExactIn(10**23, 0), hop(here, COIN))
    gas = GasAssumption(10**10, NATIVE)
    (found,) = backruns(asked, here, there, gas_pool, gas=gas)
    assert found.profit_token == DOLLAR
    gas_in_dollars = gas_pool.swap_exact_out(DOLLAR, found.gas_units * found.gas_price_wei).amount_in
    assert found.net_profit == found.gross_profit - gas_in_dollars
    (unpriced,) = backruns(asked, here, there, gas=gas)
    assert unpriced.net_profit is None


def test_cycles_all_pass_the_moved_pool_and_their_number_is_bounded() -> None:
    tokens = [bytes([number]) * 20 for number in range(10, 60)]
    spokes = [pair(token, 10**20, hub, 10**20, number=fork) for token in tokens for hub in (NATIVE, DOLLAR) for fork in (0, 1)]
    cycles = list(cycles_through(view_of(BLOCK, (HERE, THERE, *spokes)), HERE))
    assert len(cycles) == MAX_CYCLES
    assert all(HERE.address in cycle.pools for cycle in cycles)
    assert {len(cycle.pools) for cycle in cycles[:2]} == {2}


def test_path_over_both_pools_of_a_cycle_reports_it_once() -> None:
    asked = intent(ExactIn(50 * ETHER, 0), hop(HERE, NATIVE), hop(THERE, DOLLAR))
    assert len(backruns(asked, HERE, THERE)) == 1


def test_taxed_token_makes_it_an_upper_bound() -> None:
    (taxed,) = backruns(LARGE, HERE, THERE, taxed={DOLLAR})
    (other,) = backruns(LARGE, HERE, THERE, taxed={OTHER})
    (measured,) = backruns(replace(LARGE, measures_received=True), HERE, THERE)
    assert (taxed.bound, other.bound, measured.bound) == (Bound.UPPER_BOUND, Bound.EXACT, Bound.UPPER_BOUND)


def test_size_on_small_pairs_equals_brute_force() -> None:
    rng = random.Random(7)
    checked = 0
    while checked < 200:
        here, there = (pair(NATIVE, rng.randrange(20, 400), DOLLAR, rng.randrange(20, 400), number=number) for number in (0, 1))
        asked = intent(ExactIn(rng.randrange(1, 400), 0), hop(here, NATIVE))
        view, cause = scene(asked, here, there)
        if cause.reverts:
            continue
        checked += 1
        moved = cause.hops[0].after
        cycle = ((there, moved), (NATIVE, DOLLAR))
        gain = best_by_trying_all(*cycle, 800) - best_by_trying_all((there, here), (NATIVE, DOLLAR), 800)
        found = [each.gross_profit for each in detect_backrun(view, cause, GAS) if each.legs[0].pool == there.address]
        assert found == ([gain] if gain > 0 else [])


@pytest.mark.parametrize("liquidity", [5_000, 100_000])
def test_size_over_a_v3_pool_is_within_rounding_of_a_dense_scan(liquidity: int) -> None:
    curve = v3_pool([(-60_000, 60_000, liquidity), (-300, 600, liquidity // 3)])
    flat = v2_pool(liquidity, liquidity)
    asked = intent(ExactIn(liquidity // 8, 0), hop(flat, TOKEN0))
    view, cause = scene(asked, curve, flat)
    (found,) = detect_backrun(view, cause, GasAssumption(0, TOKEN0))
    best = best_by_trying_all((curve, cause.hops[0].after), (TOKEN0, TOKEN1), liquidity // 4)
    assert best > 0
    assert best - 3 <= found.gross_profit <= best


def test_size_that_needs_an_unknown_tick_is_reported_as_state_unknown() -> None:
    curve = v3_pool([(-60_000, 60_000, 10**24)])
    known = {word: bits for word, bits in curve.ticks.words.items() if word >= 0}
    half_known = replace(
        curve, tick=30, ticks=replace(curve.ticks, words=known), sqrt_price_x96=curve.sqrt_price_x96 * 1001 // 1000
    )
    assert isinstance(half_known, V3Pool)
    flat = v2_pool(10**24, 10**24)
    asked = intent(ExactIn(10**23, 0), hop(flat, TOKEN0))
    (found,) = backruns(asked, half_known, flat, gas=GasAssumption(0, TOKEN0))
    assert (found.bound, found.gross_profit, found.net_profit, found.legs) == (Bound.STATE_UNKNOWN, 0, None, ())
    assert "tick bitmap word -1 is not known" in found.note


def test_detector_stands_in_the_table() -> None:
    assert DETECTORS["backrun"] is detect_backrun
