"""The best levels of one book at one moment, as a value that several may look at."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from mempool.books.order_book import OrderBook
from mempool.model.book import Instrument, Level
from mempool.model.consolidated import Exact, Trade


class BookDepth(Struct, frozen=True, gc=False):
    """The best levels of a book at one moment, best first."""

    instrument: Instrument
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    price_decimals: int
    size_decimals: int
    bids_go_on: bool = False
    """Whether there may be more behind them that is not listed."""
    asks_go_on: bool = False
    recv_ns: int = 0
    """When the last message of the book arrived."""

    def side(self, trade: Trade) -> tuple[Level, ...]:
        return self.asks if trade is Trade.BUY else self.bids

    def goes_on(self, trade: Trade) -> bool:
        return self.asks_go_on if trade is Trade.BUY else self.bids_go_on

    def cut(self, trade: Trade, levels: int, *, goes_on: bool) -> BookDepth:
        """The trade's side with its best levels alone; where that leaves some out, `goes_on` says whether they may matter."""
        side = self.side(trade)
        if levels >= len(side):
            return self
        if trade is Trade.BUY:
            return replace(self, asks=side[:levels], asks_go_on=goes_on)
        return replace(self, bids=side[:levels], bids_go_on=goes_on)


def depth_of(instrument: Instrument, book: OrderBook, levels: int, recv_ns: int = 0) -> BookDepth:
    """The best `levels` of each side. A book that is kept to a depth may go on behind it, where the venue says no more."""
    most = min(levels, book.depth or levels)
    bids, asks = book.best_bids(most), book.best_asks(most)
    return BookDepth(
        instrument,
        tuple(bids),
        tuple(asks),
        book.price_decimals,
        book.size_decimals,
        bids_go_on=len(bids) == most,
        asks_go_on=len(asks) == most,
        recv_ns=recv_ns,
    )


def quotient(number: Exact, divisor: Exact) -> Exact:
    """The number by the divisor, exactly; an integer where it is whole."""
    if isinstance(number, int) and isinstance(divisor, int) and not number % divisor:
        return number // divisor
    ratio = Fraction(number) / divisor
    return ratio.numerator if ratio.denominator == 1 else ratio
