"""Kraken v2: no numbering, a CRC32 of the ten best levels in every book message, and clients that truncate for themselves."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from scripts._exchanges.book import Changes, SimulatedBook, View
from scripts._exchanges.text import Numbers, iso
from scripts._exchanges.venue import Client, Dialect, Outgoing, Venue

DEPTHS = (10, 25, 100, 500, 1000)
CHECKED_LEVELS = 10
NUMBERS = {decimals: Numbers(decimals, trimmed=False) for decimals in range(1, 9)}


class KrakenClient(Client):
    """A refused subscription leaves the connection up, with its heartbeats."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self._views: dict[str, View] = {}
        self._beats = False

    def opened(self, target: str) -> Iterator[Outgoing]:
        data = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 2**61 + self.venue.now_ns % 10**9}
        yield Outgoing(orjson.dumps({"channel": "status", "type": "update", "data": [data]}))

    def heard(self, frame: bytes) -> Iterator[Outgoing]:
        request = self.request(frame)
        method, params = request.get("method"), request.get("params") or {}
        if method == "ping":
            yield self._answer({"method": "pong", "req_id": request.get("req_id")})
        elif method not in ("subscribe", "unsubscribe") or params.get("channel") not in ("book", "instrument"):
            yield self._refused(str(method), "Channel not supported" if params else "Method(s) not found")
        elif params["channel"] == "instrument":
            self._beats = True
            yield self._answer({"method": method, "result": {"channel": "instrument", "snapshot": True}, "success": True})
            if method == "subscribe":
                yield Outgoing(self._instruments())
        else:
            self._beats = True
            for symbol in params.get("symbol", []):
                yield from self._subscribe(symbol, params) if method == "subscribe" else self._unsubscribe(symbol, params)

    def changed(self, book: SimulatedBook) -> Iterator[Outgoing]:
        view = self._views.get(book.listing.symbol)
        if view is not None and (view.bids or view.asks):
            yield self._book(view, "update", view.bids, view.asks)

    def beat(self) -> Iterable[Outgoing]:
        return (Outgoing(b'{"channel":"heartbeat"}'),) if self._beats else ()

    def _subscribe(self, symbol: str, params: dict[str, Any]) -> Iterator[Outgoing]:
        depth = params.get("depth", 10)
        if depth not in DEPTHS:
            yield self._refused("subscribe", "Subscription depth not supported", symbol)
        elif symbol not in self.venue.books:
            yield self._refused("subscribe", f"Currency pair not supported {symbol}", symbol)
        elif symbol in self._views:
            yield self._refused("subscribe", "Already subscribed to this channel and symbol", symbol)
        else:
            view = self._views[symbol] = self.venue.books[symbol].view(depth, removes=False)
            result = {"channel": "book", "depth": depth, "snapshot": True, "symbol": symbol}
            yield self._answer({"method": "subscribe", "result": result, "success": True})
            if params.get("snapshot", True):
                yield self._book(view, "snapshot", *view.top())

    def _unsubscribe(self, symbol: str, params: dict[str, Any]) -> Iterator[Outgoing]:
        if self._views.pop(symbol, None) is None:
            yield self._refused("unsubscribe", "Subscription Not Found", symbol)
        else:
            result = {"channel": "book", "depth": params.get("depth", 10), "symbol": symbol}
            yield self._answer({"method": "unsubscribe", "result": result, "success": True})

    def _book(self, view: View, kind: str, bids: Changes, asks: Changes) -> Outgoing:
        book = view.book
        listing = book.listing
        prices, sizes = NUMBERS[listing.price_decimals], NUMBERS[listing.size_decimals]
        bid_text, ask_text = (
            ",".join([f'{{"price":{prices[price]},"qty":{sizes[size]}}}' for price, size in changes]) for changes in (bids, asks)
        )
        frame = (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{listing.symbol}","bids":[{bid_text}],"asks":[{ask_text}],'
            f'"checksum":{checksum(book)},"timestamp":"{iso(self.venue.clock_ns, 6)}"}}]}}'
        )
        return Outgoing(frame.encode(), listing.symbol, book.best())

    def _instruments(self) -> bytes:
        pairs = [
            {
                "symbol": book.listing.symbol,
                "base": book.listing.base,
                "quote": book.listing.quote,
                "status": "online",
                "qty_precision": book.listing.size_decimals,
                "qty_increment": 10.0**-book.listing.size_decimals,
                "price_precision": book.listing.price_decimals,
                "price_increment": book.listing.tick * 10.0**-book.listing.price_decimals,
                "cost_precision": 5,
                "marginable": False,
            }
            for book in self.venue.books.values()
        ]
        return orjson.dumps({"channel": "instrument", "type": "snapshot", "data": {"assets": [], "pairs": pairs}})

    def _refused(self, method: str, reason: str, symbol: str = "") -> Outgoing:
        named = {"symbol": symbol} if symbol else {}
        return self._answer({"error": reason, "method": method, "success": False, **named})

    def _answer(self, content: dict[str, Any]) -> Outgoing:
        now = iso(self.venue.clock_ns, 6)
        return Outgoing(orjson.dumps({**content, "time_in": now, "time_out": now}))


def checksum(book: SimulatedBook) -> int:
    """The ten best asks upwards and the ten best bids downwards, price then size, as digits without point and leading zeros.

    A number that is scaled by its decimals is those digits already.
    """
    bids, asks = book.sides
    digits = [f"{-key}{asks.sizes[key]}" for key in reversed(asks.keys[-CHECKED_LEVELS:])]
    digits += [f"{key}{bids.sizes[key]}" for key in reversed(bids.keys[-CHECKED_LEVELS:])]
    return zlib.crc32("".join(digits).encode())


def subscription(symbols: Sequence[str]) -> tuple[str, tuple[bytes, ...]]:
    book = {"channel": "book", "symbol": list(symbols), "depth": 25, "snapshot": True}
    frames = ({"method": "subscribe", "params": params} for params in ({"channel": "instrument"}, book))
    return "/v2", tuple(orjson.dumps(frame) for frame in frames)


KRAKEN = Dialect(KrakenClient, "/v2", subscription)
