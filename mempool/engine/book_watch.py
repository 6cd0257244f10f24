"""One cycle of books under watch: whether its best prices gain now, and the gap that has been open since they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mempool.books.money import FeesPips
from mempool.detect.book_cycles import Cycle, best_rate
from mempool.model.arbitrage import BookArbitrage
from mempool.model.book import Instrument, Quote
from mempool.model.consolidated import PIPS, Ratio, Trade
from mempool.model.stamps import MILLISECOND_NS, SECOND_NS

LOOK_NS = 100 * MILLISECOND_NS
"""Between two looks at the levels of one cycle, where its best prices bring no more than they did at the last."""
MISS_NS = SECOND_NS
"""Between two looks where the fees are more than the best prices bring."""


class Top:
    """One side of one book: what comes out at its best price for what is put in; nothing while the book is not priced."""

    __slots__ = ("out", "put_in")

    def __init__(self) -> None:
        self.out, self.put_in = 0, 1


class WatchedBook:
    """The tops of one book, and the watched cycles that pass it: None where they have to be worked out anew."""

    __slots__ = ("is_priced", "tops", "watches")

    def __init__(self) -> None:
        self.tops = {trade: Top() for trade in Trade}
        self.is_priced = False
        self.watches: Sequence[Watch] | None = None

    def take(self, quote: Quote) -> None:
        self.is_priced = True
        for trade, top in self.tops.items():
            top.out, top.put_in = best_rate(quote, trade)

    def lose(self) -> None:
        self.is_priced = False
        for top in self.tops.values():
            top.out = 0


class Seen(Struct, frozen=True):
    """What a look at a cycle's levels has found, what its profit was worth then, and when that was."""

    found: BookArbitrage
    profit_eth: float | None
    profit_usd: float | None
    at_ns: int


class Gap:
    """An open gap: since when it gains before fees, when one of its books was last heard of, and the best seen in it."""

    __slots__ = ("best", "heard_ns", "number", "since_ns")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = self.heard_ns = since_ns
        self.best: Seen | None = None
        self.number = 0
        """As which finding it was reported; 0 where it is none so far."""

    @property
    def is_finding(self) -> bool:
        return self.number > 0

    @property
    def best_still_stands(self) -> bool:
        """Whether no best quote of its books has changed since the best was seen."""
        return self.best is not None and self.best.at_ns >= self.heard_ns


class Watch:
    """A cycle, its gap while one is open, and when and at which best prices its levels were looked at last."""

    __slots__ = ("_fees_in", "_fees_out", "_looked_at", "_looked_ns", "_tops", "cycle", "gap", "has_missed")

    def __init__(self, cycle: Cycle, books: Mapping[Instrument, WatchedBook], fees: FeesPips) -> None:
        self.cycle = cycle
        self.gap: Gap | None = None
        self.has_missed = False
        """Whether a near miss of it is known, which only a gap that comes nearer adds to."""
        self._tops = tuple([books[instrument].tops[trade] for instrument, trade in cycle.route])
        self._fees_in, self._fees_out = _fees(cycle, fees)
        self._looked_ns: int | None = None
        self._looked_at: Ratio = (0, 1)

    def passes(self, instrument: Instrument) -> bool:
        return any(each == instrument for each, _ in self.cycle.route)

    def best_rate(self) -> Ratio:
        """What comes out at the best prices for what is put in, without fees."""
        out = put_in = 1
        for top in self._tops:
            out *= top.out
            put_in *= top.put_in
        return out, put_in

    def pays(self, rate: Ratio) -> bool:
        """Whether more comes out than is put in after the fees."""
        return rate[0] * self._fees_out > rate[1] * self._fees_in

    def is_due(self, rate: Ratio, now_ns: int) -> bool:
        """Whether the levels should be looked at: that costs far more than to see that the best prices gain."""
        if self._looked_ns is None:
            return True
        waited_ns = now_ns - self._looked_ns
        is_more = rate[0] * self._looked_at[1] > self._looked_at[0] * rate[1]
        if self.pays(rate):
            return is_more or waited_ns >= LOOK_NS
        has_none = not self.has_missed and (self.gap is None or self.gap.best is None)
        return waited_ns >= MISS_NS and (is_more or has_none)

    def look(self, rate: Ratio, now_ns: int) -> None:
        """Remember that the levels have been looked at."""
        self._looked_at, self._looked_ns = rate, now_ns


def is_nearer(found: BookArbitrage, than: Seen | None) -> bool:
    """Of two near misses whether it gains more, or, where the fees are more, loses a smaller part of what is put in."""
    return than is None or _nearness(found) > _nearness(than.found)


def _nearness(found: BookArbitrage) -> tuple[int, float]:
    if found.net_profit > 0:
        return 1, float(found.net_profit)
    return 0, float(found.net_profit / found.trades[0].amount_in)


def _fees(cycle: Cycle, fees: FeesPips) -> Ratio:
    """What the fees make of one put in, and of one that comes out, both times the same power."""
    put_in = out = 1
    for instrument, trade in cycle.route:
        fee = fees[instrument.venue]
        put_in *= PIPS + fee if trade is Trade.BUY else PIPS
        out *= PIPS if trade is Trade.BUY else PIPS - fee
    return put_in, out
