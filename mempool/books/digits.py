"""A side of a book that keeps the digits of every level as text, for a venue whose checksum is made of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

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
        for change in changes:
            key = prices[change[0]]
            size = sizes[change[1]]
            at = bisect_left(top, key)
            if at >= len(top) - CHECKED_LEVELS:
                self.has_changed = True
            if size:
                if key not in levels:
                    top.insert(at, key)
                    digits.insert(at, b"%d%d" % (sign * key, size))
                else:
                    digits[at] = b"%d%d" % (sign * key, size)
                levels[key] = size
            elif levels.pop(key, 0):
                del top[at], digits[at]

    def update_floats(self, changes: Sequence[FloatLevel], price_scale: float, size_scale: float) -> None:
        prices, sizes = self.prices.decimals, self.sizes.decimals
        self.update([(f"{price:.{prices}f}", f"{amount:.{sizes}f}") for price, amount in changes])

    def clear(self) -> None:
        super().clear()
        self.digits, self.has_changed = [], True

    def truncate(self, depth: int) -> None:
        excess = len(self.top) - depth
        if excess > 0:
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
