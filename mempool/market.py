"""The known pools at the head of the chain: follows logs, rolls back on reorgs, and hands out cheap read-only views."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mempool.amm import POOL_KINDS
from mempool.model.block import BlockRef, Log
from mempool.model.pool import PoolState

MOVING_TOPICS = frozenset[bytes]().union(*(kind.topics for kind in POOL_KINDS.values()))


class PoolIndex(Struct, frozen=True, eq=False):
    """Which pools hold a token, and which hold both of two (the lower address first), in the order in which they were added."""

    by_token: Mapping[bytes, tuple[bytes, ...]] = {}
    by_pair: Mapping[tuple[bytes, bytes], tuple[bytes, ...]] = {}
    memo: dict[Any, Any] = {}
    """Room for what others work out from the index alone; it lives as long."""

    def with_pools(self, pools: Iterable[PoolState]) -> PoolIndex:
        # Gathered first: to lengthen a tuple for each pool is quadratic, and one token may have tens of thousands of them.
        of_token, of_pair = defaultdict[bytes, list[bytes]](list), defaultdict[tuple[bytes, bytes], list[bytes]](list)
        for pool in pools:
            for token in (pool.token0, pool.token1):
                of_token[token].append(pool.address)
            of_pair[pool.token0, pool.token1].append(pool.address)
        return PoolIndex(
            {**self.by_token, **{token: (*self.by_token.get(token, ()), *added) for token, added in of_token.items()}},
            {**self.by_pair, **{pair: (*self.by_pair.get(pair, ()), *added) for pair, added in of_pair.items()}},
        )

    def without(self, pool: PoolState) -> PoolIndex:
        """The others in their order; `pool` must be one of the index."""
        by_token, by_pair = dict(self.by_token), dict(self.by_pair)
        for token in (pool.token0, pool.token1):
            by_token[token] = tuple([address for address in by_token[token] if address != pool.address])
        pair = pool.token0, pool.token1
        by_pair[pair] = tuple([address for address in by_pair[pair] if address != pool.address])
        return PoolIndex(by_token, by_pair)


class MarketView(Struct, frozen=True):
    """The pools as they stand after `block`, with the changes of an overlay on top. Later blocks do not alter a view."""

    block: BlockRef
    pools: Mapping[bytes, PoolState]
    index: PoolIndex
    changes: Mapping[bytes, PoolState] = {}
    memo: dict[str, dict[Any, Any]] = {}
    """Room for what others work out from `pools` alone, without `changes`; it lives as long as these pools stand."""

    def pool(self, address: bytes) -> PoolState | None:
        return self.changes.get(address) or self.pools.get(address)

    def overlay(self, changes: Mapping[bytes, PoolState]) -> MarketView:
        """This view with some of its pools in other states; costs a copy of the changes only.

        The indexes stay as they are: an overlay moves pools, it does not add any.
        """
        return MarketView(self.block, self.pools, self.index, {**self.changes, **changes}, self.memo) if changes else self

    def pools_with(self, token: bytes) -> Sequence[bytes]:
        return self.index.by_token.get(token, ())

    def pools_between(self, token: bytes, other_token: bytes) -> Sequence[bytes]:
        pair = (token, other_token) if token < other_token else (other_token, token)
        return self.index.by_pair.get(pair, ())


def view_of(block: BlockRef, pools: Iterable[PoolState]) -> MarketView:
    """A view of given pools, without a market that follows them."""
    by_address = {pool.address: pool for pool in pools}
    return MarketView(block, by_address, PoolIndex().with_pools(by_address.values()))


def apply_logs(view: MarketView, logs: Iterable[Log]) -> MarketView:
    """The view after a transaction's logs; pools that it does not hold are passed over."""
    changes: dict[bytes, PoolState] = {}
    for log in logs:
        before = changes.get(log.address) or view.pool(log.address)
        if before is not None:
            after = before.after_log(log)
            if after is not before:
                changes[log.address] = after
    return view.overlay(changes)


class BlockChange(Struct, frozen=True):
    """What a block did to the market."""

    block: BlockRef
    changed: tuple[bytes, ...] = ()
    """Pools whose state is another one than before."""
    orphaned: tuple[str, ...] = ()
    """Hashes of the blocks that are not on the chain any more, newest first."""
    forgotten: tuple[bytes, ...] = ()
    """Pools whose state at this block is not known any more and which must be loaded again."""
    lost_chain: bool = False
    """The block follows none that we kept (a gap, or a reorg beyond the depth): all pools are forgotten."""


