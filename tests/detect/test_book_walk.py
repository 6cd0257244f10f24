"""The walk in integers is the one in fractions, to the last digit; and fast enough to be made between two messages."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.detect.book_walk import Step, Walk
from mempool.model.book import Instrument, Level
from mempool.model.consolidated import Trade
from tests.books.venues import BINANCE, CIRCLE, COINBASE, KRAKEN, TETHER
from tests.detect.book_scenes import NOW, book, books_around
from tests.detect.plain_walk import PlainSide, plainly_best, plainly_through

FEES = st.integers(0, 12_000)


def best(steps: Sequence[Step]) -> Walk:
    walk = Walk(steps)
    walk.to_the_best_size()
    return walk


def assert_same(walk: Walk, sides: Sequence[PlainSide]) -> None:
    assert list(walk.trades(NOW)) == [side.result(NOW) for side in sides]
    assert walk.gain == sides[-1].amount_out - sides[0].amount_in
    assert walk.may_be_more == any(side.is_at_the_end_of_a_list for side in sides)


@st.composite
def cycles(draw: st.DrawFn) -> list[Step]:
    """Two to four books round, each of its own decimals, of which one may go on behind what is listed."""
    bought = draw(books_around(BINANCE, 100))
    sold = draw(books_around(COINBASE, 100))
    trades = [(bought, Trade.BUY), (sold, Trade.SELL)]
    if draw(st.booleans()):
        trades.insert(0, (draw(books_around(TETHER, 1, 1000)), Trade.BUY))
    if draw(st.booleans()):
        trades.append((draw(books_around(CIRCLE, 1, 1000)), Trade.BUY))
    return [Step(replace(each, asks_go_on=draw(st.booleans())), trade, draw(FEES)) for each, trade in trades]


@given(cycles())
def test_best_size_in_integers_is_the_one_in_fractions(steps: list[Step]) -> None:
    assert_same(best(steps), plainly_best(steps))


@given(cycles(), st.fractions(0, 1))
def test_size_that_is_given_comes_to_the_same_in_integers_and_in_fractions(steps: list[Step], part: Fraction) -> None:
    free = best([replace(step, fee_pips=0) for step in steps])
    walk = Walk(steps)
    walk.through(free.amounts[0] * part)
    assert_same(walk, plainly_through(steps, free.trades(NOW)[0].amount_in * part))


def test_levels_that_are_full_at_the_same_size_are_both_taken_whole() -> None:
    bought = replace(book(KRAKEN, asks=[("100.00", "2"), ("101.00", "3")]), asks_go_on=True)
    sold = replace(book(COINBASE, bids=[("103.00", "2"), ("102.00", "3")]), bids_go_on=True)
    steps = [Step(bought, Trade.BUY, 0), Step(sold, Trade.SELL, 0)]
    walk = best(steps)
    assert_same(walk, plainly_best(steps))
    assert [each.worst_price for each in walk.trades(NOW)] == [101, 102]
    assert walk.may_be_more


def test_more_than_the_levels_have_room_for_raises() -> None:
    walk = Walk([Step(book(KRAKEN, asks=[("100.00", "1")]), Trade.BUY, 0)])
    with pytest.raises(ValueError, match="no room"):
        walk.through(Fraction(10**30))


def deep(instrument: Instrument, first: int, step: int, levels: int = 60) -> BookDepth:
    """Levels of uneven sizes as venues write them: prices with two decimals, sizes with eight."""
    rng = random.Random(first)
    offered = tuple(Level(first + place * step, rng.randrange(10**6, 10**9)) for place in range(levels))
    return BookDepth(instrument, offered, offered, 2, 8, recv_ns=NOW)


def test_fifty_levels_of_two_books_are_walked_in_a_few_milliseconds_at_most() -> None:
    steps = [Step(deep(KRAKEN, 300_000, 1), Trade.BUY, 10), Step(deep(COINBASE, 300_120, -1), Trade.SELL, 10)]
    walk = best(steps)
    assert_same(walk, plainly_best(steps))
    assert walk.trades(NOW)[0].worst_price >= 3000 + Fraction(50, 100)
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        best(steps)
        spent.append(time.perf_counter() - started)
    assert min(spent) < 0.005
