"""Coinbase Advanced Trade: level2 with one `sequence_num` for all frames of a connection, and a heartbeats channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from scripts._exchanges.book import Changes, SimulatedBook
from scripts._exchanges.listings import Listing
from scripts._exchanges.text import Numbers, iso
from scripts._exchanges.venue import Client, Dialect, Outgoing, Venue

NUMBERS = {decimals: Numbers(decimals, trimmed=True) for decimals in range(1, 9)}


class CoinbaseClient(Client):
    """A subscription is answered by the snapshots first, and by a list of all subscriptions after them."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self._sequence = 0
        self._symbols: list[str] = []
        self._heartbeats = False

    def heard(self, frame: bytes) -> Iterator[Outgoing]:
        request = self.request(frame)
        symbols = request.get("product_ids", [])
        kind, channel = request.get("type"), request.get("channel")
        if kind not in ("subscribe", "unsubscribe") or channel not in ("level2", "heartbeats"):
            yield error("unknown channel" if kind in ("subscribe", "unsubscribe") else "unknown message type")
            return
        if channel == "heartbeats":
            self._heartbeats = kind == "subscribe"
        elif unknown := [symbol for symbol in symbols if symbol not in self.venue.books]:
            yield error(f"{unknown[0]} is not a valid product")
            return
        elif kind == "subscribe":
            self._symbols += [symbol for symbol in symbols if symbol not in self._symbols]
            for symbol in symbols:
                yield self._snapshot(self.venue.books[symbol])
        else:
            self._symbols = [symbol for symbol in self._symbols if symbols and symbol not in symbols]
        yield self._subscriptions()

    def changed(self, book: SimulatedBook) -> Iterator[Outgoing]:
        if book.listing.symbol in self._symbols:
            bids, asks = book.sides
            yield self._book(book, "update", list(bids.changed.items()), [(-key, size) for key, size in asks.changed.items()])

    def beat(self) -> Iterator[Outgoing]:
        if self._heartbeats:
            now = iso(self.venue.clock_ns, 9).replace("T", " ").removesuffix("Z")
            event = {"current_time": f"{now} +0000 UTC m=+{self.venue.beats}.5", "heartbeat_counter": str(self.venue.beats)}
            yield Outgoing(self._frame("heartbeats", orjson.dumps([event]).decode()))

    def _snapshot(self, book: SimulatedBook) -> Outgoing:
        bids, asks = (ladder.top(0) for ladder in book.sides)
        return self._book(book, "snapshot", bids, asks)

    def _book(self, book: SimulatedBook, kind: str, bids: Changes, asks: Changes) -> Outgoing:
        when = iso(self.venue.clock_ns, 6)
        updates = [*_updates(book.listing, "bid", when, bids), *_updates(book.listing, "offer", when, asks)]
        events = f'[{{"type":"{kind}","product_id":"{book.listing.symbol}","updates":[{",".join(updates)}]}}]'
        return Outgoing(self._frame("l2_data", events), book.listing.symbol, book.best())

    def _subscriptions(self) -> Outgoing:
        subscriptions: dict[str, Any] = {"level2": self._symbols} if self._symbols else {}
        if self._heartbeats:
            subscriptions["heartbeats"] = ["heartbeats"]
        return Outgoing(self._frame("subscriptions", orjson.dumps([{"subscriptions": subscriptions}]).decode()))

    def _frame(self, channel: str, events: str) -> bytes:
        number, self._sequence = self._sequence, self._sequence + 1
        when = iso(self.venue.clock_ns, 9)
        return f'{{"channel":"{channel}","timestamp":"{when}","sequence_num":{number},"events":{events}}}'.encode()


def _updates(listing: Listing, side: str, when: str, changes: Changes) -> list[str]:
    prices, sizes = NUMBERS[listing.price_decimals], NUMBERS[listing.size_decimals]
    start = f'{{"side":"{side}","event_time":"{when}","price_level":"'
    return [f'{start}{prices[price]}","new_quantity":"{sizes[size]}"}}' for price, size in changes]


def error(text: str) -> Outgoing:
    return Outgoing(orjson.dumps({"type": "error", "message": text}))


def subscription(symbols: Sequence[str]) -> tuple[str, tuple[bytes, ...]]:
    level2 = orjson.dumps({"type": "subscribe", "product_ids": list(symbols), "channel": "level2"})
    return "/", (level2, orjson.dumps({"type": "subscribe", "channel": "heartbeats"}))


COINBASE = Dialect(CoinbaseClient, "/", subscription)
