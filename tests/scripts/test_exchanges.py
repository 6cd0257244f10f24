"""The simulated exchanges speak their venues' protocols, and no session stands for a wrong quote among their faults."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from msgspec.structs import replace

from mempool.engine.books_followed import LEGS
from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import FetchSnapshot, Send
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import Instrument, Proof
from scripts._exchanges.dialects import DIALECTS
from scripts._exchanges.faults import Fault, FaultKind, scattered
from scripts._exchanges.line import Line, frames, played, simulated_venue
from scripts._exchanges.listings import LISTINGS, SECOND_NS
from scripts._exchanges.market import STABLECOINS
from scripts._exchanges.server import ExchangeServer, exchange_server
from tests.conftest import ROOT, WAIT_SECONDS
from tests.fakes.exchange_play import PER_FRAME, Play, is_equal, target_of
from tests.processes import started

VENUES = tuple(DIALECTS)
NUMBERED = ("binance", "coinbase", "okx", "bybit")


def first_symbol(venue: str) -> str:
    return LISTINGS[venue][0].symbol


@pytest.mark.parametrize("venue", VENUES)
def test_session_has_the_true_best_quote_after_every_frame(venue: str) -> None:
    play = Play(venue)
    play.run(3_000)
    assert play.found == []
    assert len(play.watch.resyncs) == len(play.instruments)
    counts = play.session.counts
    assert play.quotes > 500
    assert counts.verified == counts.updates - counts.duplicates + counts.snapshots * (venue != "binance")
    assert (counts.comparisons > 500, counts.matches) == (venue == "binance", counts.comparisons)


@pytest.mark.parametrize("venue", NUMBERED)
def test_every_lost_message_is_found_at_the_next_one_of_a_numbered_venue(venue: str) -> None:
    lost = [Fault(FaultKind.DROP, frame, symbol=first_symbol(venue)) for frame in range(50, 450, 40)]
    play = Play(venue, 5, lost)
    play.run_until_struck(len(lost))
    play.run_for(1)
    assert play.session.counts.gaps == len(lost)
    assert [each.kind for each in play.found] == ["gap"] * len(lost)


def test_every_changed_digit_in_the_ten_best_levels_is_found_at_kraken() -> None:
    listing = replace(LISTINGS["kraken"][0], levels=10)
    damage = [Fault(FaultKind.DIGIT, frame, symbol=listing.symbol) for frame in range(50, 850, 20)]
    play = Play("kraken", 5, damage, [listing])
    play.run(1_200)
    assert len(play.line.injector.struck) == len(damage)
    assert play.session.counts.mismatches + play.session.counts.malformed >= 0.6 * len(damage)


def test_wrong_digit_at_binance_is_found_by_the_other_stream() -> None:
    play = Play("binance", 5, [Fault(FaultKind.DIGIT, frame, symbol="ETHUSDT") for frame in range(50, 450, 20)])
    play.run(3_000)
    assert play.session.state("ETHUSDT").proof is Proof.VERIFIED


@pytest.mark.parametrize("venue", ["binance", "kraken", "okx", "bybit"])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.NAN, FaultKind.CROSSED, FaultKind.REORDER])
def test_one_symbols_fault_leaves_the_other_symbols_alone(venue: str, kind: FaultKind) -> None:
    symbol = first_symbol(venue)
    play = Play(venue, 7, [Fault(kind, frame, symbol=symbol) for frame in (60, 120)])
    play.run_until_struck(2)
    play.run_for(2)
    assert play.found
    assert {each.instrument.symbol for each in play.found if each.instrument is not None} == {symbol}
    for other in play.instruments:
        if other.symbol != symbol:
            priced = [each.state.is_priced for each in play.states if each.instrument == other]
            assert priced == sorted(priced), "once priced, always priced"
            assert priced[-1]


@pytest.mark.parametrize("venue", VENUES)
def test_silent_line_is_stale_within_six_seconds(venue: str) -> None:
    play = Play(venue, 1, [Fault(FaultKind.MUTE, 100, symbol=first_symbol(venue), seconds=12)])
    heard_ns = 0
    while not play.found:
        before = play.frames
        play.step()
        heard_ns = play.line.recv_ns if play.frames > before else heard_ns
    assert {each.kind for each in play.found} == {"stale"}
    assert play.line.recv_ns - heard_ns <= 6 * SECOND_NS
    play.run_for(14)
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)


@pytest.mark.parametrize("venue", VENUES)
def test_halted_book_is_right_when_it_moves_again(venue: str) -> None:
    play = Play(venue, 1, [Fault(FaultKind.HALT, 100, seconds=8)])
    play.run(900)
    stale = [each for each in play.found if each.kind == "stale"]
    assert bool(stale) == (EXCHANGES[venue].heartbeat_ns == 0)
    assert play.session.counts.gaps == play.session.counts.mismatches == 0


def test_ban_answers_429_then_418_with_the_time_to_wait_and_refuses_websockets() -> None:
    line = Line(simulated_venue("binance", 1), [Fault(FaultKind.BAN, 1, seconds=30)])
    line.connect(DIALECTS["binance"].subscription(["ETHUSDT"])[0])
    line.next()
    answers = [line.get("/api/v3/depth?symbol=ETHUSDT&limit=100") for _ in range(2)]
    assert [each.status for each in answers] == [429, 418]
    assert answers[0].headers == {"Retry-After": "30"}
    assert line.connect("/stream") == 418


@pytest.mark.parametrize("venue", VENUES)
def test_oversize_frame_is_survived(venue: str) -> None:
    play = Play(venue, 1, [Fault(FaultKind.OVERSIZE, 100)])
    play.run(600)
    assert play.session.counts.malformed == 1
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)


@pytest.mark.parametrize("venue", VENUES)
def test_same_seed_gives_the_same_frames_and_another_one_others(venue: str) -> None:
    assert list(frames(venue, 1, 300)) == list(frames(venue, 1, 300))
    assert list(frames(venue, 1, 300)) != list(frames(venue, 2, 300))


@pytest.mark.parametrize("venue", VENUES)
def test_recording_of_the_frames_is_read_as_any_other(venue: str) -> None:
    exchange = EXCHANGES[venue]
    session = ExchangeSession(exchange)
    symbol = first_symbol(venue)
    for each in played(venue, 4, 800):
        if exchange.rest is not None and exchange.rest.is_answer(each.frame):
            session.snapshot(symbol, each.frame, each.recv_ns)
        else:
            session.receive(each.frame, each.recv_ns)
        quote = session.quote(symbol)
        if quote is not None:
            assert is_equal(quote, each.truths[symbol])
    assert session.state(symbol).is_priced


def test_price_is_steered_from_outside_and_is_in_the_money_of_the_venue() -> None:
    def mid(asset: str, now_ns: int) -> float:
        return {"ETH": 1_000.0, "BTC": 50_000.0, "USDT": 0.8, "USDC": 1.6}[asset]

    for venue in VENUES:
        line = Line(simulated_venue(venue, 1, mid=mid))
        for listing in LISTINGS[venue]:
            bid, _, ask, _ = line.venue.books[listing.symbol].best().decimals()
            price = mid(listing.base, 0) / (mid(listing.quote, 0) if listing.quote != "USD" else 1)
            assert Decimal(price) * Decimal("0.999") < bid < ask < Decimal(price) * Decimal("1.001")


def test_every_rate_between_dollars_that_a_run_asks_for_is_listed() -> None:
    listed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for venue, listings in LISTINGS.items():
        for each in listings:
            listed[each.base, each.quote].add(venue)
    assert {pair: listed[pair] for pair in LEGS} == {pair: set(venues) for pair, venues in LEGS.items()}


@pytest.mark.parametrize("venue", VENUES)
def test_rate_between_dollars_is_near_one_slow_and_deep(venue: str) -> None:
    rates = [each for each in LISTINGS[venue] if each.base in STABLECOINS]
    play = Play(venue, listings=rates)
    play.run_for(60)
    for each in rates:
        quote = play.session.quote(each.symbol)
        assert quote is not None
        assert Decimal("0.998") < quote.bid < quote.ask < Decimal("1.002")
        assert quote.ask - quote.bid < Decimal("0.0006")
        assert sum(size for _, size in play.line.venue.books[each.symbol].sides[0].top(0)) > 10**each.size_decimals * 500_000
    assert play.session.counts.updates < 60 * 3 * len(rates)
    assert play.found == []


def fits(ours: Any, theirs: Any) -> bool:
    """Whether both have the same names with the same kinds of values; an empty list fits any."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and list(ours) == list(theirs) and all(fits(ours[name], theirs[name]) for name in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and (not ours or not theirs or fits(ours[0], theirs[0]))
    if isinstance(theirs, int | float):
        return isinstance(ours, int | float)
    return type(ours) is type(theirs)


