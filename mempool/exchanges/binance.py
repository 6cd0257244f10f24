"""Binance spot: diffs of the depth every 100 ms on a snapshot by REST, and the best quote beside them to hold the book to.

The rules are those of "How to manage a local order book correctly" in Binance's web-socket-streams.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from mempool.exchanges.clock import MILLISECOND_NS
from mempool.exchanges.events import FetchSnapshot
from mempool.exchanges.exchange import SECOND_NS, Continuity, Exchange, Limits, Rest
from mempool.exchanges.messages import IGNORED, BestQuote, Closing, MalformedFrame, Message, Refused, VenueError
from mempool.exchanges.symbols import joined, pair_of
from mempool.model.book import BookUpdate, FloatLevel, Instrument

NAME = "binance"
SNAPSHOT_LEVELS = 5_000
SNAPSHOT_WEIGHT = 250
INVALID_SYMBOL = -1121


class _Depth(Struct, gc=False):
    s: str
    first_id: int = field(name="U")
    last_id: int = field(name="u")
    bids: list[tuple[str, str]] = field(name="b")
    asks: list[tuple[str, str]] = field(name="a")
    event_ms: int = field(name="E", default=0)


class _Ticker(Struct, gc=False):
    s: str
    u: int
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")


class _DepthFrame(Struct, gc=False):
    data: _Depth


class _FloatLevel(FloatLevel, gc=False, array_like=True, forbid_unknown_fields=True):
    price: Annotated[float, Meta(gt=0, lt=1e7)]
    size: Annotated[float, Meta(ge=0, lt=1e7)]


class _FloatDepth(Struct, gc=False):
    s: str
    first_id: int = field(name="U")
    last_id: int = field(name="u")
    bids: list[_FloatLevel] = field(name="b")
    asks: list[_FloatLevel] = field(name="a")
    event_ms: int = field(name="E", default=0)


class _FloatFrame(Struct, gc=False):
    data: _FloatDepth


class _TickerFrame(Struct, gc=False):
    data: _Ticker


class _Failure(Struct, gc=False):
    msg: str = ""


class _Other(Struct, gc=False):
    stream: str = ""
    data: Raw = Raw(b"null")
    e: str = ""
    error: _Failure | None = None
    msg: str = ""


class _Kind(Struct, gc=False):
    e: str = ""


class _Snapshot(Struct, gc=False):
    last_id: int = field(name="lastUpdateId", default=-1)
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    code: int = 0
    msg: str = ""


_DECIMALS = (8, 8)
_MICROSECONDS = 10**14
"""From here on a time since the epoch is in microseconds, as whoever connects may ask for."""
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_FLOAT_FRAME = msgspec.json.Decoder(_FloatFrame, strict=False)
_DEPTH_FRAME = msgspec.json.Decoder(_DepthFrame)
_TICKER_FRAME = msgspec.json.Decoder(_TickerFrame)
_DEPTH = msgspec.json.Decoder(_Depth)
_TICKER = msgspec.json.Decoder(_Ticker)
_OTHER = msgspec.json.Decoder(_Other)
_KIND = msgspec.json.Decoder(_Kind)
_SNAPSHOT = msgspec.json.Decoder(_Snapshot)


def url(instruments: Sequence[Instrument]) -> str:
    """The combined stream of diffs and best quotes."""
    names = (f"{each.symbol.lower()}@{kind}" for each in instruments for kind in ("depth@100ms", "bookTicker"))
    return "wss://stream.binance.com:9443/stream?streams=" + "/".join(names)


def parse(frame: bytes) -> Sequence[Message]:
    """Frames of the combined stream, and of a raw one."""
    at = frame.find(b"@", 0, 64) + 1
    if frame.startswith(b"depth", at) and at:
        return (_update_in(frame),)
    if frame.startswith(b"bookTicker", at) and at:
        return (_best(_TICKER_FRAME.decode(frame).data),)
    if frame.startswith(b'[{"'):
        return (IGNORED,)  # a raw stream of all markets at once
    return (_other(_OTHER.decode(frame), frame),)


def _update_in(frame: bytes) -> Message:
    """The numbers as doubles where those are exact, which takes a third of the time; else as text.

    They are where every number is below 10**7 and has eight decimals, as the frame shows with its digits made zeros.
    """
    try:
        data = _FLOAT_FRAME.decode(frame).data
    except msgspec.ValidationError:
        # The best 5, 10 or 20 levels are a stream of their own, `@depth20`, without what an update needs.
        return IGNORED if b'"lastUpdateId"' in frame else _update(_DEPTH_FRAME.decode(frame).data)
    numbers = frame.translate(_ZEROS).count(b'.00000000"')
    if 2 * (len(data.bids) + len(data.asks)) != numbers or data.first_id > data.last_id:
        return _update(_DEPTH_FRAME.decode(frame).data)
    return BookUpdate(
        data.s,
        data.bids,
        data.asks,
        first_id=data.first_id,
        last_id=data.last_id,
        event_ns=data.event_ms * (MILLISECOND_NS if data.event_ms < _MICROSECONDS else 1_000),
        decimals=_DECIMALS,
    )


def _update(data: _Depth) -> BookUpdate:
    if data.first_id > data.last_id:
        raise MalformedFrame(NAME, f"update {data.first_id} to {data.last_id}", data.s)
    return BookUpdate(
        data.s,
        data.bids,
        data.asks,
        first_id=data.first_id,
        last_id=data.last_id,
        event_ns=data.event_ms * (MILLISECOND_NS if data.event_ms < _MICROSECONDS else 1_000),
    )


def _best(data: _Ticker) -> BestQuote:
    return BestQuote(data.s, data.u, (data.bid, data.bid_size), (data.ask, data.ask_size))


def _other(frame: _Other, text: bytes) -> Message:
    body = bytes(frame.data) if frame.stream else text
    if body.startswith(b"["):
        return IGNORED
    kind = frame.e or (_KIND.decode(body).e if frame.stream else "")
    if kind == "serverShutdown":
        return Closing("the server shuts down")
    if kind == "depthUpdate":
        return _update(_DEPTH.decode(body))
    if frame.error is not None or frame.msg:
        return VenueError(frame.msg or (frame.error.msg if frame.error else ""))
    if kind in ("", "bookTicker") and b'"u":' in body:
        return _best(_TICKER.decode(body))
    return IGNORED


def continuity(last_id: int, update: BookUpdate) -> Continuity:
    if update.last_id <= last_id:
        return Continuity.OLD
    # Step 7: a first id above the book's id plus one means that events were missed.
    return Continuity.GAP if update.first_id > last_id + 1 else Continuity.NEXT


def snapshot_request(instrument: Instrument) -> FetchSnapshot:
    address = f"https://api.binance.com/api/v3/depth?symbol={instrument.symbol}&limit={SNAPSHOT_LEVELS}"
    return FetchSnapshot(instrument, address, SNAPSHOT_WEIGHT)


def parse_snapshot(symbol: str, body: bytes) -> BookUpdate:
    snapshot = _SNAPSHOT.decode(body)
    if snapshot.code == INVALID_SYMBOL:
        raise Refused(NAME, snapshot.msg, symbol)
    if snapshot.last_id < 0:
        raise MalformedFrame(NAME, f"no snapshot: {snapshot.msg or 'no lastUpdateId'}", symbol)
    return BookUpdate(symbol, snapshot.bids, snapshot.asks, is_snapshot=True, last_id=snapshot.last_id)


BINANCE = Exchange(
    name=NAME,
    label="Binance",
    url=url,
    subscribe=lambda instruments: (),
    resubscribe=lambda instruments: (),
    parse=parse,
    continuity=continuity,
    symbol=joined,
    pair=pair_of,
    # 1,024 streams a connection, and two a symbol; 300 connections in five minutes.
    limits=Limits(messages_per_second=5, symbols_per_connection=512, connects_per_minute=60, lifetime_ns=86_400 * SECOND_NS),
    rest=Rest(snapshot_request, parse_snapshot, lambda line: b'"lastUpdateId"' in line and b'"stream"' not in line),
)
