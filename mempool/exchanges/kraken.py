"""Kraken, websocket v2: `book`, each message with a CRC32 of the ten best levels a side; no numbering.

The checksum's recipe is that of Kraken's guide "Book checksum (v2)".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated
from zlib import crc32

import msgspec
from msgspec import Meta, Raw, Struct, field

from mempool.books.digits import CHECKED_LEVELS
from mempool.books.order_book import OrderBook
from mempool.exchanges.clock import iso_ns, second_ns
from mempool.exchanges.exchange import SECOND_NS, Exchange, Limits, Ping
from mempool.exchanges.messages import HEARTBEAT, IGNORED, Message, Precision, Subscribed, VenueError
from mempool.exchanges.symbols import kraken_pair_of, slashed
from mempool.model.book import DOUBLE_DIGITS, BookUpdate, Decimals, FloatLevel, Instrument

NAME = "kraken"
DEPTHS = (10, 25, 100, 500, 1_000)
DEPTH = 100
TRADING = ("online", "limit_only", "reduce_only")
"""The states of a pair in which a taker's order is still matched; in each of the others its book is not to be priced."""

MAX_SHAPES = 1_024
MAX_SHAPE_BYTES = 512

_LEVEL = rb'\{"price":0+\.0+,"qty":0+\.0+\}'
_LEVELS = rb"%s(?:,%s)*+" % (_LEVEL, _LEVEL)
_BEFORE_BOOK = len('{"channel":"book","type":"update","data":[')
_UPDATE = re.compile(
    rb'\{"channel":"book","type":"update","data":\[\{"symbol":"[^"\\]+","bids":\[(?:%s)?\],"asks":\[(?:%s)?\],'
    rb'"checksum":0{1,10},"timestamp":"0000-00-00T00:00:00\.000000Z"\}\]\}' % (_LEVELS, _LEVELS)
)
_PRICE_AND_SIZE = re.compile(rb'"price":(0+)\.(0+),"qty":(0+)\.(0+)')
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_BEHIND_CHECKED = -CHECKED_LEVELS - 1


class _Level(Struct, gc=False):
    price: Raw
    qty: Raw


class _Book(Struct, gc=False):
    symbol: str
    checksum: int | None = None
    bids: list[_Level] = []
    asks: list[_Level] = []
    timestamp: str = ""


class _BookFrame(Struct, gc=False):
    type: str
    data: list[_Book]


class _FloatLevel(FloatLevel, gc=False):
    price: Annotated[float, Meta(gt=0)]
    size: Annotated[float, Meta(ge=0)] = field(name="qty")


class _FloatBook(Struct, gc=False):
    symbol: str
    bids: list[_FloatLevel]
    asks: list[_FloatLevel]
    checksum: int


class _Pair(Struct, gc=False):
    symbol: str
    price_precision: int
    qty_precision: int
    status: str = "online"


class _Pairs(Struct, gc=False):
    pairs: list[_Pair] = []


class _PairsFrame(Struct, gc=False):
    data: _Pairs


class _Status(Struct, gc=False):
    system: str = "online"


class _StatusFrame(Struct, gc=False):
    data: list[_Status] = []


class _Result(Struct, gc=False):
    channel: str = ""
    symbol: str = ""
    depth: int = 0


class _Other(Struct, gc=False):
    channel: str = ""
    method: str = ""
    success: bool = True
    error: str = ""
    symbol: str = ""
    result: _Result | None = None


_SHAPES: dict[bytes, Decimals] = {}
"""What `_decimals` has found, at most `MAX_SHAPES`, of updates that are not long."""
_decode_floats = msgspec.json.Decoder(_FloatBook).decode
_BOOK_FRAME = msgspec.json.Decoder(_BookFrame)
_PAIRS_FRAME = msgspec.json.Decoder(_PairsFrame)
_STATUS_FRAME = msgspec.json.Decoder(_StatusFrame)
_OTHER = msgspec.json.Decoder(_Other)


def parse(frame: bytes) -> Sequence[Message]:
    """An update of the usual form by doubles, where those are exact; any other message by its types and the numbers' literals."""
    shape = frame.translate(_ZEROS)
    decimals = _SHAPES.get(shape) or _decimals(shape)
    if decimals is None:
        return _parse_any(frame)
    try:
        book = _decode_floats(frame[_BEFORE_BOOK:-2])
    except msgspec.DecodeError:
        return _parse_any(frame)
    event_ns = second_ns(frame[-31:-12]) + 1_000 * int(frame[-11:-5])
    return (BookUpdate(book.symbol, book.bids, book.asks, checksum=book.checksum, event_ns=event_ns, decimals=decimals),)


