"""Cross-exchange arbitrage: the exact best size over both books, through rates, and what may not be believed."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.detect.book_cycles import Terms
from mempool.detect.cross_exchange import cross_exchange_cycles
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, Rejection
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade
from tests.books.venues import BINANCE, BYBIT, CIRCLE, COINBASE, KRAKEN, OKX, SECOND, TETHER
from tests.detect.book_scenes import (
    FEELESS,
    NOW,
    TERMS,
    assert_is_the_most,
    book,
    books_around,
    findings,
    gain_of,
    most_by_trying,
    segments,
)

CHEAP = book(KRAKEN, bids=[("2990.00", "5")], asks=[("3000.00", "1"), ("3010.00", "2"), ("3050.00", "9")])
DEAR = book(COINBASE, bids=[("3060.00", "2"), ("3040.00", "3"), ("3000.00", "9")], asks=[("3070.00", "4")])


def found(*books: BookDepth, cause: Instrument = KRAKEN, terms: Terms = TERMS) -> list[BookArbitrage]:
    return findings(cross_exchange_cycles, books, cause, terms)


def test_books_that_cross_by_more_than_the_fees_give_a_finding() -> None:
    (one,) = found(CHEAP, DEAR, terms=FEELESS)
    assert (one.kind, one.money, one.rejection, one.note) == (ArbitrageKind.CROSS_EXCHANGE, "USD", None, "")
    buy, sell = one.trades
    assert (buy.instrument, buy.trade, sell.instrument, sell.trade) == (KRAKEN, Trade.BUY, COINBASE, Trade.SELL)
    # 1 at 3000 and 2 at 3010 are sold 2 at 3060 and 1 at 3040; the next would cost 3050 and bring 3040.
    assert (buy.amount_out, buy.amount_in, sell.amount_out) == (Fraction(3), Fraction(9020), Fraction(9160))
    assert (buy.worst_price, sell.worst_price) == (Fraction(3010), Fraction(3040))
    assert one.net_profit == one.gross_profit == 140


def test_fees_make_the_best_size_smaller() -> None:
    (one,) = found(CHEAP, DEAR, terms=replace(TERMS, fees={"kraken": 2600, "coinbase": 10_000}))
    # The third would cost 3017.83 and bring 3009.60.
    assert one.trades[0].amount_out == 2
    assert one.gross_profit == 140
    assert one.net_profit == 2 * 3060 * Fraction("0.99") - (3000 + 3010) * Fraction("1.0026")


def test_books_that_do_not_cross_give_nothing() -> None:
    assert found(CHEAP, book(COINBASE, bids=[("3000.00", "5")], asks=[("3001.00", "5")])) == []


def test_gap_that_the_fees_eat_is_a_near_miss_with_its_loss() -> None:
    (one,) = found(CHEAP, book(COINBASE, bids=[("3005.00", "1")], asks=[("3070.00", "4")]))
    assert (one.rejection, one.gross_profit) == (Rejection.FEES, Fraction(5))
    assert one.note == "the fees are more than the 5 USD between the prices"
    assert one.net_profit < 0
    assert_is_the_most(one, [CHEAP, book(COINBASE, bids=[("3005.00", "1")])], TERMS)


def test_one_venues_own_books_are_no_cross_exchange_arbitrage() -> None:
    assert found(CHEAP, replace(DEAR, instrument=Instrument("kraken", "ETH/USD2", "ETH", "USD"))) == []


def test_cycle_that_does_not_pass_the_cause_is_not_looked_at() -> None:
    assert found(CHEAP, DEAR, cause=OKX) == []


TETHER_BOOK = book(TETHER, bids=[("0.99", "100000")], asks=[("1.00", "4000"), ("1.01", "100000")])
DEAR_TETHER = book(OKX, bids=[("3200.00", "2")], asks=[("3201.00", "2")])
CHEAP_TETHER = book(BINANCE, bids=[("2800.00", "2")], asks=[("2900.00", "3")])


def test_tether_is_compared_to_dollars_through_its_rate_only() -> None:
    assert found(CHEAP, DEAR_TETHER) == []
    (one,) = found(CHEAP, DEAR_TETHER, TETHER_BOOK)
    assert [(each.instrument, each.trade) for each in one.trades] == [
        (KRAKEN, Trade.BUY),
        (OKX, Trade.SELL),
        (TETHER, Trade.SELL),
    ]
    assert one.money == "USD"
    assert_is_the_most(one, [CHEAP, DEAR_TETHER, TETHER_BOOK], TERMS)


def test_purchase_in_tether_buys_them_first_down_the_levels_of_the_rate() -> None:
    (one,) = found(CHEAP_TETHER, DEAR, TETHER_BOOK, cause=COINBASE)
    assert [each.instrument for each in one.trades] == [TETHER, BINANCE, COINBASE]
    assert one.trades[0].worst_price == Fraction("1.01")
    assert_is_the_most(one, [CHEAP_TETHER, DEAR, TETHER_BOOK], TERMS)


def test_rate_that_moves_is_a_cause_too() -> None:
    assert len(found(CHEAP, DEAR_TETHER, TETHER_BOOK, cause=TETHER)) == 1


def test_two_books_in_tether_need_no_rate_and_gain_tether() -> None:
    (one,) = found(CHEAP_TETHER, DEAR_TETHER, cause=OKX)
    assert (one.money, [each.instrument for each in one.trades]) == ("USDT", [BINANCE, OKX])


def test_book_that_was_not_heard_of_for_too_long_is_rejected_with_its_name() -> None:
    (one,) = found(CHEAP, replace(DEAR, recv_ns=NOW - 6 * SECOND))
    assert (one.rejection, one.note) == (Rejection.STALE, "nothing has been heard of coinbase ETH-USD for 6.0 s")
    assert [trade.age_ns for trade in one.trades] == [0, 6 * SECOND]


def test_gap_younger_than_the_messages_may_be_apart_is_rejected() -> None:
    terms = replace(TERMS, skew_ns=SECOND // 20)
    (one,) = found(CHEAP, DEAR, terms=terms)
    assert (one.rejection, one.lived_ns) == (Rejection.SKEW, 0)
    (again,) = findings(cross_exchange_cycles, [CHEAP, DEAR], COINBASE, terms, {one.route: NOW - SECOND // 10})
    assert (again.rejection, again.lived_ns, again.route) == (None, SECOND // 10, one.route)


def test_size_that_takes_all_that_is_listed_may_be_more() -> None:
    short = replace(CHEAP, asks=CHEAP.asks[:1], asks_go_on=True)
    assert [one.may_be_more for one in found(short, DEAR, terms=FEELESS)] == [True]
    assert [one.may_be_more for one in found(CHEAP, DEAR, terms=FEELESS)] == [False]


DIRECT = (books_around(KRAKEN, 100), books_around(COINBASE, 100))


@given(*DIRECT, st.sampled_from([TERMS, FEELESS]))
def test_size_over_two_books_is_the_best_of_all(here: BookDepth, there: BookDepth, terms: Terms) -> None:
    made = found(here, there, terms=terms)
    for one in made:
        assert_is_the_most(one, [here, there], terms)
    crossing = [
        (buy, sell)
        for buy, sell in permutations([here, there])
        if most_by_trying([segments(buy, Trade.BUY, 0), segments(sell, Trade.SELL, 0)])
    ]
    assert [(one.trades[0].instrument, one.trades[1].instrument) for one in made] == [
        (buy.instrument, sell.instrument) for buy, sell in crossing
    ]


@given(
    books_around(BINANCE, 100),
    books_around(BYBIT, 100),
    books_around(TETHER, 1, 1000),
    books_around(CIRCLE, 1, 1000),
    st.sampled_from([TERMS, FEELESS]),
)
def test_size_through_two_rates_is_the_best_of_all(
    here: BookDepth, there: BookDepth, tether: BookDepth, circle: BookDepth, terms: Terms
) -> None:
    books = [here, there, tether, circle]
    for one in found(*books, cause=BINANCE, terms=terms):
        assert len(one.trades) == 4
        assert_is_the_most(one, books, terms)


@given(*DIRECT, st.integers(0, 1000))
def test_no_other_size_gains_more(here: BookDepth, there: BookDepth, thousandths: int) -> None:
    for one in found(here, there, terms=FEELESS):
        by_instrument = {each.instrument: each for each in (here, there)}
        chain = [segments(by_instrument[each.instrument], each.trade, 0) for each in one.trades]
        gain = gain_of(chain, one.trades[0].amount_in * thousandths / 500)
        assert gain is None or gain <= one.net_profit