RECORDINGS = {
    "binance": ("binance_btcusdt_20240808.txt.gz", ('"depthUpdate"', '@bookTicker"', '"lastUpdateId"')),
    "coinbase": ("coinbase_btcusd.jsonl", ('"snapshot"', '"type":"update"')),
    "kraken": (
        "kraken_btcusd_depth25.txt.gz",
        ('"snapshot","data"', '"update","data":[{"symbol"', '"channel":"book","depth"', "heartbeat"),
    ),
    "okx": ("okx_btcusdt_updates.jsonl", ('"action":"update"',)),
    "bybit": ("bybit_btcusdt.jsonl", ('"ret_msg":"subscribe"', '"type":"snapshot"', '"type":"delta"')),
}


@pytest.mark.shared
@pytest.mark.parametrize("venue", VENUES)
def test_frames_have_the_shape_of_recorded_ones(venue: str, shared_data: Path) -> None:
    name, marks = RECORDINGS[venue]
    data = (shared_data / "exchanges" / name).read_bytes()
    recorded = (gzip.decompress(data) if name.endswith(".gz") else data).decode().splitlines()
    simulated = [frame.decode() for frame in frames(venue, 1, 400)]
    for mark in marks:
        theirs = max((line[line.index("{") :] for line in recorded if mark in line), key=len)
        ours = max((line for line in simulated if mark in line), key=len)
        assert fits(json.loads(ours), json.loads(theirs)), (ours, theirs)


