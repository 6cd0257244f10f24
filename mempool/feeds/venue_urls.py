"""Where a venue is reached: at its own addresses, or at others that speak as it does, such as a simulator."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from mempool.errors import UsageError

_OTHER_SCHEME = {"ws": "http", "wss": "https", "http": "ws", "https": "wss"}


class VenueUrls(Struct, frozen=True):
    """Scheme, host, port and the start of the path to use instead of the venue's; empty where its own are meant."""

    socket: str = ""
    rest: str = ""

    @classmethod
    def parse(cls, text: str) -> VenueUrls:
        """From `ws://127.0.0.1:9001`, which stands for `http://127.0.0.1:9001` too, or the other way round.

        Raises `UsageError`.
        """
        url = urlsplit(text.strip())
        other = _OTHER_SCHEME.get(url.scheme)
        if other is None or not url.hostname:
            raise UsageError(f"{text!r} is no address: write such as ws://127.0.0.1:9001")
        place = url.netloc + url.path.rstrip("/")
        pair = (f"{url.scheme}://{place}", f"{other}://{place}")
        return cls(*(pair if url.scheme.startswith("ws") else pair[::-1]))

    def socket_url(self, own: str) -> str:
        return _moved(own, self.socket)

    def rest_url(self, own: str) -> str:
        return _moved(own, self.rest)


def host_of(url: str) -> str:
    """Host and port, as limits and bans are kept by."""
    return urlsplit(url).netloc


def _moved(own: str, base: str) -> str:
    """`own` below `base`."""
    if not base:
        return own
    there, here = urlsplit(base), urlsplit(own)
    return urlunsplit((there.scheme, there.netloc, there.path + here.path, here.query, ""))
