"""What a size comes to over several books is what taking the best level each time comes to, exactly and with nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.books.depth import BookDepth, depth_of
from mempool.books.ladder import Ladder
from mempool.books.merge import NO_FEES, ladder_of
from mempool.books.money import FeesPips
from mempool.books.order_book import OrderBook
from mempool.errors import UsageError
from mempool.model.book import Instrument, Level, unscaled
from mempool.model.consolidated import PIPS, Trade
from tests.books.venues import BINANCE, BYBIT, CIRCLE, COINBASE, FEES, KRAKEN, OKX, TETHER

Texts = Sequence[tuple[str, str]]
Steps = list[tuple[Fraction, Fraction]]
"""Price and size, best first."""


def book(instrument: Instrument, bids: Texts = (), asks: Texts = (), levels: int = 1000) -> BookDepth:
    made = OrderBook()
    made.load(bids, asks)
    return depth_of(instrument, made, levels)


def steps(depth: BookDepth, trade: Trade, fees: FeesPips = NO_FEES) -> Steps:
    fee = 1 + trade.value * Fraction(fees.get(depth.instrument.venue, 0), PIPS)
    return [
        (
            Fraction(unscaled(level.price, depth.price_decimals)) * fee,
            Fraction(unscaled(level.size, depth.size_decimals)),
        )
        for level in depth.side(trade)
    ]


def value_of(levels: Steps, size: Fraction) -> tuple[Fraction, Fraction]:
    """Filled and its value, one level after the other."""
    filled = value = Fraction()
    for price, offered in levels:
        part = min(offered, size - filled)
        filled, value = filled + part, value + part * price
    return filled, value


def size_for(levels: Steps, value: Fraction) -> Fraction | None:
    """The size that comes to the value; None where there is not so much."""
    size = Fraction()
    for price, offered in levels:
        part = min(offered, value / price)
        size, value = size + part, value - part * price
    return None if value else size


def ordered(levels: Steps, trade: Trade) -> Steps:
    return sorted(levels, reverse=trade is Trade.SELL)


AMOUNTS = st.builds(Fraction, st.integers(0, 200), st.integers(1, 12))


def sides(lowest: int, highest: int, most: int) -> st.SearchStrategy[dict[int, int]]:
    return st.dictionaries(st.integers(lowest, highest), st.integers(1, most), min_size=1, max_size=5)


@st.composite
def depths(draw: st.DrawFn, instrument: Instrument, lowest: str = "9.00", highest: str = "11.00", most: int = 50) -> BookDepth:
    """A book whose sides need not fit together: only one is looked at."""
    decimals, size_decimals = draw(st.integers(0, 2)), draw(st.integers(1, 2))
    levels = sides(int(Decimal(lowest).scaleb(decimals)) or 1, int(Decimal(highest).scaleb(decimals)), most)
    bids, asks = draw(levels), draw(levels)
    return BookDepth(
        instrument,
        tuple(Level(price, bids[price]) for price in sorted(bids, reverse=True)),
        tuple(Level(price, asks[price]) for price in sorted(asks)),
        decimals,
        size_decimals,
    )


TRADES = st.sampled_from(Trade)
FEE_TABLES = st.sampled_from([NO_FEES, FEES])


@given(TRADES, depths(KRAKEN), depths(COINBASE), AMOUNTS, FEE_TABLES)
def test_walk_over_two_books_takes_their_levels_as_if_they_were_one(
    trade: Trade, here: BookDepth, there: BookDepth, size: Fraction, fees: FeesPips
) -> None:
    taken = ladder_of(trade, "USD", [here, there], fees=fees).walk(size)
    levels = ordered(steps(here, trade, fees) + steps(there, trade, fees), trade)
    assert (taken.filled, taken.value) == value_of(levels, size)
    assert taken.filled + taken.unfilled == size
    assert sum(part for _, part in taken.fills) == taken.filled
    assert taken.vwap == (taken.value / taken.filled if taken.filled else None)


@given(TRADES, depths(KRAKEN), depths(COINBASE), st.integers(0, 3000), FEE_TABLES)
def test_depth_within_a_band_is_the_sum_of_the_levels_in_it(
    trade: Trade, here: BookDepth, there: BookDepth, band_bps: int, fees: FeesPips
) -> None:
    taken = ladder_of(trade, "USD", [here, there], fees=fees).within(Fraction(10), band_bps)
    limit = 10 * (1 + trade.value * Fraction(band_bps, 10_000))
    inside = [
        (price, size)
        for price, size in steps(here, trade, fees) + steps(there, trade, fees)
        if (price <= limit if trade is Trade.BUY else price >= limit)
    ]
    assert taken.filled == sum(size for _, size in inside)
    assert taken.value == sum(price * size for price, size in inside)
    assert taken.unfilled == 0


@given(TRADES, depths(BINANCE), depths(OKX), depths(TETHER, "0.90", "1.10", 500), AMOUNTS, FEE_TABLES)
def test_walk_through_a_leg_is_a_walk_and_then_one_on_the_leg(
    trade: Trade, here: BookDepth, there: BookDepth, leg: BookDepth, size: Fraction, fees: FeesPips
) -> None:
    taken = ladder_of(trade, "USD", [here, there], [leg], fees).walk(size)
    levels = ordered(steps(here, trade, fees) + steps(there, trade, fees), trade)
    filled, tethers = value_of(levels, taken.filled)
    assert filled == taken.filled
    assert (tethers, taken.value) == value_of(steps(leg, trade, fees), tethers)
    leg_is_used_up = tethers == sum(offered for _, offered in steps(leg, trade))
    books_are_used_up = filled == sum(offered for _, offered in levels)
    assert not taken.unfilled or leg_is_used_up or books_are_used_up


@given(TRADES, depths(BYBIT), depths(CIRCLE, "0.90", "1.10", 500), AMOUNTS, FEE_TABLES)
def test_walk_through_a_leg_written_the_other_way_round_spends_what_it_gets(
    trade: Trade, here: BookDepth, leg: BookDepth, size: Fraction, fees: FeesPips
) -> None:
    taken = ladder_of(trade, "USD", [here], [leg], fees).walk(size)
    _, circles = value_of(steps(here, trade, fees), taken.filled)
    # Proceeds in USDC buy dollars at the asks; a purchase sells dollars at the bids for the USDC it needs.
    on_leg = steps(leg, Trade(-trade.value), fees)
    assert taken.value == size_for(on_leg, circles)


@given(TRADES, depths(KRAKEN), depths(OKX), depths(TETHER, "0.90", "1.10", 500), AMOUNTS, st.integers(0, 20))
def test_no_split_between_direct_and_converted_books_is_better(
    trade: Trade, direct: BookDepth, other: BookDepth, leg: BookDepth, size: Fraction, twentieths: int
) -> None:
    both = ladder_of(trade, "USD", [direct, other], [leg]).walk(size)
    alone = [ladder_of(trade, "USD", [direct]), ladder_of(trade, "USD", [other], [leg])]
    part = Fraction(twentieths, 20)
    split = alone[0].walk(part * both.filled), alone[1].walk((1 - part) * both.filled)
    if not any(each.unfilled for each in split):
        assert trade.value * both.value <= trade.value * sum(each.value for each in split)


@given(TRADES, depths(KRAKEN), depths(COINBASE), depths(OKX), depths(TETHER, "0.90", "1.10", 500), FEE_TABLES)
def test_merged_levels_hold_all_and_worsen_strictly(
    trade: Trade, here: BookDepth, there: BookDepth, other: BookDepth, leg: BookDepth, fees: FeesPips
) -> None:
    made = ladder_of(trade, "USD", [here, there, other], [leg], fees)
    levels = list(made.merged())
    prices = [level.price for level in levels]
    assert prices == sorted(set(prices), reverse=trade is Trade.SELL)
    assert all(level.size == sum(size for _, size in level.shares) for level in levels)
    assert sum(level.price * level.size for level in levels) == made.walk(Fraction(10**6)).value


HERE = book(KRAKEN, bids=[("99.5", "1"), ("99", "2")], asks=[("100", "1.5"), ("101.00", "2")])
THERE = book(COINBASE, bids=[("99.50", "0.25")], asks=[("100.0", "0.5000"), ("100.5", "1")])


def test_vwap_of_a_purchase_over_two_books() -> None:
    taken = ladder_of(Trade.BUY, "USD", [HERE, THERE]).walk(Fraction(3))
    assert taken.vwap == (100 * 2 + Fraction("100.5")) / Fraction(3)
    assert taken.fills == ((KRAKEN, Fraction("1.5")), (COINBASE, Fraction("1.5")))
    assert (taken.worst_price, taken.unfilled, taken.is_certain) == (Fraction("100.5"), Fraction(), True)


def test_levels_of_one_price_are_merged_and_split_by_venue() -> None:
    (best, *_) = ladder_of(Trade.SELL, "USD", [HERE, THERE]).merged()
    assert (best.price, best.size) == (Fraction("99.5"), Fraction("1.25"))
    assert best.shares == ((KRAKEN, Fraction(1)), (COINBASE, Fraction("0.25")))


def test_what_the_books_do_not_have_is_said() -> None:
    taken = ladder_of(Trade.SELL, "USD", [HERE, THERE]).walk(Fraction(10))
    assert (taken.filled, taken.unfilled) == (Fraction("3.25"), Fraction("6.75"))


def test_fees_change_which_book_is_taken_first() -> None:
    fees = {"kraken": 6000, "coinbase": 0}
    taken = ladder_of(Trade.BUY, "USD", [HERE, THERE], fees=fees).walk(Fraction(2))
    assert taken.fills == ((COINBASE, Fraction("1.5")), (KRAKEN, Fraction("0.5")))
    assert taken.value == 50 + Fraction("100.5") + Fraction("50.3")


def test_book_in_another_money_is_left_out_without_a_leg() -> None:
    tether = book(OKX, asks=[("90", "1")])
    made = ladder_of(Trade.BUY, "USD", [HERE, tether])
    assert (made.left_out, made.walk(Fraction(1)).vwap) == ((OKX,), Fraction(100))


def test_books_of_one_money_share_what_the_leg_has() -> None:
    books = [book(BINANCE, bids=[("100", "1")]), book(OKX, bids=[("100", "1")])]
    leg = book(TETHER, bids=[("1.0", "150"), ("0.9", "10")])
    taken = ladder_of(Trade.SELL, "USD", books, [leg]).walk(Fraction(2))
    assert (taken.filled, taken.unfilled, taken.value) == (Fraction("1.6"), Fraction("0.4"), Fraction(159))
    assert taken.fills == ((BINANCE, Fraction(1)), (OKX, Fraction("0.6")))


def test_walk_beyond_the_listed_levels_of_a_book_is_not_certain() -> None:
    cut = book(KRAKEN, asks=[("100", "1"), ("101", "1"), ("102", "1")], levels=2)
    more = book(COINBASE, asks=[("100", "1"), ("103", "5")])
    made = ladder_of(Trade.BUY, "USD", [cut, more])
    certain = {size: made.walk(Fraction(size)).is_certain for size in (0, 2, 3, 4, 9)}
    assert certain == {0: True, 2: True, 3: True, 4: False, 9: False}
    assert [made.within(Fraction(100), band).is_certain for band in (99, 100, 101)] == [True, True, False]


def test_walk_through_a_leg_is_certain_only_as_far_as_both_are_listed() -> None:
    leg = book(TETHER, asks=[("1", "150"), ("2", "10"), ("3", "1")], levels=2)
    other = book(OKX, asks=[("100", "1"), ("110", "1")])
    made = ladder_of(Trade.BUY, "USD", [other, HERE], [leg])
    # 100 and 50 of the tethers go at one dollar; what comes after may be had cheaper on the leg's third level.
    assert made.walk(Fraction(1)).is_certain
    assert not made.walk(Fraction(50)).is_certain


def test_book_kept_to_a_depth_may_go_on_behind_it() -> None:
    made = OrderBook(depth=2)
    made.load([("99", "1"), ("98", "1"), ("97", "1")], [("100", "1")])
    depth = depth_of(KRAKEN, made, 10)
    assert (len(depth.bids), depth.bids_go_on, depth.asks_go_on) == (2, True, False)


def test_no_books_give_an_empty_ladder() -> None:
    empty: Ladder = ladder_of(Trade.BUY, "USD", [])
    taken = empty.walk(Fraction(1))
    assert (taken.filled, taken.unfilled, taken.vwap, taken.worst_price) == (Fraction(0), Fraction(1), None, None)


def test_size_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match="below zero"):
        ladder_of(Trade.BUY, "USD", [HERE]).walk(Fraction(-1))


def test_venue_without_a_fee_is_refused_where_fees_are_asked_for() -> None:
    with pytest.raises(UsageError, match="kraken: a taker fee"):
        ladder_of(Trade.BUY, "USD", [HERE], fees={"coinbase": 0})