async def follow(server: ExchangeServer, venue: str, session: ExchangeSession) -> None:
    """What a feed does, without its care: one connection, until it ends."""
    instruments = [keeper.instrument for keeper in session.keepers.values()]
    async with (
        aiohttp.ClientSession() as http,
        websockets.connect(
            server.instead_of(session.exchange.url(instruments), venue), compression=None, max_size=None, proxy=None
        ) as socket,
    ):
        events, ticked_ns = session.connect(now()), now()
        while True:
            for event in events:
                if isinstance(event, Send):
                    await socket.send(event.frame.decode())
                elif isinstance(event, FetchSnapshot):
                    async with http.get(server.instead_of(event.url, venue)) as answer:
                        session.snapshot(event.instrument.symbol, await answer.read(), now())
            events = []
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    events = session.receive(await socket.recv(decode=False), now())
            if now() - ticked_ns > SECOND_NS // 10:
                ticked_ns = now()
                events += session.tick(ticked_ns)


@asynccontextmanager
async def following(
    server: ExchangeServer, session: ExchangeSession
) -> AsyncIterator[Callable[[Callable[[], bool]], Awaitable[None]]]:
    """Waits, as long as the connection stands, until something holds."""
    task = asyncio.create_task(follow(server, session.exchange.name, session))

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not holds() and not task.done():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)
        if task.done():
            await task

    try:
        yield until
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def now() -> int:
    return int(asyncio.get_running_loop().time() * SECOND_NS)


def session_of(venue: str) -> ExchangeSession:
    return ExchangeSession(EXCHANGES[venue], [Instrument(venue, each.symbol, each.base, each.quote) for each in LISTINGS[venue]])


