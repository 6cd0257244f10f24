"""Reads a V3 pool's snapshot out of its storage slots: price, liquidity, the bitmap around the price, and the ticks in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from mempool.amm.pool_kind import PoolKind, SlotValues, SnapshotLoad
from mempool.amm.tick_math import MAX_TICK, MIN_TICK
from mempool.amm.ticks import TickLiquidity, TickTable, initialised_ticks
from mempool.amm.uniswap_v3 import LOG_CHANGES, SWAP_TOPIC, V3Pool, read_swap
from mempool.amm.uniswap_v3_ranges import ranges
from mempool.errors import StateUnknown
from mempool.model.keccak import keccak256
from mempool.model.pool import PoolIdentity

SLOT0, LIQUIDITY_SLOT, TICKS_SLOT, BITMAP_SLOT = 0, 4, 5, 6


def load(identity: PoolIdentity, *, words_each_side: int) -> SnapshotLoad:
    """Asks three times: `slot0` and `liquidity`, then bitmap words around the current tick, then the ticks initialised in them.

    Words and ticks that come back unknown stay unknown in the state. Raises `StateUnknown` without price or liquidity.
    """
    head = yield [SLOT0, LIQUIDITY_SLOT]
    slot0, liquidity = head.get(SLOT0), head.get(LIQUIDITY_SLOT)
    if slot0 is None or liquidity is None:
        raise StateUnknown(identity.address, "the price" if slot0 is None else "the liquidity")
    tick = _signed(slot0 >> 160, 24)
    word_slots = {mapping_slot(index, BITMAP_SLOT): index for index in words_around(tick, identity.tick_spacing, words_each_side)}
    words = _known((yield list(word_slots)), word_slots)
    tick_slots = {mapping_slot(each, TICKS_SLOT): each for each in _ticks_in(words, identity.tick_spacing)}
    packed_ticks = _known((yield list(tick_slots)), tick_slots)
    return V3Pool(
        address=identity.address,
        token0=identity.token0,
        token1=identity.token1,
        fee_pips=identity.fee_pips,
        sqrt_price_x96=slot0 & (1 << 160) - 1,
        tick=tick,
        liquidity=liquidity & (1 << 128) - 1,
        ticks=TickTable(identity.address, identity.tick_spacing, words, _tick_liquidities(packed_ticks)),
    )


def words_around(tick: int, spacing: int, each_side: int) -> range:
    """Indices of the bitmap words around `tick` that hold usable ticks."""
    word = tick // spacing >> 8
    lowest, highest = MIN_TICK // spacing >> 8, MAX_TICK // spacing >> 8
    return range(max(word - each_side, lowest), min(word + each_side, highest) + 1)


@lru_cache(maxsize=65_536)
def mapping_slot(key: int, base_slot: int) -> int:
    """Where Solidity keeps a mapping's value for a signed integer key. Cached: every pool has the same places, 16 us each."""
    return int.from_bytes(keccak256(key.to_bytes(32, signed=True) + base_slot.to_bytes(32)))


def _known(values: SlotValues, meaning: dict[int, int]) -> dict[int, int]:
    """Known values by what their slot means."""
    found = ((meaning[slot], values.get(slot)) for slot in meaning)
    return {key: value for key, value in found if value is not None}


def _ticks_in(words: dict[int, int], spacing: int) -> Iterable[int]:
    return (tick for index, word in words.items() for tick in initialised_ticks(index, word, spacing))


def _tick_liquidities(packed_ticks: dict[int, int]) -> dict[int, TickLiquidity]:
    """The first slot of a tick packs gross liquidity (low 128 bits) and net liquidity (high 128 bits, signed)."""
    return {
        tick: TickLiquidity(gross=packed & (1 << 128) - 1, net=_signed(packed >> 128, 128))
        for tick, packed in packed_ticks.items()
    }


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


KIND = PoolKind("uniswap_v3", frozenset(LOG_CHANGES), SWAP_TOPIC, read_swap, load, V3Pool.virtual_reserve, ranges)
