"""Triangular arbitrage: round three books of one venue, at the exact best size."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.detect.book_cycles import Terms
from mempool.detect.triangular import triangular_cycles
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage, Rejection
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade
from tests.books.venues import KRAKEN
from tests.detect.book_scenes import FEELESS, TERMS, assert_is_the_most, book, books_around, findings, most_by_trying, segments

BITCOIN = Instrument("kraken", "BTC/USD", "BTC", "USD")
CROSS = Instrument("kraken", "ETH/BTC", "ETH", "BTC")
ETHER_BOOK = book(KRAKEN, bids=[("990.00", "10")], asks=[("1000.00", "10")])
BITCOIN_BOOK = book(BITCOIN, bids=[("20000.00", "10")], asks=[("20010.00", "10")])
# An ether brings 0.06 bitcoin, which are 1,200 dollars, at the best; then 0.05, which are 1,000.
CROSS_BOOK = book(CROSS, bids=[("0.06", "3"), ("0.05", "9")], asks=[("0.07", "10")])


def found(*books: BookDepth, cause: Instrument = KRAKEN, terms: Terms = TERMS) -> list[BookArbitrage]:
    return findings(triangular_cycles, books, cause, terms)


def test_cycle_that_gains_is_found_in_its_direction_and_size() -> None:
    (one,) = found(ETHER_BOOK, BITCOIN_BOOK, CROSS_BOOK, terms=FEELESS)
    assert (one.kind, one.money, one.rejection) == (ArbitrageKind.TRIANGULAR, "USD", None)
    assert [(each.instrument, each.trade) for each in one.trades] == [
        (KRAKEN, Trade.BUY),
        (CROSS, Trade.SELL),
        (BITCOIN, Trade.SELL),
    ]
    assert [each.amount_out for each in one.trades] == [Fraction(3), Fraction("0.18"), Fraction(3600)]
    assert one.net_profit == 600


def test_three_fees_are_taken_on_the_way() -> None:
    (one,) = found(ETHER_BOOK, BITCOIN_BOOK, CROSS_BOOK)
    assert one.net_profit == 3600 * Fraction("0.9974") ** 2 - 3000 * Fraction("1.0026")


def test_same_cycle_is_found_from_each_of_its_books() -> None:
    books = (ETHER_BOOK, BITCOIN_BOOK, CROSS_BOOK)
    (first,), (second,), (third,) = (found(*books, cause=cause) for cause in (KRAKEN, BITCOIN, CROSS))
    assert first == second == third


def test_prices_that_agree_give_nothing() -> None:
    assert found(ETHER_BOOK, BITCOIN_BOOK, replace(CROSS_BOOK, bids=CROSS_BOOK.bids[1:])) == []


def test_gain_below_three_fees_is_a_near_miss() -> None:
    cross = book(CROSS, bids=[("0.05", "9")], asks=[("0.07", "10")])
    ether = book(KRAKEN, bids=[("990.00", "10")], asks=[("995.00", "10")])
    (one,) = found(ether, BITCOIN_BOOK, cross)
    assert (one.rejection, one.gross_profit) == (Rejection.FEES, Fraction(45))
    assert one.net_profit < 0


def test_books_of_other_venues_are_not_passed() -> None:
    other = replace(CROSS_BOOK, instrument=Instrument("coinbase", "ETH-BTC", "ETH", "BTC"))
    assert found(ETHER_BOOK, BITCOIN_BOOK, other) == []


def test_cycle_without_the_money_starts_at_its_first_asset_by_name() -> None:
    (one,) = found(ETHER_BOOK, BITCOIN_BOOK, CROSS_BOOK, terms=replace(FEELESS, money="EUR"))
    assert (one.money, one.trades[0].instrument) == ("BTC", BITCOIN)
    assert_is_the_most(one, [ETHER_BOOK, BITCOIN_BOOK, CROSS_BOOK], FEELESS)


@given(books_around(KRAKEN, 200), books_around(BITCOIN, 100), books_around(CROSS, 2), st.sampled_from([TERMS, FEELESS]))
def test_size_round_three_books_is_the_best_of_all(ether: BookDepth, bitcoin: BookDepth, cross: BookDepth, terms: Terms) -> None:
    made = found(ether, bitcoin, cross, terms=terms)
    for one in made:
        assert_is_the_most(one, [ether, bitcoin, cross], terms)
    cycles = (
        [segments(ether, Trade.BUY, 0), segments(cross, Trade.SELL, 0), segments(bitcoin, Trade.SELL, 0)],
        [segments(bitcoin, Trade.BUY, 0), segments(cross, Trade.BUY, 0), segments(ether, Trade.SELL, 0)],
    )
    assert len(made) == sum(most_by_trying(cycle) > 0 for cycle in cycles)
