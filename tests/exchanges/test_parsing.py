"""Frames are read the same whatever way they take, names are mapped once, and no bytes that a venue sends raise."""

from __future__ import annotations

import json
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mempool.books.order_book import OrderBook
from mempool.books.scale import BadNumber
from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES, binance, kraken
from mempool.exchanges.clock import SECOND_NS, ClockOffset, iso_ns
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookUpdate, scaled_text
from tests.exchanges.dialects import DIALECTS, Binance, Kraken

NUMBERS = st.integers(0, 10**17).map(lambda number: scaled_text(number, 8)) | st.sampled_from(
    ["1.5", "100", "1e-9", "-1.00000000", "nan", "0.00000000", "9999999.99999999", "10000000.00000001", "1.123456789"]
)
LEVELS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4)


@given(LEVELS, LEVELS)
@example([("90071992.54740993", "0.00000001")], [])
@example([("1.00000000", "1.1234567890")], [])
def test_binance_read_by_doubles_is_the_book_read_as_text(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    data = {"e": "depthUpdate", "E": 1, "s": "ETHUSDT", "U": 1, "u": 2, "b": bids, "a": asks}
    frame = json.dumps({"stream": "ethusdt@depth@100ms", "data": data}).encode()
    (update,) = binance.parse(frame)
    assert isinstance(update, BookUpdate)
    by_text, read = OrderBook(0, 8, 8), OrderBook(0, 8, 8)
    try:
        by_text.update(bids, asks)
    except BadNumber:
        with pytest.raises(BadNumber):
            read.update(update.bids, update.asks)
        return
    if update.decimals is None:
        read.update(update.bids, update.asks)
    else:
        read.update_floats(update.bids, update.asks, update.decimals)
    assert (read.best_bids(9), read.best_asks(9)) == (by_text.best_bids(9), by_text.best_asks(9))
    assert (read.price_decimals, read.size_decimals) == (by_text.price_decimals, by_text.size_decimals)


KRAKEN_NUMBERS = st.integers(0, 10**12).map(str) | st.sampled_from(
    ["1.5", "0.00", "1e3", "-1.0", "-0.0", "063405.1", "63405.10000000000000001", "9007199254.740993", "90071992547.40993"]
)
KRAKEN_PRICES = st.integers(0, 10**7).map(lambda number: scaled_text(number, 1)) | KRAKEN_NUMBERS
KRAKEN_SIZES = st.integers(0, 10**12).map(lambda number: scaled_text(number, 8)) | KRAKEN_NUMBERS
KRAKEN_LEVELS = st.lists(st.tuples(KRAKEN_PRICES, KRAKEN_SIZES), max_size=4)


@given(KRAKEN_LEVELS, KRAKEN_LEVELS)
@example([("63405.1", "0.03154320"), ("63405.2", "0.00000000")], [("0.1", "1234567.00000001")])
@example([("63405.1", "12345678.00000001")], [])
@example([("63405.1", "0.03154320"), ("63405.15", "0.03154320")], [])
@example([("0.0", "1.00000000")], [])
def test_kraken_read_by_doubles_is_the_book_read_by_its_literals(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]]
) -> None:
    sides = [",".join(f'{{"price":{price},"qty":{size}}}' for price, size in side) for side in (bids, asks)]
    text = (
        '{"channel":"book","type":"update","data":[{"symbol":"ETH/USD","bids":[%s],"asks":[%s],"checksum":7,"timestamp":"%s"}]}'
    )
    frame = (text % (*sides, "2026-08-24T22:34:13.813365Z")).encode()
    if '"063405.1"' in json.dumps([bids, asks]):
        with pytest.raises(msgspec.DecodeError):
            kraken.parse(frame)
        return
    (update,) = kraken.parse(frame)
    (literal,) = kraken.parse(frame.replace(b'"type"', b' "type"', 1))
    assert isinstance(update, BookUpdate)
    assert isinstance(literal, BookUpdate)
    assert literal.decimals is None
    assert (update.checksum, update.event_ns, update.symbol) == (literal.checksum, literal.event_ns, literal.symbol)
    assert_same_book(update, literal)


def assert_same_book(update: BookUpdate, literal: BookUpdate) -> None:
    by_text, read = OrderBook(0, 1, 8), OrderBook(0, 1, 8)
    try:
        by_text.update(literal.bids, literal.asks)
    except BadNumber:
        with pytest.raises(BadNumber):
            read.update(update.bids, update.asks)
        return
    if update.decimals is None:
        read.update(update.bids, update.asks)
    else:
        read.update_floats(update.bids, update.asks, update.decimals)
    assert (read.best_bids(9), read.best_asks(9)) == (by_text.best_bids(9), by_text.best_asks(9))
    assert (read.price_decimals, read.size_decimals) == (by_text.price_decimals, by_text.size_decimals)


def test_kraken_update_of_the_usual_form_is_read_by_doubles() -> None:
    frame = (
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[{"price":63405.1,"qty":0.03154320}],'
        b'"checksum":1396314585,"timestamp":"2026-08-02T03:35:51.671461Z"}]}'
    )
    (update,) = kraken.parse(frame)
    assert isinstance(update, BookUpdate)
    assert update.decimals == (1, 8)


def test_binance_level_of_three_numbers_is_refused() -> None:
    data = {"s": "ETHUSDT", "U": 1, "u": 2, "b": [("99.40000000", "2.50000000", "1.00000000")], "a": []}
    with pytest.raises(msgspec.ValidationError):
        binance.parse(json.dumps({"stream": "ethusdt@depth@100ms", "data": data}).encode())


