"""A venue on loopback, played by the test: a websocket server that says what it is told, and a server of REST answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

import orjson
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Answer = Callable[[web.Request], web.StreamResponse]


def bybit_snapshot(number: int = 100, bid: str = "3000.10", ask: str = "3000.20", symbol: str = "ETHUSDT") -> bytes:
    return bybit_book("snapshot", number, [[bid, "1.5"]], [[ask, "2.5"]], symbol)


def bybit_delta(number: int, bid: str, size: str = "4", symbol: str = "ETHUSDT") -> bytes:
    return bybit_book("delta", number, [[bid, size]], [], symbol)


def bybit_book(kind: str, number: int, bids: list[list[str]], asks: list[list[str]], symbol: str) -> bytes:
    data = {"s": symbol, "b": bids, "a": asks, "u": number, "seq": number}
    return orjson.dumps({"topic": f"orderbook.200.{symbol}", "ts": 1, "type": kind, "data": data, "cts": 1})


def binance_diff(first: int, last: int, bid: str, symbol: str = "ETHUSDT") -> bytes:
    data = {"e": "depthUpdate", "E": 1, "s": symbol, "U": first, "u": last, "b": [[bid, "1"]], "a": []}
    return orjson.dumps({"stream": f"{symbol.lower()}@depth@100ms", "data": data})


def binance_snapshot(last: int, bid: str = "3000.10", ask: str = "3000.20") -> bytes:
    return orjson.dumps({"lastUpdateId": last, "bids": [[bid, "1"]], "asks": [[ask, "1"]]})


class FakeVenue:
    """`say`, `raw` and `cut` act on the newest connection; `greeting` is sent on every new one, after the first frame of the
    client where `waits_for_client`."""

    def __init__(self) -> None:
        self.port = 0
        self.greeting: list[bytes] = []
        self.waits_for_client = True
        self.connections: list[ServerConnection] = []
        self.opened_at: list[float] = []
        self.attempts: list[float] = []
        self.received: list[tuple[float, bytes]] = []
        self.refusal: tuple[int, dict[str, str]] | None = None
        """Status and headers to answer handshakes with instead."""
        self.answer: Answer = lambda request: web.Response(status=404)
        self.requests: list[web.Request] = []
        self.rest_port = 0
        self.delay = 0.0
        """Seconds before each REST answer."""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def open(self) -> list[ServerConnection]:
        return [each for each in self.connections if each.close_code is None and not each.transport.is_closing()]

    async def say(self, *frames: bytes) -> None:
        for frame in frames:
            await self.connections[-1].send(frame, text=True)

    def raw(self, data: bytes) -> None:
        self.connections[-1].transport.write(data)

    def cut(self) -> None:
        """As a broken line would, every connection."""
        for connection in self.open:
            connection.transport.abort()

    async def serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self.opened_at.append(time.monotonic())
        try:
            if not self.waits_for_client:
                await self.say(*self.greeting)
            async for frame in connection:
                data = frame if isinstance(frame, bytes) else frame.encode()
                self.received.append((time.monotonic(), data))
                if self.waits_for_client and b'"subscribe"' in data:
                    for each in self.greeting:
                        await connection.send(each, text=True)
        except ConnectionClosed:
            pass

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.attempts.append(time.monotonic())
        if self.refusal is None:
            return None
        status, headers = self.refusal
        return Response(status, HTTPStatus(status).phrase, Headers(headers), b"")

    async def rest(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        await asyncio.sleep(self.delay)
        return self.answer(request)


@asynccontextmanager
async def fake_venue() -> AsyncIterator[FakeVenue]:
    """Both servers, on ports of their own; at the end nothing has been asked by REST but with GET."""
    venue = FakeVenue()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.rest)
    runner = web.AppRunner(app)
    async with AsyncExitStack() as stack:
        options = {"ping_interval": None, "close_timeout": 0.1, "compression": "deflate"}
        server = await stack.enter_async_context(
            serve(venue.serve, "127.0.0.1", 0, process_request=venue.check, **options)  # type: ignore[arg-type]
        )
        venue.port = next(iter(server.sockets)).getsockname()[1]
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        venue.rest_port = runner.addresses[0][1]
        yield venue
        venue.cut()
    assert {request.method for request in venue.requests} <= {"GET"}
