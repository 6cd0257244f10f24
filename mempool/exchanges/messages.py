"""What the venues' frames mean, in one form for all of them."""

from __future__ import annotations

from msgspec import Struct

from mempool.errors import BadData
from mempool.model.book import BookUpdate


class MalformedFrame(BadData):
    """A frame that is not what its venue's protocol says; with `symbol` where it shows which book it was for."""

    def __init__(self, venue: str, reason: str, symbol: str = "") -> None:
        super().__init__(f"{venue}: {reason}")
        self.venue, self.reason, self.symbol = venue, reason, symbol


class Refused(BadData):
    """The venue does not serve this symbol, in its own words."""

    def __init__(self, venue: str, words: str, symbol: str) -> None:
        super().__init__(f"{venue}: {symbol}: {words}")
        self.venue, self.words, self.symbol = venue, words, symbol


class FrameNumber(Struct, frozen=True, gc=False):
    """The number of this frame on its connection, each frame one more."""

    number: int
    event_ns: int = 0
    """The venue's clock when it sent the frame; 0 where it does not say."""


class Heartbeat(Struct, frozen=True, gc=False):
    """The connection lives. `counter` is one more each time, where the venue counts them."""

    counter: int | None = None


class BestQuote(Struct, frozen=True, gc=False):
    """The venue's own best bid and offer after its update `last_id`, from another stream: the book is held to it."""

    symbol: str
    last_id: int
    bid: tuple[str, str]
    ask: tuple[str, str]


class Subscribed(Struct, frozen=True, gc=False):
    """The venue confirms a subscription; `depth` is the number of levels a side that it keeps, 0 where it does not say."""

    symbol: str
    depth: int = 0


class Precision(Struct, frozen=True, gc=False):
    """The decimals that the venue writes prices and sizes of a symbol with."""

    symbol: str
    price_decimals: int
    size_decimals: int
    is_trading: bool = True


class VenueError(Struct, frozen=True, gc=False):
    """The venue refuses something, in its own words; with the symbol where it says which."""

    text: str
    symbol: str = ""
    ends_book: bool = True
    """Whether there will be no book of the symbol; else it is only to be counted, as that an unsubscription came in vain."""


class Closing(Struct, frozen=True, gc=False):
    """The venue announces that it will cut the connection."""

    text: str


class Ignored(Struct, frozen=True, gc=False):
    """A frame of no use here: a trade, an answer to an unsubscription."""


Message = BookUpdate | FrameNumber | Heartbeat | BestQuote | Subscribed | Precision | VenueError | Closing | Ignored
IGNORED = Ignored()
HEARTBEAT = Heartbeat()
