"""Binance spot: a depth diff each 100 ms with ids `U` to `u`, bookTicker at every change of the best, snapshots over REST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import orjson
from msgspec import Struct, field

from scripts._exchanges.book import Best, Changes, SimulatedBook
from scripts._exchanges.listings import MILLISECOND_NS
from scripts._exchanges.text import Numbers
from scripts._exchanges.venue import Answer, Client, Dialect, Outgoing, Venue, query_of

DIFF_NS = 100 * MILLISECOND_NS
MAX_LIMIT = 5_000
LATE_EVERY = 3
"""One diff in so many is sent only after the next bookTicker, which is then ahead of it, as it happens live."""


class Stream(Struct):
    """A symbol's diff as it gathers."""

    next_ns: int
    first_id: int
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    best: tuple[int, int, int, int] = (0, 0, 0, 0)
    sent: int = 0
    late: Outgoing | None = None


class BinanceClient(Client):
    """Streams come with the URL or by SUBSCRIBE; an unknown one is confirmed and stays silent."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self._streams: set[str] = set()
        self._depths: dict[str, Stream] = {}

    def opened(self, target: str) -> Iterable[Outgoing]:
        names = query_of(target).get("streams") or urlsplit(target).path.rpartition("/ws/")[2]
        self._take(names.split("/"))
        return ()

    def heard(self, frame: bytes) -> Iterator[Outgoing]:
        request = self.request(frame)
        method, names = request.get("method"), request.get("params", [])
        if method == "SUBSCRIBE":
            self._take(names)
        elif method == "UNSUBSCRIBE":
            self._streams.difference_update(names)
        else:
            yield Outgoing(
                orjson.dumps({"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": request.get("id")})
            )
            return
        yield Outgoing(orjson.dumps({"result": None, "id": request.get("id")}))

    def changed(self, book: SimulatedBook) -> Iterator[Outgoing]:
        name = book.listing.symbol.lower()
        stream = self._depths.get(name)
        if stream is None:
            return
        best = book.best()
        top = (best.bid, best.bid_size, best.ask, best.ask_size)
        if f"{name}@bookTicker" in self._streams and top != stream.best:
            stream.best = top
            yield Outgoing(book_ticker(book, best))
        if stream.late is not None:
            yield stream.late
            stream.late = None
        if f"{name}@depth@100ms" in self._streams:
            yield from self._diff(book, stream, best)

    def closing(self) -> Iterator[Outgoing]:
        event = {"e": "serverShutdown", "E": self.venue.clock_ns // MILLISECOND_NS}
        yield Outgoing(orjson.dumps({"stream": "!serverShutdown", "data": event}))

    def _take(self, names: Sequence[str]) -> None:
        self._streams.update(names)
        for symbol, book in self.venue.books.items():
            name = symbol.lower()
            if any(stream.startswith(f"{name}@") for stream in self._streams) and name not in self._depths:
                self._depths[name] = Stream(self.venue.now_ns + DIFF_NS, book.last_id + 1)

    def _diff(self, book: SimulatedBook, stream: Stream, best: Best) -> Iterator[Outgoing]:
        bids, asks = book.sides
        stream.bids.update(bids.changed)
        stream.asks.update((-key, size) for key, size in asks.changed.items())
        if self.venue.now_ns < stream.next_ns:
            return
        stream.next_ns = self.venue.now_ns + DIFF_NS
        frame = depth_update(book, stream, self.venue.clock_ns // MILLISECOND_NS)
        stream.first_id = book.last_id + 1
        stream.bids, stream.asks = {}, {}
        stream.sent += 1
        made = Outgoing(frame, book.listing.symbol, best)
        if stream.sent % LATE_EVERY:
            yield made
        else:
            stream.late = made


def depth_update(book: SimulatedBook, stream: Stream, event_ms: int) -> bytes:
    symbol = book.listing.symbol
    bids, asks = levels(book, list(stream.bids.items())), levels(book, list(stream.asks.items()))
    return (
        f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":{event_ms},"s":"{symbol}",'
        f'"U":{stream.first_id},"u":{book.last_id},"b":{bids},"a":{asks}}}}}'
    ).encode()


def book_ticker(book: SimulatedBook, best: Best) -> bytes:
    prices, sizes = NUMBERS[book.listing.price_decimals], SIZES
    symbol = book.listing.symbol
    return (
        f'{{"stream":"{symbol.lower()}@bookTicker","data":{{"u":{book.last_id},"s":"{symbol}","b":"{prices[best.bid]}",'
        f'"B":"{sizes[best.bid_size]}","a":"{prices[best.ask]}","A":"{sizes[best.ask_size]}"}}}}'
    ).encode()


def levels(book: SimulatedBook, changes: Changes) -> str:
    prices, sizes = NUMBERS[book.listing.price_decimals], SIZES
    return "[" + ",".join([f'["{prices[price]}","{sizes[size]}"]' for price, size in changes]) + "]"


class Padded(Numbers):
    """All prices and sizes have eight decimals, whatever the tick."""

    def __init__(self, decimals: int) -> None:
        super().__init__(decimals, trimmed=False)
        self._zeros = "0" * (8 - decimals)

    def __missing__(self, number: int) -> str:
        text = super().__missing__(number) + self._zeros
        self[number] = text
        return text


NUMBERS = {decimals: Padded(decimals) for decimals in range(1, 9)}
SIZES = NUMBERS[8]


def rest(venue: Venue, target: str) -> Answer:
    """`GET /api/v3/depth`: the best `limit` levels of a side, 100 by default."""
    query = query_of(target)
    book = venue.books.get(query.get("symbol", ""))
    if book is None:
        return Answer(400, b'{"code":-1121,"msg":"Invalid symbol."}')
    limit = query.get("limit", "100")
    if not limit.isdecimal() or not 0 < int(limit) <= MAX_LIMIT:
        return Answer(400, b'{"code":-1100,"msg":"Illegal characters found in parameter \'limit\'."}')
    bids, asks = (levels(book, ladder.top(int(limit))) for ladder in book.sides)
    body = f'{{"lastUpdateId":{book.last_id},"bids":{bids},"asks":{asks}}}'.encode()
    return Answer(200, body, symbol=book.listing.symbol, best=book.best())


def subscription(symbols: Sequence[str]) -> tuple[str, tuple[bytes, ...]]:
    streams = "/".join(f"{symbol.lower()}@depth@100ms/{symbol.lower()}@bookTicker" for symbol in symbols)
    return f"/stream?streams={streams}", ()


def rest_target(symbol: str) -> str:
    return f"/api/v3/depth?symbol={symbol}&limit={MAX_LIMIT}"


BINANCE = Dialect(BinanceClient, "/stream", subscription, rest, rest_target, ping_s=20)
