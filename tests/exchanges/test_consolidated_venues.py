"""The consolidated quote over real sessions of the five venues: what one of them loses is out with the frame that shows it."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from mempool.books.consolidated import Consolidator
from mempool.exchanges import EXCHANGES
from mempool.exchanges.events import BookEvent, StateChanged
from mempool.exchanges.session import ExchangeSession
from mempool.model.book import BookState, Connection, Instrument, Proof, Quote
from mempool.model.consolidated import ConsolidatedQuote
from tests.exchanges.dialects import Binance, Bybit, Coinbase, Dialect, Kraken, Okx

MILLISECOND_NS = 1_000_000
START_NS = 1_787_612_486_000 * MILLISECOND_NS
TETHER = Instrument("kraken", "USDT/USD", "USDT", "USD")
RATE_BID, RATE_ASK = Fraction("0.9991"), Fraction("0.9992")


class World:
    """Five servers with a small book each, the sessions that hear them, and the consolidator that hears the sessions."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.dialects: dict[str, Dialect] = {each.name: each() for each in (Binance, Coinbase, Kraken, Okx, Bybit)}
        self.instruments = {name: EXCHANGES[name].instrument(each.symbols[0]) for name, each in self.dialects.items()}
        self.sessions = {
            name: ExchangeSession(EXCHANGES[name], [instrument], now_ns=START_NS) for name, instrument in self.instruments.items()
        }
        fees = dict.fromkeys(self.dialects, 1000)
        self.consolidator = Consolidator(("ETH", "USD"), list(self.instruments.values()), fees, [TETHER])
        self.consolidator.on_state(TETHER, BookState(Connection.LIVE, Proof.VERIFIED, "", START_NS))
        self.consolidator.on_quote(Quote(TETHER, 9991, 10**9, 9992, 10**9, 4, 0, Proof.VERIFIED, START_NS))
        for name in self.dialects:
            self.sync(name)

    def sync(self, name: str) -> None:
        dialect, session = self.dialects[name], self.sessions[name]
        symbol = dialect.symbols[0]
        dialect.books[symbol].change([("2999.50", "1.50"), ("2999.00", "9.00")], [("3000.50", "1.50"), ("3001.00", "9.00")])
        self.pass_on(session.connect(self.now_ns))
        if isinstance(dialect, Binance):
            self.hear(name, dialect.update(symbol, [], []))
            self.pass_on(session.snapshot(symbol, dialect.snapshot(symbol), self.now_ns))
        else:
            self.hear(name, dialect.snapshot(symbol))

    def hear(self, name: str, frame: bytes) -> None:
        self.now_ns += MILLISECOND_NS
        self.pass_on(self.sessions[name].receive(frame, self.now_ns))

    def pass_on(self, events: list[BookEvent]) -> None:
        for event in events:
            if isinstance(event, Quote):
                self.consolidator.on_quote(event)
            elif isinstance(event, StateChanged):
                self.consolidator.on_state(event.instrument, event.state)

    def change(self, name: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bytes:
        return self.dialects[name].update(self.dialects[name].symbols[0], bids, asks)

    @property
    def quote(self) -> ConsolidatedQuote:
        return self.consolidator.quote(self.now_ns)

    def priced(self) -> set[str]:
        return {part.venue for part in self.quote.parts}

    def true_bests(self) -> tuple[Fraction, Fraction]:
        """Of the servers' own books, those in tether by the rate."""
        bids, asks = [], []
        for name, dialect in self.dialects.items():
            best = dialect.books[dialect.symbols[0]].best()
            assert best is not None
            is_tether = self.instruments[name].quote == "USDT"
            bids.append(Fraction(best[0]) * (RATE_BID if is_tether else 1))
            asks.append(Fraction(best[2]) * (RATE_ASK if is_tether else 1))
        return max(bids), min(asks)


def test_consolidated_quote_is_that_of_the_servers_own_books_after_every_frame() -> None:
    world, chance = World(), random.Random(7)
    for _ in range(1000):
        name = chance.choice(list(world.dialects))
        distance, size = chance.randrange(1, 40), chance.choice(["0.00", "1.25", "3.00"])
        bids, asks = [(f"{2999.5 + distance / 100:.2f}", size)], [(f"{3000.5 - distance / 100:.2f}", size)]
        book = world.dialects[name].books[world.dialects[name].symbols[0]]
        if size == "0.00" and (Decimal(bids[0][0]) not in book.bids or Decimal(asks[0][0]) not in book.asks):
            continue
        world.hear(name, world.change(name, bids, asks))
        found = world.quote
        assert len(found.parts) == 5
        assert found.bid is not None
        assert found.ask is not None
        assert (found.bid.exact_price, found.ask.exact_price) == world.true_bests()


@pytest.mark.parametrize("name", ["binance", "coinbase", "okx", "bybit", "kraken"])
def test_venue_that_has_lost_a_message_is_out_with_the_next_frame_and_the_others_stay(name: str) -> None:
    world = World()
    assert world.priced() == set(world.dialects)
    world.change(name, [("2999.90", "7.00")], [])
    world.hear(name, world.change(name, [], [("3000.40", "1.00")]))
    assert world.priced() == set(world.dialects) - {name}
    (out,) = world.quote.left_out
    assert out.instrument == world.instruments[name]
    assert out.reason.partition(": ")[2]


def test_venue_comes_back_with_its_new_snapshot() -> None:
    world = World()
    world.change("okx", [("2999.90", "7.00")], [])
    world.hear("okx", world.change("okx", [], [("3000.40", "1.00")]))
    assert "okx" not in world.priced()
    world.hear("okx", world.dialects["okx"].snapshot("ETH-USDT"))
    assert world.priced() == set(world.dialects)
    assert world.quote.bid is not None
    assert world.quote.bid.exact_price == world.true_bests()[0]