class Market:
    """The mutable owner of the pool states; one engine owns one market. A reorg of up to `depth` blocks is rolled back.

    Views stay valid because a change replaces the mapping of pools and never alters it.
    """

    def __init__(self, depth: int = 64) -> None:
        self.depth = depth
        self._chain: list[_KeptBlock] = []
        self._pools: dict[bytes, PoolState] = {}
        self._known_since: dict[bytes, int] = {}
        """Number of the oldest kept block at whose end a pool's state is known."""
        self._index = PoolIndex()
        self._memo_of, self._memo = self._pools, dict[str, dict[Any, Any]]()

    @property
    def head(self) -> BlockRef | None:
        return self._chain[-1].ref if self._chain else None

    def view(self) -> MarketView:
        """The state at the head. Raises `LookupError` before the first block."""
        if not self._chain:
            raise LookupError("the market has no block yet")
        if self._memo_of is not self._pools:
            self._memo_of, self._memo = self._pools, {}
        return MarketView(self._chain[-1].ref, self._pools, self._index, {}, self._memo)

    def apply_block(self, ref: BlockRef, logs: Iterable[Log]) -> BlockChange:
        """Make `ref` the head. `logs` are all of the block's logs in order; those that can move no pool are not kept.

        A block that is kept already becomes the head again (its successors orphaned), and its logs are not applied twice; so
        where several nodes are heard, the caller decides whose heads count.
        """
        before = self._pools
        position, parent = self._position(ref.hash), self._parent_position(ref)
        orphaned: tuple[str, ...] = ()
        lost_chain = False
        if position is not None:
            orphaned = self._roll_back_to(position)
        elif parent is not None:
            orphaned = self._roll_back_to(parent)
            self._append(ref, logs)
        else:
            lost_chain = bool(self._chain)
            orphaned = self._start_over(ref)
            self._append(ref, logs)
        changed = tuple(pool for pool, state in self._pools.items() if before.get(pool) is not state)
        forgotten = tuple(pool for pool in before if pool not in self._pools)
        return BlockChange(ref, changed, orphaned, forgotten, lost_chain)

    def keeps(self, block_hash: str) -> bool:
        """Whether that block is on our chain and recent enough to roll back to."""
        return self._position(block_hash) is not None

    def rewind_to(self, block_hash: str) -> tuple[str, ...] | None:
        """Make a kept block the head again; the orphaned hashes, newest first. None, and nothing done, where it is not kept."""
        position = self._position(block_hash)
        return None if position is None else self._roll_back_to(position)

    def add_snapshot(self, state: PoolState, block_hash: str) -> bool:
        """Add a pool as it stood after the block of that hash, moved on by the logs kept since; replaces what was known of it.

        False when that block is not among the kept ones: the snapshot must be taken again at a newer block.
        """
        position = self._position(block_hash)
        if position is None:
            return False
        self.forget(state.address)
        self._known_since[state.address] = self._unmoved_since(state.address, position)
        for block in self._chain[position + 1 :]:
            before = state
            for log in block.logs:
                if log.address == state.address:
                    state = state.after_log(log)
            if state is not before:
                block.replaced[state.address] = before
        self._pools = {**self._pools, state.address: state}
        self._index = self._index.with_pools((state,))
        return True

    def forget(self, pool: bytes) -> None:
        """Drop a pool; one that is not there is no error."""
        state = self._pools.get(pool)
        if state is None:
            return
        self._pools = {other: kept for other, kept in self._pools.items() if other != pool}
        del self._known_since[pool]
        self._index = self._index.without(state)
        for block in self._chain:
            block.replaced.pop(pool, None)

    def _append(self, ref: BlockRef, logs: Iterable[Log]) -> None:
        moving = tuple(log for log in logs if log.topics and log.topics[0] in MOVING_TOPICS)
        moved = apply_logs(MarketView(ref, self._pools, self._index), moving).changes
        self._chain.append(_KeptBlock(ref, moving, {pool: self._pools[pool] for pool in moved}))
        self._pools = {**self._pools, **moved}
        # The oldest kept block is only an ancestor to roll back to, so `depth` blocks can be undone.
        del self._chain[: -self.depth - 1]

    def _roll_back_to(self, position: int) -> tuple[str, ...]:
        undone = self._chain[:position:-1]
        if not undone:
            return ()
        del self._chain[position + 1 :]
        pools = dict(self._pools)
        for block in undone:
            pools.update(block.replaced)
        self._pools = pools
        ancestor = self._chain[-1].ref.number
        if any(since > ancestor for since in self._known_since.values()):
            self._keep_only(pool for pool in pools if self._known_since[pool] <= ancestor)
        return tuple(block.ref.hash for block in undone)

    def _start_over(self, ref: BlockRef) -> tuple[str, ...]:
        """Drop the chain and all pools; a kept block at the new one's height or above is certainly orphaned."""
        orphaned = tuple(block.ref.hash for block in reversed(self._chain) if block.ref.number >= ref.number)
        self._chain = []
        self._keep_only(())
        return orphaned

    def _keep_only(self, kept: Iterable[bytes]) -> None:
        self._pools = {pool: self._pools[pool] for pool in kept}
        self._known_since = {pool: self._known_since[pool] for pool in self._pools}
        self._index = PoolIndex().with_pools(self._pools.values())
        for block in self._chain:
            block.replaced = {pool: state for pool, state in block.replaced.items() if pool in self._pools}

    def _unmoved_since(self, pool: bytes, position: int) -> int:
        """Number of the oldest kept block after which nothing moved the pool up to the one at `position`."""
        while position > 0 and all(log.address != pool for log in self._chain[position].logs):
            position -= 1
        return self._chain[position].ref.number

    def _position(self, block_hash: str) -> int | None:
        """Where a block stands in the kept chain; the newest are asked for most."""
        for position in range(len(self._chain) - 1, -1, -1):
            if self._chain[position].ref.hash == block_hash:
                return position
        return None

    def _parent_position(self, ref: BlockRef) -> int | None:
        parent = self._position(ref.parent_hash)
        return parent if parent is not None and self._chain[parent].ref.number + 1 == ref.number else None


class _KeptBlock(Struct):
    """A block of our chain that a reorg may undo: its logs that can move pools, and the states that it replaced."""

    ref: BlockRef
    logs: tuple[Log, ...]
    replaced: dict[bytes, PoolState]
