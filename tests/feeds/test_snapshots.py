"""Snapshots by REST: read-only, within the budget, bounded, never while banned, and one probe when a ban has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mempool.exchanges.events import FetchSnapshot
from mempool.feeds.bans import SECOND_NS, BanList, Clocks
from mempool.feeds.pace import Budget
from mempool.feeds.snapshots import NoSnapshot, RestOptions, SnapshotClient
from mempool.model.book import Instrument
from tests.fakes.venue import FakeVenue, fake_venue

INSTRUMENT = Instrument("binance", "ETHUSDT", "ETH", "USDT")


def wanted(server: FakeVenue, weight: int = 250) -> FetchSnapshot:
    return FetchSnapshot(INSTRUMENT, f"{server.rest_url}/api/v3/depth?symbol=ETHUSDT", weight)


@asynccontextmanager
async def client_of(bans: BanList | None = None, options: RestOptions | None = None) -> AsyncIterator[SnapshotClient]:
    client = SnapshotClient(bans or BanList(), options)
    try:
        yield client
    finally:
        await client.close()


async def test_body_comes_as_sent_and_nothing_secret_goes_out() -> None:
    async with fake_venue() as server, client_of() as client:
        server.answer = lambda request: web.Response(body=b'{"x":1}')
        assert await client.fetch(wanted(server)) == b'{"x":1}'
        (request,) = server.requests
        assert request.path_qs == "/api/v3/depth?symbol=ETHUSDT"
        assert set(request.headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}
        assert request.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (web.Response(text="\n <html>maintenance</html>"), "the answer is an HTML page instead of data"),
        (web.Response(status=502, text="<html>"), "HTTP 502"),
        (web.Response(status=451), "HTTP 451: it does not serve this country"),
        (web.Response(status=403), "HTTP 403: it refuses this address"),
        (web.Response(status=302, headers={"Location": "http://169.254.169.254/"}), "HTTP 302"),
        (web.Response(body=b"x" * 2_000), "the answer is longer than 1000 bytes"),
        (web.Response(status=429, headers={"Retry-After": "30"}), "HTTP 429: too many requests; asked again in 31 s"),
        (web.Response(status=503, headers={"Retry-After": "10"}), "HTTP 503; asked again in 11 s"),
    ],
)
async def test_answer_that_is_none_is_named(answer: web.Response, reason: str) -> None:
    async with fake_venue() as server, client_of(options=RestOptions(max_body_bytes=1_000)) as client:
        server.answer = lambda request: answer
        with pytest.raises(NoSnapshot) as caught:
            await client.fetch(wanted(server))
    assert reason in str(caught.value)


async def test_host_that_stalls_or_is_not_there_is_named() -> None:
    async with fake_venue() as server:
        gone = wanted(server)
    async with client_of() as client:
        with pytest.raises(NoSnapshot, match="connection refused: does a venue listen there"):
            await client.fetch(gone)
    async with fake_venue() as server, client_of(options=RestOptions(answer_seconds=0.1)) as client:
        server.delay = 0.3
        with pytest.raises(NoSnapshot, match="no answer in time"):
            await client.fetch(wanted(server))


async def test_ban_stops_every_request_to_the_host_and_after_it_one_alone_goes_first() -> None:
    clock = [0]
    bans = BanList(None, Clocks(lambda: clock[0], lambda: clock[0]))
    async with fake_venue() as server, client_of(bans) as client:
        server.answer = lambda request: web.Response(status=418, headers={"Retry-After": "60"})
        bans.ban(wanted(server).url.split("/")[2], 418, "60")
        for _ in range(10):
            with pytest.raises(NoSnapshot, match="not asked for another"):
                await client.fetch(wanted(server))
        assert server.requests == []
        clock[0] += 62 * SECOND_NS
        results = await asyncio.gather(*(client.fetch(wanted(server)) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(result, NoSnapshot) for result in results)
    assert len(server.requests) == 1


def test_budget_lets_no_more_through_in_any_minute() -> None:
    budget, now, taken = Budget(1_000), 0.0, []
    for _ in range(50):
        wait = budget.spend(250, now)
        while wait:
            now += wait
            wait = budget.spend(250, now)
        taken.append(now)
    for first, fifth in zip(taken, taken[4:], strict=False):
        assert fifth - first >= 60
    budget.heard(1_000, now)
    assert budget.spend(1, now) > 0
    assert Budget(100).spend(5_000, 0.0) == 0.0


async def test_answer_to_a_wrong_request_comes_as_sent_for_it_says_what_is_wrong() -> None:
    async with fake_venue() as server, client_of() as client:
        server.answer = lambda request: web.Response(status=400, body=b'{"code":-1121,"msg":"Invalid symbol."}')
        assert await client.fetch(wanted(server)) == b'{"code":-1121,"msg":"Invalid symbol."}'
        server.answer = lambda request: web.Response(status=400)
        with pytest.raises(NoSnapshot, match="HTTP 400"):
            await client.fetch(wanted(server))
