"""Near misses between books: gaps of one cycle that do not pay, one soon after the other, are told of as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from mempool.engine.book_watch import Gap, Seen, Watch, is_nearer
from mempool.model.record import ArbitrageEnded, ArbitrageFound
from mempool.model.stamps import SECOND_NS

QUIET_NS = 60 * SECOND_NS
"""After so long without a gap of its cycle a near miss has ended. It is also the time between two reports of one that comes
nearer, so that a market which flickers all day is a row, and no flood of them."""


class NearMiss:
    """What is known of one: the nearest of its gaps, how many there were, and how long they have lived in all."""

    __slots__ = ("best", "closed_ns", "gaps", "lived_ns", "number", "since_ns", "told", "told_ns")

    def __init__(self, number: int, gap: Gap, best: Seen) -> None:
        self.number, self.since_ns, self.best = number, gap.since_ns, best
        self.gaps = self.lived_ns = 0
        self.closed_ns = self.told_ns = 0
        self.told: tuple[Seen, int] | None = None
        """The nearest gap and how many there were, as last reported."""

    def take(self, gap: Gap, now_ns: int) -> None:
        """One of its gaps closes."""
        self.gaps += 1
        self.lived_ns += now_ns - gap.since_ns
        self.closed_ns = now_ns
        if gap.best is not None and is_nearer(gap.best.found, self.best):
            self.best = gap.best

    def is_due(self, now_ns: int) -> bool:
        """Whether it should be reported now: at once, and then where it has come nearer, but not all the time."""
        return self.told is None or (self.told[0] is not self.best and now_ns - self.told_ns >= QUIET_NS)

    def tell(self, now_ns: int) -> ArbitrageFound:
        self.told, self.told_ns = (self.best, self.gaps), now_ns
        found = self.best.found
        if self.gaps > 1:
            seconds = (self.closed_ns - self.since_ns) / SECOND_NS
            found = replace(found, note=f"{found.note}; the nearest of {self.gaps:,} gaps in {seconds:.1f} s")
        return ArbitrageFound(self.number, found, self.best.profit_eth, self.best.profit_usd, self.best.at_ns)


class NearMisses:
    """Each is reported when its first gap closes, again when it has come nearer, and with its end."""

    def __init__(self, emit: Callable[[ArbitrageFound | ArbitrageEnded], None], numbers: Iterator[int]) -> None:
        self._emit, self._numbers = emit, numbers
        self._known: dict[Watch, NearMiss] = {}
        self._quiet: dict[Watch, int] = {}
        """Those without an open gap, and since when; the longest first."""

    def opens(self, watch: Watch) -> None:
        """A gap of the cycle opens."""
        self._quiet.pop(watch, None)

    def closes(self, watch: Watch, gap: Gap, now_ns: int) -> None:
        """It closes; one that was a finding is no part of the near miss, which only waits for the next one.

        A gap whose levels were not looked at, since the cycle's had been shortly before, counts where there is a near miss.
        """
        if not gap.is_finding:
            self._take(watch, gap, now_ns)
        if watch in self._known:
            self._quiet[watch] = now_ns

    def hear_time(self, now_ns: int) -> None:
        """What has been quiet for long enough has ended."""
        while self._quiet:
            watch, since_ns = next(iter(self._quiet.items()))
            if now_ns - since_ns < QUIET_NS:
                return
            self._end(watch, now_ns)

    def end(self, now_ns: int) -> None:
        """Nothing more is heard; all gaps are closed."""
        for watch in list(self._quiet):
            self._end(watch, now_ns)

    def _take(self, watch: Watch, gap: Gap, now_ns: int) -> None:
        miss = self._known.get(watch)
        if miss is None:
            if gap.best is None:
                return
            miss = self._known[watch] = NearMiss(next(self._numbers), gap, gap.best)
            watch.has_missed = True
        miss.take(gap, now_ns)
        if miss.is_due(now_ns):
            self._emit(miss.tell(now_ns))

    def _end(self, watch: Watch, now_ns: int) -> None:
        del self._quiet[watch]
        miss, watch.has_missed = self._known.pop(watch), False
        if miss.told != (miss.best, miss.gaps):
            self._emit(miss.tell(now_ns))
        self._emit(ArbitrageEnded(miss.number, miss.closed_ns, miss.lived_ns))
