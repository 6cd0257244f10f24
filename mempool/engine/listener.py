"""The engine on a stream of node events: carries out the reads that it asks for and applies each one in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from mempool.engine.core import Engine
from mempool.engine.pool_wants import PoolRequest
from mempool.engine.turns import Turns
from mempool.errors import BadData, UpstreamError
from mempool.feeds.block_reads import NoBlock, read_block, read_ref
from mempool.feeds.chain_reads import ChainReads, PoolFailure, TokenInfo
from mempool.feeds.events import Answer, Disconnected, Dropped, HeadSeen, NodeEvent, PendingSeen, Purpose, Requester
from mempool.model.block import BlockRef
from mempool.model.pool import PoolState
from mempool.model.record import Gap, Record

MAX_ANCESTORS = 64
"""Missed blocks that are read behind a new head; after a longer gap the market starts anew."""
MAX_TIMES_ABSENT = 3
"""Heads in a row at which the node lacks one and the same ancestor: its chain begins behind that one, as that of a node whose
database was lost or replaced may. Until then a node beside it may only lag."""
MAX_HEADS_TAKEN = 1_024
MAX_TOKEN_READS = 4
MAX_NAME_READS = 8
"""Of pools that swaps wait for."""
MAX_DECIMALS = 36
"""Beyond it a token's decimals are not believed, and its amounts stay unscaled."""


class NewHead(Struct, frozen=True):
    """A head to read; `after_gap`: told before its node's pool was read anew, so its block may have mined what nobody showed."""

    seen: HeadSeen
    after_gap: bool


class PoolContent(Struct):
    """A node's whole pool as it was read; what is announced before its turn comes is added, so that it does not vanish."""

    source: str
    hashes: set[str]
    key: str


