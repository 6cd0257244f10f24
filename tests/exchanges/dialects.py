"""The five dialects as servers speak them: frames of made-up books, for tests that break them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from zlib import crc32

Levels = dict[Decimal, Decimal]
Changes = Sequence[tuple[str, str]]
KRAKEN_DEPTH = 10


class VenueBook:
    """One symbol's book as the venue has it."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.number = 100

    def change(self, bids: Changes, asks: Changes) -> None:
        for levels, changes in ((self.bids, bids), (self.asks, asks)):
            for price, size in changes:
                levels[Decimal(price)] = Decimal(size)
                if not Decimal(size):
                    del levels[Decimal(price)]

    def best(self) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
        """Bid, its size, ask, its size."""
        if not self.bids or not self.asks:
            return None
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def sorted(self, depth: int = 0) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        bids = sorted(self.bids.items(), reverse=True)
        asks = sorted(self.asks.items())
        if depth:
            bids, asks = bids[:depth], asks[:depth]
        return [(f"{p:f}", f"{s:f}") for p, s in bids], [(f"{p:f}", f"{s:f}") for p, s in asks]


class Dialect:
    """One connection to one venue: what its server sends."""

    name: str
    symbols: tuple[str, ...]

    def __init__(self) -> None:
        self.books = {symbol: VenueBook(symbol) for symbol in self.symbols}

    def snapshot(self, symbol: str) -> bytes:
        raise NotImplementedError

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        """The frame of a change, which is made to the venue's own book too."""
        raise NotImplementedError

    def asked(self, frame: bytes) -> list[bytes]:
        """What the server answers to a frame of ours."""
        wanted = json.loads(frame)
        text = json.dumps(wanted)
        if "unsubscribe" in text or "ubscribe" not in text:
            return []
        return [self.snapshot(symbol) for symbol in self.symbols if re.search(rf'[".]{symbol}"', text)]


class Binance(Dialect):
    name = "binance"
    symbols = ("ETHUSDT", "BTCUSDT")

    def snapshot(self, symbol: str) -> bytes:
        book = self.books[symbol]
        bids, asks = book.sorted()
        return json.dumps({"lastUpdateId": book.number, "bids": bids, "asks": asks}).encode()

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        book = self.books[symbol]
        book.change(bids, asks)
        first, book.number = book.number + 1, book.number + 3
        data = {"e": "depthUpdate", "E": 1, "s": symbol, "U": first, "u": book.number, "b": bids, "a": asks}
        return json.dumps({"stream": f"{symbol.lower()}@depth@100ms", "data": data}, separators=(",", ":")).encode()

    def best_quote(self, symbol: str) -> bytes:
        book = self.books[symbol]
        best = book.best()
        assert best is not None
        bid, bid_size, ask, ask_size = (f"{number:f}" for number in best)
        data = {"u": book.number, "s": symbol, "b": bid, "B": bid_size, "a": ask, "A": ask_size}
        return json.dumps({"stream": f"{symbol.lower()}@bookTicker", "data": data}, separators=(",", ":")).encode()


class Coinbase(Dialect):
    name = "coinbase"
    symbols = ("ETH-USD", "BTC-USD")
    time = "2026-08-24T22:34:13.793075885Z"

    def __init__(self) -> None:
        super().__init__()
        self.sequence = 0

    def frame(self, channel: str, events: list[object]) -> bytes:
        body = {"channel": channel, "timestamp": self.time, "sequence_num": self.sequence, "events": events}
        self.sequence += 1
        return json.dumps(body, separators=(",", ":")).encode()

    def changes(self, bids: Changes, asks: Changes) -> list[dict[str, str]]:
        return [
            {"side": side, "event_time": self.time, "price_level": price, "new_quantity": size}
            for side, changes in (("bid", bids), ("offer", asks))
            for price, size in changes
        ]

    def snapshot(self, symbol: str) -> bytes:
        updates = self.changes(*self.books[symbol].sorted())
        return self.frame("l2_data", [{"type": "snapshot", "product_id": symbol, "updates": updates}])

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        self.books[symbol].change(bids, asks)
        return self.frame("l2_data", [{"type": "update", "product_id": symbol, "updates": self.changes(bids, asks)}])

    def heartbeat(self, counter: int) -> bytes:
        return self.frame("heartbeats", [{"current_time": self.time, "heartbeat_counter": counter}])


