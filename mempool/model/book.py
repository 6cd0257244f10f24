"""One venue's order book as values: levels, updates, quotes, and how far a book may be trusted.

Prices and sizes are integers scaled by a power of ten: `price * 10**-price_decimals` of the quote asset for one of the base
asset, `size * 10**-size_decimals` of the base asset. The decimals are the book's own and grow where the venue writes more of
them, so that no number that a venue has sent is ever rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from msgspec import Struct

TextLevel = Sequence[str] | Sequence[bytes]
"""A level as the venue writes it: price, size (absolute; zero removes the level), and whatever else it sends."""
DOUBLE_DIGITS = 15
"""Two decimal numbers of no more digits are never the same double."""

Decimals = tuple[int, int]
"""Of prices, and of sizes."""


class FloatLevel(Struct, gc=False):
    """A level as doubles that stand for decimal numbers exactly: of at most `DOUBLE_DIGITS`, decimals included."""

    price: float
    size: float


class Instrument(Struct, frozen=True, gc=False, order=True):
    """A market at one venue. USD, USDT and USDC are different quote assets, never taken for each other."""

    venue: str
    """The venue's name in `EXCHANGES`."""
    symbol: str
    """The venue's own name of it in its websocket messages: `ETHUSDT`, `ETH-USD`."""
    base: str
    quote: str

    @property
    def pair(self) -> str:
        """`ETH/USD`: the same at every venue."""
        return f"{self.base}/{self.quote}"


class Level(Struct, frozen=True, gc=False):
    """What is offered at one price, scaled by the book's decimals."""

    price: int
    size: int


class BookUpdate(Struct, frozen=True, gc=False):
    """One message of one book: absolute sizes, as the venue writes them. With `is_snapshot` it replaces all that was known."""

    symbol: str
    bids: Sequence[Any]
    """`TextLevel`s, or `FloatLevel`s where `decimals` are given."""
    asks: Sequence[Any]
    is_snapshot: bool = False
    first_id: int = 0
    """The first of the venue's update ids that it covers; 0 where the venue numbers messages alone, or not at all."""
    last_id: int = 0
    """The last update id that it covers, or its number."""
    previous_id: int | None = None
    """The number of the message that it follows, where the venue names it."""
    checksum: int | None = None
    event_ns: int = 0
    """The venue's clock, in nanoseconds since the epoch; 0 where it does not say."""
    decimals: Decimals | None = None
    """Of each `FloatLevel`; None where the levels are text. Never of a snapshot."""
    stream_depth: int = 0
    """The levels a side of the stream that it is of, where the venue has several of one book; each is numbered apart."""


class Connection(StrEnum):
    """Whether the venue's messages arrive, and whether the book is built on a snapshot of this connection."""

    DOWN = "down"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    LIVE = "live"


class Proof(StrEnum):
    """What is known of a book's content."""

    VERIFIED = "verified"
    """By the venue's own checksum or numbering, at the last message."""
    UNVERIFIABLE = "unverifiable"
    """The venue sends nothing to verify it by."""
    SUSPECT = "suspect"
    """Something does not fit; it is not known yet that the book is wrong."""
    DESYNCED = "desynced"
    """A message is missing or could not be used: wrong until a new snapshot."""
    STALE = "stale"
    """Nothing has been heard for too long."""


class BookState(Struct, frozen=True, gc=False):
    """How far a book may be trusted, why, and since when (of the receive clock)."""

    connection: Connection
    proof: Proof
    reason: str
    since_ns: int

    @property
    def is_priced(self) -> bool:
        """Whether quotes of the book may be used: live, and verified or unverifiable."""
        return self.connection is Connection.LIVE and (self.proof is Proof.VERIFIED or self.proof is Proof.UNVERIFIABLE)


class Quote(Struct, frozen=True, gc=False):
    """The best bid and offer of one book that may be priced; `bid_price < ask_price`, all four above zero."""

    instrument: Instrument
    bid_price: int
    bid_size: int
    ask_price: int
    ask_size: int
    price_decimals: int
    size_decimals: int
    proof: Proof
    """Verified or unverifiable, to be shown with it."""
    recv_ns: int
    """When the message that made it arrived; an age is measured from here, by the receive clock."""
    event_ns: int = 0
    """The venue's clock at the event; 0 where it does not say. Only to show."""

    @property
    def bid(self) -> Decimal:
        return unscaled(self.bid_price, self.price_decimals)

    @property
    def ask(self) -> Decimal:
        return unscaled(self.ask_price, self.price_decimals)


def unscaled(number: int, decimals: int) -> Decimal:
    """`number * 10**-decimals`, exactly, with all its decimals."""
    return Decimal((0 if number >= 0 else 1, tuple(map(int, str(abs(number)))), -decimals))


def scaled_text(number: int, decimals: int) -> str:
    """`number * 10**-decimals` (not negative) in plain notation with exactly that many decimals."""
    if not decimals:
        return str(number)
    digits = str(number).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
