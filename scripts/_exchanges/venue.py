"""One simulated venue: its books, its clock, and what one client's connection has to be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heapreplace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from msgspec import Struct

from scripts._exchanges.book import Best, SimulatedBook
from scripts._exchanges.listings import SECOND_NS, Listing
from scripts._exchanges.market import MidPrice

HEARTBEAT_NS = SECOND_NS


class Outgoing(Struct, frozen=True, gc=False):
    """A frame that the venue sends; where it brings a book forward, `best` is what a client's book then has at its top."""

    frame: bytes
    symbol: str = ""
    best: Best | None = None
    closes: bool = False
    """Whether the venue ends the connection after it."""


class Answer(Struct, frozen=True):
    """Of a REST request."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    symbol: str = ""
    best: Best | None = None


class Venue:
    """`step` moves the earliest book, or lets a heartbeat pass; `skew_ns` is how far its own clock is ahead."""

    def __init__(self, name: str, listings: Sequence[Listing], mid: MidPrice, seed: int, start_ns: int) -> None:
        self.name = name
        self.now_ns = start_ns
        self.skew_ns = 0
        self.banned_until_ns = 0
        self.beats = self.restarts = 0
        self.books = {listing.symbol: SimulatedBook(listing, mid, seed) for listing in listings}
        self._bans_hit = 0
        for book in self.books.values():
            book.start(start_ns)
        self._due: list[tuple[int, str]] = [
            (start_ns + HEARTBEAT_NS, ""),
            *((start_ns + listing.interval_ns, listing.symbol) for listing in listings),
        ]
        heapify(self._due)

    @property
    def clock_ns(self) -> int:
        """What its own clock says."""
        return self.now_ns + self.skew_ns

    @property
    def due_ns(self) -> int:
        """When the next step is due."""
        return self._due[0][0]

    def step(self) -> Said:
        """Move the time to what is due next; what to ask of every client then for the frames that it is sent."""
        self.now_ns, symbol = self._due[0]
        if not symbol:
            self.beats += 1
            heapreplace(self._due, (self.now_ns + HEARTBEAT_NS, ""))
            return lambda client: client.beat()
        book = self.books[symbol]
        heapreplace(self._due, (self.now_ns + book.listing.interval_ns, symbol))
        return (lambda client: client.changed(book)) if book.step(self.now_ns) else _nothing

    def skip_to(self, now_ns: int) -> None:
        """Leave out what would have been due before."""
        self._due = [(max(due_ns, now_ns), symbol) for due_ns, symbol in self._due]
        heapify(self._due)

    def restart(self) -> None:
        """Its service starts anew: numbers begin again."""
        self.restarts += 1
        for book in self.books.values():
            for view in book.views():
                view.restart()

    def refusal(self) -> Answer | None:
        """The answer while the client is banned: 429 once, 418 to who comes again before the time."""
        if self.now_ns >= self.banned_until_ns:
            self._bans_hit = 0
            return None
        self._bans_hit += 1
        wait = -((self.now_ns - self.banned_until_ns) // SECOND_NS)
        body = orjson.dumps({"code": -1003, "msg": "Way too many requests; IP banned."})
        return Answer(429 if self._bans_hit == 1 else 418, body, {"Retry-After": str(wait)})


class Client(ABC):
    """One client's connection, from the venue's side; every method returns what is sent to the client."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    def opened(self, target: str) -> Iterable[Outgoing]:
        """The path and query that it came with."""
        return ()

    @abstractmethod
    def heard(self, frame: bytes) -> Iterable[Outgoing]:
        """What the client has sent."""

    @abstractmethod
    def changed(self, book: SimulatedBook) -> Iterable[Outgoing]:
        """A book has taken a step."""

    def beat(self) -> Iterable[Outgoing]:
        """Once a second."""
        return ()

    def restarted(self) -> Iterable[Outgoing]:
        """The venue's service has started anew. Most of them cut the connection."""
        return (Outgoing(b"", closes=True),)

    def closing(self) -> Iterable[Outgoing]:
        """The venue is about to end the connection, and says so where its protocol has words for it."""
        return ()

    def request(self, frame: bytes) -> dict[str, Any]:
        """The client's JSON object; empty where it is none."""
        try:
            value = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}


Said = Callable[[Client], Iterable[Outgoing]]


def _nothing(client: Client) -> Iterable[Outgoing]:
    return ()


class Dialect(Struct, frozen=True):
    """How one venue speaks."""

    client: Callable[[Venue], Client]
    path: str
    """Of its websocket."""
    subscription: Callable[[Sequence[str]], tuple[str, tuple[bytes, ...]]]
    """What a client asks for these symbols: path with query, and frames."""
    rest: Callable[[Venue, str], Answer] | None = None
    rest_target: Callable[[str], str] | None = None
    """Path and query of a symbol's snapshot."""
    ping_s: int = 0
    """The interval of its websocket pings; 0 where it sends none."""


def query_of(target: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}
