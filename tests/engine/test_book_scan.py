"""Gaps between books are told of once each: as findings with what they bring, or as near misses with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from itertools import count, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.books.depth import BookDepth
from mempool.books.view import BooksView
from mempool.detect.book_cycles import Terms
from mempool.engine.book_scan import BookScan
from mempool.errors import UsageError
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, Rejection
from mempool.model.book import Instrument
from mempool.model.record import ArbitrageEnded, ArbitrageFound, Record
from tests.books.venues import BINANCE, COINBASE, FEES, FREE, KRAKEN, OKX, TETHER, TETHER_TOO
from tests.detect.book_scenes import best_of, book

MS = 1_000_000
FEELESS = Terms("USD", FREE, skew_ns=0)


class Floor:
    """The books of a moment, and the scan that hears of them."""

    def __init__(self, terms: Terms = FEELESS) -> None:
        self.records: list[Record] = []
        self.books: dict[Instrument, BookDepth] = {}
        self.reads = 0
        self.scan = BookScan(terms, self.records.append, count(1))

    def view(self, at_ms: int) -> BooksView:
        quotes = {instrument: best_of(depth) for instrument, depth in self.books.items()}
        return BooksView(quotes, self.read, at_ms * MS)

    def read(self, instrument: Instrument) -> BookDepth:
        self.reads += 1
        return self.books[instrument]

    def hear(self, at_ms: int, instrument: Instrument, bid: str, ask: str, size: int = 1) -> list[Record]:
        """What is told at a quote with one level a side."""
        depth = book(instrument, [(bid, str(size))], [(ask, str(size))], at_ms * MS)
        self.books[instrument] = depth
        return self.told(lambda: self.scan.on_quote(best_of(depth), self.view(at_ms)))

    def lose(self, at_ms: int, instrument: Instrument) -> list[Record]:
        del self.books[instrument]
        return self.told(lambda: self.scan.on_unpriced(instrument, at_ms * MS))

    def end(self, at_ms: int) -> list[Record]:
        return self.told(lambda: self.scan.end(at_ms * MS))

    def told(self, act: Callable[[], None]) -> list[Record]:
        before = len(self.records)
        act()
        return self.records[before:]


def found(record: Record) -> BookArbitrage:
    assert isinstance(record, ArbitrageFound)
    assert isinstance(record.arbitrage, BookArbitrage)
    return record.arbitrage


def test_gap_is_told_of_at_once_and_ends_with_how_long_it_lived() -> None:
    floor = Floor()
    assert floor.hear(0, KRAKEN, "2999.00", "3000.00") == []
    (told,) = floor.hear(10, COINBASE, "3006.00", "3007.00", 2)
    assert isinstance(told, ArbitrageFound)
    one = found(told)
    assert (told.number, told.found_ns, told.profit_usd) == (1, 10 * MS, 6.0)
    assert told.profit_eth == pytest.approx(6 / 3006.5)
    assert (one.kind, one.money, one.rejection, one.net_profit) == (ArbitrageKind.CROSS_EXCHANGE, "USD", None, Fraction(6))
    assert [trade.age_ns for trade in one.trades] == [10 * MS, 0]
    assert floor.hear(25, COINBASE, "2999.00", "3000.00") == [ArbitrageEnded(1, 25 * MS, 15 * MS)]


def test_finding_a_tenth_better_takes_the_place_of_the_one_before() -> None:
    floor = Floor()
    floor.hear(0, KRAKEN, "2999.00", "3000.00", 10)
    floor.hear(0, COINBASE, "3010.00", "3011.00", 10)
    assert floor.hear(1, COINBASE, "3010.50", "3011.00", 10) == []
    (told,) = floor.hear(2, COINBASE, "3011.00", "3012.00", 10)
    assert isinstance(told, ArbitrageFound)
    assert (told.number, found(told).net_profit) == (1, Fraction(110))
    assert floor.hear(3, COINBASE, "3005.00", "3006.00", 10) == []
    assert floor.end(4) == [ArbitrageEnded(1, 4 * MS, 4 * MS)]


def test_more_at_the_same_prices_is_seen_within_a_tenth_of_a_second() -> None:
    floor = Floor()
    floor.hear(0, KRAKEN, "2999.00", "3000.00", 10)
    floor.hear(0, COINBASE, "3010.00", "3011.00", 1)
    assert floor.hear(50, COINBASE, "3010.00", "3011.00", 5) == []
    (told,) = floor.hear(100, COINBASE, "3010.00", "3011.00", 5)
    assert found(told).net_profit == 50


WITH_FEES = Terms("USD", FEES, skew_ns=0)


def test_gap_that_the_fees_eat_is_told_of_when_it_closes() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    assert floor.hear(10, COINBASE, "3006.00", "3007.00") == []
    (told,) = floor.hear(40, COINBASE, "2999.00", "3000.00")
    assert isinstance(told, ArbitrageFound)
    assert (told.number, told.found_ns, found(told).rejection) == (1, 10 * MS, Rejection.FEES)
    assert found(told).note == "the fees are more than the 6 USD between the prices"
    assert floor.end(5000) == [ArbitrageEnded(1, 40 * MS, 30 * MS)]


def test_nearest_of_a_gaps_near_misses_is_the_one_told_of() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00", 9)
    for at_ms, bid in ((0, "3006.00"), (1100, "3016.00"), (2200, "3009.00"), (3300, "3001.00")):
        assert floor.hear(at_ms, COINBASE, bid, "3100.00", 9) == []
    told, _ = floor.end(4000)
    assert isinstance(told, ArbitrageFound)
    # The fees cost more of it in all than of the others, but the smallest part of what is put in.
    assert (told.found_ns, found(told).trades[1].worst_price) == (1100 * MS, Fraction(3016))


def test_near_miss_that_comes_to_pay_is_the_finding() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    assert floor.hear(10, COINBASE, "3006.00", "3007.00") == []
    (told,) = floor.hear(20, COINBASE, "3060.00", "3070.00")
    assert (found(told).rejection, found(told).lived_ns) == (None, 10 * MS)
    assert floor.hear(30, COINBASE, "3006.00", "3007.00") == []
    assert floor.end(40) == [ArbitrageEnded(1, 40 * MS, 30 * MS)]


def test_market_that_flickers_for_an_hour_is_one_near_miss_with_how_often_and_how_long_it_gained() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    hour_ms = 3_600_000
    for at_ms in range(0, hour_ms, 500):
        floor.hear(at_ms, COINBASE, *(("3006.00", "3007.00") if at_ms % 1000 else ("2999.00", "3000.00")))
    (first,) = floor.records
    told, ended = floor.end(hour_ms)
    assert isinstance(first, ArbitrageFound)
    assert isinstance(told, ArbitrageFound)
    assert (first.number, told.number) == (1, 1)
    assert found(told).note == f"{found(first).note}; the nearest of 3,600 gaps in 3599.5 s"
    assert ended == ArbitrageEnded(1, hour_ms * MS, hour_ms // 2 * MS)
    assert floor.reads == 2


def test_near_miss_that_comes_nearer_is_told_of_again_but_not_within_a_minute() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")

    def gap(at_ms: int, bid: str) -> list[Record]:
        return [*floor.hear(at_ms, COINBASE, bid, "3100.00"), *floor.hear(at_ms + 10, COINBASE, "2999.00", "3000.00")]

    assert [found(told).gross_profit for told in gap(0, "3006.00")] == [6]
    assert gap(20_000, "3016.00") == []
    assert gap(40_000, "3004.00") == []
    (again,) = gap(70_000, "3003.00")
    assert isinstance(again, ArbitrageFound)
    assert (again.number, again.found_ns, found(again).gross_profit) == (1, 20_000 * MS, Fraction(16))
    assert found(again).note.endswith("; the nearest of 4 gaps in 70.0 s")
    assert gap(120_000, "3002.00") == []
    final, ended = floor.end(150_000)
    assert found(final).note.endswith("; the nearest of 5 gaps in 120.0 s")
    assert ended == ArbitrageEnded(1, 120_010 * MS, 50 * MS)


def test_near_miss_ends_after_a_minute_without_a_gap_and_the_next_one_is_another() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(0, COINBASE, "3006.00", "3007.00")
    floor.hear(10, COINBASE, "2999.00", "3000.00")
    assert floor.hear(60_009, OKX, "2999.00", "3000.00") == []
    assert floor.hear(60_010, OKX, "2999.00", "3000.00") == [ArbitrageEnded(1, 10 * MS, 10 * MS)]
    assert floor.hear(60_020, COINBASE, "3006.00", "3007.00") == []
    (second,) = floor.hear(60_030, COINBASE, "2999.00", "3000.00")
    assert isinstance(second, ArbitrageFound)
    assert second.number == 2


def test_near_miss_goes_on_while_a_gap_of_it_is_open() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(0, COINBASE, "3006.00", "3007.00")
    floor.hear(10, COINBASE, "2999.00", "3000.00")
    floor.hear(59_000, COINBASE, "3006.00", "3007.00")
    assert floor.hear(200_000, OKX, "2999.00", "3000.00") == []
    assert floor.hear(200_000, COINBASE, "2999.00", "3000.00") == []
    told, ended = floor.end(201_000)
    assert found(told).note.endswith("; the nearest of 2 gaps in 200.0 s")
    assert ended == ArbitrageEnded(1, 200_000 * MS, 141_010 * MS)


def test_finding_between_two_near_misses_is_no_part_of_them() -> None:
    floor = Floor(WITH_FEES)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(0, COINBASE, "3006.00", "3007.00")
    assert len(floor.hear(10, COINBASE, "2999.00", "3000.00")) == 1
    (told,) = floor.hear(20, COINBASE, "3060.00", "3070.00")
    assert (isinstance(told, ArbitrageFound) and told.number, found(told).rejection) == (2, None)
    assert floor.hear(30, COINBASE, "2999.00", "3000.00") == [ArbitrageEnded(2, 30 * MS, 10 * MS)]
    floor.hear(40, COINBASE, "3006.00", "3007.00")
    floor.hear(50, COINBASE, "2999.00", "3000.00")
    near, ended = floor.end(60)
    assert found(near).note.endswith("; the nearest of 2 gaps in 0.1 s")
    assert ended == ArbitrageEnded(1, 50 * MS, 20 * MS)


BOUND = Terms("USD", FREE, skew_ns=200 * MS)


def test_gap_is_a_finding_once_it_has_lived_longer_than_messages_may_be_apart() -> None:
    floor = Floor(BOUND)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    assert floor.hear(10, COINBASE, "3006.00", "3007.00") == []
    assert floor.hear(209, TETHER, "0.99", "1.00") == []
    (told,) = floor.hear(210, TETHER, "0.99", "1.01")
    assert isinstance(told, ArbitrageFound)
    assert (told.number, found(told).rejection, found(told).lived_ns) == (1, None, 200 * MS)
    assert [trade.age_ns for trade in found(told).trades] == [210 * MS, 200 * MS]


def test_gap_that_closes_before_that_is_a_near_miss_that_says_so() -> None:
    floor = Floor(BOUND)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(10, COINBASE, "3006.00", "3007.00")
    (told,) = floor.hear(130, KRAKEN, "3009.00", "3010.00")
    assert (found(told).rejection, found(told).lived_ns, found(told).net_profit) == (Rejection.SKEW, 120 * MS, Fraction(6))
    assert found(told).note == "it has lived 120.0 ms, and messages may be 200.0 ms apart"
    assert ArbitrageEnded(1, 130 * MS, 120 * MS) in floor.end(130)


def test_gap_that_nothing_was_heard_in_until_it_closed_is_a_finding_by_then() -> None:
    floor = Floor(BOUND)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(10, COINBASE, "3006.00", "3007.00")
    told, ended = floor.hear(510, KRAKEN, "3009.00", "3010.00")
    assert (found(told).rejection, found(told).lived_ns) == (None, 500 * MS)
    assert ended == ArbitrageEnded(1, 510 * MS, 500 * MS)


def test_what_has_changed_meanwhile_is_not_taken_for_what_stood_until_it_closed() -> None:
    floor = Floor(BOUND)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(10, COINBASE, "3006.00", "3007.00")
    floor.hear(60, COINBASE, "3001.00", "3002.00")
    (told,) = floor.hear(510, KRAKEN, "3009.00", "3010.00")
    assert (found(told).rejection, found(told).net_profit, found(told).lived_ns) == (Rejection.SKEW, Fraction(6), 0)
    assert ArbitrageEnded(1, 510 * MS, 500 * MS) in floor.end(520)


def test_gap_of_a_book_that_is_not_priced_any_more_is_not_believed_afterwards() -> None:
    floor = Floor(BOUND)
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(10, COINBASE, "3006.00", "3007.00")
    (told,) = floor.lose(510, KRAKEN)
    assert found(told).rejection is Rejection.SKEW
    assert floor.end(520) == [ArbitrageEnded(1, 510 * MS, 500 * MS)]


def test_book_that_was_not_heard_of_for_too_long_makes_a_near_miss() -> None:
    floor = Floor()
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    assert floor.hear(6000, COINBASE, "3006.00", "3007.00") == []
    told, _ = floor.end(6001)
    assert found(told).rejection is Rejection.STALE


def test_lost_book_ends_its_gaps_and_opens_a_new_one_when_it_is_back() -> None:
    floor = Floor()
    floor.hear(0, KRAKEN, "2999.00", "3000.00")
    floor.hear(10, COINBASE, "3006.00", "3007.00")
    assert floor.lose(30, KRAKEN) == [ArbitrageEnded(1, 30 * MS, 20 * MS)]
    floor.scan.on_unpriced(KRAKEN, 40 * MS)
    assert len(floor.records) == 2
    assert floor.hear(50, COINBASE, "3006.00", "3007.00") == []
    (told,) = floor.hear(200, KRAKEN, "2999.00", "3000.00")
    assert isinstance(told, ArbitrageFound)
    assert (told.number, found(told).lived_ns) == (2, 0)


def test_cheaper_rate_is_taken_and_another_one_while_it_is_not_priced() -> None:
    floor = Floor(Terms("USD", {**FREE, "coinbase": 500}, skew_ns=0))
    floor.hear(0, BINANCE, "2999.00", "3000.00")
    floor.hear(0, TETHER_TOO, "0.98", "0.99")
    (first,) = floor.hear(0, KRAKEN, "3020.00", "3021.00")
    assert [trade.instrument for trade in found(first).trades] == [TETHER_TOO, BINANCE, KRAKEN]
    ended, second = floor.hear(10, TETHER, "0.98", "0.99")
    assert ended == ArbitrageEnded(1, 10 * MS, 10 * MS)
    assert [trade.instrument for trade in found(second).trades] == [TETHER, BINANCE, KRAKEN]
    assert floor.lose(20, TETHER) == [ArbitrageEnded(2, 20 * MS, 10 * MS)]
    (third,) = floor.hear(500, BINANCE, "2999.00", "3000.00")
    assert [trade.instrument for trade in found(third).trades] == [TETHER_TOO, BINANCE, KRAKEN]


def test_cycle_round_three_books_of_a_venue_is_told_of_whichever_of_them_opens_it() -> None:
    floor = Floor()
    floor.hear(0, KRAKEN, "990.00", "1000.00")
    floor.hear(0, Instrument("kraken", "BTC/USD", "BTC", "USD"), "20000.00", "20010.00")
    (told,) = floor.hear(5, Instrument("kraken", "ETH/BTC", "ETH", "BTC"), "0.06", "0.07")
    assert (found(told).kind, found(told).net_profit) == (ArbitrageKind.TRIANGULAR, Fraction(200))


def test_quote_that_opens_nothing_reads_no_depth() -> None:
    floor = Floor()
    for at_ms, instrument in enumerate((KRAKEN, COINBASE, OKX, BINANCE, KRAKEN)):
        floor.hear(at_ms, instrument, "2999.00", "3000.00")
    assert (floor.reads, floor.records) == (0, [])


def test_quote_that_opens_nothing_costs_microseconds() -> None:
    floor = Floor()
    for instrument in (KRAKEN, COINBASE, OKX, BINANCE, TETHER, TETHER_TOO):
        floor.hear(0, instrument, *(("0.99", "1.01") if instrument.base == "USDT" else ("2999.00", "3000.00")))
    quote, view = best_of(floor.books[KRAKEN]), floor.view(1)
    spent = []
    for _ in range(500):
        started = time.perf_counter()
        floor.scan.on_quote(quote, view)
        spent.append(time.perf_counter() - started)
    # A few, where nothing else runs; what a machine under load needs is not what is asked here.
    assert min(spent) < 50e-6


def test_books_that_were_priced_before_the_first_quote_are_compared_too() -> None:
    floor = Floor()
    floor.books[KRAKEN] = book(KRAKEN, [("2999.00", "1")], [("3000.00", "1")], 0)
    assert len(floor.hear(10, COINBASE, "3006.00", "3007.00")) == 1


def test_venue_without_a_fee_is_refused() -> None:
    with pytest.raises(UsageError, match="okx: a taker fee"):
        Floor(Terms("USD", {"kraken": 0})).hear(0, OKX, "2999.00", "3000.00")


EVENTS = st.lists(
    st.tuples(st.sampled_from([KRAKEN, COINBASE, OKX, BINANCE, TETHER]), st.integers(0, 6), st.integers(1, 400)), max_size=60
)


@given(EVENTS, st.sampled_from([WITH_FEES, FEELESS, BOUND]))
@settings(max_examples=200, deadline=None)
def test_every_gap_is_told_of_and_ended_as_the_best_prices_say(events: list[tuple[Instrument, int, int]], terms: Terms) -> None:
    floor, again = Floor(terms), Floor(terms)
    at_ms = 0
    for instrument, shift, wait_ms in events:
        at_ms += wait_ms
        for each in (floor, again):
            if not shift and instrument in each.books:
                each.lose(at_ms, instrument)
            else:
                middle = 100 if instrument is TETHER else 10_000
                bid, ask = middle + shift * middle // 100, middle + shift * middle // 100 + 1
                each.hear(at_ms, instrument, f"{bid / 100:.2f}", f"{ask / 100:.2f}")
        assert (floor.scan.open_gaps > 0) == any_gains(list(floor.books.values()))
    for each in (floor, again):
        each.end(at_ms)
    assert floor.records == again.records
    numbers = [record.number for record in floor.records if isinstance(record, ArbitrageFound)]
    ended = [record.number for record in floor.records if isinstance(record, ArbitrageEnded)]
    assert sorted(ended) == sorted(set(numbers)) == list(range(1, len(ended) + 1))


def any_gains(books: list[BookDepth]) -> bool:
    """Whether some two books of ether gain at their best prices, through the one rate where their money differs."""
    rate = next((each for each in books if each.instrument == TETHER), None)
    for buy, sell in permutations([each for each in books if each.instrument.base == "ETH"], 2):
        paid, got = Fraction(buy.asks[0].price), Fraction(sell.bids[0].price)
        if buy.instrument.quote != sell.instrument.quote:
            if rate is None:
                continue
            paid *= Fraction(rate.asks[0].price, 100) if buy.instrument.quote == "USDT" else 1
            got *= Fraction(rate.bids[0].price, 100) if sell.instrument.quote == "USDT" else 1
        if got > paid:
            return True
    return False
