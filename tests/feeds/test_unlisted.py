"""A symbol that a venue does not list is down with the venue's words, over real sockets, and holds up none that it lists."""

from __future__ import annotations

import asyncio

import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import StateChanged
from mempool.feeds.exchange import ExchangeFeed, ExchangeOptions
from mempool.feeds.venue import News
from mempool.feeds.venue_urls import VenueUrls
from mempool.model.book import BookState, Connection
from scripts._exchanges.listings import LISTINGS
from scripts._exchanges.server import exchange_server
from tests.conftest import WAIT_SECONDS


@pytest.mark.parametrize("name", LISTINGS)
async def test_symbol_that_is_not_listed_holds_up_no_other(name: str) -> None:
    exchange, states = EXCHANGES[name], dict[str, BookState]()
    listed = [exchange.instrument(f"{each.base}/{each.quote}") for each in LISTINGS[name]]
    unlisted = exchange.instrument(f"XYZ/{listed[0].quote}")

    def hear(venue: str, event: News) -> None:
        if isinstance(event, StateChanged):
            states[event.instrument.symbol] = event.state

    async with exchange_server(name) as server:
        options = ExchangeOptions(urls=VenueUrls(server.url(name), server.rest_url(name)))
        feed = asyncio.create_task(ExchangeFeed(exchange, [unlisted, *listed], hear, options).run())
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_done(states, len(listed)):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)
        assert states[unlisted.symbol].connection is Connection.DOWN
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)


def is_done(states: dict[str, BookState], listed: int) -> bool:
    """Whether so many books may be priced, and one was refused."""
    refused = [state for state in states.values() if state.reason.startswith("the venue says: ")]
    return len(refused) == 1 and sum(state.is_priced for state in states.values()) == listed