class Kraken(Dialect):
    name = "kraken"
    symbols = ("ETH/USD", "BTC/USD")

    def frame(self, kind: str, symbol: str, bids: Changes, asks: Changes) -> bytes:
        kept = self.books[symbol].sorted(10)
        digits = "".join(
            (price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0"))
            for side in kept[::-1]
            for price, size in side
        )
        sides = (",".join(f'{{"price":{price},"qty":{size}}}' for price, size in changes) for changes in (bids, asks))
        text = '{"channel":"book","type":"%s","data":[{"symbol":"%s","bids":[%s],"asks":[%s],"checksum":%d,"timestamp":"%s"}]}'
        return (text % (kind, symbol, *sides, crc32(digits.encode()), Coinbase.time)).encode()

    def snapshot(self, symbol: str) -> bytes:
        return self.frame("snapshot", symbol, *self.books[symbol].sorted(KRAKEN_DEPTH))

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        """Levels beyond the depth stay in the venue's book; one that comes back into it is sent with the change."""
        book = self.books[symbol]
        before = [{price for price, _ in side} for side in book.sorted(KRAKEN_DEPTH)]
        book.change(bids, asks)
        sent = []
        for side, known, changes in zip(book.sorted(KRAKEN_DEPTH), before, (bids, asks), strict=True):
            changed = {f"{Decimal(price):f}" for price, _ in changes}
            shown = {price for price, _ in side}
            gone = [(price, size) for price, size in changes if not Decimal(size) and price in known]
            sent.append(gone + [level for level in side if level[0] in changed or level[0] not in known])
            assert shown
        return self.frame("update", symbol, *sent)


class Okx(Dialect):
    name = "okx"
    symbols = ("ETH-USDT", "BTC-USDT")

    def frame(self, action: str, symbol: str, bids: Changes, asks: Changes) -> bytes:
        book = self.books[symbol]
        previous = -1 if action == "snapshot" else book.number
        book.number += 7
        sides = {name: [(price, size, "0", "1") for price, size in side] for name, side in (("asks", asks), ("bids", bids))}
        data = {**sides, "ts": "1787612486207", "checksum": 0, "seqId": book.number, "prevSeqId": previous}
        return json.dumps(
            {"arg": {"channel": "books", "instId": symbol}, "action": action, "data": [data]}, separators=(",", ":")
        ).encode()

    def snapshot(self, symbol: str) -> bytes:
        return self.frame("snapshot", symbol, *self.books[symbol].sorted())

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        self.books[symbol].change(bids, asks)
        return self.frame("update", symbol, bids, asks)


class Bybit(Dialect):
    name = "bybit"
    symbols = ("ETHUSDT", "BTCUSDT")

    def frame(self, kind: str, symbol: str, bids: Changes, asks: Changes) -> bytes:
        book = self.books[symbol]
        book.number += 1
        data = {"s": symbol, "b": bids, "a": asks, "u": book.number, "seq": 5 * book.number}
        body = {"topic": f"orderbook.200.{symbol}", "ts": 1787612486116, "type": kind, "data": data, "cts": 1787612486108}
        return json.dumps(body, separators=(",", ":")).encode()

    def snapshot(self, symbol: str) -> bytes:
        return self.frame("snapshot", symbol, *self.books[symbol].sorted())

    def update(self, symbol: str, bids: Changes, asks: Changes) -> bytes:
        self.books[symbol].change(bids, asks)
        return self.frame("delta", symbol, bids, asks)


DIALECTS: dict[str, Callable[[], Dialect]] = {each.name: each for each in (Binance, Coinbase, Kraken, Okx, Bybit)}
