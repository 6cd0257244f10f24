"""The ladder in integers is the exact one, to what is cut at its last decimals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.books.depth import BookDepth
from mempool.books.ladder import Ladder
from mempool.books.merge import NO_FEES, ladder_of
from mempool.books.money import FeesPips
from mempool.detect.steps import UNIT, steps_of
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade
from tests.amm.pools import BOUNDED
from tests.books.venues import BINANCE, COINBASE, FEES, KRAKEN, OKX, TETHER
from tests.detect.book_scenes import book, books_around

NEARLY_NOTHING = Fraction(1, 10**30)
TETHER_WRITTEN_THE_OTHER_WAY = Instrument("kraken", "USD/USDT", "USD", "USDT")


def near(scaled: int | None, unit: int, exact: Fraction | int | None) -> bool:
    if scaled is None or exact is None:
        return scaled is None and exact is None
    wanted = Fraction(exact)
    return abs(Fraction(scaled, unit) - wanted) <= NEARLY_NOTHING * (1 + abs(wanted))


def total(ladder: Ladder) -> Fraction:
    return ladder.walk(Fraction(10**9)).filled


def cut(depth: BookDepth, *, goes_on: bool) -> BookDepth:
    return replace(depth, bids_go_on=goes_on, asks_go_on=goes_on)


BOOKS = st.tuples(*(st.builds(cut, books_around(each, 100), goes_on=st.booleans()) for each in (KRAKEN, COINBASE, BINANCE, OKX)))
LEGS = st.sampled_from([TETHER, TETHER_WRITTEN_THE_OTHER_WAY]).flatmap(
    lambda each: st.builds(cut, books_around(each, 100, 10_000), goes_on=st.booleans())
)


@BOUNDED
@given(st.sampled_from(Trade), BOOKS, LEGS, st.sampled_from([NO_FEES, FEES]), st.lists(st.fractions(0, 100), max_size=5))
def test_sizes_come_to_what_they_do_on_the_exact_ladder(
    trade: Trade, books: tuple[BookDepth, ...], leg: BookDepth, fees: FeesPips, sizes: list[Fraction]
) -> None:
    steps, ladder = steps_of(trade, "USD", books, {"USDT": leg}, fees), ladder_of(trade, "USD", books, [leg], fees)
    assert near(steps.ends[-1], UNIT, total(ladder))
    known_to = None if ladder.known_to is None else ladder.known_to / Fraction(10**ladder.price_decimals)
    assert near(steps.known_to, UNIT, known_to)
    for size in [*sizes, Fraction(steps.ends[-1], UNIT)]:
        scaled = int(size * UNIT)
        taken = ladder.walk(Fraction(scaled, UNIT))
        value = steps.value(scaled)
        if value is None:
            assert scaled > steps.ends[-1]
            continue
        assert near(value, UNIT * UNIT, taken.value)
        fills = steps.fills(scaled)
        assert sum(fills.values()) == scaled
        exact = dict(taken.fills)
        assert all(near(filled, UNIT, exact.get(each, Fraction())) for each, filled in fills.items())


@pytest.mark.parametrize("trade", Trade)
def test_steps_that_a_list_cuts_off_may_go_on_behind_its_end(trade: Trade) -> None:
    whole = book(KRAKEN, bids=[("99.00", "1"), ("97.00", "1")], asks=[("101.00", "1"), ("103.00", "1")])
    short = cut(book(COINBASE, bids=[("98.00", "1")], asks=[("102.00", "1")]), goes_on=True)
    steps = steps_of(trade, "USD", [whole, short], {}, NO_FEES)
    assert [steps.may_go_on(step) for step in range(4)] == [False, False, True, True]
    assert not any(steps_of(trade, "USD", [whole], {}, NO_FEES).may_go_on(step) for step in range(3))


def test_no_books_have_no_steps() -> None:
    steps = steps_of(Trade.BUY, "USD", [], {}, FEES)
    assert (len(steps), steps.value(1), steps.fills(0)) == (0, None, {})
