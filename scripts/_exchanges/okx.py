"""OKX v5: `books` with 400 levels, each message naming the one that it follows by `prevSeqId`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from scripts._exchanges.book import Changes, SimulatedBook, View
from scripts._exchanges.listings import MILLISECOND_NS, Listing
from scripts._exchanges.text import Numbers
from scripts._exchanges.venue import Client, Dialect, Outgoing, Venue

DEPTH = 400
NUMBERS = {decimals: Numbers(decimals, trimmed=True) for decimals in range(1, 9)}
CONNECTION = "51f9c0d2"


class OkxClient(Client):
    """The text `ping` is answered by `pong`; the checksum field is there, and zero."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self._views: dict[str, View] = {}

    def heard(self, frame: bytes) -> Iterator[Outgoing]:
        if frame == b"ping":
            yield Outgoing(b"pong")
            return
        request = self.request(frame)
        operation = request.get("op")
        if operation not in ("subscribe", "unsubscribe"):
            yield _error("60012", "Invalid request")
            return
        for argument in request.get("args", []):
            yield from self._take(operation, argument.get("channel", ""), argument.get("instId", ""))

    def changed(self, book: SimulatedBook) -> Iterator[Outgoing]:
        view = self._views.get(book.listing.symbol)
        if view is not None and (view.bids or view.asks):
            yield self._book(view, "update", (view.previous_id, view.last_id), (view.bids, view.asks))

    def restarted(self) -> Iterator[Outgoing]:
        """After a maintenance a message's own id may be below the one that it follows: the ids count on from there."""
        for view in self._views.values():
            yield self._book(view, "update", (view.previous_id, view.last_id), ([], []))

    def closing(self) -> Iterator[Outgoing]:
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        yield Outgoing(orjson.dumps({"event": "notice", "code": "64008", "msg": text, "connId": CONNECTION}))

    def _take(self, operation: str, channel: str, symbol: str) -> Iterator[Outgoing]:
        if channel != "books" or symbol not in self.venue.books:
            yield _error("60018", f"Wrong URL or channel:{channel},instId:{symbol} doesn't exist.")
            return
        argument = {"channel": channel, "instId": symbol}
        yield Outgoing(orjson.dumps({"event": operation, "arg": argument, "connId": CONNECTION}))
        if operation == "unsubscribe":
            self._views.pop(symbol, None)
        else:
            view = self._views[symbol] = self.venue.books[symbol].view(DEPTH, removes=True)
            yield self._book(view, "snapshot", (-1, view.last_id), view.top())

    def _book(self, view: View, action: str, ids: tuple[int, int], changes: tuple[Changes, Changes]) -> Outgoing:
        listing = view.book.listing
        bids, asks = (_levels(listing, side) for side in changes)
        frame = (
            f'{{"arg":{{"channel":"books","instId":"{listing.symbol}"}},"action":"{action}","data":[{{"asks":{asks},"bids":{bids},'
            f'"ts":"{self.venue.clock_ns // MILLISECOND_NS}","checksum":0,"seqId":{ids[1]},"prevSeqId":{ids[0]}}}]}}'
        )
        return Outgoing(frame.encode(), listing.symbol, view.book.best())


def _levels(listing: Listing, changes: Changes) -> str:
    prices, sizes = NUMBERS[listing.price_decimals], NUMBERS[listing.size_decimals]
    return "[" + ",".join([f'["{prices[price]}","{sizes[size]}","0","{size and 1}"]' for price, size in changes]) + "]"


def _error(code: str, text: str) -> Outgoing:
    return Outgoing(orjson.dumps({"event": "error", "code": code, "msg": text, "connId": CONNECTION}))


def subscription(symbols: Sequence[str]) -> tuple[str, tuple[bytes, ...]]:
    arguments = [{"channel": "books", "instId": symbol} for symbol in symbols]
    return "/ws/v5/public", (orjson.dumps({"op": "subscribe", "args": arguments}),)


OKX = Dialect(OkxClient, "/ws/v5/public", subscription)