def _decimals(shape: bytes) -> Decimals | None:
    """Of an update with its digits made zeros: the decimals of all its prices, and of all its sizes.

    None where it is no update of the usual form, the decimals differ, or a number has more digits than a double tells apart.
    Remembered, since updates differ in little but their digits.
    """
    if _UPDATE.fullmatch(shape) is None:
        return None
    literals = _PRICE_AND_SIZE.findall(shape)
    found = {(len(price), len(size)) for _, price, _, size in literals}
    digits = (len(whole) + len(fraction) for level in literals for whole, fraction in (level[:2], level[2:]))
    if len(found) != 1 or max(digits) > DOUBLE_DIGITS:
        return None
    [decimals] = found
    if len(shape) <= MAX_SHAPE_BYTES:
        if len(_SHAPES) >= MAX_SHAPES:
            _SHAPES.clear()
        _SHAPES[shape] = decimals
    return decimals


def _parse_any(frame: bytes) -> Sequence[Message]:
    other = _OTHER.decode(frame)
    read = _CHANNELS.get(other.channel)
    if read is not None:
        return read(frame)
    if other.error or not other.success:
        # "Already subscribed" is an answer too many: the book's messages come.
        ends_book = other.method != "unsubscribe" and not other.error.startswith("Already subscribed")
        symbol = other.symbol or (other.result.symbol if other.result is not None else "")
        return (VenueError(other.error or "refused", symbol, ends_book),)
    if other.method == "subscribe" and other.result is not None and other.result.channel == "book":
        return (Subscribed(other.result.symbol, other.result.depth),)
    return (IGNORED,)


def _books(frame: bytes) -> Sequence[Message]:
    body = _BOOK_FRAME.decode(frame)
    return [
        BookUpdate(
            book.symbol,
            _literals(book.bids),
            _literals(book.asks),
            body.type == "snapshot",
            checksum=book.checksum,
            event_ns=iso_ns(book.timestamp) if book.timestamp else 0,
        )
        for book in body.data
    ]


def _literals(levels: list[_Level]) -> list[tuple[bytes, bytes]]:
    # Some recorders write them as texts, to keep their digits.
    return [(bytes(level.price).strip(b'"'), bytes(level.qty).strip(b'"')) for level in levels]


def _instruments(frame: bytes) -> Sequence[Message]:
    pairs = _PAIRS_FRAME.decode(frame).data.pairs
    return [Precision(each.symbol, each.price_precision, each.qty_precision, each.status in TRADING) for each in pairs]


def _status(frame: bytes) -> Sequence[Message]:
    halted = [each.system for each in _STATUS_FRAME.decode(frame).data if each.system in ("maintenance", "cancel_only")]
    return [VenueError(f"the venue is in {system}") for system in halted]


_CHANNELS: dict[str, Callable[[bytes], Sequence[Message]]] = {
    "book": _books,
    "heartbeat": lambda frame: (HEARTBEAT,),
    "instrument": _instruments,
    "status": _status,
}


class Checksum:
    """Holds a book to the checksum of each update after it was applied; sums only what has changed among the levels it covers."""

    __slots__ = ("_asks", "_asks_sum", "_bids", "_bids_text", "_sum")

    def __init__(self, book: OrderBook) -> None:
        self._bids, self._asks = book.keep_digits()
        self._asks_sum, self._bids_text, self._sum = 0, b"", 0

    def __call__(self, update: BookUpdate) -> bool:
        asks, bids = self._asks, self._bids
        if asks.has_changed or bids.has_changed:
            if asks.has_changed:
                asks.has_changed = False
                self._asks_sum = crc32(b"".join(asks.digits[:_BEHIND_CHECKED:-1]))
            if bids.has_changed:
                bids.has_changed = False
                self._bids_text = b"".join(bids.digits[:_BEHIND_CHECKED:-1])
            self._sum = crc32(self._bids_text, self._asks_sum)
        return self._sum == update.checksum


def subscribe(instruments: Sequence[Instrument]) -> tuple[bytes, ...]:
    # The instrument channel gives the precisions, before the first book.
    pairs = msgspec.json.encode({"method": "subscribe", "params": {"channel": "instrument", "snapshot": True}})
    return pairs, _book_request("subscribe", instruments)


def resubscribe(instruments: Sequence[Instrument]) -> tuple[bytes, ...]:
    return _book_request("unsubscribe", instruments), _book_request("subscribe", instruments)


def _book_request(method: str, instruments: Sequence[Instrument]) -> bytes:
    params: dict[str, object] = {"channel": "book", "symbol": [each.symbol for each in instruments], "depth": DEPTH}
    if method == "subscribe":
        params["snapshot"] = True
    return msgspec.json.encode({"method": method, "params": params})


def snapshot_depth(levels: int) -> int:
    """The smallest depth that can be subscribed to and holds so many levels."""
    return next((depth for depth in DEPTHS if levels <= depth), DEPTHS[-1])


KRAKEN = Exchange(
    name=NAME,
    label="Kraken",
    url=lambda instruments: "wss://ws.kraken.com/v2",
    subscribe=subscribe,
    resubscribe=resubscribe,
    parse=parse,
    continuity=None,
    symbol=slashed,
    pair=kraken_pair_of,
    limits=Limits(),
    ping=Ping(b'{"method":"ping"}', 30 * SECOND_NS),
    verifier=lambda book: Checksum(book).__call__,  # a bound method is called sooner than an object
    snapshot_depth=snapshot_depth,
    heartbeat_ns=SECOND_NS,
)
