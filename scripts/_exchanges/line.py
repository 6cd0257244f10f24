"""One client at one simulated venue, frame by frame: no sockets, and time that passes only here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from scripts._exchanges.book import Best
from scripts._exchanges.dialects import DIALECTS
from scripts._exchanges.faults import Action, Fault, Gate, Injector
from scripts._exchanges.listings import LISTINGS, MILLISECOND_NS, Listing
from scripts._exchanges.market import MidPrice, Waves
from scripts._exchanges.venue import Answer, Outgoing, Venue

START_NS = 1_700_000_000_000_000_000
WAY_NS = 3 * MILLISECOND_NS
"""From the venue to the client."""
NEVER_NS = 2**63


class Delivery(Struct, frozen=True, gc=False):
    """What reaches the client at `recv_ns`: a frame; or the end of the connection, `closed` being `close` or `abort`; or,
    with neither, only the time.
    """

    recv_ns: int
    frame: bytes = b""
    symbol: str = ""
    best: Best | None = None
    """What a client's book has at its top after the frame."""
    closed: str = ""


class Line:
    """`truths` is, by symbol, the best bid and offer of the newest of the venue's books among the frames and answers that have
    `arrived`.
    """

    def __init__(self, venue: Venue, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.venue = venue
        self.dialect = DIALECTS[venue.name]
        self.injector = Injector(venue, faults, seed)
        self.truths: dict[str, Best] = {}
        self.recv_ns = venue.now_ns + WAY_NS
        self._gate: Gate | None = None
        self._queue: deque[Action] = deque()

    @property
    def is_up(self) -> bool:
        return self._gate is not None

    def connect(self, target: str) -> int:
        """The status of the handshake: 101 where the connection stands."""
        refusal = self.venue.refusal()
        if refusal is not None:
            return refusal.status
        self._queue.clear()
        self._gate = Gate(self.injector, self.dialect.client(self.venue))
        self._put(self._gate.client.opened(target))
        return 101

    def send(self, frame: bytes) -> None:
        """From the client; on a broken connection it goes nowhere."""
        if self._gate is not None:
            self._put(self._gate.client.heard(frame))

    def get(self, target: str) -> Answer:
        """A REST request and its answer; give it to `arrived` when it has come to the client."""
        refusal = self.venue.refusal()
        if refusal is not None:
            return refusal
        return self.dialect.rest(self.venue, target) if self.dialect.rest is not None else Answer(404, b"")

    def arrived(self, what: Answer | Delivery) -> None:
        """The client has it now: its book is true for the client."""
        if what.best is not None:
            known = self.truths.get(what.symbol)
            if known is None or what.best.version >= known.version:
                self.truths[what.symbol] = what.best

    def next(self, until_ns: int = NEVER_NS) -> Delivery:
        """Let the venue go on until something reaches the client, or a heartbeat's time or `until_ns` has passed without."""
        while not self._queue or self._queue[0].at_ns > self.venue.due_ns:
            if self.venue.due_ns + WAY_NS > until_ns:
                self.recv_ns = max(self.recv_ns, until_ns)
                return Delivery(self.recv_ns)
            beats = self.venue.beats
            said = self.venue.step()
            if self._gate is not None:
                self._put(said(self._gate.client))
            if self.venue.beats > beats and not self._queue:
                self.recv_ns = max(self.recv_ns, self.venue.now_ns + WAY_NS)
                return Delivery(self.recv_ns)
        return self._deliver(self._queue.popleft())

    def _deliver(self, action: Action) -> Delivery:
        self.recv_ns = max(self.recv_ns, action.at_ns + WAY_NS)
        if action.closes:
            self._gate = None
            self._queue.clear()
            return Delivery(self.recv_ns, closed=action.closes)
        if action.stalls:
            return Delivery(self.recv_ns)
        sent = action.sent
        return Delivery(self.recv_ns, sent.frame, sent.symbol, sent.best)

    def _put(self, frames: Iterable[Outgoing]) -> None:
        gate = self._gate
        if gate is not None:
            for sent in frames:
                self._queue.extend(gate.pass_on(sent))


class Played(Struct, frozen=True, gc=False):
    """A frame with the time that it was received at, and every book's true best quote after it."""

    recv_ns: int
    frame: bytes
    truths: dict[str, Best]


def simulated_venue(
    name: str, seed: int, *, listings: Sequence[Listing] = (), mid: MidPrice | None = None, start_ns: int = START_NS
) -> Venue:
    """With the venue's usual listings and the seed's waves, where nothing else is asked for."""
    return Venue(name, listings or LISTINGS[name], mid or Waves(seed), seed, start_ns)


def played(venue: str, seed: int, count: int, faults: Iterable[Fault] = ()) -> Iterator[Played]:
    """`count` frames as a recorder of one symbol would write them down, with Binance's REST answer among them.

    The recorder subscribes and then only listens: it ends early where the connection does.
    """
    listing = LISTINGS[venue][0]
    line = Line(simulated_venue(venue, seed, listings=[listing]), faults, seed)
    target, subscriptions = line.dialect.subscription([listing.symbol])
    line.connect(target)
    for frame in subscriptions:
        line.send(frame)
    given = 0
    while given < count and line.is_up:
        delivery = line.next()
        line.arrived(delivery)
        if delivery.frame:
            given += 1
            yield Played(delivery.recv_ns, delivery.frame, dict(line.truths))
        if given == 2 and line.dialect.rest_target is not None:
            answer = line.get(line.dialect.rest_target(listing.symbol))
            line.arrived(answer)
            given += 1
            yield Played(line.recv_ns, answer.body, dict(line.truths))


def frames(venue: str, seed: int, count: int, faults: Iterable[Fault] = ()) -> Iterator[bytes]:
    """The frames of `played` alone."""
    return (each.frame for each in played(venue, seed, count, faults))
