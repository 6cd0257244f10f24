"""OKX v5: `books`, 400 levels, each message naming the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field

from mempool.exchanges.clock import MILLISECOND_NS
from mempool.exchanges.exchange import SECOND_NS, Continuity, Exchange, Limits, Ping
from mempool.exchanges.messages import HEARTBEAT, IGNORED, Closing, Message, Subscribed, VenueError
from mempool.exchanges.symbols import dashed, pair_of
from mempool.model.book import BookUpdate, Instrument

NAME = "okx"
_TextLevels = list[tuple[str, str, str, str]]


class _Argument(Struct, gc=False):
    channel: str = ""
    symbol: str = field(name="instId", default="")


class _Book(Struct, gc=False):
    asks: _TextLevels
    bids: _TextLevels
    ts: str
    number: int = field(name="seqId")
    previous: int = field(name="prevSeqId")


class _BookFrame(Struct, gc=False):
    arg: _Argument
    action: Literal["snapshot", "update"]
    data: list[_Book]


class _Other(Struct, gc=False):
    event: str = ""
    msg: str = ""
    arg: _Argument | None = None


_BOOK = msgspec.json.Decoder(_BookFrame)
_OTHER = msgspec.json.Decoder(_Other)


def parse(frame: bytes) -> Sequence[Message]:
    """The checksum is not looked at: the venue sends 0 in it, and names the message before."""
    if frame == b"pong":
        return (HEARTBEAT,)
    if b'"action":' not in frame[:128]:
        return (_other(_OTHER.decode(frame)),)
    body = _BOOK.decode(frame)
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
            None,
            int(book.ts) * MILLISECOND_NS,
        )
        for book in body.data
    ]


def _other(body: _Other) -> Message:
    symbol = body.arg.symbol if body.arg is not None else ""
    if body.event == "error":
        return VenueError(body.msg, symbol)
    if body.event == "notice":
        return Closing(body.msg)
    return Subscribed(symbol) if body.event == "subscribe" else IGNORED


def continuity(last_id: int, update: BookUpdate) -> Continuity:
    # Numbers jump, and start lower after maintenance: what counts is only which one is named as the one before.
    if update.previous_id == last_id:
        return Continuity.NEXT
    is_old = update.last_id <= last_id and (update.previous_id or 0) < update.last_id
    return Continuity.OLD if is_old else Continuity.GAP


def _request(operation: str, instruments: Sequence[Instrument]) -> bytes:
    arguments = [{"channel": "books", "instId": each.symbol} for each in instruments]
    return msgspec.json.encode({"op": operation, "args": arguments})


OKX = Exchange(
    name=NAME,
    label="OKX",
    url=lambda instruments: "wss://ws.okx.com:8443/ws/v5/public",
    # One channel a request, so that none is refused for another's sake.
    subscribe=lambda instruments: tuple(_request("subscribe", [each]) for each in instruments),
    resubscribe=lambda instruments: (_request("unsubscribe", instruments), _request("subscribe", instruments)),
    parse=parse,
    continuity=continuity,
    symbol=dashed,
    pair=pair_of,
    limits=Limits(),
    ping=Ping(b"ping", 18 * SECOND_NS),
    trims_zeros=True,
)
