"""The books that are priced now, by what is traded and where, so that a book's cycles are found without a look at all others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mempool.detect.book_cycles import Terms, asset_in
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade

TradedBook = tuple[Instrument, Trade]


class PricedBooks:
    """Each list is in the order of `books`. The terms say what the money is, and what each venue takes."""

    __slots__ = ("bases_in", "by_base", "money", "rates", "takes")

    def __init__(self, books: Sequence[Instrument], terms: Terms) -> None:
        self.money = terms.money
        self.by_base: dict[str, list[Instrument]] = defaultdict(list)
        self.bases_in: dict[str, list[str]] = defaultdict(list)
        """What is traded for each quote asset."""
        self.takes: dict[tuple[str, str], list[TradedBook]] = defaultdict(list)
        """By venue and asset, the books that take it and the trade that does."""
        self.rates: dict[str, Instrument] = {}
        """What turns each asset into the money, or the money into it: the book whose venue takes the least fee, the first by
        name where several do."""
        for book in books:
            self.by_base[book.base].append(book)
            self.bases_in[book.quote].append(book.base)
            for trade in Trade:
                self.takes[book.venue, asset_in(book, trade)].append((book, trade))
            if self.money in (book.base, book.quote):
                asset = book.base if book.quote == self.money else book.quote
                known = self.rates.get(asset, book)
                self.rates[asset] = min(known, book, key=lambda each: (terms.fees[each.venue], each))
