"""A side that keeps its levels' digits has the levels of a plain one, and their digits beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mempool.books.digits import DigitsSide
from mempool.books.order_book import OrderBook
from mempool.books.side import BookSide
from tests.books.test_order_book import AMOUNTS, MESSAGES, SMALL, Levels, Message, doubles


def digits_book(depth: int) -> OrderBook:
    book = OrderBook(depth)
    book.keep_digits()
    return book


def assert_digits(side: BookSide) -> None:
    """As Kraken's recipe has them: without the point and the zeros before."""
    assert isinstance(side, DigitsSide)
    assert side.top == sorted(side.levels)
    assert side.digits == [b"%d%d" % (abs(key), side.levels[key]) for key in side.top]


@given(MESSAGES, st.sampled_from([0, 1, 5, 25]))
def test_random_updates_give_the_levels_of_a_plain_side_and_their_digits(messages: list[Message], depth: int) -> None:
    plain, book = OrderBook(depth), digits_book(depth)
    for is_snapshot, bids, asks in messages:
        for each in (plain, book):
            (each.load if is_snapshot else each.update)(bids, asks)
        assert (book.best_bids(30), book.best_asks(30)) == (plain.best_bids(30), plain.best_asks(30))
        assert_digits(book.bids)
        assert_digits(book.asks)


@given(st.lists(st.tuples(SMALL, SMALL), max_size=8))
def test_doubles_give_the_same_digits_as_their_text(messages: list[tuple[Levels, Levels]]) -> None:
    by_text, by_double = OrderBook(0, 8, 8), OrderBook(0, 8, 8)
    for book in (by_text, by_double):
        book.keep_digits()
    for bids, asks in messages:
        by_text.update(bids, asks)
        by_double.update_floats(doubles(bids), doubles(asks), (8, 8))
        assert_digits(by_double.bids)
        assert by_double.best_asks(30) == by_text.best_asks(30)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=8))
def test_levels_of_before_are_kept_and_written_anew_with_more_decimals(bids: Levels) -> None:
    book = OrderBook()
    book.load(bids, [])
    book.keep_digits()
    before = book.best_bids(30)
    book.take_decimals(book.price_decimals + 2, book.size_decimals + 1)
    assert_digits(book.bids)
    assert [(level.price // 100, level.size // 10) for level in book.best_bids(30)] == [
        (each.price, each.size) for each in before
    ]
    book.clear()
    assert_digits(book.bids)
