"""Venues on loopback websockets: what a feed does when they cut, stall, flood, refuse, ban and shut down."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
import weakref
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import StateChanged
from mempool.feeds.bans import BanList
from mempool.feeds.capture import CaptureReader, CaptureWriter
from mempool.feeds.exchange import ExchangeFeed, Shared
from mempool.feeds.redial import RedialOptions
from mempool.feeds.venue import News
from mempool.feeds.venue_capture import VenueReplay
from mempool.model.book import Connection, Instrument, Quote
from tests.conftest import WAIT_SECONDS
from tests.fakes.venue import FakeVenue, binance_diff, binance_snapshot, bybit_delta, bybit_snapshot, fake_venue
from tests.feeds.following import QUICK, Follower, following


async def test_book_is_subscribed_and_every_change_of_its_best_quote_told() -> None:
    async with fake_venue() as server:
        server.greeting = [b'{"op":"subscribe","success":true}', bybit_snapshot()]
        follower = Follower("bybit", server)
        async with following(follower):
            await follower.until(lambda: follower.bids == ["3000.10"])
            await server.say(bybit_delta(101, "3000.15"))
            await follower.until(lambda: follower.bids == ["3000.10", "3000.15"])
    assert follower.connections == [Connection.CONNECTING, Connection.SYNCING, Connection.LIVE, Connection.DOWN]
    assert [frame for _, frame in server.received] == [b'{"op":"subscribe","args":["orderbook.200.ETHUSDT"]}']


async def test_cut_connection_syncs_anew_and_other_venues_are_untouched() -> None:
    async with fake_venue() as cut, fake_venue() as other:
        cut.greeting = other.greeting = [bybit_snapshot()]
        hurt, untouched = Follower("bybit", cut), Follower("bybit", other)
        async with following(hurt, untouched):
            await hurt.until(lambda: bool(hurt.bids and untouched.bids))
            cut.greeting = [bybit_snapshot(500, "2999.00")]
            cut.cut()
            await hurt.until(lambda: hurt.bids == ["3000.10", "2999.00"])
            assert untouched.connections == [Connection.CONNECTING, Connection.SYNCING, Connection.LIVE]
            assert untouched.bids == ["3000.10"]
            assert len(other.connections) == 1
    assert Connection.DOWN in hurt.connections[:-1]
    assert "the connection broke off" in hurt.reasons


async def test_books_of_a_connection_are_gone_with_it_and_wait_for_no_garbage_collector() -> None:
    gc.disable()
    try:
        async with fake_venue() as server:
            server.greeting = [bybit_snapshot()]
            follower = Follower("bybit", server)
            async with following(follower):
                await follower.until(lambda: bool(follower.bids))
                assert follower.feed.books.speaker is not None
                session = follower.feed.books.speaker.session
                assert session is not None
                lost = [weakref.ref[object](session), weakref.ref[object](session.keepers["ETHUSDT"])]
                del session
                server.cut()
                await follower.until(lambda: len(follower.bids) == 2)
                assert [each() for each in lost] == [None, None]
    finally:
        gc.enable()


async def test_machine_that_slept_loses_the_price_at_once_and_stamps_by_the_clock_that_it_wakes_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall_ns, fell_asleep_ns, slept_ns = time.time_ns, time.time_ns(), 3_600 * 10**9
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server)
        async with following(follower):
            await follower.until(lambda: bool(follower.bids))
            told = len(follower.events)
            server.greeting = [bybit_snapshot(500, "2999.00")]
            monkeypatch.setattr(time, "time_ns", lambda: wall_ns() + slept_ns)  # the monotonic clock stood still
            await follower.until(lambda: follower.bids[-1] == "2999.00")
            after = [event for event in follower.events[told:] if isinstance(event, StateChanged)]
            [quote] = follower.told(Quote)[1:]
    lost, *later = [event.state for event in after]
    assert (lost.is_priced, lost.reason) == (False, "the machine slept, or its clock was set")
    assert lost.since_ns < fell_asleep_ns + slept_ns
    assert all(state.since_ns >= fell_asleep_ns + slept_ns for state in later)
    assert quote.recv_ns >= fell_asleep_ns + slept_ns
    assert len(server.connections) == 2


async def test_compression_is_not_offered() -> None:
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server)
        async with following(follower):
            await follower.until(lambda: bool(follower.bids))
            assert server.connections[0].protocol.extensions == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes([0x81, 127]) + (1 << 40).to_bytes(8), "exceeds limit of 16777216 bytes"),
        (bytes([0xC1, 5]) + b"bomb!", "reserved bits must be 0"),
        (bytes([0x01, 0]) + bytes([0x00, 0]) * 200_000, "fragments"),
        (bytes([0x83, 0]), "invalid opcode"),
    ],
    ids=["2^40 bytes announced", "deflate bomb", "endless empty fragments", "unknown opcode"],
)
async def test_frame_that_the_protocol_forbids_ends_the_connection_at_once_and_another_is_opened(
    data: bytes, reason: str
) -> None:
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server)
        async with following(follower):
            await follower.until(lambda: bool(follower.bids))
            server.raw(data)
            await follower.until(lambda: follower.feed.connections >= 2 and len(follower.bids) == 2)
    assert any(reason in told for told in follower.reasons), follower.reasons


async def test_slow_loris_that_answers_pings_is_dropped_within_the_venues_time() -> None:
    options = msgspec.structs.replace(QUICK, idle_seconds=0.3)
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server, options)
        async with following(follower):
            await follower.until(lambda: bool(follower.bids))
            server.raw(bytes([0x01, 1]) + b"{")  # the first fragment of a message

            async def drip() -> None:
                while True:
                    server.raw(bytes([0x00, 1]) + b" ")
                    await asyncio.sleep(0.02)

            dripping = asyncio.create_task(drip())
            await follower.until(lambda: follower.feed.connections >= 2)
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
    assert "no whole message in 0.3 s" in follower.reasons


async def test_subscriptions_keep_to_the_rate_of_the_venue() -> None:
    async with fake_venue() as server:
        follower = Follower("bybit", server)
        limits = msgspec.structs.replace(follower.feed.exchange.limits, messages_per_second=50)
        follower.feed.exchange = msgspec.structs.replace(
            follower.feed.exchange, limits=limits, subscribe=lambda instruments: tuple(b'{"op":"x"}' for _ in range(20))
        )
        follower.feed.books.exchange = follower.feed.exchange
        async with following(follower):
            await follower.until(lambda: len(server.received) == 20)
    at = [seconds for seconds, _ in server.received]
    assert at[-1] - at[0] >= 19 / 50


async def test_book_that_is_lost_again_and_again_is_asked_for_no_more_often_than_the_venue_allows_in_an_hour() -> None:
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot(100), bybit_delta(105, "3000.15")]
        follower = Follower("bybit", server)
        exchange = follower.feed.exchange
        limits = msgspec.structs.replace(exchange.limits, subscriptions_per_hour=12)
        follower.feed.exchange = msgspec.structs.replace(exchange, limits=limits)
        async with following(follower):
            await follower.until(lambda: len(server.received) == 5)
            await asyncio.sleep(1.5)
    asked = [b"unsubscribe" in frame for _, frame in server.received]
    # Of 12 less a fifth one is spent at the start; the second request leaves less than the third one would have taken.
    assert asked == [False, True, False, True, False]
    assert len(server.connections) == 1


def test_more_symbols_than_a_connection_has_are_refused() -> None:
    exchange = EXCHANGES["binance"]
    instruments = [Instrument("binance", f"S{number}USDT", f"S{number}", "USDT") for number in range(513)]
    with pytest.raises(UsageError, match="513 symbols, and at most 512"):
        ExchangeFeed(exchange, instruments, lambda name, event: None)


async def test_announced_shutdown_opens_a_second_connection_and_no_quote_is_lost() -> None:
    async with fake_venue() as server:
        server.waits_for_client = False
        server.greeting = [binance_diff(101, 102, "3000.11")]
        server.answer = lambda request: web.Response(body=binance_snapshot(100))
        follower = Follower("binance", server)
        async with following(follower):
            await follower.until(lambda: follower.bids == ["3000.11"])
            await server.say(b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')
            await follower.until(lambda: len(server.connections) == 2 and len(server.open) == 1)
            await server.say(binance_diff(103, 103, "3000.12"))
            await follower.until(lambda: follower.bids[-1] == "3000.12")
            seen = list(follower.told(StateChanged))
    live = [event.state.is_priced for event in seen]
    assert live == sorted(live), "once priced, always priced"
    assert server.connections[0].close_code is not None


async def test_refused_handshake_is_named_and_its_retry_after_honoured(tmp_path: Path) -> None:
    async with fake_venue() as server:
        server.refusal = (429, {"Retry-After": "3600"})
        follower = Follower("bybit", server, shared=Shared(BanList(tmp_path / "bans.json")))
        async with following(follower):
            await follower.until(lambda: Connection.DOWN in follower.connections)
            await asyncio.sleep(0.3)
        assert len(server.attempts) == 1
        assert follower.reasons[1] == "the server answers HTTP 429: too many requests"
        # A restart does not forget.
        again = Follower("bybit", server, shared=Shared(BanList(tmp_path / "bans.json")))
        async with following(again):
            await again.until(lambda: Connection.DOWN in again.connections)
            await asyncio.sleep(0.2)
        assert len(server.attempts) == 1
        assert "as the venue demands" in again.reasons[1]


async def test_country_that_is_not_served_is_named_and_tried_on_with_back_off() -> None:
    async with fake_venue() as server:
        server.refusal = (451, {})
        follower = Follower("bybit", server)
        async with following(follower):
            await follower.until(lambda: len(server.attempts) >= 3)
    assert "the server answers HTTP 451: it does not serve this country" in follower.reasons


async def test_venue_that_nobody_is_at_shows_down_with_the_reason(own_port: int) -> None:
    server = FakeVenue()
    server.port = server.rest_port = own_port
    follower = Follower("bybit", server)
    async with following(follower):
        await follower.until(lambda: Connection.DOWN in follower.connections)
    assert follower.reasons[:2] == ["connecting", "connection refused: does a venue listen there?"]
    assert follower.feed.connections == 0


@pytest.mark.parametrize("fault", ["ban", "html", "none"])
async def test_replay_of_what_was_recorded_tells_the_same(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "venue.capture.gz"
    capture = CaptureWriter(str(path), chain_id=1, started_ns=1)
    answers = {
        "ban": [web.Response(status=418, headers={"Retry-After": "0"}), web.Response(body=binance_snapshot(100))],
        "html": [web.Response(text="<html>sorry</html>"), web.Response(body=binance_snapshot(100))],
        "none": [web.Response(body=binance_snapshot(100))],
    }[fault]
    async with fake_venue() as server:
        server.waits_for_client = False
        server.greeting = [binance_diff(101, 102, "3000.11")]
        queue = itertools.chain(answers, (web.Response(body=binance_snapshot(100)) for _ in itertools.count()))
        server.answer = lambda request: next(queue)
        follower = Follower("binance", server, msgspec.structs.replace(QUICK, capture=capture))
        async with following(follower):
            await follower.until(lambda: follower.bids == ["3000.11"])
            await server.say(binance_diff(105, 106, "3000.13"))  # 103 and 104 are missing
            await follower.until(lambda: "gap" in follower.faults)
            server.cut()
            await follower.until(lambda: len(follower.bids) >= 2)
    capture.close()
    heard: list[News] = []
    replay = VenueReplay(follower.feed.exchange, [follower.instrument], lambda name, event: heard.append(event))
    for entry in CaptureReader(str(path)):
        assert replay.plays(entry)
        replay.play(entry)
    assert heard == follower.events
    assert any(isinstance(event, Quote) for event in heard)


async def test_ban_of_the_address_at_the_handshake_also_stops_requests_for_snapshots(tmp_path: Path) -> None:
    async with fake_venue() as server:
        server.refusal = (418, {"Retry-After": "120"})
        bans = BanList(tmp_path / "bans.json")
        shared = Shared(bans)
        follower = Follower("binance", server, shared=shared)
        async with following(follower):
            await follower.until(lambda: Connection.DOWN in follower.connections)
    assert bans.wait_ns(f"127.0.0.1:{server.port}") > 119 * 10**9
    assert server.requests == []


async def test_nothing_is_sent_to_a_venue_but_subscriptions_and_pings() -> None:
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server)
        ping = msgspec.structs.replace(follower.feed.exchange.ping, interval_ns=50_000_000)  # type: ignore[type-var]
        follower.feed.books.exchange = msgspec.structs.replace(follower.feed.exchange, ping=ping)
        async with following(follower):
            await follower.until(lambda: len(server.received) >= 4)
    assert {frame for _, frame in server.received} == {
        b'{"op":"subscribe","args":["orderbook.200.ETHUSDT"]}',
        b'{"op":"ping"}',
    }
    headers = set(server.connections[0].request.headers) if server.connections[0].request else set()
    assert {name.lower() for name in headers} <= {
        *("host", "upgrade", "connection", "user-agent"),
        *("sec-websocket-key", "sec-websocket-version"),
    }


async def test_handler_that_fails_ends_the_feed_with_its_error() -> None:
    async with fake_venue() as server:
        server.greeting = [bybit_snapshot()]
        follower = Follower("bybit", server)

        def fail(name: str, event: News) -> None:
            if isinstance(event, Quote):
                raise BrokenPipeError

        follower.feed._handler = fail
        with pytest.raises(BrokenPipeError):
            await asyncio.wait_for(follower.feed.run(), WAIT_SECONDS)


async def test_planned_replacement_overlaps_until_the_new_books_are_live() -> None:
    redial = RedialOptions(first_seconds=0.02, before_cut_ns=86_399_700_000_000, jitter_ns=0)
    async with fake_venue() as server:
        server.waits_for_client = False
        server.greeting = [binance_diff(101, 102, "3000.11")]
        server.answer = lambda request: web.Response(body=binance_snapshot(100))
        follower = Follower("binance", server, msgspec.structs.replace(QUICK, redial=redial))
        async with following(follower):
            await follower.until(lambda: len(server.connections) >= 3)  # each lives 0.3 s
            priced = [event.state.is_priced for event in follower.told(StateChanged)]
    assert priced == sorted(priced)
    assert follower.faults == []
