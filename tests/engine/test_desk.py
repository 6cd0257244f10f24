"""The desk samples each book and the best once a second, and tells of gaps; all by the stamps of what is heard."""

from __future__ import annotations

import pytest

from mempool.books.depth import BookDepth
from mempool.engine.books_followed import FollowedBooks
from mempool.engine.counters import Counters
from mempool.engine.desk import Desk, DeskOptions
from mempool.errors import UsageError
from mempool.exchanges import EXCHANGES, Exchange
from mempool.exchanges.events import StateChanged
from mempool.feeds.venue import News, VenueBooks
from mempool.model.book import BookState, Connection, Instrument, Level, Proof, Quote
from mempool.model.record import ArbitrageEnded, ArbitrageFound, BestSampled, BookGap, QuoteSampled, Record
from mempool.model.stamps import SECOND_NS

FEES = dict.fromkeys(EXCHANGES, 1_000)
LIVE = BookState(Connection.LIVE, Proof.VERIFIED, "", 1)
LOST = BookState(Connection.DOWN, Proof.DESYNCED, "gone", 3 * SECOND_NS)


class BestLevels(VenueBooks):
    """One venue's books, of which the best levels are known."""

    def __init__(self, books: FollowedBooks, venue: Exchange) -> None:
        super().__init__(venue, books.of(venue))
        self._rows = books.rows

    def depth(self, instrument: Instrument, levels: int) -> BookDepth | None:
        quote = self._rows[instrument].quote
        if quote is None:
            return None
        bid, ask = Level(quote.bid_price, quote.bid_size), Level(quote.ask_price, quote.ask_size)
        return BookDepth(instrument, (bid,), (ask,), quote.price_decimals, quote.size_decimals, recv_ns=quote.recv_ns)


class Heard:
    """A desk over ETH/USD at Kraken and Coinbase, and its records."""

    def __init__(self, min_profit_eth: float = 0.0) -> None:
        self.records: list[Record] = []
        self.counters = Counters()
        self.books = FollowedBooks(("kraken", "coinbase"), ("ETH/USD",), FEES)
        self.desk = Desk(self.books, self.records.append, DeskOptions(FEES, min_profit_eth), self.counters)
        for venue in self.books.venues:
            self.books.read_depths_from(venue.name, BestLevels(self.books, venue))
        self.kraken, self.coinbase = self.books.markets[0].books
        for instrument in (self.kraken, self.coinbase):
            self.hear(StateChanged(instrument, LIVE))

    def hear(self, event: News) -> None:
        self.books.hear(event)
        self.desk.hear("", event)

    def quote(self, instrument: Instrument, bid: int, at_ns: int) -> None:
        self.hear(Quote(instrument, bid, 10, bid + 1, 10, 2, 0, Proof.VERIFIED, at_ns))

    def told(self, kind: type[Record]) -> list[Record]:
        return [record for record in self.records if type(record) is kind]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_first_quote_of_each_second_is_sampled_and_the_best_with_it_before_and_after_fees(heard: Heard) -> None:
    for at_ns, bid in ((1, 300_000), (SECOND_NS // 2, 300_100), (SECOND_NS + 1, 300_200)):
        heard.quote(heard.kraken, bid, at_ns)
    sampled = [record.quote.bid_price for record in heard.records if isinstance(record, QuoteSampled)]
    best = [(record.best.now_ns, record.best.after_fees) for record in heard.records if isinstance(record, BestSampled)]
    assert sampled == [300_000, 300_200]
    assert best == [(1, False), (1, True), (SECOND_NS + 1, False), (SECOND_NS + 1, True)]
    assert heard.counters.book_quotes == 3


def test_lost_book_is_a_gap_and_out_of_the_view_at_once(heard: Heard) -> None:
    heard.quote(heard.kraken, 300_000, 1)
    heard.quote(heard.coinbase, 300_050, 2)
    assert set(heard.desk.view(2).quotes) == {heard.kraken, heard.coinbase}
    heard.hear(StateChanged(heard.kraken, LOST))
    assert set(heard.desk.view(2).quotes) == {heard.coinbase}
    assert heard.told(BookGap) == [BookGap(1, "kraken", "ETH/USD", "down", "gone", LOST.since_ns, None)]
    assert heard.counters.book_gaps == 1


@pytest.mark.parametrize(("min_profit_eth", "reported"), [(0.0, 1), (0.1, 1), (1.0, 0)])
def test_finding_below_the_least_profit_is_counted_and_neither_it_nor_its_end_reported(
    min_profit_eth: float, reported: int
) -> None:
    heard = Heard(min_profit_eth)
    heard.quote(heard.kraken, 300_000, 1)
    heard.quote(heard.coinbase, 310_000, 2)
    heard.quote(heard.coinbase, 310_000, SECOND_NS)
    heard.desk.end(2 * SECOND_NS)
    assert [len(heard.told(kind)) for kind in (ArbitrageFound, ArbitrageEnded)] == [reported, reported]
    assert (heard.counters.arbitrages, heard.counters.below_minimum, heard.counters.near_misses) == (reported, 1 - reported, 0)


def test_time_never_goes_back(heard: Heard) -> None:
    heard.quote(heard.kraken, 300_000, 5 * SECOND_NS)
    heard.quote(heard.coinbase, 300_000, 4 * SECOND_NS)
    assert heard.desk.view(0).now_ns == heard.desk.now_ns == 5 * SECOND_NS


def test_all_stands_for_every_exchange_and_an_empty_name_for_none() -> None:
    assert [venue.name for venue in FollowedBooks(("all",), ("ETH/USD",)).venues] == list(EXCHANGES)
    with pytest.raises(UsageError, match="name an exchange: --exchange binance, "):
        FollowedBooks(("",), ("ETH/USD",))
