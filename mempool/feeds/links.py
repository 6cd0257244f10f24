"""Connections to a node or a venue, each a way to send and to receive whole messages: websocket, IPC socket, http."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiohttp
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from mempool import __version__
from mempool.errors import UpstreamError
from mempool.feeds.endpoint import Endpoint, Kind
from mempool.feeds.splitter import Splitter
from mempool.model.display import excerpt

# The library's own DEBUG lines print the path of the URL, and so the key in it.
_LOGGER = logging.getLogger("mempool.feeds.websocket")
_LOGGER.setLevel(logging.WARNING)


class LinkOptions(Struct, frozen=True):
    """Limits of one connection, in seconds and bytes.

    A message of 32 MiB holds 25,000 pooled transactions (6,000 of them are 7 MB, and a node keeps 6,144 unless told
    otherwise) and any block's receipts; an announced frame that is larger ends the connection before it is read.
    """

    open_seconds: float = 10
    ping_seconds: float = 10
    pong_seconds: float = 10
    max_message_bytes: int = 32 * 1_024 * 1_024
    peer: str = "node"
    """What the other side is called in a reason."""


class LinkLost(UpstreamError):
    """The connection is over, or did not come about; the message is the reason alone.

    `status` is that of the answer to a handshake that was refused (else 0), `retry_after` what it said of the next one.
    """

    def __init__(self, reason: str, status: int = 0, retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.retry_after = status, retry_after


class Link(Protocol):
    """A connection that stands."""

    async def receive(self) -> bytes:
        """The next whole message. Raises `LinkLost`."""

    def send(self, frame: bytes) -> None:
        """Send a message soon; what cannot be sent shows in `receive`."""

    def abort(self, reason: str) -> None:
        """End it at once; `receive` raises `LinkLost` with this reason."""

    @property
    def fault(self) -> str:
        """Why the connection is done for although `receive` still waits, or nothing."""

    async def close(self) -> None:
        """End it and wait for that."""


Opener = Callable[[Endpoint, LinkOptions], Awaitable[Link]]


async def open_link(endpoint: Endpoint, options: LinkOptions) -> Link:
    """Connect. Raises `LinkLost` with the reason, which holds nothing of the URL."""
    try:
        async with asyncio.timeout(options.open_seconds):
            return await _OPENERS[endpoint.kind](endpoint, options)
    except InvalidStatus as error:
        response = error.response
        lost = LinkLost(describe(error, options.peer), response.status_code, response.headers.get("Retry-After"))
    except (OSError, TimeoutError, WebSocketException, ValueError) as error:
        lost = LinkLost(describe(error, options.peer))
    # Outside the handler: what the library raised repeats the URL, and must not travel along as context.
    raise lost


class _Connect(connect):
    """Does not follow redirects."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class WebSocketLink:
    """No compression (a deflated kilobyte may be a megabyte), no proxy, no redirect."""

    def __init__(self, connection: ClientConnection, peer: str = "node") -> None:
        self._connection, self._peer = connection, peer
        self._reason = ""
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send_all())
        self._quick_ack = _own_socket(connection) if sys.platform == "linux" else None

    @classmethod
    async def open(cls, endpoint: Endpoint, options: LinkOptions) -> WebSocketLink:
        return cls(
            await _Connect(
                endpoint.reveal(),
                compression=None,
                max_size=options.max_message_bytes,
                max_queue=1_024,
                open_timeout=None,
                ping_interval=options.ping_seconds,
                ping_timeout=options.pong_seconds,
                close_timeout=1,
                proxy=None,
                user_agent_header=f"mempool/{__version__}",
                logger=_LOGGER,
            ),
            options.peer,
        )

    async def receive(self) -> bytes:
        try:
            frame = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            broken = self._connection.protocol.parser_exc
            reason = _closed(error, self._peer) if broken is None or isinstance(broken, EOFError) else excerpt(str(broken))
        else:
            if self._quick_ack is not None:
                # Linux falls back to delayed acknowledgements by itself; a sender with Nagle's algorithm then waits 40 ms.
                self._quick_ack.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            return frame
        raise LinkLost(self._reason or reason)

    def send(self, frame: bytes) -> None:
        self._outgoing.put_nowait(frame)

    def abort(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._connection.transport.abort()

    @property
    def fault(self) -> str:
        # After a protocol error the library waits for the peer to hang up, which a hostile one does not do.
        error = self._connection.protocol.parser_exc
        if error is not None:
            return excerpt(str(error))
        if self._connection.state is State.OPEN:
            return ""
        close = self._connection.protocol.close_sent
        return excerpt(close.reason) if close is not None and close.reason else "the connection is closing"

    async def close(self) -> None:
        self._sender.cancel()
        if self._quick_ack is not None:
            self._quick_ack.close()
        try:
            await asyncio.gather(self._sender, return_exceptions=True)
            await self._connection.close()
        finally:  # also when this itself is cancelled
            self._connection.transport.abort()

    async def _send_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reader hears of it too
            while True:
                await self._connection.send(await self._outgoing.get(), text=True)


class IpcLink:
    """A Unix socket with JSON texts one after the other, with or without a newline between them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_message_bytes: int) -> None:
        self._reader, self._writer = reader, writer
        self._splitter = Splitter(max_message_bytes)
        self._ready: deque[bytes] = deque()
        self.fault = ""

    @classmethod
    async def open(cls, endpoint: Endpoint, options: LinkOptions) -> IpcLink:
        reader, writer = await asyncio.open_unix_connection(endpoint.reveal())
        return cls(reader, writer, options.max_message_bytes)

    async def receive(self) -> bytes:
        while not self._ready:
            try:
                chunk = await self._reader.read(262_144)
            except OSError as error:
                raise LinkLost(self.fault or describe(error)) from None
            if not chunk:
                raise LinkLost(self.fault or "the node closed the connection")
            self._ready.extend(self._splitter.feed(chunk))
        return self._ready.popleft()

    def send(self, frame: bytes) -> None:
        self._writer.write(frame + b"\n")

    def abort(self, reason: str) -> None:
        self.fault = self.fault or reason
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class HttpLink:
    """Each message is a POST and its response a message; a failed one ends the link."""

    def __init__(self, endpoint: Endpoint, options: LinkOptions) -> None:
        self._endpoint, self._options = endpoint, options
        self._session = aiohttp.ClientSession(
            trust_env=False,
            connector=aiohttp.TCPConnector(limit=16),
            timeout=aiohttp.ClientTimeout(total=options.open_seconds),
            headers={"Content-Type": "application/json", "User-Agent": f"mempool/{__version__}"},
        )
        self._answers: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._posts: set[asyncio.Task[None]] = set()
        self.fault = ""

    @classmethod
    async def open(cls, endpoint: Endpoint, options: LinkOptions) -> HttpLink:
        return cls(endpoint, options)

    async def receive(self) -> bytes:
        answer = await self._answers.get()
        if answer is None:
            raise LinkLost(self.fault)
        return answer

    def send(self, frame: bytes) -> None:
        post = asyncio.create_task(self._post(frame))
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    def abort(self, reason: str) -> None:
        self.fault = self.fault or reason
        self._answers.put_nowait(None)

    async def close(self) -> None:
        for post in self._posts:
            post.cancel()
        await asyncio.gather(*self._posts, return_exceptions=True)
        await self._session.close()

    async def _post(self, frame: bytes) -> None:
        try:
            async with self._session.post(self._endpoint.reveal(), data=frame, allow_redirects=False) as response:
                if response.status != 200:
                    self.abort(status_text(response.status))
                    return
                body = await self._body(response)
                if not body.lstrip().startswith(b"{"):
                    self.abort("the server answers something else than JSON-RPC: is the path right?")
                    return
                self._answers.put_nowait(body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self.abort(describe(error))

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > self._options.max_message_bytes:
                raise ValueError("too long")
        return bytes(body)


_OPENERS: dict[Kind, Opener] = {Kind.WEBSOCKET: WebSocketLink.open, Kind.IPC: IpcLink.open, Kind.HTTP: HttpLink.open}


def describe(error: BaseException, peer: str = "node") -> str:
    """Why a connection failed, in words that hold nothing of the URL."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return describe(error.os_error, peer)
    if isinstance(error, InvalidStatus):
        return status_text(error.response.status_code, peer)
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open: raise `ulimit -n`"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "the handshake failed"
        return f"TLS: {reason}: does the {peer} speak it there?" + (" Else give ws:// or http://" if peer == "node" else "")
    known = (reason.format(peer=peer) for kind, reason in _REASONS if isinstance(error, kind))
    return next(known, f"cannot be reached ({type(error).__name__})")


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused: does a {peer} listen there?"),
    (socket.gaierror, "the host name is not known"),
    (TimeoutError, "no answer in time"),
    (FileNotFoundError, "there is no such socket"),
    (PermissionError, "permission denied"),
    (ConnectionError, "the {peer} closed the connection"),
    (aiohttp.ServerDisconnectedError, "the {peer} closed the connection"),
    (WebSocketException, "the server does not speak websocket there"),
    (aiohttp.InvalidURL, "the URL cannot be read"),
    (ValueError, "the answer is too long, or not http"),
)


_HINTS = {
    "node": {401: ": is the key right?", 403: ": is the key right?", 404: ": is the path right?", 429: ": too many requests"},
    "venue": {
        403: ": it refuses this address",
        418: ": this address is banned for a while",
        429: ": too many requests",
        451: ": it does not serve this country",
    },
}


def status_text(status: int, peer: str = "node") -> str:
    """What a status other than the expected one says."""
    return f"the server answers HTTP {status}{_HINTS[peer].get(status, '')}"


def _closed(error: ConnectionClosed, peer: str) -> str:
    close = error.rcvd
    if close is None:
        return "the connection broke off"
    return f"the {peer} closed the connection ({close.code} {excerpt(close.reason, 80)})".replace(" )", ")")


def _own_socket(connection: ClientConnection) -> socket.socket | None:
    """A second handle on the connection's socket: uvloop's own does not let options be set. None where no file may be opened."""
    shown = connection.transport.get_extra_info("socket")
    try:
        return None if shown is None else socket.socket(fileno=os.dup(shown.fileno()))
    except OSError:  # raised, it would leave the connection to nobody: open, and never closed
        return None