class Listener:
    """`handle` is the synchronous handler of the feeds; `run` carries out the reads, and must have begun before events come."""

    def __init__(self, engine: Engine, emit: Callable[[Record], None], turns: Turns) -> None:
        self.engine = engine
        self._emit, self._turns = emit, turns
        self._work: asyncio.Queue[NewHead | PoolContent] = asyncio.Queue()
        self._tasks = asyncio.TaskGroup()
        self._token_reads = asyncio.Semaphore(MAX_TOKEN_READS)
        self._name_reads = asyncio.Semaphore(MAX_NAME_READS)
        self._heads_taken: dict[str, None] = {}
        self._first_number = 0
        self._absent, self._times_absent = "", 0
        self._backfills: dict[str, set[str]] = {}
        self._contents: list[PoolContent] = []
        self._lost: dict[str, Disconnected] = {}
        self._reads_begun = 0

    async def run(self, request: Requester, reads: ChainReads) -> None:
        """Reads blocks in the order of their heads, and whatever the engine asks for, until it is cancelled."""
        self._request, self._reads = request, reads
        async with self._tasks:
            while True:
                work = await self._work.get()
                if isinstance(work, NewHead):
                    await self._follow(work)
                else:
                    await self._in_turn(work.key, partial(self._apply_content, work))

    def handle(self, event: NodeEvent) -> None:
        """One event, in the order it was heard."""
        match event:
            case PendingSeen(transaction, backfilled):
                self._note_sighting(transaction.hash, transaction.source, backfilled=backfilled)
                self.engine.now_ns = transaction.recv_ns
                self.engine.on_pending(transaction)
                self._begin_reads()
            case HeadSeen():
                self._take_head(event)
            case Answer(purpose=Purpose.BACKFILL):
                self._end_backfill(event)
            case Dropped():
                self.engine.counters.malformed_messages += 1
            case Disconnected(source=source):
                self._lost.setdefault(source, event)

    # -- heads and blocks ----------------------------------------------------------------------------------------------

    def _take_head(self, head: HeadSeen) -> None:
        """A head is read once, whoever told of it; one that is our block already, told late, is none."""
        if head.ref.hash in self._heads_taken:
            return
        self._heads_taken[head.ref.hash] = None
        self._first_number = self._first_number or head.ref.number
        if len(self._heads_taken) > MAX_HEADS_TAKEN:
            del self._heads_taken[next(iter(self._heads_taken))]
        self._work.put_nowait(NewHead(head, head.source in self._lost))

    async def _follow(self, new: NewHead) -> None:
        """Read the head's block, and before it those between it and our chain."""
        head = new.seen
        if self.engine.market.keeps(head.ref.hash):
            return
        try:
            for ref in await self._missing(head.ref):
                block = await read_block(self._request, ref.hash, recv_ns=head.recv_ns, source=head.source)
                apply = self.engine.on_block_after_gap if new.after_gap else self.engine.on_block
                await self._in_turn(f"block {ref.hash}", partial(apply, block))
        except (UpstreamError, BadData):
            # The next head reads it as its ancestor; the same head may be told again.
            self.engine.counters.unread_blocks += 1
            self._heads_taken.pop(head.ref.hash, None)

    async def _missing(self, ref: BlockRef) -> list[BlockRef]:
        """The head and its ancestors that we lack, back to the first one told.

        The head alone where the gap is too long, or where the node's chain does not reach back to ours.
        """
        known = self.engine.head
        if ref.number - (known.number if known else self._first_number) > MAX_ANCESTORS:
            return [ref]
        missing = [ref]
        while not self.engine.market.keeps(missing[-1].parent_hash) and (known or missing[-1].number > self._first_number):
            if len(missing) > MAX_ANCESTORS:
                return [ref]
            try:
                missing.append(await read_ref(self._request, missing[-1].parent_hash))
            except NoBlock:
                if not self._has_begun_behind(missing[-1].parent_hash):
                    raise
                return [ref]
        return missing[::-1]

    def _has_begun_behind(self, absent: str) -> bool:
        self._times_absent = self._times_absent + 1 if absent == self._absent else 1
        self._absent = absent
        return self._times_absent >= MAX_TIMES_ABSENT

    # -- gaps ----------------------------------------------------------------------------------------------------------

    def _note_sighting(self, transaction_hash: str, source: str, *, backfilled: bool) -> None:
        if backfilled:
            self._backfills.setdefault(source, set()).add(transaction_hash)
            self.engine.counters.backfilled += not self.engine.following.knows(transaction_hash)
        for content in self._contents:
            content.hashes.add(transaction_hash)

    def _end_backfill(self, answer: Answer) -> None:
        """The pool has been read after a connection was made: report the gap, and settle what vanished behind known heads."""
        hashes = self._backfills.pop(answer.source, set())
        lost = self._lost.pop(answer.source, None)
        if lost is not None:
            self._emit(Gap(answer.source, lost.recv_ns, answer.recv_ns, lost.reason, len(hashes)))
        if answer.result is not None and answer.method == "txpool_content":
            content = PoolContent(answer.source, hashes, self._key("content"))
            self._contents.append(content)
            self._work.put_nowait(content)

    def _apply_content(self, content: PoolContent) -> None:
        self._contents.remove(content)
        self.engine.on_pool_content(frozenset(content.hashes), content.source)

    # -- reads ---------------------------------------------------------------------------------------------------------

    def _begin_reads(self) -> None:
        """Carry out what the engine asked for in the last step. Keys count the requests, which a replay makes alike."""
        for request in self.engine.take_pool_requests():
            self._tasks.create_task(self._read_pools(request, self._key("pools")))
        for token in self.engine.take_token_requests():
            self._tasks.create_task(self._read_token(token, self._key("token")))
        for pool in self.engine.take_name_requests():
            self._tasks.create_task(self._read_pool_tokens(pool))

    async def _read_pools(self, request: PoolRequest, key: str) -> None:
        states = await self._reads.pool_states(request.identities, request.block.hash, words_each_side=request.words_each_side)
        await self._in_turn(key, partial(self._apply_pools, states, request.block))

    def _apply_pools(self, states: Sequence[PoolState | PoolFailure], block: BlockRef) -> None:
        failures = [state for state in states if isinstance(state, PoolFailure)]
        self.engine.on_pools_failed(failure.pool for failure in failures if not failure.absent)
        self.engine.on_pools_absent((failure.pool for failure in failures if failure.absent), block)
        self.engine.on_pools((state for state in states if not isinstance(state, PoolFailure)), block)

    async def _read_token(self, token: bytes, key: str) -> None:
        try:
            async with self._token_reads:
                info = await self._reads.token_info(token)
        except UpstreamError:
            info = TokenInfo(token, b"", None)
        decimals = info.decimals if info.decimals is not None and info.decimals <= MAX_DECIMALS else None
        await self._in_turn(key, partial(self.engine.on_token, token, info.symbol, decimals))

    async def _read_pool_tokens(self, pool: bytes) -> None:
        try:
            async with self._name_reads:
                apply = partial(self.engine.on_pool_tokens, pool, await self._reads.pool_tokens(pool))
        except UpstreamError:
            apply = partial(self.engine.on_pool_tokens_failed, pool)
        # One read of a pool's tokens is open at a time, so the pool is key enough, and the count of the others is left alone.
        await self._in_turn(f"names 0x{pool.hex()}", apply)

    async def _in_turn(self, key: str, apply: Callable[[], None]) -> None:
        self.engine.now_ns = await self._turns.take(key)
        apply()
        self._begin_reads()
        self._turns.done(key)

    def _key(self, what: str) -> str:
        self._reads_begun += 1
        return f"{what} {self._reads_begun}"
