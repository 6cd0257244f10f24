"""What a capture holds of a venue, and how it is played again: the same calls to the same books, in their order.

Sources are a feed's name and that with a `+`, for its second connection. Marks: `opening` (an attempt, key: the source) and
`tick` (time alone has changed something, key: the source). Requests for snapshots are `out` with their symbol and URL and end
in `got` or `expired`; what is sent to the venue is `out` too, and not needed for a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mempool.exchanges.events import FetchSnapshot
from mempool.exchanges.exchange import Exchange
from mempool.feeds.capture import Asked, CaptureWriter, Down, Entry, Expired, Got, Heard, Mark, Up
from mempool.feeds.events import Purpose
from mempool.feeds.venue import News, Order, Retire, VenueBooks, VenueEvent
from mempool.model.book import Instrument

SECOND_CONNECTION = "+"
GET, SEND = "GET", "SEND"


class VenueRecorder:
    """Writes into the capture, where there is one."""

    def __init__(self, capture: CaptureWriter | None) -> None:
        self._capture = capture
        self._ids = 0

    def opening(self, now_ns: int, source: str) -> None:
        if self._capture is not None:
            self._capture.mark(now_ns, "opening", source)

    def ticked(self, now_ns: int, source: str) -> None:
        if self._capture is not None:
            self._capture.mark(now_ns, "tick", source)

    def up(self, now_ns: int, source: str) -> None:
        if self._capture is not None:
            self._capture.up(now_ns, source)

    def down(self, now_ns: int, source: str, reason: str) -> None:
        if self._capture is not None:
            self._capture.down(now_ns, source, reason)

    def heard(self, recv_ns: int, source: str, frame: bytes) -> None:
        if self._capture is not None:
            self._capture.heard(recv_ns, source, frame)

    def sent(self, now_ns: int, source: str, frame: bytes) -> None:
        if self._capture is not None:
            self._capture.asked(Asked(now_ns, source, self._next(), SEND, [frame.decode()], Purpose.SUBSCRIBE))

    def asked(self, now_ns: int, source: str, wanted: FetchSnapshot) -> int:
        """The request's number, which its answer or failure names."""
        number = self._next()
        if self._capture is not None:
            self._capture.asked(Asked(now_ns, source, number, GET, [wanted.instrument.symbol, wanted.url], Purpose.READ))
        return number

    def got(self, recv_ns: int, source: str, number: int, body: bytes) -> None:
        if self._capture is not None:
            self._capture.got(Got(recv_ns, source, number, body))

    def failed(self, now_ns: int, source: str, number: int, reason: str) -> None:
        if self._capture is not None:
            self._capture.expired(Expired(now_ns, source, (number,), reason))

    def flush(self) -> None:
        if self._capture is not None:
            self._capture.flush()

    def _next(self) -> int:
        self._ids += 1
        return self._ids


class VenueReplay:
    """`play` feeds one feed's entries of a capture to its books; `handler` hears what it heard in the run."""

    def __init__(
        self,
        exchange: Exchange,
        instruments: Sequence[Instrument],
        handler: Callable[[str, News], None],
        name: str = "",
    ) -> None:
        self.name = name or exchange.name
        self.books = VenueBooks(exchange, instruments)
        self._handler = handler
        self._symbols: dict[tuple[str, int], str] = {}

    def plays(self, entry: Entry) -> bool:
        """Whether the entry is of this feed."""
        source = entry.key if isinstance(entry, Mark) else entry.source
        return source in (self.name, self.name + SECOND_CONNECTION)

    def play(self, entry: Entry) -> None:
        """Entries of other feeds must not come here."""
        for event in self._events(entry):
            if not isinstance(event, Order | Retire):
                self._handler(self.name, event)

    def _events(self, entry: Entry) -> list[VenueEvent]:
        books = self.books
        match entry:
            case Heard(recv_ns, source, frame):
                return books.heard(source, frame, recv_ns)
            case Mark(now_ns, "tick", source):
                return books.tick(source, now_ns)
            case Mark(now_ns, "opening", source):
                return books.opening(source, now_ns)
            case Up(now_ns, source):
                return books.opened(source, now_ns)
            case Down(now_ns, source, reason):
                return books.lost(source, reason, now_ns)
            case Asked(_, source, number, method, [str(symbol), *_]) if method == GET:
                self._symbols[source, number] = symbol
            case Got(recv_ns, source, number, body):
                return books.fetched(source, self._symbols.pop((source, number), ""), body, recv_ns)
            case Expired(now_ns, source, (number,), reason):
                return books.fetch_failed(source, self._symbols.pop((source, number), ""), reason, now_ns)
        return []
