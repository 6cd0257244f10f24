"""The pair's maths against its own published numbers and its invariant."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mempool.amm.pool_kind import load_from
from mempool.amm.uniswap_v2 import (
    MAX_RESERVE,
    SYNC_TOPIC,
    V2Pool,
    amount_in_rounding_up,
    amount_out_rounding_down,
    load,
    read_swap,
)
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.block import Log
from mempool.model.pool import PoolIdentity, SwapEvent
from tests.amm.pools import BOUNDED, TOKEN0, TOKEN1, TOKEN2, v2_pool

ETHER = 10**18
RESERVES = st.integers(10**3, 10**33)


@pytest.mark.parametrize(
    ("amount_in", "reserve_in", "reserve_out", "amount_out"),
    [
        (1, 5, 10, 1662497915624478906),
        (1, 10, 5, 453305446940074565),
        (2, 5, 10, 2851015155847869602),
        (2, 10, 5, 831248957812239453),
        (1, 10, 10, 906610893880149131),
        (1, 100, 100, 987158034397061298),
        (1, 1000, 1000, 996006981039903216),
    ],
)
def test_exact_in_gives_what_the_pair_contract_s_own_tests_give(
    amount_in: int, reserve_in: int, reserve_out: int, amount_out: int
) -> None:
    swap = v2_pool(reserve_in * ETHER, reserve_out * ETHER).swap_exact_in(TOKEN0, amount_in * ETHER)
    assert swap.amount_out == amount_out


def test_amounts_round_in_the_pool_s_favour() -> None:
    assert amount_out_rounding_down(2, 100, 100, 3000) == 1
    assert amount_in_rounding_up(1, 100, 100, 3000) == 2


@BOUNDED
@given(RESERVES, RESERVES, st.integers(1, 10**33), st.sampled_from([0, 100, 1700, 2500, 3000, 10_000]))
def test_product_of_reserves_never_falls_and_a_round_trip_never_gains(
    reserve0: int, reserve1: int, amount_in: int, fee_pips: int
) -> None:
    pool = v2_pool(reserve0, reserve1, fee_pips)
    assume(amount_out_rounding_down(amount_in, reserve0, reserve1, fee_pips) > 0)
    swap = pool.swap_exact_in(TOKEN0, amount_in)
    assert isinstance(swap.after, V2Pool)
    assert swap.after.reserve0 * swap.after.reserve1 >= reserve0 * reserve1
    assert amount_out_rounding_down(swap.amount_out, swap.after.reserve1, swap.after.reserve0, fee_pips) <= amount_in


@BOUNDED
@given(RESERVES, RESERVES, st.data())
def test_exact_out_asks_the_least_that_pays_the_amount(reserve0: int, reserve1: int, data: st.DataObject) -> None:
    pool = v2_pool(reserve0, reserve1)
    amount_out = data.draw(st.integers(1, reserve1 - 1))
    amount_in = amount_in_rounding_up(amount_out, reserve0, reserve1, 3000)
    assume(reserve0 + amount_in <= MAX_RESERVE)
    swap = pool.swap_exact_out(TOKEN0, amount_out)
    assert (swap.amount_in, swap.amount_out) == (amount_in, amount_out)
    assert amount_out_rounding_down(amount_in, reserve0, reserve1, 3000) >= amount_out
    if amount_in > 2:  # the library adds 1 even to an exact quotient, so the least is at most one below
        assert amount_out_rounding_down(amount_in - 2, reserve0, reserve1, 3000) < amount_out


def test_both_directions_move_their_own_reserves() -> None:
    forth = v2_pool(1000, 2000).swap_exact_in(TOKEN0, 100)
    back = v2_pool(2000, 1000).swap_exact_in(TOKEN1, 100)
    assert forth.amount_out == back.amount_out == 181
    assert forth.after == v2_pool(1100, 1819)
    assert back.after == v2_pool(1819, 1100)


@pytest.mark.parametrize(
    ("pool", "amount_in", "reason"),
    [
        (v2_pool(1000, 1000), 0, "INSUFFICIENT_INPUT_AMOUNT"),
        (v2_pool(0, 1000), 10, "INSUFFICIENT_LIQUIDITY"),
        (v2_pool(10**30, 1000), 10, "INSUFFICIENT_OUTPUT_AMOUNT"),
        (v2_pool(MAX_RESERVE - 5, MAX_RESERVE), 6, "OVERFLOW"),
        (v2_pool(1000, 1000), 2**256 - 1, "OVERFLOW"),
    ],
)
def test_swap_that_the_pair_refuses_is_impossible_for_the_same_reason(pool: V2Pool, amount_in: int, reason: str) -> None:
    with pytest.raises(SwapImpossible, match=reason):
        pool.swap_exact_in(TOKEN0, amount_in)


@pytest.mark.parametrize("amount_out", [0, 1000, 1001])
def test_buying_nothing_or_all_of_a_reserve_is_impossible(amount_out: int) -> None:
    with pytest.raises(SwapImpossible, match="INSUFFICIENT"):
        v2_pool(1000, 1000).swap_exact_out(TOKEN0, amount_out)


def test_token_that_the_pair_does_not_hold_is_refused() -> None:
    with pytest.raises(SwapImpossible, match="does not trade"):
        v2_pool(1000, 1000).swap_exact_in(TOKEN2, 10)


def test_sync_sets_the_reserves_and_other_events_leave_the_pair_alone() -> None:
    data = (7).to_bytes(32) + (9).to_bytes(32)
    pool = v2_pool(1000, 1000)
    assert pool.after_log(Log(pool.address, (SYNC_TOPIC,), data)) == v2_pool(7, 9)
    assert pool.after_log(Log(pool.address, (b"\1" * 32,), data)) is pool
    assert pool.after_log(Log(pool.address, (), data)) is pool


def test_swap_event_reads_as_amounts_in_and_out() -> None:
    topic = bytes.fromhex("d78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822")
    data = b"".join(amount.to_bytes(32) for amount in (5, 0, 0, 4))
    log = Log(b"\xaa" * 20, (topic, bytes(32), bytes(32)), data)
    assert read_swap(log) == SwapEvent(b"\xaa" * 20, 5, 0, 0, 4)
    assert read_swap(Log(b"\xaa" * 20, (topic,), data)) is None


def test_snapshot_unpacks_the_reserves_slot_and_refuses_an_unknown_one() -> None:
    identity = PoolIdentity("uniswap_v2", b"\xaa" * 20, TOKEN0, TOKEN1, 3000)
    packed = 1_700_000_000 << 224 | 2000 << 112 | 1000
    assert load_from(load(identity, words_each_side=0), {8: packed}) == v2_pool(1000, 2000)
    with pytest.raises(StateUnknown, match="the reserves"):
        load_from(load(identity, words_each_side=0), {8: None})


def test_mid_price_is_token_out_for_token_in() -> None:
    assert v2_pool(1000, 3000).mid_price(TOKEN0) == (3000, 1000)
    assert v2_pool(1000, 3000).mid_price(TOKEN1) == (1000, 3000)
    assert v2_pool(1000, 3000).virtual_reserve(TOKEN1) == 3000
