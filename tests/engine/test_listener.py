"""Heads in, blocks read: which blocks are read behind a head when earlier reads have failed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import pytest

from mempool.engine.core import Engine
from mempool.engine.listener import Listener
from mempool.engine.turns import LiveTurns
from mempool.errors import UpstreamError
from mempool.feeds import frames
from mempool.feeds.chain_reads import ChainReads
from mempool.feeds.events import Answer, Disconnected, HeadSeen, PendingSeen, Purpose, RpcFailure
from mempool.model.record import Gap, Record
from mempool.resources import load_tables
from tests.engine.world import World
from tests.fakes.messages import block_hash, head

ROUNDS = 1_000
"""Of the event loop: far more than any work here has steps; none of it waits for a time."""
BLOCKS = {block_hash(number): number for number in range(10, 100)}


class Chain:
    """Blocks without transactions, of a node that can be out of reach."""

    def __init__(self) -> None:
        self.is_up = True
        self.first = 0
        """The oldest block that the node has."""
        self.read: list[int] = []

    async def request(self, method: str, params: Sequence[object]) -> bytes:
        if not self.is_up or method not in ("eth_getBlockByHash", "eth_getBlockReceipts"):
            raise UpstreamError(f"{method}: not connected")
        if method == "eth_getBlockReceipts":
            return b"[]"
        number = BLOCKS[str(params[0])]
        if number < self.first:
            return b"null"
        if params[1]:
            self.read.append(number)
        return orjson.dumps(head(number, transactions=[]))


class Listening:
    """A listener on such a chain."""

    def __init__(self) -> None:
        self.chain, self.records = Chain(), list[Record]()
        self.engine = Engine(load_tables(), self.records.append)
        self.listener = Listener(self.engine, self.records.append, LiveTurns(None))

    async def tell(self, number: int) -> None:
        self.listener.handle(HeadSeen(frames.parse_head(orjson.dumps(head(number))), number, "node-1"))
        await settled()


async def settled() -> None:
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


@pytest.fixture
def listening() -> Listening:
    return Listening()


async def run(listening: Listening, heads: Sequence[int], *, down_for: Sequence[int]) -> list[int]:
    """The numbers of the blocks that are read when these heads are told, the node being out of reach at some of them."""
    request = listening.chain.request
    running = asyncio.create_task(listening.listener.run(request, ChainReads(request)))
    await asyncio.sleep(0)
    for number in heads:
        listening.chain.is_up = number not in down_for
        await listening.tell(number)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return listening.chain.read


async def test_each_head_is_read_once(listening: Listening) -> None:
    assert await run(listening, [16, 16, 17, 18, 17], down_for=[]) == [16, 17, 18]


async def test_blocks_whose_heads_were_not_told_are_read_behind_the_next_one(listening: Listening) -> None:
    assert await run(listening, [16, 20], down_for=[]) == [16, 17, 18, 19, 20]


async def test_block_that_could_not_be_read_is_read_behind_the_next_head(listening: Listening) -> None:
    assert await run(listening, [16, 17, 18], down_for=[17]) == [16, 17, 18]
    assert listening.engine.counters.unread_blocks == 1


async def test_first_head_that_could_not_be_read_is_read_behind_a_later_one(listening: Listening) -> None:
    assert await run(listening, [16, 17, 19], down_for=[16, 17]) == [16, 17, 18, 19]


async def test_too_long_a_gap_begins_anew_at_the_head(listening: Listening) -> None:
    assert await run(listening, [16, 90], down_for=[]) == [16, 90]
    assert await run(Listening(), [16, 90], down_for=[16]) == [90]


async def test_chain_of_a_node_that_began_anew_is_followed_from_the_third_head_on(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mempool.feeds.block_reads.PAUSE_SECONDS", 0)
    listening.chain.first = 30
    assert await run(listening, [90, 40, 41, 42, 43, 45], down_for=[]) == [90, 42, 43, 44, 45]
    assert listening.engine.counters.unread_blocks == 2


async def test_node_that_lags_behind_once_is_waited_for(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mempool.feeds.block_reads.PAUSE_SECONDS", 0)
    running = asyncio.create_task(listening.listener.run(listening.chain.request, ChainReads(listening.chain.request)))
    await asyncio.sleep(0)
    for number, first in ((16, 0), (18, 18), (19, 19), (20, 0), (22, 22), (23, 0)):
        listening.chain.first = first
        await listening.tell(number)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert listening.chain.read == [16, 17, 18, 19, 20, 21, 22, 23]


@pytest.mark.parametrize(("method", "result"), [("txpool_content", None), ("txpool_status", b'{"pending":"0x0","queued":"0x0"}')])
def test_gap_that_no_pool_fills_is_reported_and_makes_nothing_vanish(
    listening: Listening, method: str, result: bytes | None
) -> None:
    failure = None if result else RpcFailure(-32601, "no such method")
    listening.listener.handle(Disconnected("the connection broke off", 5, "node-1"))
    listening.listener.handle(Answer(1, method, [], Purpose.BACKFILL, result, failure, 9, "node-1"))
    assert listening.records == [Gap("node-1", 5, 9, "the connection broke off", 0)]
    assert listening.listener._work.empty()


async def test_pool_that_nobody_could_be_asked_about_is_asked_again_behind_the_next_head(listening: Listening) -> None:
    call, asked = World(load_tables()).pair_call(), list[object]()

    async def request(method: str, params: Sequence[object]) -> bytes:
        if method == "eth_call":
            asked.append(params[0])
        return await listening.chain.request(method, params)

    running = asyncio.create_task(listening.listener.run(request, ChainReads(request)))
    await asyncio.sleep(0)
    listening.listener.handle(PendingSeen(call, backfilled=False))
    await settled()
    assert (len(asked), len(listening.engine.name_waits)) == (2, 1)
    await listening.tell(16)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(asked) == 4
