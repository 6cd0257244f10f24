"""OKX v5: `books`, 400 levels, each message naming the one before it, and once with a CRC32 of the 25 best levels a side.

The checksum's recipe is that of the section "Checksum" of OKX's order book channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Literal
from zlib import crc32

import msgspec
from msgspec import Struct, field

from mempool.books.order_book import OrderBook
from mempool.books.side import BookSide
from mempool.exchanges.clock import MILLISECOND_NS
from mempool.exchanges.exchange import SECOND_NS, Continuity, Exchange, Limits, Ping
from mempool.exchanges.messages import HEARTBEAT, IGNORED, Closing, Message, Subscribed, VenueError
from mempool.exchanges.symbols import dashed, pair_of
from mempool.model.book import BookUpdate, Instrument

NAME = "okx"
CHECKED_LEVELS = 25
MOST_REQUESTS = 100
"""At the start of a connection, of the 480 that the venue allows it in an hour."""
DEPTHS = {"books": 400, "books50-l2-tbt": 50, "books-l2-tbt": 401}
"""Of the channels that send changes of a book. The last has 400 levels too, and is the faster one of the two."""
_TextLevels = list[tuple[str, str, str, str]]


class _Argument(Struct, gc=False):
    channel: str = ""
    symbol: str = field(name="instId", default="")


class _Book(Struct, gc=False):
    asks: _TextLevels
    bids: _TextLevels
    ts: str
    number: int = field(name="seqId", default=0)
    previous: int | None = field(name="prevSeqId", default=None)
    checksum: int | None = None


class _BookFrame(Struct, gc=False):
    arg: _Argument
    action: Literal["snapshot", "update"]
    data: list[_Book]


class _Other(Struct, gc=False):
    action: str = ""
    event: str = ""
    msg: str = ""
    arg: _Argument | None = None


_BOOK = msgspec.json.Decoder(_BookFrame)
_OTHER = msgspec.json.Decoder(_Other)


def parse(frame: bytes) -> Sequence[Message]:
    """A checksum of 0 is none: the venue sends nothing else now, and names the message before. Up to 2022 it named none."""
    if frame == b"pong":
        return (HEARTBEAT,)
    if b'"action":' not in frame[:128]:
        other = _OTHER.decode(frame)
        if not other.action:
            return (_other(other),)
    body = _BOOK.decode(frame)
    depth = DEPTHS.get(body.arg.channel)
    if depth is None:
        return (IGNORED,)
    is_snapshot = body.action == "snapshot"
    return [
        BookUpdate(
            body.arg.symbol,
            book.bids,
            book.asks,
            is_snapshot,
            0,
            book.number,
            book.previous,
            book.checksum or None,
            int(book.ts) * MILLISECOND_NS,
            None,
            depth,
        )
        for book in body.data
    ]


def _other(body: _Other) -> Message:
    symbol = body.arg.symbol if body.arg is not None else ""
    if body.event == "error":
        return VenueError(body.msg, symbol)
    if body.event == "notice":
        return Closing(body.msg)
    is_book = body.arg is not None and body.arg.channel in DEPTHS
    return Subscribed(symbol) if body.event == "subscribe" and is_book else IGNORED


def continuity(last_id: int, update: BookUpdate) -> Continuity:
    if update.previous_id is None:
        # Not numbered: the checksum has to show whether one is missing.
        return Continuity.GAP if last_id else Continuity.NEXT
    # Numbers jump, and start lower after maintenance: what counts is only which one is named as the one before.
    if update.previous_id == last_id:
        return Continuity.NEXT
    is_old = update.last_id <= last_id and (update.previous_id or 0) < update.last_id
    return Continuity.OLD if is_old else Continuity.GAP


class Checksum:
    """Holds a book to the checksums of its updates, from a snapshot on that has one; without that every update holds."""

    __slots__ = ("_book", "_decimals", "_sides")

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self._decimals = 0
        self._sides: tuple[_Texts, _Texts] | None = None

    def __call__(self, update: BookUpdate) -> bool:
        if update.is_snapshot:
            book = self._book
            self._sides = None if update.checksum is None else (_Texts(book.bids), _Texts(book.asks))
            self._decimals = book.price_decimals
        if self._sides is None:
            return True
        factor = 10 ** (self._book.price_decimals - self._decimals)
        self._decimals = self._book.price_decimals
        bids, asks = (side.after(changes, factor) for side, changes in zip(self._sides, (update.bids, update.asks), strict=True))
        text = ":".join(each for each in chain(*zip_longest(bids, asks)) if each is not None)
        checksum = crc32(text.encode())
        return update.checksum == (checksum if checksum < 2**31 else checksum - 2**32)


class _Texts:
    """One side's levels, `price:size` as the venue wrote them, by the book's keys."""

    __slots__ = ("_side", "_texts")

    def __init__(self, side: BookSide) -> None:
        self._side = side
        self._texts: dict[int, str] = {}

    def after(self, changes: Sequence[Sequence[str]], factor: int) -> list[str]:
        """The best 25, best first. The keys are `factor` times what they were before these changes."""
        side, texts = self._side, self._texts
        if factor != 1:
            texts = self._texts = {key * factor: text for key, text in texts.items()}
        for price, size, *_ in changes:
            key = side.prices[price]
            if key in side.levels:
                texts[key] = f"{price}:{size}"
            else:
                texts.pop(key, None)
        return [texts.get(key, "") for key in side.best_keys(CHECKED_LEVELS)]


def subscribe(instruments: Sequence[Instrument]) -> tuple[bytes, ...]:
    """One symbol a request, so that none is refused for another's sake; several where there are more than may be asked for."""
    size = -(-len(instruments) // MOST_REQUESTS)
    return tuple(_request("subscribe", instruments[at : at + size]) for at in range(0, len(instruments), size or 1))


def _request(operation: str, instruments: Sequence[Instrument]) -> bytes:
    arguments = [{"channel": "books", "instId": each.symbol} for each in instruments]
    return msgspec.json.encode({"op": operation, "args": arguments})


OKX = Exchange(
    name=NAME,
    label="OKX",
    url=lambda instruments: "wss://ws.okx.com:8443/ws/v5/public",
    subscribe=subscribe,
    resubscribe=lambda instruments: (_request("unsubscribe", instruments), _request("subscribe", instruments)),
    parse=parse,
    continuity=continuity,
    symbol=dashed,
    pair=pair_of,
    limits=Limits(subscriptions_per_hour=480, connects_per_second=3),
    ping=Ping(b"ping", 18 * SECOND_NS),
    verifier=Checksum,
    trims_zeros=True,
)
