"""The last blocks of our chain: which followed transactions they mined, and who moved which pools in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct, field

from mempool.engine.block_run import BlockMoves
from mempool.model.outcome import Prediction
from mempool.model.swap import DecodedCall
from mempool.model.transaction import PendingTransaction

DEPTH = 64
"""Blocks that are kept; a deeper reorganisation finds nothing to put back."""


class Followed(Struct):
    """A swap that waits to be mined, and what was predicted of it, one prediction an intent."""

    transaction: PendingTransaction
    call: DecodedCall
    predictions: dict[int, Prediction] = field(default_factory=dict)
    reported: bool = False
    """Each of its intents has been simulated, or reported as not to be."""


class RecentBlock(Struct, frozen=True):
    """One mined block as it concerns what we follow."""

    hash: str
    moves: BlockMoves
    mined: tuple[Followed, ...]


class RecentBlocks:
    """Oldest first; a block that leaves the chain gives back what it had mined."""

    def __init__(self, depth: int = DEPTH) -> None:
        self._depth = depth
        self._blocks: deque[RecentBlock] = deque()
        self._mined: set[str] = set()

    def holds(self, transaction_hash: str) -> bool:
        """A block of the last ones has mined this followed transaction."""
        return transaction_hash in self._mined

    def add(self, block: RecentBlock) -> None:
        self._blocks.append(block)
        self._mined.update(followed.transaction.hash for followed in block.mined)
        if len(self._blocks) > self._depth:
            self._release(self._blocks.popleft())

    def orphan(self, hashes: Sequence[str]) -> list[Followed]:
        """Take these blocks out; returns what they had mined, which waits again."""
        gone = [block for block in self._blocks if block.hash in hashes]
        for block in gone:
            self._blocks.remove(block)
            self._release(block)
        return [followed for block in gone for followed in block.mined]

    def moves(self) -> list[BlockMoves]:
        return [block.moves for block in self._blocks]

    def _release(self, block: RecentBlock) -> None:
        self._mined.difference_update(followed.transaction.hash for followed in block.mined)
