"""What there is to say of one venue: a row of data and small functions, no state and no socket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

from msgspec import Struct

from mempool.books.order_book import OrderBook
from mempool.errors import UsageError
from mempool.exchanges.events import FetchSnapshot
from mempool.exchanges.messages import Message
from mempool.exchanges.symbols import UnknownSymbol
from mempool.model.book import BookUpdate, Instrument

SECOND_NS = 1_000_000_000


class Continuity(Enum):
    """How a message stands to the last one that was applied."""

    NEXT = auto()
    """It follows."""
    OLD = auto()
    """What it says is in the book already."""
    GAP = auto()
    """At least one message before it is missing."""
    RESET = auto()
    """The venue has started anew: it is a snapshot, whatever it is called."""


class Limits(Struct, frozen=True):
    """What the venue allows one client; 0 where it documents no limit."""

    messages_per_second: float = 0
    """Of ours, on one connection."""
    subscriptions_per_hour: float = 0
    """Frames that subscribe or unsubscribe, on one connection."""
    symbols_per_connection: int = 0
    connects_per_second: float = 0
    connects_per_minute: float = 0
    lifetime_ns: int = 0
    """After which the venue cuts a connection; 0 where it does not."""
    max_frame_bytes: int = 16 * 1024 * 1024


class Ping(Struct, frozen=True):
    """A frame to send at intervals, so that the venue keeps the connection."""

    frame: bytes
    interval_ns: int


class Rest(Struct, frozen=True):
    """Where a book's snapshot is fetched, at venues that do not send it on the connection."""

    request: Callable[[Instrument], FetchSnapshot]
    parse: Callable[[str, bytes], BookUpdate]
    """From the symbol and the answer's body. Raises `MalformedFrame`, and `Refused` where the venue does not have the symbol."""
    is_answer: Callable[[bytes], bool]
    """Whether a line of a recording is such an answer instead of a frame."""


class Exchange(Struct, frozen=True):
    """One venue. Functions raise `MalformedFrame` on what its protocol does not allow."""

    name: str
    label: str
    url: Callable[[Sequence[Instrument]], str]
    subscribe: Callable[[Sequence[Instrument]], tuple[bytes, ...]]
    """The frames to send on a new connection; none where the URL names the streams."""
    resubscribe: Callable[[Sequence[Instrument]], tuple[bytes, ...]]
    """The frames that bring symbols, all of them known to the venue, a new snapshot each; none where it is fetched."""
    parse: Callable[[bytes], Sequence[Message]]
    continuity: Callable[[int, BookUpdate], Continuity] | None
    """From the last number applied and an update that is no snapshot; None where updates of one book are not numbered."""
    symbol: Callable[[str, str], str]
    """The venue's name of base and quote asset."""
    pair: Callable[[str], tuple[str, str]]
    """Base and quote asset of the venue's names, REST's and older ones too. Raises `UnknownSymbol`."""
    limits: Limits
    rest: Rest | None = None
    ping: Ping | None = None
    verifier: Callable[[OrderBook], Callable[[BookUpdate], bool]] | None = None
    """Of a book: whether the checksum of an update holds once that is applied. None where numbering is the proof."""
    snapshot_depth: Callable[[int], int] | None = None
    """From a snapshot's larger side: the depth to truncate to after each message. None where the venue removes every level."""
    heartbeat_ns: int = 0
    """The interval of the venue's heartbeats; 0 where it sends none."""
    trims_zeros: bool = False
    """Whether it writes numbers without trailing zeros."""

    def instrument(self, text: str) -> Instrument:
        """From a pair (`ETH/USD`) or any of the venue's own names. Raises `UsageError`."""
        text = text.strip().upper()
        try:
            base, quote = self.pair(text)
        except UnknownSymbol:
            raise UsageError(f"{self.name}: {text!r} is not a symbol: name a pair such as ETH/USD") from None
        return Instrument(self.name, self.symbol(base, quote), base, quote)
