"""One call by itself: simulated on the pools of a block file or of a node's newest block, its nameless pools asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from msgspec import Struct

from mempool.decode import DecodeTables, decode_transaction
from mempool.decode.found_pools import unnamed_pools
from mempool.engine.block_file import pool_states, read_block_file
from mempool.engine.name_wants import MAX_OF_A_CALL
from mempool.errors import BadData, TicksUnknown, UsageError
from mempool.feeds import frames, rest
from mempool.feeds.chain_reads import ChainReads, PoolFailure
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import NodeEvent
from mempool.feeds.node import FeedOptions, NodeFeed
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef
from mempool.model.pool import PoolState
from mempool.model.swap import DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.simulate import CallResult, simulate_call

FIRST_WORDS_EACH_SIDE = 4
MAX_WORDS_EACH_SIDE = 1024


class Shot(Struct, frozen=True):
    """A simulated call: `timestamp` is the one its deadlines were held against, `failures` say why pools are missing."""

    result: CallResult
    timestamp: int
    failures: tuple[PoolFailure, ...] = ()


def transaction_of_file(path: Path, transaction_hash: str) -> PendingTransaction:
    """A transaction of a block file by its hash in lower case. Raises `UsageError` where the block does not hold it."""
    block = read_block_file(path).block
    for transaction in block.transactions:
        if transaction.hash == transaction_hash:
            return transaction
    raise UsageError(f"{path}: block {block.ref.number} holds no transaction {transaction_hash}")


def learn_pools(endpoint: Endpoint, tables: DecodeTables, transaction: PendingTransaction) -> None:
    """Ask the node for the tokens of pools that the call names by address alone; the tables then know those that are proven.

    Raises `UpstreamError`.
    """
    asyncio.run(_learn_pools(endpoint, tables, transaction))


async def _learn_pools(endpoint: Endpoint, tables: DecodeTables, transaction: PendingTransaction) -> None:
    """What is learnt of one pool may bring others to light."""
    reads, asked = ChainReads(partial(rest.call, endpoint)), set[bytes]()
    while call := decode_transaction(tables, transaction):
        wanted = [pool for pool in unnamed_pools(call) if pool not in asked]
        if not wanted or len(asked) + len(wanted) > MAX_OF_A_CALL:
            return
        asked.update(wanted)
        for pool, tokens in zip(wanted, await asyncio.gather(*map(reads.pool_tokens, wanted)), strict=True):
            if tokens is not None:
                tables.found_pools.learn(pool, tokens)


def simulate_on_file(path: Path, call: DecodedCall) -> Shot:
    """On the state before the file's block, at that block's time. Raises `BadData` where the file has no state."""
    file = read_block_file(path)
    if file.pre_state is None:
        raise BadData(f"{path}: it has no pre_state, so there are no pools to simulate on")
    ref = file.block.ref
    before = BlockRef(ref.number - 1, ref.parent_hash, parent_hash="", timestamp=0)
    view = view_of(before, pool_states(file.pre_state, call.pools.values()))
    return Shot(simulate_call(call, view, ref.timestamp), ref.timestamp)


def simulate_on_node(endpoint: Endpoint, call: DecodedCall, tables: DecodeTables) -> Shot:
    """On the state after the node's newest block, one slot later. Raises `UpstreamError`."""
    return asyncio.run(_simulate_on_node(endpoint, call, tables))


async def _simulate_on_node(endpoint: Endpoint, call: DecodedCall, tables: DecodeTables) -> Shot:
    feed = NodeFeed(endpoint, "node", _pass_over, FeedOptions(chain_id=tables.chain.chain_id, subscribe=False))
    listening = asyncio.ensure_future(feed.run())
    shooting = asyncio.ensure_future(_shoot(feed, call, tables))
    try:
        await asyncio.wait((listening, shooting), return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()  # it runs for ever, so it has failed
        return await shooting
    finally:
        listening.cancel()
        shooting.cancel()
        await asyncio.gather(listening, shooting, return_exceptions=True)


async def _shoot(feed: NodeFeed, call: DecodedCall, tables: DecodeTables) -> Shot:
    await feed.ready.wait()
    head = frames.parse_head(await feed.request("eth_getBlockByNumber", ["latest", False]))
    reads = ChainReads(feed.request)
    timestamp = head.timestamp + tables.chain.slot_seconds
    wanted, words = list(call.pools.values()), FIRST_WORDS_EACH_SIDE
    found: dict[bytes, PoolState | PoolFailure] = {}
    while True:
        answers = await reads.pool_states(wanted, head.hash, words_each_side=words)
        found |= {identity.address: answer for identity, answer in zip(wanted, answers, strict=True)}
        result = simulate_call(call, _view(head, found.values()), timestamp)
        too_narrow = {error.pool for _, error in result.unknown if isinstance(error, TicksUnknown)}
        if not too_narrow or words >= MAX_WORDS_EACH_SIDE:
            failures = tuple(answer for answer in found.values() if isinstance(answer, PoolFailure))
            return Shot(result, timestamp, failures)
        wanted, words = [identity for identity in wanted if identity.address in too_narrow], words * 4


def _view(head: BlockRef, answers: Iterable[PoolState | PoolFailure]) -> MarketView:
    return view_of(head, (answer for answer in answers if not isinstance(answer, PoolFailure)))


def _pass_over(event: NodeEvent) -> None:
    """Answers reach whoever asked; a single shot follows nothing else."""
