"""A scripted JSON-RPC node on loopback, for faults that no real node shows on demand: it speaks websocket by hand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from mempool.feeds.session import ALLOWED_METHODS
from tests.fakes.messages import answer, failure, head, notification

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT = 0x81

Reply = Callable[[list[Any]], Any]


class Refusal(Exception):
    """What a reply raises to be answered as a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Silence(Exception):
    """What a reply raises to leave the request unanswered."""


def refuse(_: list[Any]) -> None:
    raise Refusal(-32601, "the method does not exist")


def do_nothing() -> None:
    pass


class ScriptedNode:
    """`replies` says what a method is answered with; `say`, `raw` and `cut` act on the newest connection."""

    def __init__(self) -> None:
        self.port = 0
        self.path = "/"
        self.methods: list[str] = []
        self.handshakes: list[bytes] = []
        self.connections = 0
        self.status = b""
        """A status line to answer the handshake with instead."""
        self.deaf = False
        """Neither reads nor answers any more, with the line still up."""
        self.on_connect: Callable[[], None] = do_nothing
        self.replies: dict[str, Reply] = {
            "eth_chainId": lambda _: "0x1",
            "eth_subscribe": self._subscribe,
            "eth_getBlockByNumber": lambda _: head(16),
            "eth_blockNumber": lambda _: "0x10",
            "txpool_content": lambda _: {"pending": {}, "queued": {}},
        }
        self._writer: asyncio.StreamWriter | None = None
        self._subscribed = asyncio.Condition()
        self.subscriptions: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.path}"

    def say(self, message: bytes) -> None:
        """Send one whole text message."""
        size = len(message)
        if size < 126:
            self.raw(bytes([TEXT, size]) + message)
        elif size < 65_536:
            self.raw(bytes([TEXT, 126]) + size.to_bytes(2) + message)
        else:
            self.raw(bytes([TEXT, 127]) + size.to_bytes(8) + message)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._writer is not None
        self._writer.write(data)

    def notify(self, kind: str, result: Any) -> None:
        """Send a notification of the subscription to `kind`."""
        self.say(notification(self.subscriptions[kind], result))

    def cut(self) -> None:
        """End the newest connection as a broken line would."""
        assert self._writer is not None
        self._writer.transport.abort()

    def _subscribe(self, params: list[Any]) -> str:
        self.subscriptions[params[0]] = f"0x{self.connections}{len(self.subscriptions)}"
        return self.subscriptions[params[0]]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.handshakes.append(request)
        if self.status:
            writer.write(b"HTTP/1.1 " + self.status + b"\r\nContent-Length: 0\r\n\r\n")
            return
        key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        self.connections += 1
        self.subscriptions.clear()
        self._writer = writer
        self.on_connect()
        while True:
            opcode, payload = await read_frame(reader)
            if self.deaf:
                continue
            if opcode == 8:
                return
            if opcode == 9:
                writer.write(bytes([0x8A, len(payload)]) + payload)
            elif opcode == 1:
                self._answer(orjson.loads(payload))

    def _answer(self, request: dict[str, Any]) -> None:
        self.methods.append(request["method"])
        reply: Reply = self.replies.get(request["method"], refuse)
        try:
            message = answer(request["id"], reply(request["params"]))
        except Refusal as refusal:
            message = failure(request["id"], refusal.code, refusal.message)
        except Silence:
            return
        self.say(message)


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and unmasked payload of a client's frame."""
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size >= 126:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@asynccontextmanager
async def scripted_node() -> AsyncIterator[ScriptedNode]:
    """A running node; at its end no method has arrived that is not on the list of read-only ones."""
    node = ScriptedNode()
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0)
    node.port = server.sockets[0].getsockname()[1]
    try:
        yield node
    finally:
        server.close()
        if node._writer is not None:
            node._writer.close()
        await server.wait_closed()
    assert set(node.methods) <= ALLOWED_METHODS
