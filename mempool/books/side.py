"""One side of a book: every level in a dict, and the best of them in a short sorted list."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from heapq import nlargest
from math import floor

from mempool.books.scale import PriceScale, SizeScale
from mempool.model.book import FloatLevel, Level, TextLevel

SORTED_LEVELS = 32
"""So many of the best levels are sorted anew when the list has run empty; it is cut back to them at twice as many."""
MOST_SORTED = 256
"""So many of them at most, where more of the best levels than are sorted have been asked for."""
NEAR = 6
"""Where the list has run empty, the next levels are looked for first within so many times the span that the last ones had."""
_BELOW_ALL = -(10**128)


class BookSide:
    """Levels by `key`: the price on the bid side, its negative on the ask side, so that the best key is the largest on both.

    `top` holds, in ascending order, exactly the keys from `_floor` up. A change below that costs one dict operation, one in
    it a bisection besides. Only where `top` has run empty are the best of all keys looked for: at most once a message. A side
    that has been asked for more levels than that keeps twice as many sorted from then on, so that it is not searched for them
    each time.
    """

    __slots__ = ("_floor", "_kept", "_limit", "_span", "levels", "prices", "sign", "sizes", "top")

    def __init__(self, sign: int, sizes: SizeScale, decimals: int = 0) -> None:
        self.sign = sign
        self.levels: dict[int, int] = {}
        self.top: list[int] = []
        self._floor = _BELOW_ALL
        self._span = 0
        """From the best to the last of the levels that were sorted, when they were looked for last; 0 before."""
        self._kept = SORTED_LEVELS
        self._limit = 2 * SORTED_LEVELS
        self.prices = PriceScale(sign, decimals)
        self.sizes = sizes

    @property
    def best_price(self) -> int:
        """0 where the side is empty."""
        return self.sign * self.top[-1] if self.top else 0

    @property
    def best_size(self) -> int:
        return self.levels[self.top[-1]] if self.top else 0

    def is_best(self, level: TextLevel) -> bool:
        """Whether the best level has this price and size. Raises as `update` does."""
        key, size = self.prices[level[0]], self.sizes[level[1]]
        return bool(self.top) and self.top[-1] == key and self.levels[key] == size

    def update(self, changes: Sequence[TextLevel]) -> None:
        """Set absolute sizes; a level of size zero goes, also one that is not there.

        Raises `BadNumber` and `MoreDecimals` with the changes before it applied: applying all of them again does no harm.
        """
        levels, top, prices, sizes, lowest = self.levels, self.top, self.prices, self.sizes, self._floor
        for change in changes:
            key = prices[change[0]]
            size = sizes[change[1]]
            if size:
                if key >= lowest and key not in levels:
                    insort(top, key)
                levels[key] = size
            elif key in levels:
                del levels[key]
                if key >= lowest:
                    del top[bisect_left(top, key)]
        if not top or len(top) > self._limit:
            self._sort()

    def update_floats(self, changes: Sequence[FloatLevel]) -> None:
        """The same with doubles of at most 15 digits; the scales are ten to the power of the book's decimals.

        Such a double is off by less than 2**-53 of itself, so the product, below 10**15, by far less than a half.
        """
        levels, top, lowest = self.levels, self.top, self._floor
        key_scale, size_scale = self.prices.factor, self.sizes.factor
        for change in changes:
            # `floor` takes a third of the time of `int`, and rounds to the nearest below zero as well.
            key = floor(change.price * key_scale + 0.5)
            amount = change.size
            if amount:
                if key >= lowest and key not in levels:
                    insort(top, key)
                levels[key] = floor(amount * size_scale + 0.5)
            elif key in levels:
                del levels[key]
                if key >= lowest:
                    del top[bisect_left(top, key)]
        if not top or len(top) > self._limit:
            self._sort()

    def load(self, levels: Sequence[TextLevel]) -> None:
        """Replace all levels. Raises as `update` does, the side empty then."""
        self.clear()
        prices, sizes = self.prices, self.sizes
        loaded = {prices[level[0]]: sizes[level[1]] for level in levels}
        self.levels = loaded if all(loaded.values()) else {key: size for key, size in loaded.items() if size}
        self._sort()

    def clear(self) -> None:
        self.levels, self.top, self._floor, self._span = {}, [], _BELOW_ALL, 0

    def sort_all(self) -> None:
        """From now on keep every level sorted, as truncation wants it; only for sides that are truncated."""
        self._limit = len(self.levels) + 10**9
        self._sort()

    def truncate(self, depth: int) -> None:
        """Drop the levels behind the best `depth` ones of a side that is sorted wholly."""
        excess = len(self.top) - depth
        if excess > 0:
            for key in self.top[:excess]:
                del self.levels[key]
            del self.top[:excess]

    def best(self, count: int) -> list[Level]:
        """The best `count` levels, best first."""
        sign, levels = self.sign, self.levels
        return [Level(sign * key, levels[key]) for key in self.best_keys(count)]

    def best_keys(self, count: int) -> list[int]:
        """The keys of the best `count` levels, best first."""
        if count > len(self.top) < len(self.levels):
            if 2 * count > MOST_SORTED:
                return nlargest(count, self.levels)
            self._kept = max(self._kept, 2 * count)
            self._limit, self.top = 2 * self._kept, []
            self._sort()
        return self.top[: -count - 1 : -1]

    def rescale_prices(self, decimals: int) -> None:
        factor = self.prices.rescale(decimals)
        self.levels = {key * factor: size for key, size in self.levels.items()}
        self.top = [key * factor for key in self.top]
        self._floor *= factor
        self._span *= factor

    def rescale_sizes(self, factor: int) -> None:
        self.levels = {key: size * factor for key, size in self.levels.items()}

    def _sort(self) -> None:
        if len(self.levels) <= self._limit:
            self.top, self._floor = sorted(self.levels), _BELOW_ALL
        else:
            self.top = self.top[-self._kept :] or self._best_of_all()
            self._floor = self.top[0]

    def _best_of_all(self) -> list[int]:
        """The best of all keys, ascending: of the near ones where those are enough, which takes a third of the time."""
        levels, kept, lowest = self.levels, self._kept, self._floor - NEAR * self._span
        near = [key for key in levels if key >= lowest] if self._span else []
        best = nlargest(kept, near if len(near) >= kept else levels)[::-1]
        self._span = best[-1] - best[0]
        return best
