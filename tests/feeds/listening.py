"""Runs a feed for a test and waits for what it tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import NodeEvent, PendingSeen
from mempool.feeds.links import LinkOptions
from mempool.feeds.node import FeedOptions, NodeFeed
from mempool.feeds.targets import Targets
from tests.conftest import WAIT_SECONDS
from tests.fakes.messages import ROUTER

E = TypeVar("E", bound=NodeEvent)
QUICK = FeedOptions(
    chain_id=1,
    targets=Targets(frozenset({ROUTER.encode()})),
    idle_seconds=60,
    tick_seconds=0.05,
    poll_seconds=0.02,
    first_delay_seconds=0.05,
    link=LinkOptions(open_seconds=WAIT_SECONDS),
)


class CalmTime:
    """The module `time` on a machine that never stalls for long: between two looks at most `MOST_SECONDS` have passed.

    In the place of a connection's own it keeps a stall of the whole process from being taken for a silent node.
    """

    MOST_SECONDS = 0.3
    time_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)

    def __init__(self) -> None:
        self._seen = self._now = time.monotonic()

    def monotonic(self) -> float:
        now = time.monotonic()
        self._now += min(now - self._seen, self.MOST_SECONDS)
        self._seen = now
        return self._now


class Listener:
    """A feed that runs, and every event that it told."""

    def __init__(self, url: str, options: FeedOptions = QUICK) -> None:
        self.events: list[NodeEvent] = []
        self.feed = NodeFeed(Endpoint.parse(url), "n", self.events.append, options)

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def announced(self) -> list[PendingSeen]:
        """Without those that the pool's content told, which may name what is announced as well."""
        return [event for event in self.told(PendingSeen) if not event.backfilled]

    def nonces(self) -> list[int]:
        return [event.tx.nonce for event in self.told(PendingSeen)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it; a test that waits in vain fails by `TimeoutError`."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)


@asynccontextmanager
async def listening(url: str, options: FeedOptions = QUICK) -> AsyncIterator[Listener]:
    """A feed whose first connection stands."""
    listener = Listener(url, options)
    running = asyncio.create_task(listener.feed.run())
    ready = asyncio.create_task(listener.feed.ready.wait())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield listener
        if running.done():
            running.result()
    finally:
        for task in (running, ready):
            task.cancel()
        await asyncio.gather(running, ready, return_exceptions=True)
