"""Counts what a run reports of order books, for the summary at its end."""

from __future__ import annotations

from collections import Counter

from mempool.model.book import Instrument
from mempool.model.record import ArbitrageFound, BookGap, QuoteSampled, Record

_REMEMBERED = 10_000
"""Findings that may be seen again; older ones have long ended."""


class BookTally:
    """A finding that is seen again counts once, as it was seen last."""

    def __init__(self) -> None:
        self.books: set[Instrument] = set()
        """Those with a price at any time."""
        self.quotes = 0
        """Sampled ones."""
        self.lost = 0
        """How often a book lost its price."""
        self.faults = 0
        """Messages that could not be used and cost no price."""
        self.findings: Counter[str] = Counter()
        """By kind."""
        self.near_misses: Counter[str] = Counter()
        """By what rejects them."""
        self.largest_eth: dict[str, float] = {}
        """The largest priced finding by kind, in the native token."""
        self._counted: dict[int, tuple[Counter[str], str]] = {}
        self._last_gap = 0

    @property
    def is_empty(self) -> bool:
        """Whether no book has been heard of."""
        return not (self.quotes or self.lost or self.faults or self._counted)

    def note(self, record: Record) -> None:
        match record:
            case QuoteSampled(quote):
                self.quotes += 1
                self.books.add(quote.instrument)
            case BookGap(number=number) if number > self._last_gap:  # else its end
                self._last_gap = number
                if record.to_ns == record.from_ns:
                    self.faults += 1
                else:
                    self.lost += 1
            case ArbitrageFound():
                self._count(record)
            case _:
                pass

    def _count(self, record: ArbitrageFound) -> None:
        found, counted = record.arbitrage, self._counted
        if record.number in counted:
            counter, word = counted.pop(record.number)
            counter[word] -= 1
        kind = found.kind.value
        now = (self.findings, kind) if found.rejection is None else (self.near_misses, found.rejection.value)
        now[0][now[1]] += 1
        counted[record.number] = now
        if len(counted) > _REMEMBERED:
            del counted[next(iter(counted))]
        if found.rejection is None and record.profit_eth is not None:
            self.largest_eth[kind] = max(record.profit_eth, self.largest_eth.get(kind, 0.0))
