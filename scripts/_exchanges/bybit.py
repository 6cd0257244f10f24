"""Bybit v5 spot: `orderbook.<depth>` with `u` one more each message, and a snapshot with `u` 1 when its service has restarted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from scripts._exchanges.book import Changes, SimulatedBook, View
from scripts._exchanges.listings import MILLISECOND_NS, Listing
from scripts._exchanges.text import Numbers
from scripts._exchanges.venue import Client, Dialect, Outgoing, Venue

DEPTHS = ("50", "200", "1000")
MAX_ARGUMENTS = 10
NUMBERS = {decimals: Numbers(decimals, trimmed=True) for decimals in range(1, 9)}
CONNECTION = "sim0ulated1connection-0"


class BybitClient(Client):
    """A subscription is confirmed in one frame, whatever the number of topics, and the snapshots follow."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self._views: dict[str, View] = {}

    def heard(self, frame: bytes) -> Iterator[Outgoing]:
        request = self.request(frame)
        operation, topics = request.get("op"), request.get("args", [])
        if operation == "ping":
            yield _result("pong", "ping", succeeded=True)
        elif operation not in ("subscribe", "unsubscribe") or len(topics) > MAX_ARGUMENTS:
            yield _result("error:invalid request", str(operation), succeeded=False)
        elif unknown := [topic for topic in topics if not self._is_known(topic)]:
            yield _result(f"error:handler not found,topic:{unknown[0]}", operation, succeeded=False)
        else:
            yield _result(operation if operation == "subscribe" else "", operation, succeeded=True)
            for topic in topics:
                yield from self._take(operation, topic)

    def changed(self, book: SimulatedBook) -> Iterator[Outgoing]:
        view = self._views.get(book.listing.symbol)
        if view is not None and (view.bids or view.asks):
            yield self._book(view, "delta", view.bids, view.asks)

    def restarted(self) -> Iterator[Outgoing]:
        for view in self._views.values():
            yield self._book(view, "snapshot", *view.top())

    def _is_known(self, topic: str) -> bool:
        channel, _, rest = topic.partition(".")
        depth, _, symbol = rest.partition(".")
        return channel == "orderbook" and depth in DEPTHS and symbol in self.venue.books

    def _take(self, operation: str, topic: str) -> Iterator[Outgoing]:
        _, depth, symbol = topic.split(".")
        if operation == "unsubscribe":
            self._views.pop(symbol, None)
            return
        view = self._views[symbol] = self.venue.books[symbol].view(int(depth), removes=True)
        view.number = max(view.number, 2)  # the first message ever would else look like a restart
        yield self._book(view, "snapshot", *view.top())

    def _book(self, view: View, kind: str, bids: Changes, asks: Changes) -> Outgoing:
        listing, now_ms = view.book.listing, self.venue.clock_ns // MILLISECOND_NS
        data = (
            f'{{"s":"{listing.symbol}","b":{_levels(listing, bids)},"a":{_levels(listing, asks)},'
            f'"u":{view.number},"seq":{view.book.last_id}}}'
        )
        topic = f"orderbook.{view.depth}.{listing.symbol}"
        frame = f'{{"topic":"{topic}","ts":{now_ms},"type":"{kind}","data":{data},"cts":{now_ms}}}'
        return Outgoing(frame.encode(), listing.symbol, view.book.best())


def _levels(listing: Listing, changes: Changes) -> str:
    prices, sizes = NUMBERS[listing.price_decimals], NUMBERS[listing.size_decimals]
    return "[" + ",".join([f'["{prices[price]}","{sizes[size]}"]' for price, size in changes]) + "]"


def _result(message: str, operation: str, *, succeeded: bool) -> Outgoing:
    return Outgoing(orjson.dumps({"success": succeeded, "ret_msg": message, "conn_id": CONNECTION, "op": operation}))


def subscription(symbols: Sequence[str]) -> tuple[str, tuple[bytes, ...]]:
    topics = [f"orderbook.50.{symbol}" for symbol in symbols]
    return "/v5/public/spot", (orjson.dumps({"op": "subscribe", "args": topics}),)


BYBIT = Dialect(BybitClient, "/v5/public/spot", subscription)
