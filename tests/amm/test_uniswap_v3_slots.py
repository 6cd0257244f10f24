"""The snapshot loader against storage that is packed by hand as Solidity packs it."""

from __future__ import annotations

import pytest

from mempool.amm.pool_kind import load_from
from mempool.amm.tick_math import MAX_TICK, MIN_TICK
from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v3 import V3Pool
from mempool.amm.uniswap_v3_slots import load, mapping_slot, words_around
from mempool.errors import StateUnknown
from mempool.model.pool import PoolIdentity
from tests.amm.pools import TOKEN0, TOKEN1, v3_pool

IDENTITY = PoolIdentity("uniswap_v3", b"\xbb" * 20, TOKEN0, TOKEN1, 3000, 60)
POOL = v3_pool([(-18_000, 600, 10**18), (-120, 60, 7)], tick=-100, price_offset=5)


def slots_of(pool: V3Pool) -> dict[int, int | None]:
    unlocked = 1 << 240
    slots: dict[int, int | None] = {
        0: unlocked | 1 << 184 | (pool.tick & 0xFFFFFF) << 160 | pool.sqrt_price_x96,
        4: pool.liquidity,
    }
    for index, word in pool.ticks.words.items():
        slots[mapping_slot(index, 6)] = word
    for tick, each in pool.ticks.ticks.items():
        slots[mapping_slot(tick, 5)] = (each.net & 2**128 - 1) << 128 | each.gross
    return slots


def test_snapshot_with_every_word_is_the_pool_itself() -> None:
    assert load_from(load(IDENTITY, words_each_side=1000), slots_of(POOL)) == POOL


def test_snapshot_asks_only_for_words_around_the_price_and_the_ticks_in_them() -> None:
    loading, slots = load(IDENTITY, words_each_side=1), slots_of(POOL)
    assert next(loading) == [0, 4]
    wanted_words = loading.send({slot: slots[slot] for slot in (0, 4)})
    assert wanted_words == [mapping_slot(index, 6) for index in (-2, -1, 0)]
    wanted_ticks = loading.send({slot: slots[slot] for slot in wanted_words})
    assert wanted_ticks == [mapping_slot(tick, 5) for tick in (-18_000, -120, 60, 600)]


def test_unknown_words_and_ticks_stay_unknown() -> None:
    slots = slots_of(POOL)
    slots[mapping_slot(0, 6)] = None
    del slots[mapping_slot(-120, 5)]
    state = load_from(load(IDENTITY, words_each_side=1), slots)
    assert isinstance(state, V3Pool)
    assert state.ticks == TickTable(
        POOL.address, 60, {index: POOL.ticks.words[index] for index in (-2, -1)}, {-18_000: POOL.ticks.ticks[-18_000]}
    )


@pytest.mark.parametrize(("slot", "missing"), [(0, "the price"), (4, "the liquidity")])
def test_snapshot_without_price_or_liquidity_is_refused(slot: int, missing: str) -> None:
    with pytest.raises(StateUnknown, match=missing):
        load_from(load(IDENTITY, words_each_side=1), slots_of(POOL) | {slot: None})


def test_words_end_where_usable_ticks_end() -> None:
    assert words_around(MIN_TICK, 60, 1) == range(-58, -56)
    assert words_around(MAX_TICK - 1, 60, 1) == range(56, 58)
    assert words_around(0, 200, 2) == range(-2, 3)
