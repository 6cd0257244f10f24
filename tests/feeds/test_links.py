"""Connections: what ends each kind, in words, and that both event loops carry them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest
import uvloop
from aiohttp import web

from mempool.errors import UpstreamError
from mempool.feeds.events import Disconnected
from mempool.feeds.links import LinkOptions, describe
from tests.conftest import WAIT_SECONDS
from tests.fakes.messages import transaction
from tests.fakes.node import scripted_node
from tests.feeds.listening import QUICK, Listener, listening


@asynccontextmanager
async def http_server(respond: Callable[[web.Request], web.StreamResponse]) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return respond(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (lambda _: web.Response(status=429), "HTTP 429: too many requests"),
        (lambda _: web.Response(status=307, headers={"Location": "http://169.254.169.254/"}), "HTTP 307"),
        (lambda _: web.Response(text="<html>welcome</html>"), "something else than JSON-RPC"),
        (lambda _: web.Response(body=b"x" * 100_000), "too long"),
    ],
)
async def test_http_server_that_does_not_do_its_part_ends_the_link(
    respond: Callable[[web.Request], web.StreamResponse], reason: str
) -> None:
    options = msgspec.structs.replace(QUICK, link=LinkOptions(max_message_bytes=50_000))
    async with http_server(respond) as url:
        with pytest.raises(UpstreamError, match=f"^{url}: .*({reason})"):
            await Listener(url, options).feed.run()


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with scripted_node() as node, listening(node.url) as listener:
        await listener.feed.request("eth_blockNumber", [])
    async with http_server(lambda _: web.Response(status=418)) as url:
        with pytest.raises(UpstreamError, match="HTTP 418"):
            await Listener(url).feed.run()


async def test_line_that_drops_everything_is_noticed_by_its_pings() -> None:
    link = LinkOptions(ping_seconds=0.2, pong_seconds=0.5)
    options = msgspec.structs.replace(QUICK, idle_seconds=10 * WAIT_SECONDS, link=link)
    async with scripted_node() as node, listening(node.url, options) as listener:
        node.deaf = True
        await listener.until(lambda: bool(listener.told(Disconnected)))


async def test_endless_text_over_a_socket_ends_the_link(socket_folder: Path) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"a":"' + b"x" * 60_000)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, socket_folder / "x.ipc")
    options = msgspec.structs.replace(QUICK, link=LinkOptions(max_message_bytes=50_000))
    async with server:
        with pytest.raises(UpstreamError, match="longer than 50000 bytes"):
            await Listener(str(socket_folder / "x.ipc"), options).feed.run()


def test_uvloop_carries_a_feed_through_a_cut() -> None:
    async def scenario() -> list[int]:
        async with scripted_node() as node, listening(node.url) as listener:
            node.notify("newPendingTransactions", transaction(1))
            await listener.until(lambda: listener.nonces() == [1])
            node.cut()
            await listener.until(lambda: listener.feed.connections == 2)
            node.notify("newPendingTransactions", transaction(2))
            await listener.until(lambda: listener.nonces() == [1, 2])
            return listener.nonces()

    assert uvloop.run(scenario()) == [1, 2]


async def test_connection_for_which_no_second_handle_may_be_opened_is_used_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("mempool.feeds.links.os.dup", refuse)
    async with scripted_node() as node, listening(node.url) as listener:
        node.notify("newPendingTransactions", transaction(1))
        await listener.until(lambda: listener.nonces() == [1])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "connection refused: does a node listen there?"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS: "),
        (aiohttp.InvalidURL("http://KEY"), "the URL cannot be read"),
        (OSError(113, "No route to host"), "cannot be reached"),
        (ConnectionResetError(), "the node closed the connection"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open: raise `ulimit -n`"),
    ],
)
def test_failure_is_told_in_words_without_the_librarys(error: Exception, words: str) -> None:
    assert describe(error).startswith(words)
    assert "KEY" not in describe(error)
