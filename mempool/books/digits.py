"""A side of a book that keeps the digits of every level as text, for a venue whose checksum is made of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from mempool.books.side import BookSide
from mempool.model.book import FloatLevel, TextLevel


class DigitsSide(BookSide):
    """Sorted wholly. `digits` stands beside `top`: of each level the price and the size, without point and the zeros before."""

    __slots__ = ("digits",)

    def __init__(self, side: BookSide) -> None:
        """With that one's levels and numbers; it is not to be used any more."""
        super().__init__(side.sign, side.sizes, side.prices.decimals)
        self.digits: list[bytes] = []
        self.levels, self.prices = side.levels, side.prices
        self._sort()

    def update(self, changes: Sequence[TextLevel]) -> None:
        prices, sizes, put = self.prices, self.sizes, self._put
        for change in changes:
            put(prices[change[0]], sizes[change[1]])

    def update_floats(self, changes: Sequence[FloatLevel], price_scale: float, size_scale: float) -> None:
        key_scale, half, put = self.sign * price_scale, self.sign * 0.5, self._put
        for price, amount in changes:
            put(int(price * key_scale + half), int(amount * size_scale + 0.5))

    def clear(self) -> None:
        super().clear()
        self.digits = []

    def truncate(self, depth: int) -> None:
        excess = len(self.top) - depth
        super().truncate(depth)
        if excess > 0:
            del self.digits[:excess]

    def rescale_prices(self, decimals: int) -> None:
        super().rescale_prices(decimals)
        self._sort()

    def rescale_sizes(self, factor: int) -> None:
        super().rescale_sizes(factor)
        self._sort()

    def _put(self, key: int, size: int) -> None:
        top, levels = self.top, self.levels
        at = bisect_left(top, key)
        if not size:
            if levels.pop(key, 0):
                del top[at], self.digits[at]
            return
        digits = b"%d%d" % (self.sign * key, size)
        if key in levels:
            self.digits[at] = digits
        else:
            top.insert(at, key)
            self.digits.insert(at, digits)
        levels[key] = size

    def _sort(self) -> None:
        levels, sign = self.levels, self.sign
        self.top = sorted(levels)
        self.digits = [b"%d%d" % (sign * key, levels[key]) for key in self.top]
