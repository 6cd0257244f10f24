"""What a pool family has to offer: the row type of `POOL_KINDS`, and the shape of its snapshot loader."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, Protocol

from msgspec import Struct

from mempool.amm.curve import Range
from mempool.model.block import Log
from mempool.model.pool import PoolIdentity, PoolState, SwapEvent

SlotValues = Mapping[int, int | None]
"""Storage slots and their values; None or absent is unknown, which is not zero."""

SnapshotLoad = Generator[list[int], SlotValues, PoolState]
"""Yields the storage slots that it wants, is sent their values, and returns the state."""


class SnapshotLoader(Protocol):
    """Starts a snapshot. `words_each_side` says how many tick bitmap words to ask for on each side of the current price.

    The generator raises `StateUnknown` when the essentials are unknown.
    """

    def __call__(self, identity: PoolIdentity, *, words_each_side: int) -> SnapshotLoad: ...


class PoolKind(Struct, frozen=True):
    """One pool family. `topics` are the events that move a pool; `read_swap` is None for a log that is no swap of the family."""

    name: str
    topics: frozenset[bytes]
    swap_topic: bytes
    read_swap: Callable[[Log], SwapEvent | None]
    load: SnapshotLoader
    virtual_reserve: Callable[[Any, bytes], int]
    """How much of a token stands behind the mid price of a state of this family: the greater, the less a swap moves it."""
    ranges: Callable[[Any, bytes], Iterator[Range]]
    """The ranges of constant liquidity that a sale of a token to a state of this family runs through.

    Raises `StateUnknown` after the last one that is known, if there may be more.
    """


def load_from(loading: SnapshotLoad, slots: SlotValues) -> PoolState:
    """Run a loader over slots that are all at hand, such as a block file's `pre_state`. Raises `StateUnknown`."""
    wanted = next(loading)
    while True:
        try:
            wanted = loading.send({slot: slots.get(slot) for slot in wanted})
        except StopIteration as done:
            state: PoolState = done.value
            return state
