"""What no venue should send: each is counted with its reason, loses the book that it is about, and no other."""

from __future__ import annotations

import json
import re
from random import Random
from zlib import crc32

import pytest

from mempool.books.digits import CHECKED_LEVELS
from mempool.books.order_book import MAX_LEVELS, OrderBook
from mempool.exchanges import EXCHANGES
from mempool.exchanges.kraken import Checksum
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookUpdate, Connection, Proof
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.listings import LISTINGS
from tests.books.venues import quantities
from tests.exchanges.dialects import DIALECTS, Binance, Coinbase, Dialect, Kraken, Okx
from tests.exchanges.test_session import ALL, Line
from tests.fakes.exchange_play import Play

Levels = list[tuple[str, str]]


@ALL
@pytest.mark.parametrize("price", ["-99.4", "nan", "NaN", "Infinity", "1e999", "", "0"])
def test_bad_price_loses_that_symbol_alone(dialect: type[Dialect], price: str) -> None:
    line = Line(dialect()).synced()
    line.hear(line.dialect.update(line.symbol, [("99.4", "77.25")], []).replace(b"99.4", price.encode()))
    counts = line.session.counts
    assert (counts.malformed, counts.reasons["malformed"]) == (1, 1)
    assert not line.state.is_priced
    assert line.session.state(line.other).is_priced


@ALL
def test_locked_and_crossed_books_give_no_quote(dialect: type[Dialect]) -> None:
    for price in ("100.5", "100.6"):
        line = Line(dialect()).synced()
        line.hear(line.dialect.update(line.symbol, [(price, "1.0")], []))
        assert (line.state.proof, line.session.quote(line.symbol)) == (Proof.SUSPECT, None)
        assert line.session.counts.crossings == 1
        assert line.session.state(line.other).is_priced


@pytest.mark.parametrize("dialect", [Binance, Coinbase, Okx])
def test_book_with_more_levels_than_any_venue_has_is_given_up(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    levels = [(f"{number}.5", "1.0") for number in range(1, MAX_LEVELS + 2)]
    line.hear(line.dialect.update(line.symbol, [], [(f"1{price:0>8}", size) for price, size in levels]))
    line.wait(0.1)
    assert line.state.reason == "more levels than a book has"
    assert len(line.session.keepers[line.symbol].book.asks.levels) <= MAX_LEVELS + 3
    assert line.session.state(line.other).is_priced


def test_book_that_is_lost_for_its_size_holds_no_memory() -> None:
    line = Line(Okx()).synced()
    line.hear(line.dialect.update(line.symbol, [], [(f"1{number:08}.5", "1.0") for number in range(MAX_LEVELS + 1)]))
    line.wait(0.1)
    assert len(line.session.keepers[line.symbol].book.asks.levels) == 0


@pytest.mark.parametrize("venue", LISTINGS)
@pytest.mark.parametrize("seconds", [3_600.0, -3_600.0])
def test_venues_clock_that_jumps_an_hour_costs_no_book_its_price_for_long(venue: str, seconds: float) -> None:
    play = Play(venue, 2, [Fault(FaultKind.CLOCK_JUMP, 40, seconds=seconds)])
    play.run_until_struck(1)
    play.run_for(3)
    assert all(play.session.state(each.symbol).is_priced for each in play.instruments)
    # Kraken's messages have no number but the time: where that goes back, one may have been overtaken by another.
    known = {"gap"} if venue == "kraken" and seconds < 0 else set()
    assert {each.kind for each in play.found} == known
    assert max(each.took_ns for each in play.watch.resyncs) < 1_000_000_000


@ALL
def test_quote_has_the_age_of_its_arrival_whatever_the_venues_clock_says(dialect: type[Dialect]) -> None:
    line = Line(dialect()).synced()
    quote = line.session.quote(line.symbol)
    assert quote is not None
    assert line.now_ns - quote.recv_ns < 2_000_000_000


def test_symbol_whose_tick_becomes_finer_is_priced_on() -> None:
    for dialect in (Okx, Coinbase):
        line = Line(dialect()).synced()
        line.hear(line.dialect.update(line.symbol, [("99.987654", "0.00000001")], []))
        quote = line.session.quote(line.symbol)
        assert quote is not None
        assert (str(quote.bid), str(quantities(quote)[0])) == ("99.987654", "1E-8")


def kraken_checksum(bids: Levels, asks: Levels) -> int:
    parts = [part.replace(".", "").lstrip("0") for side in (asks, bids) for level in side[:CHECKED_LEVELS] for part in level]
    return crc32("".join(parts).encode())


def random_level(random: Random, price: int) -> tuple[str, str]:
    return f"{price}.{random.randrange(10)}", f"{random.randrange(1, 90)}.{random.randrange(10**8):08}"


def with_a_wrong_digit(random: Random, text: str) -> str:
    place = random.choice([place for place, digit in enumerate(text) if digit != "."])
    return text[:place] + str((int(text[place]) + random.randint(1, 9)) % 10) + text[place + 1 :]


def test_every_one_of_10_000_wrong_digits_in_the_ten_best_levels_is_found_and_none_below_is_provable() -> None:
    random, levels = Random(8), CHECKED_LEVELS + 4
    bids = [random_level(random, 3_000 - number) for number in range(levels)]
    asks = [random_level(random, 3_001 + number) for number in range(levels)]
    checksum, unprovable = kraken_checksum(bids, asks), 0
    for number in range(11_000):
        sides = list(bids), list(asks)
        side = random.choice(sides)
        at = random.randrange(CHECKED_LEVELS) if number < 10_000 else random.randrange(CHECKED_LEVELS, levels)
        price, size = side[at]
        side[at] = (
            (with_a_wrong_digit(random, price), size) if random.random() < 0.5 else (price, with_a_wrong_digit(random, size))
        )
        book = OrderBook(25)
        verify = Checksum(book)
        book.load(*sides)
        holds = verify(BookUpdate("ETH/USD", sides[0], sides[1], is_snapshot=True, checksum=checksum))
        assert not holds or at >= CHECKED_LEVELS
        unprovable += holds
    assert unprovable > 500


def test_frame_that_names_no_known_venues_form_is_counted_with_its_reason() -> None:
    for name in DIALECTS:
        exchange = EXCHANGES[name]
        session = ExchangeSession(exchange, [exchange.instrument(DIALECTS[name]().symbols[0])], now_ns=1)
        session.connect(1)
        for frame in (b"", b"[" * 100_000, b"\xff\xfe", b"9" * 5_000, b'"\\ud800"', b"<html>503</html>"):
            session.receive(frame, 2)
        assert session.counts.malformed == session.counts.reasons["malformed"] == 6
        assert all(keeper.state.connection is Connection.SYNCING for keeper in session.keepers.values())


def test_kraken_numbers_with_an_exponent_are_read_exactly() -> None:
    line = Line(Kraken()).synced()
    frame = line.dialect.update(line.symbol, [("99.4", "3.5")], [])
    line.hear(re.sub(rb'"qty":3.5', b'"qty":35e-1', frame))
    assert line.state.proof is Proof.VERIFIED
    assert json.loads(frame)["data"][0]["symbol"] == line.symbol
