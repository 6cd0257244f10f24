"""Coinbase Advanced Trade: `level2`, without keys; every frame of a connection is numbered, whatever its channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from mempool.exchanges.clock import iso_ns
from mempool.exchanges.exchange import SECOND_NS, Exchange, Limits
from mempool.exchanges.messages import IGNORED, FrameNumber, Heartbeat, Message, VenueError
from mempool.exchanges.symbols import UnknownSymbol, dashed, pair_of
from mempool.model.book import BookUpdate, Instrument

NAME = "coinbase"


class _Change(Struct, gc=False):
    side: Literal["bid", "offer", "ask"]
    price_level: str
    new_quantity: str


class _Event(Struct, gc=False):
    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[_Change]


class _BookFrame(Struct, gc=False):
    sequence_num: int
    events: list[_Event]
    timestamp: str = ""


class _OtherEvent(Struct, gc=False):
    heartbeat_counter: int | str | None = None


class _Other(Struct, gc=False):
    channel: str = ""
    sequence_num: int = -1
    type: str = ""
    message: str = ""
    events: list[_OtherEvent] = []


_BOOK = msgspec.json.Decoder(_BookFrame)
_OTHER = msgspec.json.Decoder(_Other)


def parse(frame: bytes) -> Sequence[Message]:
    """First the frame's number, then what it says."""
    if b'"l2_data"' not in frame[:64]:
        return _other(_OTHER.decode(frame), frame)
    return _book(_BOOK.decode(frame))


def _book(body: _BookFrame) -> Sequence[Message]:
    event_ns = iso_ns(body.timestamp) if body.timestamp else 0
    messages: list[Message] = [FrameNumber(body.sequence_num, event_ns)]
    for event in body.events:
        # A snapshot calls its asks `offer`, as every update does: the fields' names and values, never their order, say a side.
        bids = [(each.price_level, each.new_quantity) for each in event.updates if each.side == "bid"]
        asks = [(each.price_level, each.new_quantity) for each in event.updates if each.side != "bid"]
        is_snapshot = event.type == "snapshot"
        messages.append(BookUpdate(event.product_id, bids, asks, is_snapshot, event_ns=event_ns))
    return messages


def _other(body: _Other, frame: bytes) -> Sequence[Message]:
    if body.type == "error":
        return (VenueError(body.message),)
    if body.sequence_num < 0:
        return (IGNORED,)
    if body.channel == "l2_data":
        return _book(_BOOK.decode(frame))
    number = FrameNumber(body.sequence_num)
    if body.channel == "heartbeats" and body.events:
        counter = body.events[0].heartbeat_counter
        return number, Heartbeat(None if counter is None else int(counter))
    return (number,)


def subscribe(instruments: Sequence[Instrument]) -> tuple[bytes, ...]:
    # An idle channel is closed after 60 to 90 s: heartbeats keep it open, and count. One request a product: all products of a
    # request are refused for one that is not listed.
    return b'{"type":"subscribe","channel":"heartbeats"}', *(_level2("subscribe", [each]) for each in instruments)


def resubscribe(instruments: Sequence[Instrument]) -> tuple[bytes, ...]:
    return _level2("unsubscribe", instruments), _level2("subscribe", instruments)


def _level2(kind: str, instruments: Sequence[Instrument]) -> bytes:
    return msgspec.json.encode({"type": kind, "product_ids": [each.symbol for each in instruments], "channel": "level2"})


def pair(symbol: str) -> tuple[str, str]:
    """Refuses USDC: a subscription to it brings the dollar's book under the dollar's name."""
    base, quote = pair_of(symbol)
    if quote == "USDC":
        raise UnknownSymbol(symbol)
    return base, quote


COINBASE = Exchange(
    name=NAME,
    label="Coinbase",
    url=lambda instruments: "wss://advanced-trade-ws.coinbase.com",
    subscribe=subscribe,
    resubscribe=resubscribe,
    parse=parse,
    continuity=None,
    symbol=dashed,
    pair=pair,
    limits=Limits(messages_per_second=8, connects_per_second=8),
    heartbeat_ns=SECOND_NS,
    trims_zeros=True,
)
