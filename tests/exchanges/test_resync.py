"""Whatever strikes a venue's line: each loss is found at once, the book is back within two seconds, and no other book is touched.

The two seconds are of simulated time, from when the loss is found. Where the venue itself keeps books away (it delays or sends
nothing for a while, has a crossed or halted book, or bans) they begin when that ends, and a connection that it cuts is opened
again at once here: the feed's own back-off comes on top.
"""

from __future__ import annotations

import logging

import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import Connection, Instrument
from scripts._exchanges.faults import Fault, FaultKind, scattered
from scripts._exchanges.line import Line
from scripts._exchanges.listings import LISTINGS, SECOND_NS
from tests.exchanges.dialects import Coinbase
from tests.fakes.exchange_play import PER_FRAME, Play

VENUES = tuple(LISTINGS)
LIMIT_NS = 2 * SECOND_NS
LOG = logging.getLogger(__name__)
"""The long run tells its figures: `pytest --slow --log-cli-level=INFO`."""


def assert_sound(play: Play) -> None:
    assert play.watch.late == []
    assert play.watch.touched == []
    assert max(each.took_ns for each in play.watch.resyncs) <= LIMIT_NS


def kinds_of(venue: str) -> list[FaultKind]:
    """A wrong digit shows only where the venue sends a checksum or its best quote."""
    return [*PER_FRAME, FaultKind.BAN, *([FaultKind.DIGIT] if venue in ("binance", "kraken") else [])]


@pytest.mark.parametrize(("venue", "kind"), [(venue, kind) for venue in VENUES for kind in kinds_of(venue)])
def test_fault_is_found_and_the_book_is_back_within_two_seconds(venue: str, kind: FaultKind) -> None:
    lasts = kind in (FaultKind.MUTE, FaultKind.CROSSED, FaultKind.SLOW_LORIS, FaultKind.HALT)
    at = (40,) if lasts else (40, 60, 80)
    play = Play(venue, 3, [Fault(kind, frame, symbol=LISTINGS[venue][0].symbol, seconds=1.0) for frame in at])
    play.run_until_struck(len(at))
    play.run_for(4)
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)
    assert_sound(play)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("seconds", [3.0, 20.0])
def test_book_that_is_crossed_long_is_back_with_the_update_that_uncrosses_it(venue: str, seconds: float) -> None:
    symbol = LISTINGS[venue][0].symbol
    play = Play(venue, 3, [Fault(FaultKind.CROSSED, 40, symbol=symbol, seconds=seconds)])
    play.run_until_struck(1)
    play.run_for(seconds + 2)
    assert play.session.state(symbol).is_priced
    assert play.session.counts.reasons["crossed"] <= 7
    assert_sound(play)


@pytest.mark.parametrize("venue", ["coinbase", "kraken", "okx", "bybit"])
def test_two_requests_in_a_row_that_are_lost_on_the_way_cost_less_than_two_seconds(venue: str) -> None:
    play = Play(venue, 3, [Fault(FaultKind.NAN, 60, symbol=LISTINGS[venue][0].symbol)])
    play.run_until_struck(1)
    swallowed: list[bytes] = []

    class Swallowing(Line):
        def send(self, frame: bytes) -> None:
            if b"ubscribe" in frame and len(swallowed) < 4:
                swallowed.append(frame)
            else:
                super().send(frame)

    play.line.__class__ = Swallowing
    play.run_for(3)
    assert len(swallowed) == 4
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)
    assert_sound(play)


@pytest.mark.parametrize("venue", VENUES)
def test_book_that_was_lost_before_a_long_silence_is_back_within_two_seconds_of_its_end(venue: str) -> None:
    symbol = LISTINGS[venue][0].symbol
    play = Play(venue, 3, [Fault(FaultKind.NAN, 60, symbol=symbol), Fault(FaultKind.MUTE, 61, symbol=symbol, seconds=9)])
    play.run_until_struck(2)
    play.run_for(12)
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)
    assert_sound(play)


