"""One venue's book of one market: absolute quantities, exact, the best bid and offer always at hand."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.books.digits import DigitsSide
from mempool.books.scale import MoreDecimals, MoreSizeDecimals, SizeScale
from mempool.books.side import BookSide
from mempool.model.book import Decimals, FloatLevel, Level, TextLevel

MAX_LEVELS = 100_000
SCALES = tuple(float(10**decimals) for decimals in range(16))
"""By decimals; a double has no more digits."""


class OrderBook:
    """Both sides of a book. With a depth the levels behind the best so many of a side are dropped after each message.

    Decimals grow with what the venue writes; every number is exact. `load` and `update` raise `BadNumber` on what is no
    price or size; the book is then of no use until the next `load`.
    """

    __slots__ = ("_depth", "_sizes", "asks", "bids", "price_decimals")

    def __init__(self, depth: int = 0, price_decimals: int = 0, size_decimals: int = 0) -> None:
        self.price_decimals = price_decimals
        self._depth = 0
        self._sizes = SizeScale(size_decimals)
        self.bids: BookSide = BookSide(1, self._sizes, price_decimals)
        self.asks: BookSide = BookSide(-1, self._sizes, price_decimals)
        self.truncate_to(depth)

    @property
    def size_decimals(self) -> int:
        return self._sizes.decimals

    @property
    def depth(self) -> int:
        """0 where nothing is dropped."""
        return self._depth

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is not below the best ask; a locked book counts as crossed."""
        bids, asks = self.bids.top, self.asks.top
        return bool(bids and asks) and bids[-1] + asks[-1] >= 0

    @property
    def is_too_deep(self) -> bool:
        """Whether a side has more levels than any venue's book."""
        return len(self.bids.levels) > MAX_LEVELS or len(self.asks.levels) > MAX_LEVELS

    def load(self, bids: Sequence[TextLevel], asks: Sequence[TextLevel]) -> None:
        """Replace the whole book; a size of zero is no level."""
        try:
            self.bids.load(bids)
            self.asks.load(asks)
        except MoreDecimals as more:
            self._take(more)
            self.load(bids, asks)
        if self._depth:
            self._truncate()

    def update(self, bids: Sequence[TextLevel], asks: Sequence[TextLevel]) -> None:
        """Set the sizes of these levels; zero removes one, and one that is not there is no fault."""
        try:
            if bids:
                self.bids.update(bids)
            if asks:
                self.asks.update(asks)
        except MoreDecimals as more:
            self._take(more)
            self.update(bids, asks)
        depth = self._depth
        if depth and (len(self.bids.top) > depth or len(self.asks.top) > depth):
            self._truncate()

    def update_floats(self, bids: Sequence[FloatLevel], asks: Sequence[FloatLevel], decimals: Decimals) -> None:
        """The same with doubles, each standing for a number of so many decimals and at most 15 digits: prices above zero."""
        price_decimals, size_decimals = decimals
        if self.price_decimals != price_decimals or self._sizes.decimals != size_decimals:
            self.update(
                *([(f"{price:.{price_decimals}f}", f"{size:.{size_decimals}f}") for price, size in side] for side in (bids, asks))
            )
            return
        price_scale, size_scale = SCALES[price_decimals], SCALES[size_decimals]
        if bids:
            self.bids.update_floats(bids, price_scale, size_scale)
        if asks:
            self.asks.update_floats(asks, price_scale, size_scale)
        depth = self._depth
        if depth and (len(self.bids.top) > depth or len(self.asks.top) > depth):
            self._truncate()

    def keep_digits(self) -> tuple[DigitsSide, DigitsSide]:
        """From now on bids and asks are these."""
        self.bids, self.asks = bids, asks = DigitsSide(self.bids), DigitsSide(self.asks)
        return bids, asks

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    def truncate_to(self, depth: int) -> None:
        """Keep the best `depth` levels of a side from now on."""
        self._depth = depth
        if depth:
            self.bids.sort_all()
            self.asks.sort_all()
            self._truncate()

    def best_bids(self, count: int) -> list[Level]:
        """The best `count` bids, highest first."""
        return self.bids.best(count)

    def best_asks(self, count: int) -> list[Level]:
        """The best `count` asks, lowest first."""
        return self.asks.best(count)

    def take_decimals(self, price_decimals: int, size_decimals: int) -> None:
        """Write prices and sizes with at least so many decimals; the levels stay the same numbers."""
        if price_decimals > self.price_decimals:
            self.price_decimals = price_decimals
            self.bids.rescale_prices(price_decimals)
            self.asks.rescale_prices(price_decimals)
        if size_decimals > self._sizes.decimals:
            factor = self._sizes.rescale(size_decimals)
            self.bids.rescale_sizes(factor)
            self.asks.rescale_sizes(factor)

    def _take(self, more: MoreDecimals) -> None:
        if isinstance(more, MoreSizeDecimals):
            self.take_decimals(0, more.decimals)
        else:
            self.take_decimals(more.decimals, 0)

    def _truncate(self) -> None:
        self.bids.truncate(self._depth)
        self.asks.truncate(self._depth)
