"""One connection to one venue without a socket: frames in, quotes and states out, one book a symbol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from mempool.exchanges.clock import ClockOffset
from mempool.exchanges.counts import Counts
from mempool.exchanges.events import BookEvent, Fault, Reconnect, Send
from mempool.exchanges.exchange import SECOND_NS, Exchange
from mempool.exchanges.keeper import BookKeeper
from mempool.exchanges.messages import (
    BestQuote,
    Closing,
    FrameNumber,
    Heartbeat,
    Ignored,
    MalformedFrame,
    Precision,
    Refused,
    Subscribed,
    VenueError,
)
from mempool.exchanges.streams import Streams
from mempool.exchanges.symbols import UnknownSymbol, names
from mempool.model.book import BookState, BookUpdate, Instrument, Proof, Quote
from mempool.model.display import excerpt

MAX_SYMBOLS = 1_024
SILENCE_NS = 30 * SECOND_NS
SILENT_NS = 5 * SECOND_NS // 4
"""What was asked for in so long a silence was lost with it where something else is heard next."""
UNKNOWN_ASSET = "?"
_NAME = re.compile(r"\w[\w./:-]{0,39}")
LOOKED_AT = 4_096
"""So many bytes of a frame that cannot be read are searched for the symbol that it may be about."""
_UNREADABLE = (MalformedFrame, msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError)


class ExchangeSession:
    """Sans-I/O: the same calls in the same order give the same events, live or replayed.

    All times are of one receive clock that never goes back: the wall clock's nanoseconds at the start, counted on by a
    monotonic clock. Call `tick` four times a second or more often. Without `instruments` every symbol that is heard gets
    a book, for recordings whose subscriptions are not known.
    """

    def __init__(self, exchange: Exchange, instruments: Iterable[Instrument] | None = None, *, now_ns: int = 0) -> None:
        self.exchange = exchange
        self.counts = Counts()
        self.clock = ClockOffset()
        self.keepers: dict[str, BookKeeper] = {}
        """By the venue's symbol."""
        self._takes_any = instruments is None
        self._parse = exchange.parse
        self._max_frame_bytes = exchange.limits.max_frame_bytes
        self._now_ns = now_ns
        self._heard_ns = now_ns
        self._pinged_ns = now_ns
        self._next_number: int | None = None
        self._numbered_ns = 0
        self._streams = Streams()
        self._precisions: dict[str, Precision] = {}
        """Of symbols that no book was heard of yet."""
        self._next_beat: int | None = None
        self._silenced: dict[str, Proof] = {}
        self._is_up = False
        for instrument in instruments or ():
            self._keep(instrument)

    def quote(self, symbol: str) -> Quote | None:
        """The best bid and offer of a book that may be priced now, else None."""
        keeper = self.keepers.get(symbol)
        return keeper.quote() if keeper is not None else None

    def state(self, symbol: str) -> BookState:
        return self.keepers[symbol].state

    def connect(self, now_ns: int) -> list[BookEvent]:
        """A new connection stands: what to subscribe to."""
        self._forget_connection(now_ns)
        self._is_up = True
        events: list[BookEvent] = []
        for keeper in self.keepers.values():
            keeper.connect(now_ns, events)
        if self.keepers:
            instruments = [keeper.instrument for keeper in self.keepers.values()]
            events.extend(map(Send, self.exchange.subscribe(instruments)))
        return events

    def disconnect(self, reason: str, now_ns: int) -> list[BookEvent]:
        """The connection is lost: no book of it may be used."""
        self._forget_connection(now_ns)
        self._is_up = False
        events: list[BookEvent] = []
        for keeper in self.keepers.values():
            keeper.disconnect(reason, now_ns, events)
        return events

    def receive(self, frame: bytes, recv_ns: int) -> list[BookEvent]:
        """What one frame changes; never raises on what a venue may send."""
        self.counts.frames += 1
        recv_ns = self._advance(recv_ns) if recv_ns < self._now_ns else recv_ns
        heard_ns, self._now_ns, self._heard_ns = self._heard_ns, recv_ns, recv_ns
        events: list[BookEvent] = []
        if len(frame) > self._max_frame_bytes:
            self._unreadable(frame, f"a frame of {len(frame):,} bytes", recv_ns, events)
            return events
        try:
            messages = self._parse(frame)
        except _UNREADABLE as problem:
            self._unreadable(frame, excerpt(str(problem)), recv_ns, events)
            return events
        for message in messages:
            if type(message) is BookUpdate:
                self._update(message, recv_ns, events)
            elif type(message) is not FrameNumber:
                self._MEANINGS[type(message)](self, message, recv_ns, events)
            elif not self._is_next(message, recv_ns, events):
                break
        if recv_ns - heard_ns > SILENT_NS:
            for keeper in self.keepers.values():
                keeper.ask_again(heard_ns, recv_ns, events)
        if self._silenced and (self._next_number is None or any(type(each) is FrameNumber for each in messages)):
            self._revive(recv_ns, events)
        return events

    def snapshot(self, symbol: str, body: bytes, recv_ns: int) -> list[BookEvent]:
        """The answer to a `FetchSnapshot`, counted as a frame; one that nothing waits for is dropped."""
        self.counts.frames += 1
        events: list[BookEvent] = []
        keeper, rest = self.keepers.get(symbol), self.exchange.rest
        if keeper is None or rest is None or not keeper.is_awaiting:
            return events
        try:
            update = rest.parse(symbol, body)
        except Refused as refusal:
            self._refused(VenueError(refusal.words, symbol), max(recv_ns, self._now_ns), events)
            return events
        except _UNREADABLE as problem:
            return self.snapshot_failed(symbol, excerpt(str(problem)), recv_ns)
        self.counts.snapshots += 1
        keeper.receive(update, max(recv_ns, self._now_ns), events)
        return events

    def snapshot_failed(self, symbol: str, reason: str, now_ns: int) -> list[BookEvent]:
        """A `FetchSnapshot` brought none: it is asked for again after a pause."""
        keeper = self.keepers.get(symbol)
        if keeper is None or not keeper.is_awaiting:
            return []
        self.counts.reasons["no snapshot"] += 1
        events: list[BookEvent] = [Fault("unsynced", reason, keeper.instrument, now_ns)]
        keeper.ask(reason, now_ns, events)
        return events

    def tick(self, now_ns: int) -> list[BookEvent]:
        """What time alone brings: pings to send, requests that are due, books that have gone stale."""
        now_ns = self._now_ns = max(now_ns, self._now_ns)
        events: list[BookEvent] = []
        ping = self.exchange.ping
        if ping is not None and self._is_up and now_ns - self._pinged_ns >= ping.interval_ns:
            self._pinged_ns = now_ns
            events.append(Send(ping.frame))
        silence = now_ns - self._heard_ns
        if self.exchange.heartbeat_ns and silence > 2 * self.exchange.heartbeat_ns:
            self._silence(now_ns, events)
        for keeper in self.keepers.values():
            keeper.tick(now_ns, events)
        if self._is_up and silence > SILENCE_NS:
            self._heard_ns = now_ns
            events.append(Reconnect("nothing was heard for 30 s"))
        return events

    def _update(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        keeper = self.keepers.get(update.symbol) or self._adopt(update.symbol)
        if keeper is None:
            self._count_malformed("unknown symbol", excerpt(update.symbol), recv_ns, events)
            return
        if update.stream_depth and not self._streams.follows(update):
            return
        if update.is_snapshot:
            self.counts.snapshots += 1
        else:
            self.counts.updates += 1
        if update.event_ns and recv_ns:
            self.clock.hear(recv_ns, update.event_ns)
        keeper.receive(update, recv_ns, events)

    def _is_next(self, message: FrameNumber, recv_ns: int, events: list[BookEvent]) -> bool:
        """Whether the frame with this number on the connection is to be read; where some are missing, every book is lost."""
        expected, number = self._next_number, message.number
        if expected is not None and number < expected:
            is_first = self._takes_any and not number and expected > 1
            if not is_first and message.event_ns <= self._numbered_ns:
                self.counts.duplicates += 1
                return False
            self._begin_anew(recv_ns, events)
            expected = None
        self._next_number, self._numbered_ns = number + 1, message.event_ns or self._numbered_ns
        if expected is not None and number > expected:
            self._next_beat = None  # what is missing may have been a heartbeat: that would be the same loss
            self._connection_gap(f"expected message {expected}, received {number}", recv_ns, events)
        return True

    def _begin_anew(self, recv_ns: int, events: list[BookEvent]) -> None:
        """Numbers start over, or go on in a later frame: where a recording goes on with the recorder's next connection."""
        if not self._takes_any:
            self._connection_gap("the numbers start over", recv_ns, events)
            return
        events += self.disconnect("the recorder lost its connection", recv_ns)
        self.connect(recv_ns)

    def _connection_gap(self, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        self.counts.gaps += 1
        self.counts.reasons["gap"] += 1
        events.append(Fault("gap", reason, None, recv_ns))
        asking = []
        for keeper in self.keepers.values():
            told: list[BookEvent] = []
            keeper.lose(Proof.DESYNCED, reason, recv_ns, told)
            apart = [each for each in told if type(each) is not Send]
            if keeper.has_synced and len(apart) < len(told):
                asking.append(keeper.instrument)
                told = apart
            events += told
        # Together: one by one they would wait for each other, as only so many messages a second may be sent.
        events += map(Send, self.exchange.resubscribe(asking) if asking else ())

    def _best_quote(self, message: BestQuote, recv_ns: int, events: list[BookEvent]) -> None:
        keeper = self.keepers.get(message.symbol) or self._adopt(message.symbol)
        if keeper is None:
            self._count_malformed("unknown symbol", excerpt(message.symbol), recv_ns, events)
        else:
            keeper.compare_with(message)

    def _heartbeat(self, message: Heartbeat, recv_ns: int, events: list[BookEvent]) -> None:
        if message.counter is None:
            return
        expected, self._next_beat = self._next_beat, message.counter + 1
        if expected is not None and message.counter > expected:
            self._connection_gap(f"expected heartbeat {expected}, received {message.counter}", recv_ns, events)

    def _subscribed(self, message: Subscribed, recv_ns: int, events: list[BookEvent]) -> None:
        keeper = self.keepers.get(message.symbol) or self._adopt(message.symbol)
        if keeper is not None:
            keeper.truncate_to(message.depth)

    def _precision(self, message: Precision, recv_ns: int, events: list[BookEvent]) -> None:
        keeper = self.keepers.get(message.symbol)
        if keeper is None:
            if self._takes_any:
                self._precisions[message.symbol] = message
            return
        if not message.is_trading:
            keeper.halt("the venue has halted it", recv_ns, events)
            return
        keeper.resume(recv_ns, events)
        if 0 <= message.price_decimals <= 36 and 0 <= message.size_decimals <= 36:
            keeper.book.take_decimals(message.price_decimals, message.size_decimals)

    def _refused(self, message: VenueError, recv_ns: int, events: list[BookEvent]) -> None:
        reason = f"the venue says: {excerpt(message.text)}"
        named = self._meant(message)
        self.counts.reasons["venue error"] += 1
        events.append(Fault("venue", reason, named[0].instrument if len(named) == 1 else None, recv_ns))
        for keeper in named if message.ends_book else ():
            if not self._takes_any or keeper.is_awaiting:  # what a recorder asked for besides the book that it has is no matter
                keeper.halt(reason, recv_ns, events)
        for keeper in self.keepers.values() if message.ends_book and not named else ():
            keeper.explain(reason, recv_ns, events)

    def _meant(self, message: VenueError) -> list[BookKeeper]:
        """The books that a refusal is about: those it names, else the one that alone waits for an answer."""
        text = f"{message.symbol} {message.text} "
        named = [keeper for symbol, keeper in self.keepers.items() if names(text, symbol)]
        waiting = [keeper for keeper in self.keepers.values() if keeper.is_asking]
        return named or (waiting if len(waiting) == 1 else [])

    def _closing(self, message: Closing, recv_ns: int, events: list[BookEvent]) -> None:
        events.append(Reconnect(f"the venue says: {excerpt(message.text)}"))

    def _ignored(self, message: Ignored, recv_ns: int, events: list[BookEvent]) -> None:
        pass

    def _unreadable(self, frame: bytes, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """The books that the frame names are lost; where it names none, any may be, until its next message is proven."""
        text = frame[:LOOKED_AT].decode("latin-1")
        named = [keeper for symbol, keeper in self.keepers.items() if names(text, symbol)]
        for keeper in named:
            keeper.malformed(reason, recv_ns, events)
        if not named:
            self._count_malformed("malformed", reason, recv_ns, events)
            for keeper in self.keepers.values():
                keeper.doubt("a frame could not be read", recv_ns, events)

    def _count_malformed(self, kind: str, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        self.counts.malformed += 1
        self.counts.reasons[kind] += 1
        events.append(Fault("malformed", f"{kind}: {reason}" if kind != "malformed" else reason, None, recv_ns))

    def _adopt(self, symbol: str) -> BookKeeper | None:
        if not self._takes_any or len(self.keepers) >= MAX_SYMBOLS:
            return None
        try:
            base, quote = self.exchange.pair(symbol)
        except UnknownSymbol:
            # A recording shows what the venue lists: derivatives, and pairs in money that is not known here.
            if not _NAME.fullmatch(symbol):
                return None
            base, quote = symbol, UNKNOWN_ASSET
        keeper = self._keep(Instrument(self.exchange.name, symbol, base, quote))
        if self._is_up:
            keeper.connect(self._now_ns, [])
        known = self._precisions.pop(symbol, None)
        if known is not None and known.is_trading:
            self._precision(known, self._now_ns, [])
        return keeper

    def _keep(self, instrument: Instrument) -> BookKeeper:
        keeper = BookKeeper(instrument, self.exchange, self.counts, self._now_ns)
        self.keepers[instrument.symbol] = keeper
        return keeper

    def _advance(self, recv_ns: int) -> int:
        """The clock does not go back, whatever the caller's does."""
        self.counts.clock_jumps += 1
        self.counts.reasons["our clock went back"] += 1
        return max(recv_ns, self._now_ns)

    def _silence(self, now_ns: int, events: list[BookEvent]) -> None:
        for symbol, keeper in self.keepers.items():
            if symbol not in self._silenced and keeper.has_synced and not keeper.is_awaiting:
                self._silenced[symbol] = keeper.state.proof
                keeper.stale("two heartbeats are missing", now_ns, events)

    def _revive(self, now_ns: int, events: list[BookEvent]) -> None:
        """After a silence. The frame's number shows that nothing was lost; without one each book's next message has to."""
        silenced, self._silenced = self._silenced, {}
        for symbol, proof in silenced.items():
            if self._next_number is not None:
                self.keepers[symbol].revive(proof, now_ns, events)
            else:
                self.keepers[symbol].revive(Proof.SUSPECT, now_ns, events)

    def _forget_connection(self, now_ns: int) -> None:
        self._now_ns = self._heard_ns = self._pinged_ns = max(now_ns, self._now_ns)
        self._next_number = self._next_beat = None
        self._silenced = {}

    # Functions, not bound methods: by a table of those a session would hold itself, and its books of megabytes would outlive
    # their connection until the garbage collector's next full round, which may be hours away.
    _MEANINGS: ClassVar[Mapping[type, Callable[[ExchangeSession, Any, int, list[BookEvent]], None]]] = {
        BestQuote: _best_quote,
        Heartbeat: _heartbeat,
        Subscribed: _subscribed,
        Precision: _precision,
        VenueError: _refused,
        Closing: _closing,
        Ignored: _ignored,
    }
