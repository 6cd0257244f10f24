"""Watches a play: what struck whom, whether each loss was found at once, how long books had no price, who else was touched."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator

from msgspec import Struct

from mempool.books.order_book import OrderBook
from mempool.exchanges.events import StateChanged
from scripts._exchanges.book import SimulatedBook
from scripts._exchanges.faults import Fault, FaultKind, Injector
from scripts._exchanges.line import Delivery
from scripts._exchanges.listings import SECOND_NS
from scripts._exchanges.venue import Outgoing

HARMLESS = {FaultKind.DUPLICATE, FaultKind.CLOCK_JUMP, FaultKind.BAN}
"""They cost no book its price; a ban only keeps those away that are without one already."""
OF_ALL = {
    *(FaultKind.DELAY, FaultKind.MUTE, FaultKind.CLOSE, FaultKind.ABORT, FaultKind.SLOW_LORIS),
    *(FaultKind.SHUTDOWN, FaultKind.RESTART, FaultKind.OVERSIZE, FaultKind.BAN),
}
OF_A_BOOK = {FaultKind.CROSSED, FaultKind.HALT}
AT_ONCE = {FaultKind.CUT, FaultKind.NAN, FaultKind.NEGATIVE, FaultKind.DIGIT}
"""The struck frame itself shows them; a lost one is shown by the next."""
LOSSES = {*AT_ONCE, FaultKind.DROP, FaultKind.REORDER}
UNREADABLE = {FaultKind.CUT, FaultKind.OVERSIZE}
KEEPS_BOOKS_AWAY = {
    *(FaultKind.DELAY, FaultKind.MUTE, FaultKind.SLOW_LORIS, FaultKind.BAN, FaultKind.CROSSED, FaultKind.HALT),
}
"""While they last the venue answers nothing, or not with a book that may be priced: what is measured begins when they end."""
LASTING = KEEPS_BOOKS_AWAY | {FaultKind.SHUTDOWN}
CHECKED_LEVELS = 10
WAY_NS = SECOND_NS // 10
MINUS_ZERO = re.compile(rb'-0[.0]*[",}]')
"""A size that is zero all the same."""


class Strike(Struct, frozen=True):
    """A fault at the time at which the client can feel it; without a symbol it is the connection's."""

    kind: FaultKind
    symbol: str
    at_ns: int
    end_ns: int
    version: int
    """Of the book that the frame would have brought; 0 where it brought none."""

    @property
    def felt_ns(self) -> int:
        """Until when it may cost a book its price, the way to the client included."""
        return (self.end_ns if self.kind in LASTING else self.at_ns) + WAY_NS


class Resync(Struct, frozen=True):
    """A book without a price, from when that was found until it had one again."""

    symbol: str
    kinds: tuple[FaultKind, ...]
    """What struck last before, and all that struck in between."""
    found_ns: int
    answering_ns: int
    """From when on the venue answers: `found_ns`, or the end of what kept it."""
    priced_ns: int

    @property
    def took_ns(self) -> int:
        return max(0, self.priced_ns - self.answering_ns)


class WatchedInjector(Injector):
    """The same, telling a watch what strikes."""

    watch: Watch

    def due(self, sent: Outgoing) -> list[Fault]:
        struck = super().due(sent)
        for fault in struck:
            self.watch.struck(fault, sent, self.venue.now_ns)
        return struck


