"""One venue's book of one market: absolute quantities, exact, the best bid and offer always at hand."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.books.digits import DigitsSide
from mempool.books.scale import MoreDecimals, MoreSizeDecimals, SizeScale
from mempool.books.side import BookSide
from mempool.model.book import Decimals, FloatLevel, Level, TextLevel

MAX_LEVELS = 100_000


class OrderBook:
    """Both sides of a book. With a depth the levels behind the best so many of a side are dropped after each message.

    Decimals grow with what the venue writes; every number is exact. `load` and `update` raise `BadNumber` on what is no
    price or size; the book is then of no use until the next `load`.
    """

    __slots__ = ("_depth", "_sizes", "asks", "bids", "decimals")

    def __init__(self, depth: int = 0, price_decimals: int = 0, size_decimals: int = 0) -> None:
        self.decimals: Decimals = price_decimals, size_decimals
        """Of prices, and of sizes."""
        self._depth = 0
        self._sizes = SizeScale(size_decimals)
        self.bids: BookSide = BookSide(1, self._sizes, price_decimals)
        self.asks: BookSide = BookSide(-1, self._sizes, price_decimals)
        self.truncate_to(depth)

    @property
    def price_decimals(self) -> int:
        return self.decimals[0]

    @property
    def size_decimals(self) -> int:
        return self.decimals[1]

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
        depth = self._depth
        try:
            if bids:
                side = self.bids
                side.update(bids)
                if depth and len(side.top) > depth:
                    side.truncate(depth)
            if asks:
                side = self.asks
                side.update(asks)
                if depth and len(side.top) > depth:
                    side.truncate(depth)
        except MoreDecimals as more:
            self._take(more)
            self.update(bids, asks)

    def update_floats(self, bids: Sequence[FloatLevel], asks: Sequence[FloatLevel], decimals: Decimals) -> None:
        """The same with doubles, each standing for a number of so many decimals and at most 15 digits: prices above zero."""
        if decimals != self.decimals:
            price_decimals, size_decimals = decimals
            as_text = [
                [(f"{each.price:.{price_decimals}f}", f"{each.size:.{size_decimals}f}") for each in side] for side in (bids, asks)
            ]
            self.update(*as_text)
            return
        depth = self._depth
        if bids:
            side = self.bids
            side.update_floats(bids)
            if depth and len(side.top) > depth:
                side.truncate(depth)
        if asks:
            side = self.asks
            side.update_floats(asks)
            if depth and len(side.top) > depth:
                side.truncate(depth)

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
        prices, sizes = self.decimals
        self.decimals = max(prices, price_decimals), max(sizes, size_decimals)
        if price_decimals > prices:
            self.bids.rescale_prices(price_decimals)
            self.asks.rescale_prices(price_decimals)
        if size_decimals > sizes:
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
