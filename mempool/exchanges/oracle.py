"""Holds a book to the venue's own best quote, which comes on another stream and may be ahead of the book or behind it."""

from __future__ import annotations

from collections import deque

from mempool.books.order_book import OrderBook
from mempool.books.scale import BadNumber, MoreDecimals
from mempool.exchanges.counts import Counts
from mempool.exchanges.messages import BestQuote

MAX_TICKERS = 2_000
LIMIT = 3
"""So many comparisons in a row that fail make a book wrong; fewer make it suspect."""


class Oracle:
    """Of one book. Without any best quote heard every book agrees."""

    __slots__ = ("_counts", "_ticker", "_tickers", "disagreements", "has_heard")

    def __init__(self, counts: Counts) -> None:
        self.has_heard = False
        self.disagreements = 0
        """In a row."""
        self._counts = counts
        self._tickers: deque[BestQuote] = deque(maxlen=MAX_TICKERS)
        self._ticker: BestQuote | None = None

    def hear(self, ticker: BestQuote) -> None:
        """Remembered until the book has come as far."""
        self._tickers.append(ticker)
        self.has_heard = True

    def forget(self) -> None:
        """The book is lost: best quotes may have been lost with it, and those before say nothing any more."""
        self._tickers.clear()
        self._ticker = None
        self.disagreements = 0
        self.has_heard = False

    def agrees(self, book: OrderBook, last_id: int) -> bool:
        """Whether the venue's last best quote up to `last_id` is the book's; True where there is none yet."""
        tickers = self._tickers
        while tickers and tickers[0].last_id <= last_id:
            self._ticker = tickers.popleft()
        ticker = self._ticker
        if ticker is None:
            return True
        self._counts.comparisons += 1
        try:
            agrees = book.bids.is_best(ticker.bid) and book.asks.is_best(ticker.ask)
        except (BadNumber, MoreDecimals):
            agrees = False
        self._counts.matches += agrees
        self.disagreements = 0 if agrees else self.disagreements + 1
        return agrees
