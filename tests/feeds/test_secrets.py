"""A key in a node's URL turns up nowhere: no message, no log line at any level, no traceback, no capture."""

from __future__ import annotations

import asyncio
import base64
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from mempool.errors import ConfigError, MempoolError, UpstreamError
from mempool.feeds import rest
from mempool.feeds.capture import CaptureWriter
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.links import LinkOptions
from tests.conftest import WAIT_SECONDS
from tests.fakes.node import Refusal, ScriptedNode, scripted_node
from tests.feeds.listening import QUICK, Listener, listening

KEY = "CANARY+0f8fad5b/d9cb=469f-a165-70867728950e"
CANARY = "0f8fad5b"
TRACES = (CANARY, base64.b64encode(CANARY.encode()).decode().rstrip("="))
SHAPES = (
    "{scheme}://{host}/v3/{key}",
    "{scheme}://{host}/?apikey={key}",
    "{scheme}://user:{key}@{host}/",
    "{scheme}://{key}@{host}/x",
)
FAULTS: dict[str, Callable[[ScriptedNode], None]] = {
    "401": lambda node: setattr(node, "status", b"401 Unauthorized"),
    "302": lambda node: setattr(node, "status", b"302 Found\r\nLocation: http://127.0.0.1:1/elsewhere"),
    "503": lambda node: setattr(node, "status", b"503 Service Unavailable"),
    "no http": lambda node: setattr(node, "status", b"banana"),
    "wrong chain": lambda node: node.replies.update(eth_chainId=lambda _: "0x2"),
    "error that repeats the key": lambda node: node.replies.update(eth_chainId=repeat_the_key),
    "too long": lambda node: setattr(node, "on_connect", lambda: node.raw(bytes([0x81, 127]) + (2**40).to_bytes(8))),
    "bad frame": lambda node: setattr(node, "on_connect", lambda: node.raw(b"\xff" * 10)),
    "cut": lambda node: setattr(node, "on_connect", node.cut),
}


def repeat_the_key(_: object) -> None:
    raise Refusal(-32000, f"no such project: {KEY}")


def url(shape: str, port: int, scheme: str = "ws") -> str:
    return shape.format(scheme=scheme, host=f"127.0.0.1:{port}", key=quote(KEY, safe=""))


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


async def failing(listener: Listener) -> str:
    """All that a caller could print of what ends the feed."""
    asyncio.get_running_loop().set_debug(True)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await listener.feed.run()
    except MempoolError as error:
        chain = [error, error.__context__, error.__cause__]
        return "".join([*traceback.format_exception(error), *(f"{each!r} {each}" for each in chain)])
    raise AssertionError("the feed did not fail")


def assert_clean(*texts: str) -> None:
    for text in texts:
        assert not [trace for trace in TRACES if trace in text], text


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fault", FAULTS)
async def test_failing_websocket_does_not_tell_the_key(
    shape: str, fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    capture = CaptureWriter(str(tmp_path / "a"), chain_id=1, started_ns=0)
    async with scripted_node() as node:
        FAULTS[fault](node)
        listener = Listener(url(shape, node.port), msgspec.structs.replace(QUICK, capture=capture))
        told = await failing(listener)
    capture.close()
    out, err = capfd.readouterr()
    assert_clean(told, caplog.text, out, err, repr(listener.events), (tmp_path / "a").read_text(), repr(vars(listener.feed)))
    assert "127.0.0.1" in told or fault == "wrong chain"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scheme", ["ws", "wss", "http", "https"])
async def test_refused_connection_does_not_tell_the_key(shape: str, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    assert_clean(await failing(Listener(url(shape, 1, scheme))), caplog.text)


@pytest.mark.parametrize("scheme", ["http", "wss", "https"])
async def test_server_of_another_kind_does_not_make_us_tell_the_key(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    async with scripted_node() as node:
        node.status = b"403 Forbidden"
        options = msgspec.structs.replace(QUICK, link=LinkOptions(open_seconds=0.3))
        assert_clean(await failing(Listener(url(SHAPES[0], node.port, scheme), options)), caplog.text)


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_single_shot_does_not_tell_the_key(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    async with scripted_node() as node:
        node.status = b"500 Internal Server Error"
        with pytest.raises(UpstreamError) as caught:
            await rest.call(Endpoint.parse(url(SHAPES[0], node.port, scheme)), "eth_chainId", [])
    assert_clean("".join(traceback.format_exception(caught.value)), caplog.text)


async def test_listening_with_a_key_logs_and_captures_none_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    capture = CaptureWriter(str(tmp_path / "a"), chain_id=1, started_ns=0)
    asyncio.get_running_loop().set_debug(True)
    async with scripted_node() as node:
        node.replies["eth_getLogs"] = repeat_the_key
        async with listening(url(SHAPES[0], node.port), msgspec.structs.replace(QUICK, capture=capture)) as listener:
            with pytest.raises(UpstreamError) as caught:
                await listener.feed.request("eth_getLogs", [])
            node.say(b"{" + KEY.encode())
            await listener.until(lambda: bool(listener.feed.session.dropped))
            node.cut()
            await listener.until(lambda: listener.feed.connections == 2)
        assert quote(KEY, safe="").encode() in node.handshakes[0]
    capture.close()
    assert_clean(caplog.text, (tmp_path / "a").read_text(), repr(listener.events), str(caught.value))


@pytest.mark.parametrize("text", [f"ftp://h/{KEY}", f"ws://h:port/{KEY}", f"ws:///{KEY}", f"http://[{KEY}"])
def test_wrong_url_does_not_tell_the_key(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint.parse(text)
    assert_clean("".join(traceback.format_exception(caught.value)), repr(caught.value.__context__))
