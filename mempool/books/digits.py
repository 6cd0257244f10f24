"""A side of a book that keeps the digits of every level as text, for a venue whose checksum is made of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import floor

from mempool.books.side import BookSide
from mempool.model.book import FloatLevel, TextLevel

CHECKED_LEVELS = 10


class DigitsSide(BookSide):
    """Sorted wholly. `digits` stands beside `top`: of each level the price and the size, without point and the zeros before."""

    __slots__ = ("digits", "has_changed")

    def __init__(self, side: BookSide) -> None:
        """With that one's levels and numbers; it is not to be used any more."""
        super().__init__(side.sign, side.sizes, side.prices.decimals)
        self.digits: list[bytes] = []
        self.has_changed = True
        """Whether one of the best `CHECKED_LEVELS` may have, since this was last set to false."""
        self.levels, self.prices = side.levels, side.prices
        self._sort()

    def update(self, changes: Sequence[TextLevel]) -> None:
        sign, prices, sizes = self.sign, self.prices, self.sizes
        levels, top, digits = self.levels, self.top, self.digits
        # What stands behind the levels that are checked moves up to them only where one of these goes, which is a change too.
        last_checked = top[-CHECKED_LEVELS] if len(top) >= CHECKED_LEVELS else self._floor
        for change in changes:
            key = prices[change[0]]
            size = sizes[change[1]]
            if key >= last_checked:
                self.has_changed = True
            at = bisect_left(top, key)
            if size:
                if key in levels:
                    digits[at] = b"%d%d" % (sign * key, size)
                else:
                    top.insert(at, key)
                    digits.insert(at, b"%d%d" % (sign * key, size))
                levels[key] = size
            elif key in levels:
                del levels[key], top[at], digits[at]

    def update_floats(self, changes: Sequence[FloatLevel]) -> None:
        sign, levels, top, digits = self.sign, self.levels, self.top, self.digits
        key_scale, size_scale = self.prices.factor, self.sizes.factor
        last_checked = top[-CHECKED_LEVELS] if len(top) >= CHECKED_LEVELS else self._floor
        for change in changes:
            key = floor(change.price * key_scale + 0.5)
            amount = change.size
            if key >= last_checked:
                self.has_changed = True
            at = bisect_left(top, key)
            if amount:
                size = floor(amount * size_scale + 0.5)
                text = b"%d%d" % (sign * key, size)
                if key in levels:
                    digits[at] = text
                else:
                    top.insert(at, key)
                    digits.insert(at, text)
                levels[key] = size
            elif key in levels:
                del levels[key], top[at], digits[at]

    def clear(self) -> None:
        super().clear()
        self.digits, self.has_changed = [], True

    def truncate(self, depth: int) -> None:
        excess = len(self.top) - depth
        if excess == 1:
            del self.levels[self.top.pop(0)], self.digits[0]
        elif excess > 0:
            for key in self.top[:excess]:
                del self.levels[key]
            del self.top[:excess], self.digits[:excess]

    def rescale_prices(self, decimals: int) -> None:
        super().rescale_prices(decimals)
        self._sort()

    def rescale_sizes(self, factor: int) -> None:
        super().rescale_sizes(factor)
        self._sort()

    def _sort(self) -> None:
        levels, sign = self.levels, self.sign
        self.top, self.has_changed = sorted(levels), True
        self.digits = [b"%d%d" % (sign * key, levels[key]) for key in self.top]
