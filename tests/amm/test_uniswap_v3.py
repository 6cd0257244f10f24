"""The whole walk: invariants of swaps over ticks, limits, refusals, and events."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mempool.amm.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, Q96, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v3 import BURN_TOPIC, INITIALIZE_TOPIC, MINT_TOPIC, SWAP_TOPIC, V3Pool, read_swap
from mempool.errors import SwapImpossible, TicksUnknown
from mempool.model.block import Log
from mempool.model.pool import PoolSwap, SwapEvent
from tests.amm.pools import BOUNDED, TOKEN0, TOKEN1, TOKEN2, liquidity_by_ticks, v3_pool, v3_pools

ETHER = 10**18
TOKENS = st.sampled_from([TOKEN0, TOKEN1])
AMOUNTS = st.integers(1, 10**26)


def other(token: bytes) -> bytes:
    return TOKEN1 if token == TOKEN0 else TOKEN0


def after(swap: PoolSwap) -> V3Pool:
    assert isinstance(swap.after, V3Pool)
    return swap.after


@BOUNDED
@given(v3_pools(), TOKENS, AMOUNTS)
def test_state_after_a_swap_agrees_with_its_ticks(pool: V3Pool, token_in: bytes, amount_in: int) -> None:
    end = after(pool.swap_exact_in(token_in, amount_in))
    assert end.liquidity == liquidity_by_ticks(end)
    on_boundary = end.sqrt_price_x96 == sqrt_ratio_at_tick(end.tick + 1)
    assert tick_at_sqrt_ratio(end.sqrt_price_x96) == end.tick + on_boundary
    assert end.ticks is pool.ticks


@BOUNDED
@given(v3_pools(), TOKENS, AMOUNTS)
def test_round_trip_never_gains(pool: V3Pool, token_in: bytes, amount_in: int) -> None:
    forth = pool.swap_exact_in(token_in, amount_in)
    assume(forth.amount_out > 0)
    back = forth.after.swap_exact_in(other(token_in), forth.amount_out)
    assert back.amount_out <= forth.amount_in <= amount_in


@BOUNDED
@given(v3_pools(), TOKENS, AMOUNTS)
def test_exact_out_of_what_an_exact_in_paid_costs_no_more(pool: V3Pool, token_in: bytes, amount_in: int) -> None:
    bought = pool.swap_exact_in(token_in, amount_in)
    assume(bought.amount_out > 0)
    same = pool.swap_exact_out(token_in, bought.amount_out)
    assert same.amount_out == bought.amount_out
    assert same.amount_in <= bought.amount_in


@BOUNDED
@given(v3_pools(), TOKENS, AMOUNTS, st.integers(-2000, 2000))
def test_price_limit_is_never_passed(pool: V3Pool, token_in: bytes, amount: int, limit_tick: int) -> None:
    limit = sqrt_ratio_at_tick(limit_tick) + 1
    assume(limit < pool.sqrt_price_x96 if token_in == TOKEN0 else limit > pool.sqrt_price_x96)
    for swap in (pool.swap_exact_in(token_in, amount, limit), pool.swap_exact_out(token_in, amount, limit)):
        price = after(swap).sqrt_price_x96
        assert limit <= price if token_in == TOKEN0 else price <= limit
        assert price == limit or amount in (swap.amount_in, swap.amount_out)


@BOUNDED
@given(v3_pools(), TOKENS, AMOUNTS)
def test_swap_in_two_parts_ends_no_further_than_the_whole(pool: V3Pool, token_in: bytes, amount_in: int) -> None:
    assume(amount_in > 1)
    whole = pool.swap_exact_in(token_in, amount_in)
    first = pool.swap_exact_in(token_in, amount_in // 2)
    assume(first.amount_in == amount_in // 2)
    second = first.after.swap_exact_in(token_in, amount_in - amount_in // 2)
    assert first.amount_out + second.amount_out <= whole.amount_out + 1


def test_gap_without_liquidity_is_crossed_for_free() -> None:
    pool = v3_pool([(-600, 600, ETHER), (60_000, 120_000, ETHER)])
    near = pool.swap_exact_in(TOKEN1, 10**30, sqrt_ratio_at_tick(59_999))
    assert after(near).liquidity == 0
    far = pool.swap_exact_in(TOKEN1, near.amount_in + ETHER)
    assert far.amount_in == near.amount_in + ETHER
    assert after(far).liquidity == ETHER
    assert 60_000 <= after(far).tick < 120_000


def test_swap_that_eats_all_liquidity_stops_at_the_end_of_prices() -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    down, up = pool.swap_exact_in(TOKEN0, 2**254), pool.swap_exact_in(TOKEN1, 2**254)
    assert (after(down).sqrt_price_x96, after(up).sqrt_price_x96) == (MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1)
    assert down.amount_in < 2**254
    assert pool.swap_exact_out(TOKEN0, ETHER).amount_out == down.amount_out


def test_reaching_a_tick_downwards_crosses_it_and_upwards_lands_on_it() -> None:
    pool = v3_pool([(-60, 60, ETHER), (-600, 600, ETHER)])
    down = after(pool.swap_exact_in(TOKEN0, 10**20, sqrt_ratio_at_tick(-60)))
    assert (down.tick, down.liquidity) == (-61, ETHER)
    up = after(pool.swap_exact_in(TOKEN1, 10**20, sqrt_ratio_at_tick(60)))
    assert (up.tick, up.liquidity) == (60, ETHER)
    back = after(down.swap_exact_in(TOKEN1, 1000))
    assert (back.tick, back.liquidity) == (-60, 2 * ETHER)


def test_swap_off_the_known_words_is_unknown_not_empty() -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    partly = V3Pool(
        pool.address,
        TOKEN0,
        TOKEN1,
        3000,
        pool.sqrt_price_x96,
        0,
        ETHER,
        TickTable(pool.address, 60, {0: pool.ticks.words[0]}, pool.ticks.ticks),
    )
    assert partly.swap_exact_in(TOKEN1, 1000) == PoolSwap(1000, 996, after(partly.swap_exact_in(TOKEN1, 1000)))
    with pytest.raises(TicksUnknown, match="tick bitmap word -1"):
        partly.swap_exact_in(TOKEN0, ETHER)


@pytest.mark.parametrize(
    ("token_in", "amount", "limit", "reason"),
    [
        (TOKEN0, 0, 0, "AS"),
        (TOKEN0, 2**255, 0, "255 bits"),
        (TOKEN0, 1, Q96, "SPL"),
        (TOKEN0, 1, MIN_SQRT_RATIO, "SPL"),
        (TOKEN1, 1, Q96, "SPL"),
        (TOKEN1, 1, MAX_SQRT_RATIO, "SPL"),
        (TOKEN2, 1, 0, "does not trade"),
    ],
)
def test_swap_that_the_pool_refuses_is_impossible(token_in: bytes, amount: int, limit: int, reason: str) -> None:
    with pytest.raises(SwapImpossible, match=reason):
        v3_pool([(-600, 600, ETHER)]).swap_exact_in(token_in, amount, limit)


def test_pool_that_is_not_initialised_is_locked() -> None:
    empty = V3Pool(b"\xbb" * 20, TOKEN0, TOKEN1, 3000, 0, 0, 0, TickTable(b"\xbb" * 20, 60, {}, {}))
    with pytest.raises(SwapImpossible, match="LOK"):
        empty.swap_exact_out(TOKEN0, 1)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, signed=value < 0) for value in values)


def position_log(topic: bytes, lower: int, upper: int, data: bytes) -> Log:
    return Log(b"\xbb" * 20, (topic, bytes(32), words(lower), words(upper)), data)


def test_mint_and_burn_move_ticks_and_the_active_liquidity() -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    minted = pool.after_log(position_log(MINT_TOPIC, -60, 60, words(0, 5, 1, 1)))
    assert minted == v3_pool([(-600, 600, ETHER), (-60, 60, 5)])
    assert minted.after_log(position_log(BURN_TOPIC, -60, 60, words(5, 1, 1))) == pool
    assert pool.after_log(position_log(MINT_TOPIC, 60, 120, words(0, 5, 1, 1))).liquidity == ETHER
    assert pool.after_log(position_log(BURN_TOPIC, -60, 60, words(0, 0, 0))) is pool


def test_swap_event_sets_price_liquidity_and_tick_and_reads_as_amounts() -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    log = Log(pool.address, (SWAP_TOPIC, bytes(32), bytes(32)), words(1000, -996, Q96 - 7, ETHER, -1))
    moved = pool.after_log(log)
    assert (moved.sqrt_price_x96, moved.liquidity, moved.tick) == (Q96 - 7, ETHER, -1)
    assert read_swap(log) == SwapEvent(pool.address, 1000, 0, 0, 996)
    assert read_swap(Log(pool.address, (MINT_TOPIC, bytes(32), bytes(32)), log.data)) is None


def test_initialize_sets_the_price_and_foreign_events_change_nothing() -> None:
    empty = V3Pool(b"\xbb" * 20, TOKEN0, TOKEN1, 3000, 0, 0, 0, TickTable(b"\xbb" * 20, 60, {}, {}))
    started = empty.after_log(Log(empty.address, (INITIALIZE_TOPIC,), words(Q96, 0)))
    assert started.sqrt_price_x96 == Q96
    assert started.after_log(Log(empty.address, (b"\1" * 32,), b"")) is started
    assert started.after_log(Log(empty.address, (), b"")) is started


@pytest.mark.parametrize("topic", [SWAP_TOPIC, MINT_TOPIC, BURN_TOPIC, INITIALIZE_TOPIC])
def test_event_of_a_wrong_shape_changes_nothing(topic: bytes) -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    for log in (Log(pool.address, (topic,), b"\1"), Log(pool.address, (topic, bytes(32)), bytes(160))):
        assert pool.after_log(log) is pool
        assert read_swap(log) is None


def test_mid_price_is_token_out_for_token_in() -> None:
    pool = v3_pool([(-600, 600, ETHER)])
    assert pool.mid_price(TOKEN0) == (Q96 * Q96, 1 << 192)
    assert pool.mid_price(TOKEN1) == (1 << 192, Q96 * Q96)


def test_virtual_reserves_are_those_of_a_pair_with_the_active_liquidity() -> None:
    pool = v3_pool([(-6000, 6000, ETHER)], tick=1000)
    product = pool.virtual_reserve(TOKEN0) * pool.virtual_reserve(TOKEN1)
    assert ETHER**2 - 4 * ETHER < product <= ETHER**2
    assert pool.virtual_reserve(TOKEN1) > pool.virtual_reserve(TOKEN0)
