"""Drives one library's handler of a venue's recorded frames, in a process and an environment of its own: JSON lines in and out.

`books_worker.py LIBRARY`. The first line is the recording, `{"venue", "symbol", "base", "quote", "depth", "snapshot", "frames":
[[recv_ns, is_timed, text], ...]}`; the answer says the library's version, and what is to be known of the comparison. Each further
line asks for drives of a new handler through all of it: `"times"` for the processor seconds that one takes, and of another the
clock's nanoseconds from each timed frame until its book's best bid and offer were read, `"quotes"` for what those were. Only the
library is imported, and late: so the file runs in any environment.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

STREAM_URL = "ws://127.0.0.1/stream"
SNAPSHOT_LEVELS = 1_000
V1_NOTE = "its reader of Kraken knows protocol v1 only: the frames were translated to that beforehand"
V1_LEVEL = re.compile(r'\{"price":([^,}]+),"qty":([^,}]+)\}')

Recording = Mapping[str, Any]


class Frame(NamedTuple):
    """`content` is what the library hands its handler: bytes, or text that was decoded before."""

    recv_ns: int
    is_timed: bool
    content: Any


class Side(ABC):
    """One library's handler of one recording. `frames` are those after the one that makes it fetch its snapshot."""

    package: str
    note = ""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        frames = [Frame(*each) for each in recording["frames"]]
        fetches = bool(recording["snapshot"])
        self.first = frames[0] if fetches else None
        self.frames: Sequence[Frame] = frames[fetches:]

    @abstractmethod
    async def start(self) -> None:
        """A new handler, with its snapshot where one is fetched."""

    @abstractmethod
    def handle(self, frame: Frame) -> Awaitable[object] | None: ...

    @abstractmethod
    def read(self) -> Any:
        """The best bid and offer, as the library gives them."""

    @abstractmethod
    def prices(self, best: Any) -> tuple[float, float]: ...


class Mempool(Side):
    """`ExchangeSession`, which gives a quote only of a book that was proven at its last message."""

    package = "mempool"

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self.frames = [frame._replace(content=frame.content.encode()) for frame in self.frames]
        self._exchange = importlib.import_module("mempool.exchanges").EXCHANGES[recording["venue"]]
        self._new_session = importlib.import_module("mempool.exchanges.session").ExchangeSession

    async def start(self) -> None:
        self._session = session = self._new_session(self._exchange)
        self._symbol = symbol = self.recording["symbol"]
        session.connect(self.frames[0].recv_ns)
        if self.first is not None:
            session.receive(self.first.content.encode(), self.first.recv_ns)
            session.snapshot(symbol, self.recording["snapshot"].encode(), self.first.recv_ns)

    def handle(self, frame: Frame) -> None:
        self._session.receive(frame.content, frame.recv_ns)

    def read(self) -> Any:
        return self._session.quote(self._symbol)

    def prices(self, best: Any) -> tuple[float, float]:
        return float(best.bid), float(best.ask)


class Cryptofeed(Side):
    """The feed's `message_handler`, called as its connection does, with a callback that keeps the book."""

    package = "cryptofeed"
    checks = False

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        feeds, symbol = importlib.import_module("cryptofeed.exchanges"), recording["symbol"]
        self._class = {"kraken": feeds.Kraken, "binance": feeds.Binance}[recording["venue"]]
        self._pair = f"{recording['base']}-{recording['quote']}"
        if recording["venue"] == "kraken" and not any("/v2" in str(each) for each in self._class.websocket_endpoints):
            self.note, symbol = V1_NOTE, symbol.replace("BTC", "XBT")
            self.frames = list(in_v1(self.frames, symbol, recording["depth"]))
        known = importlib.import_module("cryptofeed.symbols").Symbols
        known.set(self._class.id, {self._pair: symbol}, {"instrument_type": {self._pair: "spot"}})

    async def start(self) -> None:
        channel = importlib.import_module("cryptofeed.defines").L2_BOOK
        feed = self._class(
            symbols=[self._pair],
            channels=[channel],
            callbacks={channel: self._keep},
            max_depth=self.recording["depth"],
            checksum_validation=self.checks,
        )
        self._connection = feed.http_conn = Connection(self.recording["snapshot"])
        self._handler = feed.message_handler
        if self.first is not None:
            await self.handle(self.first)

    async def _keep(self, book: Any, receipt: float) -> None:
        self._book = book.book

    def handle(self, frame: Frame) -> Awaitable[object]:
        handling: Awaitable[object] = self._handler(frame.content, self._connection, 0.0)
        return handling

    def read(self) -> Any:
        return self._book.bids.index(0), self._book.asks.index(0)

    def prices(self, best: Any) -> tuple[float, float]:
        return float(best[0][0]), float(best[1][0])


class CryptofeedChecked(Cryptofeed):
    """The same with `checksum_validation`."""

    checks = True


class Connection:
    """Stands in for the connections, REST's too."""

    uuid = "bench"

    def __init__(self, body: str) -> None:
        self._body = body

    async def read(self, *_: object, **__: object) -> str:
        return self._body