class Watch:
    """`late` and `touched` say in words what must not be: losses not found within a message, books that nothing had struck."""

    def __init__(self, venue: str) -> None:
        self.resyncs: list[Resync] = []
        self.late: list[str] = []
        self.touched: list[str] = []
        self._venue = venue
        self._strikes: deque[Strike] = deque(maxlen=2_000)
        self._lost: dict[str, Strike] = {}
        self._found_ns: dict[str, int] = {}
        self._cured_ns: dict[str, int] = defaultdict(int)
        self._blocked_ns = 0

    def struck(self, fault: Fault, sent: Outgoing, now_ns: int) -> None:
        kind = fault.kind
        at_ns = max(now_ns, self._blocked_ns)
        end_ns = now_ns + int(fault.seconds * SECOND_NS)
        if kind is FaultKind.DELAY:
            self._blocked_ns = end_ns
        symbol = fault.symbol if kind in OF_A_BOOK else "" if kind in OF_ALL else sent.symbol
        strike = Strike(kind, symbol, at_ns, end_ns, sent.best.version if sent.best is not None else 0)
        if kind is FaultKind.REORDER and b'"snapshot"' in sent.frame[:200]:
            return
        self._strikes.append(strike)
        if kind in LOSSES and strike.version and b'"snapshot"' not in sent.frame[:200]:
            self._lost.setdefault(symbol, strike)

    def heard(self, delivery: Delivery, book: OrderBook, true: SimulatedBook) -> None:
        """A symbol's book may be priced before and after a frame of it."""
        symbol, version = delivery.symbol, delivery.best.version if delivery.best is not None else 0
        strike = self._lost.get(symbol)
        if strike is None:
            return
        if version == strike.version and MINUS_ZERO.search(delivery.frame):
            del self._lost[symbol]
            return
        if version < strike.version + (strike.kind not in AT_ONCE):
            return
        if not self._is_provable(strike, version, book, true):
            return
        self.late.append(f"{symbol}: {strike} at version {version}")
        del self._lost[symbol]

    def changed(self, event: StateChanged) -> None:
        symbol, now_ns = event.instrument.symbol, event.state.since_ns
        # What was lost while the book was away is in the snapshot that brought it back.
        self._lost.pop(symbol, None)
        if not event.state.is_priced:
            if symbol not in self._found_ns:
                self._found_ns[symbol] = now_ns
                if self._cured_ns[symbol] and not self._is_explained(symbol, event.state.reason, now_ns):
                    self.touched.append(f"{event.instrument.symbol}: {event.state} after {list(self._strikes)[-3:]}")
        elif symbol in self._found_ns:
            found_ns = self._found_ns.pop(symbol)
            before = [each for each in self._striking(symbol) if each.at_ns <= found_ns][-1:]
            during = [each for each in self._striking(symbol) if found_ns < each.at_ns <= now_ns]
            ends = (each.end_ns for each in self._striking(symbol) if each.kind in KEEPS_BOOKS_AWAY)
            keeping = [end_ns for end_ns in ends if found_ns < end_ns < now_ns]
            kinds = tuple(dict.fromkeys(each.kind for each in before + during))
            self.resyncs.append(Resync(symbol, kinds, found_ns, max([found_ns, *keeping]), now_ns))
            self._cured_ns[symbol] = found_ns

    def figures(self) -> str:
        """How often books came back, and the longest times in seconds: after one kind of fault alone, and after several."""
        worst: dict[str, int] = {}
        for each in self.resyncs:
            name = each.kinds[0].value if len(each.kinds) == 1 else "several" if each.kinds else "start"
            worst[name] = max(worst.get(name, 0), each.took_ns)
        longest_first = sorted(worst.items(), key=lambda item: -item[1])
        times = ", ".join(f"{name} {took_ns / SECOND_NS:.2f}" for name, took_ns in longest_first)
        return f"{self._venue}: {len(self.resyncs)} times back; {times}"

    def _striking(self, symbol: str) -> Iterator[Strike]:
        """Coinbase numbers what it sends over all its books."""
        is_joint = self._venue == "coinbase"
        return (each for each in self._strikes if each.symbol in ("", symbol) or (is_joint and each.kind not in OF_A_BOOK))

    def _is_explained(self, symbol: str, reason: str, now_ns: int) -> bool:
        if any(each.felt_ns >= self._cured_ns[symbol] and each.kind not in HARMLESS for each in self._striking(symbol)):
            return True
        # A frame that names no book may have been of any.
        recent = (each for each in self._strikes if each.end_ns > now_ns - 5 * SECOND_NS)
        return reason == "a frame could not be read" and any(each.kind in UNREADABLE for each in recent)

    def _is_provable(self, strike: Strike, version: int, book: OrderBook, true: SimulatedBook) -> bool:
        """Numbers show every loss; Kraken's checksum the ten best levels, Binance's other stream the best ones."""
        if self._venue == "kraken":
            return version == true.version and not has_ten_best(book, true)
        return strike.kind is not FaultKind.DIGIT


def has_ten_best(book: OrderBook, true: SimulatedBook) -> bool:
    """Whether both have the same ten best levels a side."""
    sides = book.best_bids(CHECKED_LEVELS), book.best_asks(CHECKED_LEVELS)
    ours = [[(level.price, level.size) for level in side] for side in sides]
    prices = 10 ** (book.price_decimals - true.listing.price_decimals)
    sizes = 10 ** (book.size_decimals - true.listing.size_decimals)
    theirs = [[(price * prices, size * sizes) for price, size in ladder.top(CHECKED_LEVELS)] for ladder in true.sides]
    return ours == theirs
