"""A node's address, parsed once, whose secret parts nothing can print."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from mempool.errors import ConfigError
from mempool.model.display import excerpt
from mempool.model.secret import HIDDEN, mask_url, secret_parts

SHORTEST_KEY = 24
"""What is masked inside messages is longer than every word of the protocol (`maxPriorityFeePerGas` has 20 letters)."""


class Kind(StrEnum):
    """How a node is spoken to."""

    WEBSOCKET = "websocket"
    HTTP = "http"
    IPC = "ipc"


class Endpoint:
    """Shows as `wss://host/***` however it is printed; only `reveal` gives the address itself."""

    __slots__ = ("_address", "_keys", "_secrets", "_shown", "host", "kind")

    def __init__(self, kind: Kind, address: str, shown: str, *, host: str = "", secrets: tuple[str, ...] = ()) -> None:
        self.kind, self.host = kind, host
        self._address, self._shown = address, shown
        self._keys = tuple(secret.encode() for secret in secrets if len(secret) >= SHORTEST_KEY)
        # The longest first: a part of a secret must not be masked inside it.
        self._secrets = tuple(sorted(secrets, key=len, reverse=True))

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From `ws://…`, `wss://…`, `http://…`, `https://…`, or the path of an IPC socket.

        Raises `ConfigError`, which repeats nothing of a URL but its scheme.
        """
        text = text.strip()
        if "://" not in text:
            return _ipc(text)
        url = _split(text)
        kind = _KINDS.get(url.scheme)
        if kind is None:
            raise ConfigError(f"a node's URL starts with ws://, wss://, http:// or https://, not {excerpt(url.scheme, 20)}://")
        if not url.hostname:
            raise ConfigError(f"the node's {url.scheme}:// URL names no host")
        return cls(kind, text, mask_url(text), host=url.hostname, secrets=tuple(set(secret_parts(text))))

    def reveal(self) -> str:
        """The address with its secrets: for the library that connects, nobody else."""
        return self._address

    def scrub(self, text: str) -> str:
        """`text` without any of the address's secret parts."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def scrub_frame(self, frame: bytes) -> bytes:
        """A message without any of the address's keys: a node may repeat them in an error. Almost always the same object."""
        for key in self._keys:
            if key in frame:
                frame = frame.replace(key, HIDDEN.encode())
        return frame

    @property
    def is_plain_and_remote(self) -> bool:
        """Neither encrypted nor on this machine: whoever sits between reads and changes what is heard."""
        return self._address.startswith(("ws://", "http://")) and not _is_loopback(self.host)

    def __repr__(self) -> str:
        return self._shown

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self._shown, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an endpoint is not pickled: it holds secrets")


_KINDS = {"ws": Kind.WEBSOCKET, "wss": Kind.WEBSOCKET, "http": Kind.HTTP, "https": Kind.HTTP}


def _ipc(text: str) -> Endpoint:
    if not text:
        raise ConfigError("the node's URL is empty: give ws://…, wss://…, http://…, https://… or the path of an IPC socket")
    if not text.endswith(".ipc") and "/" not in text:
        raise ConfigError("the node's URL has no scheme: give ws://…, wss://…, http://…, https://… or the path of an IPC socket")
    return Endpoint(Kind.IPC, str(Path(text).expanduser()), excerpt(text), host="localhost")


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # is computed here, and raises here
    except ValueError:
        pass  # its message repeats the URL
    else:
        return url
    raise ConfigError("the node's URL cannot be read: is the host or the port misspelt?")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