class CcxtPro(Side):
    """ccxt's websocket client from a message's text on, and the book's `limit()` as `watch_order_book` returns it."""

    package = "ccxt"

    async def start(self) -> None:
        ccxt, recording = importlib.import_module("ccxt.pro"), self.recording
        client = importlib.import_module("ccxt.async_support.base.ws.client").Client
        self._unified = unified = f"{recording['base']}/{recording['quote']}"
        exchange = getattr(ccxt, recording["venue"])()
        market = {"id": recording["symbol"], "symbol": unified, "base": recording["base"], "quote": recording["quote"]}
        kind = {"type": "spot", "spot": True, "contract": False, "precision": {"amount": 1e-8, "price": 1e-8}}
        exchange.set_markets([exchange.safe_market_structure({**market, **kind})])
        exchange.fetch_rest_order_book_safe = self._fetched(exchange)
        exchange.orderbooks[unified] = exchange.order_book({}, SNAPSHOT_LEVELS)
        listener = client(STREAM_URL, exchange.handle_message, None, None, None)
        self._books, self._heard = exchange.orderbooks, listener.handle_text_or_binary_message
        if self.first is not None:
            self._heard(self.first.content)
            await exchange.fetch_order_book_snapshot(listener, {}, {"symbol": unified, "type": "spot"})

    def _fetched(self, exchange: Any) -> Callable[..., Awaitable[object]]:
        body = json.loads(self.recording["snapshot"])

        async def fetch(symbol: str, limit: int | None = None, params: object = None) -> object:
            return {**exchange.parse_order_book(body, symbol), "nonce": body["lastUpdateId"]}

        return fetch

    def handle(self, frame: Frame) -> None:
        self._heard(frame.content)

    def read(self) -> Any:
        book = self._books[self._unified].limit()
        return book["bids"][0], book["asks"][0]

    def prices(self, best: Any) -> tuple[float, float]:
        return best[0][0], best[1][0]


LIBRARIES: dict[str, type[Side]] = {
    "mempool": Mempool,
    "cryptofeed": Cryptofeed,
    "cryptofeed checked": CryptofeedChecked,
    "ccxt.pro": CcxtPro,
}


def in_v1(frames: Sequence[Frame], symbol: str, depth: int) -> Iterator[Frame]:
    """Book frames as protocol v1 writes them, with the same numbers: all of a message in one object, so that each is checked."""
    for frame in frames:
        if not frame.content.startswith('{"channel":"book",'):
            continue
        bids, asks = (_v1_levels(frame.content, side) for side in ("bids", "asks"))
        if '"type":"snapshot"' in frame.content:
            body: dict[str, object] = {"as": asks, "bs": bids}
        else:
            checksum = frame.content.partition('"checksum":')[2].partition(",")[0]
            body = {**({"a": asks} if asks else {}), **({"b": bids} if bids else {}), "c": checksum}
        text = json.dumps([0, body, f"book-{depth}", symbol], separators=(",", ":"))
        yield frame._replace(content=text)


def _v1_levels(frame: str, side: str) -> list[list[str]]:
    levels = frame.partition(f'"{side}":[')[2].partition("]")[0]
    return [[price, size, "1700000000.000000"] for price, size in V1_LEVEL.findall(levels)]


async def times(side: Side) -> tuple[float, list[int]]:
    """Processor seconds of a whole drive, and of one more the clock's nanoseconds of each timed frame.

    Apart, since reading the clock twice takes a twentieth of what the fastest handler does.
    """
    return await seconds(side), await spans(side)


async def seconds(side: Side) -> float:
    await side.start()
    gc.collect()
    began = time.process_time()
    for frame in side.frames:
        handling = side.handle(frame)
        if handling is not None:
            await handling
        if frame.is_timed:
            side.read()
    return time.process_time() - began


async def spans(side: Side) -> list[int]:
    await side.start()
    gc.collect()
    now, spent = time.perf_counter_ns, []
    for frame in side.frames:
        started = now()
        handling = side.handle(frame)
        if handling is not None:
            await handling
        if frame.is_timed:
            side.read()
            spent.append(now() - started)
    return spent


async def quotes(side: Side) -> list[tuple[float, float]]:
    """Best bid and offer after each timed frame."""
    await side.start()
    found = []
    for frame in side.frames:
        handling = side.handle(frame)
        if handling is not None:
            await handling
        if frame.is_timed:
            found.append(side.prices(side.read()))
    return found


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "here"


def main(library: str) -> None:
    logging.disable(logging.CRITICAL)
    side = LIBRARIES[library](json.loads(sys.stdin.readline()))
    print(json.dumps({"version": version_of(side.package), "note": side.note}), flush=True)
    for line in sys.stdin:
        work: Callable[[Side], Any] = {"times": times, "quotes": quotes}[json.loads(line)]
        print(json.dumps(asyncio.run(work(side))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
