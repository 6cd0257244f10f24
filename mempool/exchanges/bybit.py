"""Bybit v5 spot: `orderbook.N`, a snapshot and deltas, each numbered one more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field

from mempool.exchanges.clock import MILLISECOND_NS
from mempool.exchanges.exchange import SECOND_NS, Continuity, Exchange, Limits, Ping
from mempool.exchanges.messages import HEARTBEAT, IGNORED, MalformedFrame, Message, VenueError
from mempool.exchanges.symbols import joined, pair_of
from mempool.model.book import BookUpdate, Instrument
from mempool.model.display import excerpt

NAME = "bybit"
DEPTH = 200


class _Book(Struct, gc=False):
    symbol: str = field(name="s")
    bids: list[tuple[str, str]] = field(name="b")
    asks: list[tuple[str, str]] = field(name="a")
    number: int = field(name="u")


class _BookFrame(Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    data: _Book
    ts: int
    cts: int = 0


class _Other(Struct, gc=False):
    topic: str = ""
    op: str = ""
    success: bool = True
    ret_msg: str = ""


_BOOK = msgspec.json.Decoder(_BookFrame)
_OTHER = msgspec.json.Decoder(_Other)


def parse(frame: bytes) -> Sequence[Message]:
    """The time is the matching engine's where it is there."""
    if b'"orderbook.' not in frame[:64]:
        return (_other(_OTHER.decode(frame), frame),)
    return (_book(frame),)


def _book(frame: bytes) -> Message:
    if b'"orderbook.rpi.' in frame:
        return IGNORED  # another book, in which some levels are for some clients alone
    body = _BOOK.decode(frame)
    book, depth = body.data, body.topic.removeprefix("orderbook.").partition(".")[0]
    if not depth.isdecimal():
        raise MalformedFrame(NAME, f"a topic without a depth: {excerpt(body.topic)}", book.symbol)
    event_ns = (body.cts or body.ts) * MILLISECOND_NS
    is_snapshot = body.type == "snapshot"
    return BookUpdate(book.symbol, book.bids, book.asks, is_snapshot, 0, book.number, None, None, event_ns, None, int(depth))


def _other(body: _Other, frame: bytes) -> Message:
    if body.topic.startswith("orderbook."):
        return _book(frame)
    if not body.success:
        return VenueError(body.ret_msg, ends_book=body.op != "unsubscribe")
    return HEARTBEAT if body.op == "pong" or body.ret_msg == "pong" else IGNORED


def continuity(last_id: int, update: BookUpdate) -> Continuity:
    if update.last_id == last_id + 1:
        return Continuity.NEXT
    if update.last_id == 1:
        # The service has been restarted: the message holds the whole book.
        return Continuity.RESET
    return Continuity.OLD if update.last_id <= last_id else Continuity.GAP


def _request(operation: str, instrument: Instrument) -> bytes:
    return msgspec.json.encode({"op": operation, "args": [f"orderbook.{DEPTH}.{instrument.symbol}"]})


BYBIT = Exchange(
    name=NAME,
    label="Bybit",
    url=lambda instruments: "wss://stream.bybit.com/v5/public/spot",
    # One topic a request: all topics of a request are refused for one that is not known.
    subscribe=lambda instruments: tuple(_request("subscribe", each) for each in instruments),
    resubscribe=lambda instruments: tuple(_request(kind, each) for each in instruments for kind in ("unsubscribe", "subscribe")),
    parse=parse,
    continuity=continuity,
    symbol=joined,
    pair=pair_of,
    limits=Limits(connects_per_minute=100),  # 500 connections in five minutes
    ping=Ping(b'{"op":"ping"}', 20 * SECOND_NS),
    trims_zeros=True,
)
