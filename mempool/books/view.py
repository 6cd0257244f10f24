"""The order books of one moment, for those who only look: best quotes at hand, depth when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mempool.books.depth import BookDepth
from mempool.model.book import Instrument, Quote

ReadDepth = Callable[[Instrument], BookDepth | None]


class BooksView:
    """Valid until the next message is heard: depths are read from the books as they stand then, each once."""

    __slots__ = ("_depths", "_read", "now_ns", "quotes")

    def __init__(self, quotes: Mapping[Instrument, Quote], read: ReadDepth, now_ns: int) -> None:
        self.quotes = quotes
        """Of the books that are priced now, and of no other."""
        self.now_ns = now_ns
        """Of the receive clock; ages are measured against it."""
        self._read = read
        self._depths: dict[Instrument, BookDepth | None] = {}

    def depth(self, instrument: Instrument) -> BookDepth | None:
        """The best levels of both sides; None where the book is not priced now."""
        if instrument not in self._depths:
            self._depths[instrument] = self._read(instrument) if instrument in self.quotes else None
        return self._depths[instrument]
