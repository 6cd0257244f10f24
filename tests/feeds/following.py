"""Runs venues' feeds for a test and waits for what they tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import Fault, StateChanged
from mempool.feeds.exchange import ExchangeFeed, ExchangeOptions, Shared
from mempool.feeds.links import LinkOptions
from mempool.feeds.redial import RedialOptions
from mempool.feeds.venue import News
from mempool.feeds.venue_urls import VenueUrls
from mempool.model.book import Connection, Quote
from tests.conftest import WAIT_SECONDS
from tests.fakes.venue import FakeVenue

E = TypeVar("E", bound=News)
QUICK = ExchangeOptions(
    tick_seconds=0.02,
    redial=RedialOptions(first_seconds=0.02),
    link=LinkOptions(open_seconds=WAIT_SECONDS, peer="venue"),
)


class Follower:
    """One venue's feed and every event that it told."""

    def __init__(self, name: str, server: FakeVenue, options: ExchangeOptions = QUICK, shared: Shared | None = None) -> None:
        exchange = EXCHANGES[name]
        self.events: list[News] = []
        self.options = msgspec.structs.replace(options, urls=VenueUrls(server.url, server.rest_url))
        self.instrument = exchange.instrument("ETH/USDT")
        self.feed = ExchangeFeed(exchange, [self.instrument], self.hear, self.options, shared)

    def hear(self, name: str, event: News) -> None:
        assert name == self.feed.name
        self.events.append(event)

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def bids(self) -> list[str]:
        return [str(quote.bid) for quote in self.told(Quote)]

    @property
    def connections(self) -> list[Connection]:
        """The states that were told, without repetitions."""
        all_states = [event.state.connection for event in self.told(StateChanged)]
        return [each for each, before in zip(all_states, [None, *all_states], strict=False) if each is not before]

    @property
    def reasons(self) -> list[str]:
        return [event.state.reason for event in self.told(StateChanged)]

    @property
    def faults(self) -> list[str]:
        return [fault.kind for fault in self.told(Fault)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it; a test that waits in vain fails by `TimeoutError`."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)


@asynccontextmanager
async def following(*followers: Follower) -> AsyncIterator[None]:
    """They run; none has ended by itself."""
    tasks = [asyncio.create_task(follower.feed.run()) for follower in followers]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
