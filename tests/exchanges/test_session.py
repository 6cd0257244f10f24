"""A session says what each book is worth, why, and what to ask the venue for."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, Fault, FetchSnapshot, Reconnect, Send, StateChanged
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookState, Connection, Proof, Quote
from tests.exchanges.dialects import Binance, Bybit, Coinbase, Dialect, Kraken, Okx

SECOND_NS = 1_000_000_000
START_NS = 1_787_612_486 * SECOND_NS


class Line:
    """A dialect's server with small books, and a session that hears it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.symbol, self.other = dialect.symbols
        exchange = EXCHANGES[dialect.name]
        self.now_ns = START_NS
        self.session = ExchangeSession(exchange, [exchange.instrument(each) for each in dialect.symbols], now_ns=START_NS)
        for symbol in dialect.symbols:
            dialect.books[symbol].change([("99.5", "1.5"), ("99.4", "2.5")], [("100.5", "1.5"), ("100.6", "2.5")])
        self.said = self.session.connect(self.now_ns)

    def synced(self) -> Line:
        for symbol in self.dialect.symbols:
            if isinstance(self.dialect, Binance):
                self.hear(self.dialect.update(symbol, [], []))
                self.said += self.session.snapshot(symbol, self.dialect.snapshot(symbol), self.now_ns)
            else:
                self.hear(self.dialect.snapshot(symbol))
        self.now_ns += SECOND_NS // 2  # the pause between two requests is over
        return self

    def hear(self, frame: bytes, after_ns: int = SECOND_NS // 10) -> list[BookEvent]:
        self.now_ns += after_ns
        events = self.session.receive(frame, self.now_ns)
        self.said += events
        return events

    def wait(self, seconds: float) -> list[BookEvent]:
        self.now_ns += int(seconds * SECOND_NS)
        return self.session.tick(self.now_ns)

    @property
    def state(self) -> BookState:
        return self.session.state(self.symbol)


def quotes(events: list[BookEvent]) -> list[Quote]:
    return [event for event in events if isinstance(event, Quote)]


def faults(events: list[BookEvent]) -> list[tuple[str, str]]:
    return [(event.kind, event.reason) for event in events if isinstance(event, Fault)]


ALL = pytest.mark.parametrize("dialect", [Binance, Coinbase, Kraken, Okx, Bybit])


@ALL
def test_book_goes_from_connecting_over_syncing_to_live_and_down(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    line.said += line.session.disconnect("closed by the venue", line.now_ns)
    states = [event.state for event in line.said if isinstance(event, StateChanged) and event.instrument.symbol == line.symbol]
    assert [(state.connection, state.proof) for state in states] == [
        (Connection.SYNCING, Proof.DESYNCED),
        (Connection.LIVE, Proof.VERIFIED),
        (Connection.DOWN, Proof.DESYNCED),
    ]
    assert line.state.reason == "closed by the venue"
    assert line.session.quote(line.symbol) is None
    assert len(quotes(line.said)) == 2


@ALL
@pytest.mark.parametrize("size", ["-1.0", "nan", "1e999", ""])
def test_bad_size_loses_that_symbol_alone_and_asks_for_a_snapshot(dialect: type[Dialect], size: str) -> None:
    line = Line(dialect()).synced()
    frame = line.dialect.update(line.symbol, [("99.4", "77.25")], []).replace(b"77.25", size.encode())
    events = line.hear(frame)
    assert line.session.counts.malformed == 1
    assert not line.state.is_priced
    assert line.session.state(line.other).is_priced
    assert any(isinstance(event, Send | FetchSnapshot) for event in events)
    assert not quotes(events)


@ALL
def test_price_of_zero_is_malformed(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    line.hear(line.dialect.update(line.symbol, [("99.4", "77.25")], []).replace(b"99.4", b"0.0"))
    assert (line.session.counts.malformed, line.state.is_priced) == (1, False)


@ALL
def test_oversized_frame_and_unknown_symbol_are_counted(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    line.session.receive(b" " * (16 * 1024 * 1024 + 1), line.now_ns)
    assert line.session.counts.malformed == 1
    symbol = line.symbol
    frame = line.dialect.update(symbol, [("99.4", "3.5")], [])
    line.hear(frame.replace(symbol.encode(), symbol.replace("ETH", "XYZ").encode()))
    assert line.session.counts.reasons["unknown symbol"] == 1


@ALL
def test_unreadable_frame_that_names_no_book_is_doubted_until_the_next_proof(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    events = line.hear(b"\xff\x00 no frame at all")
    assert (line.state.proof, line.session.quote(line.symbol)) == (Proof.SUSPECT, None)
    assert faults(events)[0][0] == "malformed"
    line.hear(line.dialect.update(line.symbol, [("99.4", "3.5")], []))
    assert line.state.proof is Proof.VERIFIED
    assert line.session.quote(line.symbol) is not None


@pytest.mark.parametrize("dialect", [Coinbase, Okx, Bybit])
def test_crossed_book_gives_no_quote_and_is_lost_after_250_ms(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    events = line.hear(line.dialect.update(line.symbol, [("100.5", "1.0")], []))
    assert (line.state.proof, line.state.reason) == (Proof.SUSPECT, "the book is crossed")
    assert not quotes(events)
    line.hear(line.dialect.update(line.symbol, [("100.5", "0.0")], []))
    assert line.state.is_priced
    line.hear(line.dialect.update(line.symbol, [("100.7", "1.0")], []))
    assert faults(line.wait(0.3)) == [("crossed", "crossed for more than 250 ms")]
    assert line.state.connection is Connection.SYNCING
    assert line.session.state(line.other).is_priced


def test_book_with_an_empty_side_gives_no_quote_and_is_not_lost() -> None:
    line = Line(Okx()).synced()
    line.hear(line.dialect.update(line.symbol, [("100.5", "1.0")], []))
    line.hear(line.dialect.update(line.symbol, [], [("100.5", "0"), ("100.6", "0")]))
    assert (line.state.reason, line.session.quote(line.symbol)) == ("a side is empty", None)
    assert line.wait(1) == []
    line.hear(line.dialect.update(line.symbol, [], [("100.7", "1.0")]))
    assert line.session.quote(line.symbol) is not None
    assert line.session.counts.resyncs == 0


@pytest.mark.parametrize("dialect", [Binance, Okx, Bybit])
def test_quiet_book_without_heartbeats_is_stale_after_5_s_until_its_next_update(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    assert line.wait(4.3) == []
    events = line.wait(0.5)
    assert ("stale", "no update for 5 s") in faults(events)
    assert line.session.quote(line.symbol) is None
    said = line.hear(line.dialect.update(line.symbol, [("99.4", "3.5")], []))
    assert line.state.is_priced
    assert len(quotes(said)) == 1


@pytest.mark.parametrize(("dialect", "heartbeat"), [(Kraken, b'{"channel":"heartbeat"}'), (Coinbase, None)])
def test_quiet_book_with_heartbeats_is_not_stale_but_missing_heartbeats_are(
    dialect: type[Dialect], heartbeat: bytes | None
) -> None:
    line = Line(dialect()).synced()
    for counter in range(12):
        beat = heartbeat or (line.dialect.heartbeat(counter) if isinstance(line.dialect, Coinbase) else b"")
        assert line.hear(beat, SECOND_NS) == []
        assert line.wait(0) == []
    events = line.wait(2.1)
    assert {event.state.proof for event in events if isinstance(event, StateChanged)} == {Proof.STALE}
    said = line.hear(heartbeat or (line.dialect.heartbeat(12) if isinstance(line.dialect, Coinbase) else b""))
    if isinstance(line.dialect, Coinbase):  # its number shows that nothing was lost in the silence
        assert len(quotes(said)) == 2
        return
    assert {event.state.proof for event in said if isinstance(event, StateChanged)} == {Proof.SUSPECT}
    assert quotes(line.hear(line.dialect.update(line.symbol, [("99.4", "3.5")], [])))
    assert line.state.is_priced
    assert not line.session.state(line.other).is_priced


@pytest.mark.parametrize("dialect", [Coinbase, Kraken])
def test_frame_after_a_silence_that_shows_a_loss_brings_no_old_quote(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    assert {event.state.proof for event in line.wait(2.1) if isinstance(event, StateChanged)} == {Proof.STALE}
    line.dialect.update(line.symbol, [("99.6", "3.5")], [])
    events = line.hear(line.dialect.update(line.symbol, [("99.7", "4.5")], []))
    assert not quotes(events)
    assert line.session.quote(line.symbol) is None
    assert line.session.quote(line.other) is None


def test_frame_without_a_number_shows_nothing_of_what_was_lost_in_a_silence() -> None:
    line = Line(Coinbase()).synced()
    line.wait(2.1)
    line.hear(b'{"type":"error","message":"slow down"}')
    assert line.state.proof is Proof.STALE
    line.hear(line.dialect.update(line.other, [("99.3", "3.5")], []))
    assert line.state.is_priced


def test_silent_connection_is_to_be_opened_anew() -> None:
    line = Line(Kraken()).synced()
    assert Reconnect("nothing was heard for 30 s") in line.wait(30.1)
    assert not any(isinstance(event, Reconnect) for event in line.wait(1))


def test_pings_are_sent_at_the_venues_interval() -> None:
    line = Line(Okx()).synced()
    sent = [event for _ in range(40) for event in line.wait(1) if event == Send(b"ping")]
    assert len(sent) == 2


def test_coinbase_frame_that_is_missing_loses_every_book_of_the_connection() -> None:
    line = Line(Coinbase()).synced()
    line.dialect.update(line.other, [("99.4", "3.5")], [])
    events = line.hear(line.dialect.update(line.symbol, [("99.4", "3.5")], []))
    assert faults(events) == [("gap", "expected message 2, received 3")]
    assert not line.state.is_priced
    assert not line.session.state(line.other).is_priced
    assert [json.loads(event.frame) for event in events if isinstance(event, Send)] == [
        {"type": kind, "product_ids": ["ETH-USD", "BTC-USD"], "channel": "level2"} for kind in ("unsubscribe", "subscribe")
    ]
    for symbol in line.dialect.symbols:
        line.hear(line.dialect.snapshot(symbol))
    assert line.state.is_priced


def test_binance_snapshot_older_than_what_is_held_is_asked_for_again() -> None:
    line = Line(Binance())
    old = line.dialect.snapshot(line.symbol)
    line.dialect.update(line.symbol, [("99.4", "3.5")], [])
    (request,) = line.hear(line.dialect.update(line.symbol, [("99.4", "4.5")], []))
    assert isinstance(request, FetchSnapshot)
    assert request.url.endswith("/api/v3/depth?symbol=ETHUSDT&limit=5000")
    events = line.session.snapshot(line.symbol, old, line.now_ns)
    assert faults(events)[0][0] == "unsynced"
    assert any(isinstance(event, FetchSnapshot) for event in line.wait(0.6))
    line.session.snapshot(line.symbol, line.dialect.snapshot(line.symbol), line.now_ns)
    assert line.state.is_priced


def test_slow_snapshot_of_binance_is_applied_under_10_000_held_updates() -> None:
    line = Line(Binance())
    line.hear(line.dialect.update(line.symbol, [], []))
    snapshot = line.dialect.snapshot(line.symbol)
    for number in range(10_000):
        line.hear(line.dialect.update(line.symbol, [("99.4", f"{number}.5")], []), SECOND_NS // 2_000)
    line.session.snapshot(line.symbol, snapshot, line.now_ns)
    assert line.state.is_priced
    assert line.session.keepers[line.symbol].book.best_bids(2)[1].size == 99_995
    assert line.session.counts.duplicates == 0


def test_updates_held_for_a_snapshot_are_bounded() -> None:
    line = Line(Binance())
    frames = [line.dialect.update(line.symbol, [], []) for _ in range(20_002)]
    events = [event for frame in frames for event in line.session.receive(frame, line.now_ns)]
    assert [kind for kind, _ in faults(events)] == ["overflow"]


def test_refused_snapshot_is_asked_for_again_with_growing_pauses() -> None:
    line = Line(Binance())
    line.hear(line.dialect.update(line.symbol, [], []))
    asked = []
    for tenth in range(200):
        events = line.wait(0.1)
        if any(isinstance(event, FetchSnapshot) and event.instrument.symbol == line.symbol for event in events):
            asked.append(tenth)
        line.session.snapshot(line.symbol, b'{"code":-1003,"msg":"Too many requests"}', line.now_ns)
    pauses = [after - before for before, after in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert len(asked) <= 6


def test_best_quote_that_differs_makes_the_book_suspect_and_three_in_a_row_lose_it() -> None:
    line = Line(Binance()).synced()
    dialect = line.dialect
    assert isinstance(dialect, Binance)
    line.hear(dialect.best_quote(line.symbol).replace(b'"99.5"', b'"99.4"'))
    proofs = []
    for number in range(3):
        line.hear(dialect.update(line.symbol, [("99.4", f"{number + 3}.5")], []))
        proofs.append((line.state.connection, line.state.proof))
    assert proofs == [(Connection.LIVE, Proof.SUSPECT)] * 2 + [(Connection.SYNCING, Proof.DESYNCED)]
    assert (line.session.counts.comparisons, line.session.counts.matches) == (3, 0)


def test_bybit_that_restarts_its_service_replaces_the_book() -> None:
    line = Line(Bybit()).synced()
    line.dialect.books[line.symbol].number = 0
    frame = json.loads(line.dialect.update(line.symbol, [("98.0", "1.0")], [("99.0", "1.0")]))
    (quote,) = quotes(line.hear(json.dumps(frame).encode()))
    assert (str(quote.bid), str(quote.ask)) == ("98.0", "99.0")


@pytest.mark.parametrize(
    ("dialect", "frame"),
    [
        (Kraken, b'{"error":"Currency pair not supported ETH/USD","method":"subscribe","success":false,"symbol":"ETH/USD"}'),
        (Okx, b'{"event":"error","code":"60018","msg":"channel:books,instId:ETH-USDT doesn\'t exist","connId":"1"}'),
        (
            Bybit,
            b'{"success":false,"ret_msg":"error:handler not found,topic:orderbook.200.ETHUSDT","conn_id":"","op":"subscribe"}',
        ),
    ],
)
def test_symbol_that_the_venue_refuses_is_down_and_the_other_one_lives(dialect: type[Dialect], frame: bytes) -> None:
    line = Line(dialect()).synced()
    line.hear(frame)
    assert line.state.connection is Connection.DOWN
    assert "the venue says" in line.state.reason
    assert line.session.state(line.other).is_priced


def test_kraken_precision_comes_from_the_instrument_channel_before_the_literals() -> None:
    line = Line(Kraken())
    pairs = [{"symbol": line.symbol, "price_precision": 1, "qty_precision": 8, "price_increment": 1e-1, "status": "online"}]
    line.hear(json.dumps({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": pairs}}).encode())
    book = line.session.keepers[line.symbol].book
    assert (book.price_decimals, book.size_decimals) == (1, 8)
    halted = json.dumps({"channel": "instrument", "type": "update", "data": {"pairs": [{**pairs[0], "status": "delisted"}]}})
    line.hear(halted.encode())
    assert line.state.reason == "the venue has halted it"


def test_receive_clock_that_goes_back_is_counted_and_held() -> None:
    line = Line(Okx()).synced()
    line.session.receive(line.dialect.update(line.symbol, [("99.4", "3.5")], []), START_NS - 50 * SECOND_NS)
    assert line.session.counts.clock_jumps == 1
    assert line.state.is_priced


def test_venue_that_announces_its_end_asks_for_a_new_connection() -> None:
    line = Line(Binance()).synced()
    frame = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}'
    assert line.hear(frame) == [Reconnect("the venue says: the server shuts down")]


def test_kraken_update_without_a_checksum_is_of_the_next_ones_checksum() -> None:
    line = Line(Kraken()).synced()
    frame = line.dialect.update(line.symbol, [("99.3", "3.5")], [])
    line.hear(re.sub(rb'"checksum":\d+,', b"", frame))
    assert line.state.proof.value == "unverifiable"
    line.hear(line.dialect.update(line.symbol, [("99.4", "3.5")], []))
    assert line.state.proof is Proof.VERIFIED


def test_unsubscription_that_is_refused_is_counted_and_the_book_lives() -> None:
    line = Line(Kraken()).synced()
    line.hear(b'{"method":"unsubscribe","error":"Subscription Not Found","success":false,"symbol":"ETH/USD"}')
    assert line.session.counts.reasons["venue error"] == 1
    assert line.state.is_priced


def test_refusal_of_a_symbol_leaves_the_one_alone_whose_name_it_begins_with() -> None:
    exchange = EXCHANGES["okx"]
    session = ExchangeSession(exchange, [exchange.instrument(each) for each in ("ETH/USD", "ETH/USDT")], now_ns=START_NS)
    session.connect(START_NS)
    session.receive(b'{"event":"error","code":"60018","msg":"channel:books,instId:ETH-USDT doesn\'t exist"}', START_NS)
    assert session.state("ETH-USDT").connection is Connection.DOWN
    assert session.state("ETH-USD").connection is Connection.SYNCING
    session.receive(b'{"arg":{"channel":"books","instId":"ETH-USDT"},"action":"upd', START_NS)
    assert session.counts.malformed == 1
    assert session.state("ETH-USD").reason == "no snapshot has come"


def test_symbol_that_kraken_trades_again_is_asked_for_at_once() -> None:
    line = Line(Kraken()).synced()
    pair = {"symbol": line.symbol, "price_precision": 1, "qty_precision": 1}

    def said(status: str) -> bytes:
        return json.dumps({"channel": "instrument", "type": "update", "data": {"pairs": [{**pair, "status": status}]}}).encode()

    line.hear(said("maintenance"))
    assert line.state.connection is Connection.DOWN
    events = line.hear(said("online"))
    assert sum(isinstance(event, Send) for event in events) == 2
    line.hear(line.dialect.snapshot(line.symbol))
    assert line.state.is_priced


def test_missing_heartbeat_of_coinbase_is_a_loss_and_one_alone_where_its_number_is_missing_too() -> None:
    line = Line(Coinbase()).synced()
    dialect = line.dialect
    assert isinstance(dialect, Coinbase)
    line.hear(dialect.heartbeat(1))
    events = line.hear(dialect.heartbeat(3))
    assert faults(events) == [("gap", "expected heartbeat 2, received 3")]
    assert not line.state.is_priced
    dialect.heartbeat(4)
    assert [kind for kind, _ in faults(line.hear(dialect.heartbeat(5)))] == ["gap"]
    assert faults(line.hear(dialect.heartbeat(6))) == []
    assert line.session.counts.gaps == 2


def test_kraken_message_that_was_overtaken_loses_the_book_though_its_checksum_is_right() -> None:
    line = Line(Kraken()).synced()
    ask = "100.5"
    removed = line.dialect.update(line.symbol, [], [(ask, "0.0")]).replace(b"34:13", b"34:14")
    back = line.dialect.update(line.symbol, [], [(ask, "7.5")]).replace(b"34:13", b"34:15")
    line.hear(back)
    assert line.state.is_priced
    events = line.hear(removed)
    assert faults(events) == [("gap", "a message is older than the one before it")]
    assert line.session.quote(line.symbol) is None


@pytest.mark.parametrize("dialect", [Coinbase, Kraken, Okx, Bybit])
def test_venue_that_never_answers_for_a_symbol_is_told_and_the_other_one_lives(dialect: type[Dialect]) -> None:
    line = Line(dialect())
    line.hear(line.dialect.snapshot(line.other))
    for number in range(60):
        line.hear(line.dialect.update(line.other, [("99.3", f"{number + 1}.5")], []))
        line.wait(0.1)
    assert line.state.connection is Connection.SYNCING
    assert line.state.reason == "the venue does not answer: is it listed there?"
    assert line.session.state(line.other).is_priced
    line.hear(line.dialect.snapshot(line.symbol))
    assert line.state.is_priced