UNLISTED = {
    "binance": ("Invalid symbol.", "XYZUSDT"),
    "coinbase": ("XYZ-USD is not a valid product", "XYZ-USD"),
    "kraken": ("Currency pair not supported XYZ/USD", "XYZ/USD"),
    "okx": ("Wrong URL or channel:books,instId:XYZ-USDT doesn't exist.", "XYZ-USDT"),
    "bybit": ("error:handler not found,topic:orderbook.200.XYZUSDT", "XYZUSDT"),
}


def play_with(venue: str, symbol: str) -> Play:
    """Also follows a symbol that the venue does not list, and asks for it first."""
    play = Play(venue, 1)
    play.instruments.insert(0, Instrument(venue, symbol, "XYZ", symbol.removeprefix("XYZ").strip("/-")))
    play.session = ExchangeSession(EXCHANGES[venue], play.instruments, now_ns=play.line.recv_ns)
    return play


@pytest.mark.parametrize("venue", VENUES)
def test_symbol_that_is_not_listed_is_down_with_the_venues_words_and_the_others_live(venue: str) -> None:
    words, symbol = UNLISTED[venue]
    play = play_with(venue, symbol)
    play.run_for(1)
    listed = [each.symbol for each in play.instruments[1:]]
    assert all(play.session.state(each).is_priced for each in listed)
    play.run_for(4)
    state = play.session.state(symbol)
    assert (state.connection, state.reason) == (Connection.DOWN, f"the venue says: {words}")
    for each in listed:
        priced = [change.state.is_priced for change in play.states if change.instrument.symbol == each]
        assert priced == sorted(priced), "once priced, always priced"


@pytest.mark.parametrize("venue", VENUES)
def test_symbol_that_is_not_listed_is_asked_for_seldom(venue: str) -> None:
    _, symbol = UNLISTED[venue]
    play = play_with(venue, symbol)
    play.run_for(70)
    refusals = [each for each in play.found if each.kind == "venue"]
    # Asking again is an unsubscription and a subscription, and each is refused.
    assert 2 <= len(refusals) <= 5


def test_refusal_that_names_no_symbol_is_of_the_one_book_that_still_waits() -> None:
    exchange = EXCHANGES["coinbase"]
    instruments = [exchange.instrument(each) for each in ("XYZ/USD", "ETH/USD")]
    session = ExchangeSession(exchange, instruments, now_ns=1)
    session.connect(1)
    session.receive(b'{"type":"error","message":"failure to subscribe"}', 2)
    assert [session.state(each.symbol).reason for each in instruments] == ["the venue says: failure to subscribe"] * 2
    for symbol in ("ETH-USD", "XYZ-USD"):
        assert session.state(symbol).connection is Connection.SYNCING
    session.receive(coinbase_snapshot("ETH-USD"), 3)
    session.receive(b'{"type":"error","message":"failure to subscribe"}', 4)
    assert session.state("XYZ-USD").connection is Connection.DOWN
    assert session.state("ETH-USD").is_priced


def coinbase_snapshot(symbol: str) -> bytes:
    dialect = Coinbase()
    dialect.books[symbol].change([("99.5", "1.5")], [("100.5", "1.5")])
    return dialect.snapshot(symbol)


def play_scattered(venue: str, seed: int, count: int) -> Play:
    """One fault in 60 book frames, whatever stream they are of; also among answers to subscriptions, snapshots, heartbeats."""
    symbols = [each.symbol for each in LISTINGS[venue]]
    play = Play(venue, seed, scattered(seed, kinds_of(venue), [*symbols, ""], 30, count // 60))
    play.run(count)
    assert len(play.line.injector.struck) > count // 200
    assert play.priced > count // 4
    return play


@pytest.mark.parametrize("venue", VENUES)
def test_20_000_messages_with_faults_bring_no_wrong_quote_and_each_book_is_soon_back(venue: str) -> None:
    play = play_scattered(venue, 11, 20_000)
    assert play.connects > 10
    assert_sound(play)


@pytest.mark.slow
@pytest.mark.parametrize("venue", VENUES)
def test_200_000_messages_with_faults_bring_no_wrong_quote_and_each_book_is_soon_back(venue: str) -> None:
    play = play_scattered(venue, 12, 200_000)
    LOG.info("%s", play.watch.figures())
    assert len(play.watch.resyncs) > 1_000
    assert_sound(play)