@pytest.mark.parametrize("venue", VENUES)
async def test_real_connection_brings_the_books_that_the_server_has(venue: str) -> None:
    async with exchange_server(venue) as server:
        session, symbols = session_of(venue), [each.symbol for each in LISTINGS[venue]]
        async with following(server, session) as until:
            await until(lambda: all(session.quote(symbol) for symbol in symbols))
            while not session.counts.resyncs:
                # One lost frame may have changed only levels that Kraken's checksum is not made of.
                await lose_a_frame(server, session, until)
            await until(lambda: all(session.quote(symbol) for symbol in symbols))
            server.pause()
            if venue == "binance":  # its last diff may be some steps old
                await until(lambda: session.counts.comparisons > 0)
            else:
                await until(lambda: all(has_the_best(server, session, symbol) for symbol in symbols))
    assert session.counts.matches == session.counts.comparisons


async def lose_a_frame(
    server: ExchangeServer, session: ExchangeSession, until: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    """And wait for so many later ones that whatever is wrong among the checked levels has been found."""
    venue = session.exchange.name
    injector = server.injectors[venue]
    lost = len(injector.struck) + 1
    injector.add(Fault(FaultKind.DROP, symbol=first_symbol(venue)))
    await until(lambda: len(injector.struck) == lost)
    heard = session.counts.updates
    await until(lambda: session.counts.updates > heard + 20)


def has_the_best(server: ExchangeServer, session: ExchangeSession, symbol: str) -> bool:
    quote = session.quote(symbol)
    return quote is not None and is_equal(quote, server.best(session.exchange.name, symbol))


@pytest.mark.parametrize("kind", [FaultKind.CLOSE, FaultKind.ABORT, FaultKind.SLOW_LORIS])
async def test_real_connection_ends_as_the_fault_says(kind: FaultKind) -> None:
    async with exchange_server("okx", faults={"okx": [Fault(kind, 20, seconds=0.5)]}) as server:
        with pytest.raises(websockets.ConnectionClosed) as caught:
            async with asyncio.timeout(WAIT_SECONDS):
                await follow(server, "okx", session_of("okx"))
        assert (caught.value.rcvd is not None) == (kind is FaultKind.CLOSE)


async def test_real_ban_refuses_websocket_and_rest() -> None:
    async with exchange_server("binance", faults={"binance": [Fault(FaultKind.BAN, 5, seconds=600)]}) as server:
        async with following(server, session_of("binance")) as until:
            await until(lambda: server.venues["binance"].banned_until_ns > 0)
        with pytest.raises(websockets.InvalidStatus) as caught:
            await follow(server, "binance", session_of("binance"))
        assert caught.value.response.status_code in (429, 418)
        assert int(caught.value.response.headers["Retry-After"]) > 500
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{server.rest_url('binance')}/api/v3/depth?symbol=ETHUSDT") as answer,
        ):
            assert answer.status == 418


def test_command_prints_where_the_venues_are_and_ends_on_ctrl_c() -> None:
    command = (sys.executable, "-m", "scripts._exchanges", "--seed", "1", "--fault", "okx:drop:1")
    with started(command) as process:
        assert process.stdout is not None
        lines = list(islice(process.stdout, len(VENUES)))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert [line.split()[0] for line in lines] == list(VENUES)
    assert all("ws://127.0.0.1:" in line for line in lines)
    assert process.returncode == 130
    assert said == "exchanges: SIGINT, ended\n"


@pytest.mark.parametrize("text", ["mtgox:drop:1", "okx:explode:1"])
def test_unknown_venue_or_fault_is_a_usage_error(text: str) -> None:
    command = (sys.executable, "-m", "scripts._exchanges", "--fault", text)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "is not VENUE:KIND:AFTER" in done.stderr


def test_target_keeps_path_and_query() -> None:
    assert target_of("wss://host:9443/stream?streams=a/b") == "/stream?streams=a/b"
    assert target_of("wss://host") == "/"


@pytest.mark.parametrize("delay_s", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_slow_snapshots_between_losses_and_reconnections_bring_no_old_quote(delay_s: float, seed: int) -> None:
    play = Play("binance", seed, scattered(seed, PER_FRAME, ["ETHUSDT", "BTCUSDT", ""], 40, 200))
    play.rest_delay_s = delay_s
    play.run(4_000)
    assert play.priced > 300
