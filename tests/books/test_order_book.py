"""Whatever a venue sends, the book equals a plain one that is sorted anew each time, and every number is exact."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.books import side
from mempool.books.order_book import OrderBook
from mempool.books.scale import REMEMBERED, BadNumber, SizeScale, to_scaled
from mempool.model.book import FloatLevel, Level, scaled_text, unscaled

Levels = list[tuple[str, str]]
Message = tuple[bool, Levels, Levels]


class PlainBook:
    """The reference: two dicts of decimals, sorted whenever asked."""

    def __init__(self, depth: int = 0) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.depth = depth

    def apply(self, is_snapshot: bool, bids: Levels, asks: Levels) -> None:
        for levels, changes, best_first in ((self.bids, bids, True), (self.asks, asks, False)):
            if is_snapshot:
                levels.clear()
            levels.update((Decimal(price), Decimal(size)) for price, size in changes)
            ordered = sorted((price for price, size in levels.items() if size), reverse=best_first)
            for price in levels.keys() - set(ordered[: self.depth or len(ordered)]):
                del levels[price]

    def sorted_bids(self) -> list[tuple[Decimal, Decimal]]:
        return sorted(self.bids.items(), reverse=True)

    def sorted_asks(self) -> list[tuple[Decimal, Decimal]]:
        return sorted(self.asks.items())


def decimals(book: OrderBook, levels: list[Level]) -> list[tuple[Decimal, Decimal]]:
    return [(unscaled(level.price, book.price_decimals), unscaled(level.size, book.size_decimals)) for level in levels]


def assert_equal(book: OrderBook, plain: PlainBook) -> None:
    bids, asks = plain.sorted_bids(), plain.sorted_asks()
    assert decimals(book, book.best_bids(10_000)) == bids
    assert decimals(book, book.best_asks(10_000)) == asks
    assert decimals(book, book.best_bids(3)) == bids[:3]
    assert unscaled(book.bids.best_price, book.price_decimals) == (bids[0][0] if bids else 0)
    assert unscaled(book.asks.best_price, book.price_decimals) == (asks[0][0] if asks else 0)
    assert unscaled(book.asks.best_size, book.size_decimals) == (asks[0][1] if asks else 0)
    assert book.is_crossed is bool(bids and asks and bids[0][0] >= asks[0][0])


PRICES = st.integers(1, 600).map(str) | st.decimals(Decimal("0.001"), 600, places=3).map(str)
SIZES = st.just("0") | st.just("0.00000000") | st.decimals(0, 1000, places=8).map(lambda size: f"{size:f}")
LEVELS = st.lists(st.tuples(PRICES, SIZES), max_size=12)
MESSAGES = st.lists(st.tuples(st.sampled_from([False] * 9 + [True]), LEVELS, LEVELS), max_size=20)


def play(messages: list[Message], depth: int) -> None:
    book, plain = OrderBook(depth), PlainBook(depth)
    for is_snapshot, bids, asks in messages:
        (book.load if is_snapshot else book.update)(bids, asks)
        plain.apply(is_snapshot, bids, asks)
        assert_equal(book, plain)


@given(MESSAGES, st.sampled_from([0, 0, 1, 5, 25]))
def test_random_updates_give_the_plain_book(messages: list[Message], depth: int) -> None:
    play(messages, depth)


PRICE_TEXTS = [str(100 + number) for number in range(128)] + [f"{100 + number % 12}.{number:03d}" for number in range(128)]
SIZE_TEXTS = ["0", "0.00000000"] * 24 + [f"{number % 9}.{number * 390_625:08d}" for number in range(1, 209)]
VALUES = {text: Decimal(text) for text in (*PRICE_TEXTS, *SIZE_TEXTS)}
DEPTHS = (0, 0, 1, 5, 25)


def messages_of(code: bytes) -> list[Message]:
    """Three bytes are a change: what it is, price, size. As bytes a sequence is drawn and shrunk a hundred times as fast."""
    messages: list[Message] = [(True, [], [])]
    for what, price, size in zip(code[::3], code[1::3], code[2::3], strict=False):
        if what >= 192:
            messages.append((what >= 250, [], []))
        _, bids, asks = messages[-1]
        (asks if what % 2 else bids).append((PRICE_TEXTS[price], SIZE_TEXTS[size]))
    return messages


def bests_of(messages: list[Message], depth: int) -> OrderBook:
    """The book, whose best levels were held to those of a plain one after every message."""
    book, bids, asks = OrderBook(depth), dict[Decimal, Decimal](), dict[Decimal, Decimal]()
    for is_snapshot, new_bids, new_asks in messages:
        (book.load if is_snapshot else book.update)(new_bids, new_asks)
        for plain, ours, changes in ((bids, book.bids, new_bids), (asks, book.asks, new_asks)):
            if is_snapshot:
                plain.clear()
            for price, size in changes:
                plain[VALUES[price]] = VALUES[size]
            kept = sorted((key for key, size in plain.items() if size), key=lambda key: -ours.sign * key)
            for key in plain.keys() - set(kept[: depth or len(kept)]):
                del plain[key]
            best = kept[0] if kept else Decimal(0)
            assert unscaled(ours.best_price, book.price_decimals) == best
            assert unscaled(ours.best_size, book.size_decimals) == plain.get(best, 0)
    assert decimals(book, book.best_bids(10_000)) == sorted(bids.items(), reverse=True)
    assert decimals(book, book.best_asks(10_000)) == sorted(asks.items())
    return book


def assert_sequence(code: bytes, depth: int, sorted_levels: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "SORTED_LEVELS", sorted_levels)
        book = bests_of(messages_of(code), depth)
    assert not depth or max(len(book.bids.levels), len(book.asks.levels)) <= depth


SEQUENCES = given(st.binary(min_size=30, max_size=300), st.sampled_from(DEPTHS), st.sampled_from([side.SORTED_LEVELS, 2, 5]))


@SEQUENCES
def test_random_changes_give_the_best_levels_of_a_plain_book(code: bytes, depth: int, sorted_levels: int) -> None:
    assert_sequence(code, depth, sorted_levels)


@pytest.mark.slow
@settings(max_examples=100_000, deadline=None)
@SEQUENCES
def test_100_000_sequences_of_changes_give_the_best_levels_of_a_plain_book(code: bytes, depth: int, sorted_levels: int) -> None:
    assert_sequence(code, depth, sorted_levels)


@given(MESSAGES)
def test_book_whose_sorted_part_is_short_gives_the_plain_book(messages: list[Message]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "SORTED_LEVELS", 2)
        play(messages, 0)


@given(st.binary(min_size=30, max_size=300), st.lists(st.integers(1, 20), min_size=1))
def test_levels_that_are_asked_for_in_between_are_those_of_a_plain_book(code: bytes, counts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "SORTED_LEVELS", 2)
        patch.setattr(side, "MOST_SORTED", 24)
        book, plain = OrderBook(), PlainBook()
        for place, (is_snapshot, bids, asks) in enumerate(messages_of(code)):
            (book.load if is_snapshot else book.update)(bids, asks)
            plain.apply(is_snapshot, bids, asks)
            count = counts[place % len(counts)]
            assert decimals(book, book.best_bids(count)) == plain.sorted_bids()[:count]
            assert decimals(book, book.best_asks(count)) == plain.sorted_asks()[:count]


def test_deep_side_that_is_asked_for_a_hundred_levels_again_and_again_is_not_searched_each_time() -> None:
    book = OrderBook()
    book.load([(f"{price}.5", "1") for price in range(1, 20_001)], [])
    book.best_bids(100)

    def search(bids: side.BookSide) -> list[int]:
        raise AssertionError(f"the best of {len(bids.levels)} levels are looked for anew")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side.BookSide, "_best_of_all", search)
        patch.setattr(side, "nlargest", lambda *_: search(book.bids))
        for price in range(19_990, 19_890, -1):
            book.update([(f"{price}.5", "0"), (f"{price}.2", "2")], [])
            assert [level.price for level in book.best_bids(100)[:2]] == [200_005, 199_995]


@pytest.mark.parametrize("gap", [1, 1_000_000])
def test_levels_behind_those_that_all_went_are_found_near_and_beyond_a_gap(gap: int) -> None:
    prices = [*range(1, 200), *range(200 + gap, 300 + gap)]
    book = OrderBook()
    book.load([(str(price), "1") for price in prices], [])
    searched = []

    def search(count: int, keys: Collection[int]) -> list[int]:
        searched.append(len(keys) == len(book.bids.levels))
        return sorted(keys)[: -count - 1 : -1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "nlargest", search)
        for best in (prices[198], prices[70]):
            gone = [price for price in prices if price > best]
            book.update([(str(price), "0") for price in gone], [])
            assert [level.price for level in book.best_bids(64)] == prices[: prices.index(best) + 1][:-65:-1]
    assert any(searched) is (gap > 1)


def test_snapshot_is_searched_for_its_best_once_also_after_another() -> None:
    searched = []

    def search(count: int, keys: Collection[int]) -> list[int]:
        searched.append(len(keys))
        return sorted(keys)[: -count - 1 : -1]

    book = OrderBook()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(side, "nlargest", search)
        for levels in (20_000, 10_000):
            book.load([(str(price), "1") for price in range(1, levels + 1)], [])
            assert book.bids.best_price == levels
    assert searched == [20_000, 10_000]


AMOUNTS = st.integers(1, 10**15 - 1).map(lambda number: scaled_text(number, 8))
SMALL = st.lists(st.tuples(AMOUNTS, AMOUNTS | st.just("0.00000000")), max_size=8)


@given(st.lists(st.tuples(SMALL, SMALL), max_size=8), st.sampled_from([8, 8, 3, 10]))
def test_doubles_of_15_digits_give_the_same_book_as_their_text(messages: list[tuple[Levels, Levels]], decimals: int) -> None:
    by_text, by_double = OrderBook(0, decimals, 8), OrderBook(0, decimals, 8)
    for bids, asks in messages:
        by_text.update(bids, asks)
        by_double.update_floats(doubles(bids), doubles(asks), (8, 8))
    for book in (by_text, by_double):
        book.take_decimals(10, 10)
    assert by_double.best_bids(100) == by_text.best_bids(100)
    assert by_double.best_asks(100) == by_text.best_asks(100)


def doubles(levels: Levels) -> list[FloatLevel]:
    return [FloatLevel(float(price), float(size)) for price, size in levels]


def test_deleting_all_sorted_levels_at_once_finds_the_next_best() -> None:
    book = OrderBook()
    book.load([(str(price), "1") for price in range(1, 1_001)], [(str(price), "1") for price in range(2_000, 3_000)])
    book.update([(str(price), "0") for price in range(500, 1_001)], [(str(price), "0") for price in range(2_000, 2_700)])
    assert (book.bids.best_price, book.asks.best_price) == (499, 2_700)
    assert [level.price for level in book.best_asks(2)] == [2_700, 2_701]


def test_more_decimals_than_before_rescale_the_book_and_round_nothing() -> None:
    book = OrderBook()
    book.load([("100", "1")], [("101", "2")])
    book.update([("100.25", "0.5")], [("100.7500", "0.00000001")])
    assert (book.price_decimals, book.size_decimals) == (4, 8)
    assert decimals(book, book.best_bids(2)) == [(Decimal("100.25"), Decimal("0.5")), (Decimal(100), Decimal(1))]
    assert decimals(book, book.best_asks(2)) == [(Decimal("100.75"), Decimal("1E-8")), (Decimal(101), Decimal(2))]


@pytest.mark.parametrize(
    "text", ["", ".", "-1", "nan", "NaN", "Infinity", "1_000", "0x10", "1e999", "1.2.3", " 1", "٣", "9" * 65, "1e-40", ".5"]
)
@pytest.mark.parametrize("place", ["price", "size"])
def test_what_is_no_number_is_refused(text: str, place: str) -> None:
    if text in (" 1", ".5"):
        text += "x"
    with pytest.raises(BadNumber):
        OrderBook().update([(text, "1") if place == "price" else ("1", text)], [])


@pytest.mark.parametrize("text", ["0", "0.00", "0e5", "-0"])
def test_price_of_zero_is_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        OrderBook().update([(text, "1")], [])


@given(st.decimals(0, 10**12, places=10), st.integers(0, 6))
def test_every_notation_of_a_number_is_the_same(number: Decimal, more_zeros: int) -> None:
    plain = f"{number:f}"
    wanted = int(number.scaleb(20))
    assert {to_scaled(text, 20) for text in (plain, plain + "0" * more_zeros, f"{number:.25e}", plain.encode())} == {wanted}
    assert to_scaled(scaled_text(wanted, 20), 20) == wanted


def test_what_is_remembered_is_bounded() -> None:
    scale = SizeScale(0)
    for number in range(REMEMBERED + 10):
        assert scale[str(number)] == number
    assert len(scale) <= REMEMBERED
