"""A node's address: what it is, and that nothing prints its secret parts."""

from __future__ import annotations

import pickle

import pytest

from mempool.errors import ConfigError
from mempool.feeds.endpoint import Endpoint, Kind

KEY = "CANARY-0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ws://localhost:8545", Kind.WEBSOCKET),
        ("wss://node.example/v2/abc", Kind.WEBSOCKET),
        (" http://localhost:8545 ", Kind.HTTP),
        ("https://node.example", Kind.HTTP),
        ("/var/run/geth.ipc", Kind.IPC),
        ("geth.ipc", Kind.IPC),
        ("~/.ethereum/geth.ipc", Kind.IPC),
    ],
)
def test_kind_is_told_by_the_spelling(text: str, kind: Kind) -> None:
    assert Endpoint.parse(text).kind is kind


@pytest.mark.parametrize(
    "url",
    [
        f"wss://node.example/v3/{KEY}",
        f"wss://node.example/?apikey={KEY}",
        f"wss://user:{KEY}@node.example",
        f"wss://{KEY}@node.example/ws",
        f"https://node.example/#{KEY}",
    ],
)
def test_secret_parts_are_shown_nowhere(url: str) -> None:
    endpoint = Endpoint.parse(url)
    for shown in (repr(endpoint), str(endpoint), f"{endpoint}", f"{endpoint:>40}", f"{[endpoint]}"):
        assert shown.strip(" []").removesuffix("/***") == url.split("://")[0] + "://node.example"
    assert endpoint.reveal() == url
    assert endpoint.scrub(f"refused {url}: {KEY}").count(KEY) == 0
    assert endpoint.scrub_frame(b'{"message":"bad key %s"}' % KEY.encode()) == b'{"message":"bad key ***"}'
    with pytest.raises(TypeError):
        pickle.dumps(endpoint)


def test_address_without_a_secret_is_shown_whole() -> None:
    assert str(Endpoint.parse("ws://127.0.0.1:8545")) == "ws://127.0.0.1:8545"


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:8545", "ftp://x/y", "ws://", f"ws://host:99x/{KEY}", f"ws://[::1/{KEY}"]
)
def test_wrong_address_is_one_clear_error_without_the_address(text: str) -> None:
    with pytest.raises(ConfigError, match=r"the node's|a node's") as caught:
        Endpoint.parse(text)
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ws://127.0.0.1:1", False),
        ("http://localhost", False),
        ("ws://[::1]:1", False),
        ("wss://node.example", False),
        ("/a/geth.ipc", False),
        ("ws://node.example", True),
        ("http://10.0.0.1:8545", True),
    ],
)
def test_plain_connection_to_another_machine_is_known_as_such(text: str, plain: bool) -> None:
    assert Endpoint.parse(text).is_plain_and_remote is plain