def test_binance_raw_streams_are_read_too() -> None:
    dialect = Binance()
    dialect.books["ETHUSDT"].change([("99.5", "1.5")], [("100.5", "1.5")])
    for frame in (dialect.update("ETHUSDT", [("99.4", "2.5")], []), dialect.best_quote("ETHUSDT")):
        raw = json.dumps(json.loads(frame)["data"]).encode()
        assert binance.parse(raw) == binance.parse(frame)


def test_kraken_frame_of_another_layout_is_read_the_same() -> None:
    dialect = Kraken()
    dialect.books["ETH/USD"].change([("99.50", "1.5")], [("100.50", "1.50000")])
    frame = dialect.snapshot("ETH/USD")
    spaced = frame.replace(b'":', b'" : ').replace(b'"type" : "snapshot",', b"").replace(b'"data"', b'"type":"snapshot","data"')
    assert kraken.parse(spaced) == kraken.parse(frame)


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_frames_with_broken_bytes_never_raise(name: str, seed: int) -> None:
    mutate(name, seed, 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIALECTS)
def test_frames_with_broken_bytes_never_raise_100_000_times(name: str) -> None:
    mutate(name, 1, 100_000)


def mutate(name: str, seed: int, count: int) -> None:
    random = Random(seed)
    dialect, exchange = DIALECTS[name](), EXCHANGES[name]
    symbol = dialect.symbols[0]
    dialect.books[symbol].change([("99.5", "1.5")], [("100.5", "1.5")])
    session = ExchangeSession(exchange, [exchange.instrument(symbol)], now_ns=1)
    session.connect(1)
    frames = [dialect.snapshot(symbol), dialect.update(symbol, [("99.4", "2.5")], [("100.6", "2.5")])]
    for number in range(count):
        frame = bytearray(random.choice(frames))
        for _ in range(random.randint(0, 3)):
            frame[random.randrange(len(frame))] = random.choice(b'0123456789.-eE"{}[],:x\xff\x00')
        session.receive(bytes(frame), number * 1_000_000)
        session.snapshot(symbol, bytes(frame), number * 1_000_000)
        session.tick(number * 1_000_000)
        quote = session.quote(symbol)
        assert quote is None or 0 < quote.bid_price < quote.ask_price


@pytest.mark.parametrize(
    ("venue", "text", "symbol", "pair"),
    [
        ("binance", "ETH/USDT", "ETHUSDT", "ETH/USDT"),
        ("binance", "ethusdc", "ETHUSDC", "ETH/USDC"),
        ("binance", "ETHFDUSD", "ETHFDUSD", "ETH/FDUSD"),
        ("coinbase", "ETH/USD", "ETH-USD", "ETH/USD"),
        ("coinbase", "ETHUSD", "ETH-USD", "ETH/USD"),
        ("kraken", "XETHZUSD", "ETH/USD", "ETH/USD"),
        ("kraken", "XXBTZUSD", "BTC/USD", "BTC/USD"),
        ("kraken", "XBT/USD", "BTC/USD", "BTC/USD"),
        ("kraken", "XETHXXBT", "ETH/BTC", "ETH/BTC"),
        ("kraken", "USDTZUSD", "USDT/USD", "USDT/USD"),
        ("kraken", "XTZUSD", "XTZ/USD", "XTZ/USD"),
        ("okx", "ETH-USDT", "ETH-USDT", "ETH/USDT"),
        ("bybit", "BTC/USDT", "BTCUSDT", "BTC/USDT"),
    ],
)
def test_names_of_a_pair_are_mapped_to_the_venues_own(venue: str, text: str, symbol: str, pair: str) -> None:
    instrument = EXCHANGES[venue].instrument(text)
    assert (instrument.symbol, instrument.pair) == (symbol, pair)
    assert EXCHANGES[venue].instrument(instrument.symbol) == instrument


@pytest.mark.parametrize(("venue", "text"), [("binance", "hello"), ("kraken", ""), ("okx", "A/B/C"), ("coinbase", "BTC-USDC")])
def test_text_that_names_no_pair_of_the_venue_is_refused(venue: str, text: str) -> None:
    with pytest.raises(UsageError, match="not a symbol"):
        EXCHANGES[venue].instrument(text)


def test_times_are_read_to_the_nanosecond() -> None:
    assert iso_ns("2026-08-24T22:34:13.813365299Z") % SECOND_NS == 813_365_299
    assert iso_ns("2026-08-24T22:34:13.5Z") - iso_ns("2026-08-24T22:34:13Z") == SECOND_NS // 2
    for text in ("", "2026-08-24", "2026-08-24T22:34:13+01:00", "2026-08-24T22:34:13.xZ"):
        with pytest.raises(ValueError):
            iso_ns(text)


@given(st.integers(-10 * SECOND_NS, 10 * SECOND_NS), st.randoms())
def test_offset_of_the_clocks_is_found_within_50_ms(skew_ns: int, random: Random) -> None:
    clock = ClockOffset()
    for number in range(600):
        event_ns = 10**18 + number * SECOND_NS // 10
        clock.hear(event_ns + skew_ns + random.randint(1_000_000, 80_000_000) // (1 + number % 9), event_ns)
    assert clock.offset_ns is not None
    assert abs(clock.offset_ns - skew_ns) < 50_000_000


def test_step_of_the_venues_clock_is_counted_and_learned() -> None:
    clock = ClockOffset()
    for number in range(10):
        clock.hear(10**18 + number * SECOND_NS, 10**18 + number * SECOND_NS - 1_000)
    clock.hear(10**18 + 11 * SECOND_NS, 10**18 + 16 * SECOND_NS)
    assert (clock.steps, clock.offset_ns) == (1, -5 * SECOND_NS)
    clock.hear(10**18 + 12 * SECOND_NS, 10**18 + 10 * SECOND_NS)
    assert clock.late == 1
