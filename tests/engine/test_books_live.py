"""Five simulated venues followed together: their books, their best, a fault of one that is its own, and the same in a replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from mempool.engine.books_followed import Market
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import StateChanged
from mempool.feeds.capture import CaptureReader
from mempool.feeds.venue import News
from mempool.feeds.venue_capture import VenueReplay
from mempool.model.book import Connection, Instrument, Quote
from mempool.model.consolidated import Trade
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.server import ExchangeServer, exchange_server

ALL = tuple(EXCHANGES)
SECONDS = 120.0
"""Far more than anything here takes; a test that reaches it has failed."""


class Follower:
    """Live books and every event that they told, in order."""

    def __init__(self, server: ExchangeServer, *pairs: str, record: Path | None = None) -> None:
        options = BooksOptions(pairs=pairs, server=f"ws://127.0.0.1:{server.port}", record=record)
        self.events: list[News] = []
        self.books = LiveBooks(options, lambda venue, event: self.events.append(event))

    def priced(self) -> set[Instrument]:
        return {row.instrument for row in self.books.rows.values() if row.quote is not None}

    def skew_ns(self, venue: str) -> int:
        """-1 before it is known."""
        skew_ns = self.books.skew_ns(venue)
        return -1 if skew_ns is None else skew_ns

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[None]:
    task = asyncio.create_task(follower.books.run())
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_books_of_all_venues_go_live_and_their_best_is_told_and_a_replay_tells_the_same(tmp_path: Path) -> None:
    path = tmp_path / "books.capture.gz"
    async with exchange_server(seed=3) as server:
        follower = Follower(server, "ETH/USD", record=path)
        pairs = set(follower.books.rows)
        async with following(follower):
            await follower.until(lambda: pairs <= follower.priced())
            server.cut("okx")
            await follower.until(lambda: any(is_down(event, "okx") for event in follower.events))
            await follower.until(lambda: pairs <= follower.priced())
            best = follower.books.consolidated(0)[0]
            bought, sold = (follower.books.markets[0].walk(side, Fraction(500), follower.books.books.depth) for side in Trade)
            # One machine, one clock: what is estimated is the way and what the venue holds messages back for.
            await follower.until(lambda: all(0 <= follower.skew_ns(venue) < 500_000_000 for venue in ALL))
    assert best.ask is not None
    assert best.bid is not None
    assert bought.filled == sold.filled == 500
    assert bought.value > 500 * best.ask.exact_price
    assert sold.value < 500 * best.bid.exact_price
    assert ({part.venue for part in best.parts}, best.left_out) == (set(ALL), ())
    assert {part.venue for part in best.parts if part.leg is not None} == {"binance", "okx", "bybit"}
    for venue in ALL:
        told = [event for event in follower.events if venue_of(event) == venue]
        assert replayed(path, follower, venue) == told
        assert any(isinstance(event, Quote) for event in told)


def is_down(event: News, venue: str) -> bool:
    return isinstance(event, StateChanged) and event.instrument.venue == venue and event.state.connection is Connection.DOWN


def venue_of(event: News) -> str:
    return event.instrument.venue if event.instrument is not None else ""


def replayed(path: Path, follower: Follower, venue: str) -> list[News]:
    """What a replay tells of one venue, from the capture alone."""
    heard: list[News] = []
    reader = CaptureReader(str(path))
    exchange = EXCHANGES[venue]
    instruments = [exchange.instrument(symbol) for symbol in reader.header.about[venue].split()]
    replay = VenueReplay(exchange, instruments, lambda name, event: heard.append(event))
    for entry in reader:
        if replay.plays(entry):
            replay.play(entry)
    return [event for event in heard if venue_of(event) == venue]


async def test_stalled_venue_gives_no_quote_and_the_others_go_on() -> None:
    async with exchange_server(seed=5) as server:
        follower = Follower(server, "ETH/USDT")
        async with following(follower):
            await follower.until(lambda: {"bybit", "okx"} <= {each.venue for each in follower.priced()})
            server.injectors["bybit"].add(Fault(FaultKind.SLOW_LORIS, after_s=0, seconds=10 * SECONDS))
            await follower.until(lambda: "bybit" not in {each.venue for each in follower.priced()})
            told = len(follower.events)
            await follower.until(lambda: any(isinstance(each, Quote) for each in follower.events[told:]))
    later = {event.instrument.venue for event in follower.events[told:] if isinstance(event, Quote)}
    assert later
    assert "bybit" not in later


def test_pair_in_dollars_is_followed_in_the_dollar_of_each_venue_with_explicit_legs() -> None:
    market = Market("ETH/USD", [EXCHANGES[name] for name in ALL])
    assert {book.venue: book.symbol for book in market.books} == {
        "binance": "ETHUSDT",
        "coinbase": "ETH-USD",
        "kraken": "ETH/USD",
        "okx": "ETH-USDT",
        "bybit": "ETHUSDT",
    }
    assert market.money == "USD"
    assert {leg.symbol for leg in market.legs} == {"USDT-USD", "USDT/USD"}
    alone = Market("ETHUSD", [EXCHANGES["binance"], EXCHANGES["okx"]])
    assert (alone.money, alone.legs) == ("USDT", [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (BooksOptions(venues=("nowhere",)), "unknown exchange 'nowhere': known are binance, coinbase, kraken, okx, bybit"),
        (BooksOptions(pairs=tuple(f"X{number}/USD" for number in range(101))), "binance: 101 books are more than one connection"),
        (BooksOptions(pairs=("nothing",)), "'nothing' is not a symbol: name a pair such as ETH/USD; quote assets are "),
        (BooksOptions(server="kraken.com"), "'kraken.com' is no address: write such as ws://127.0.0.1:9001"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_what_can(options: BooksOptions, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        LiveBooks(options, lambda venue, event: None)
    assert str(caught.value).startswith(words)
