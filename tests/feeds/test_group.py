"""Several nodes as one stream, and requests to one that can answer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from mempool.errors import UpstreamError
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import Disconnected, NodeEvent, PendingSeen
from mempool.feeds.group import FeedGroup
from mempool.feeds.node import NodeFeed
from tests.conftest import WAIT_SECONDS
from tests.fakes.messages import transaction
from tests.fakes.node import scripted_node
from tests.feeds.listening import QUICK


async def test_every_sighting_keeps_its_source_and_requests_go_where_they_can() -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(scripted_node()) for _ in range(2)]
        nodes[0].replies["eth_blockNumber"] = lambda _: "0x0"
        nodes[1].replies["eth_blockNumber"] = lambda _: "0x1"
        events: list[NodeEvent] = []
        feeds = [NodeFeed(Endpoint.parse(node.url), name, events.append, QUICK) for node, name in zip(nodes, "ab", strict=True)]
        group = FeedGroup(feeds)
        running = asyncio.create_task(group.run())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await group.wait_ready()
                for node in nodes:
                    node.notify("newPendingTransactions", transaction(1))
                while sum(isinstance(event, PendingSeen) for event in events) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                assert {event.tx.source for event in events if isinstance(event, PendingSeen)} == {"a", "b"}
                assert (group.seen, group.foreign, group.dropped) == (2, 0, {})
                assert await group.request("eth_blockNumber", []) == b'"0x0"'
                assert await group.request("eth_blockNumber", [], "b") == b'"0x1"'
                nodes[0].status = b"503 Service Unavailable"
                nodes[0].cut()
                while not any(isinstance(event, Disconnected) for event in events):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                assert await group.request("eth_blockNumber", []) == b'"0x1"'
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_group_ends_with_the_feed_that_cannot_start() -> None:
    async with scripted_node() as node:
        urls = [node.url, "ws://127.0.0.1:1"]
        group = FeedGroup([NodeFeed(Endpoint.parse(url), url, lambda _: None, QUICK) for url in urls])
        with pytest.raises(UpstreamError, match="refused"):
            await group.run()
