"""Node URLs carry keys: a type that shows none of one, and a filter that takes them out of any text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

HIDDEN = "***"
MIN_SECRET_LENGTH = 8
"""A shorter part of a URL (`v3`, `ws`, `mainnet`) is no key, and hiding it everywhere would blot out ordinary words."""
_URL = re.compile(r"""\b(?:wss?|https?)://[^\s'"<>`]+""", re.IGNORECASE)
_JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?")


class NodeUrl:
    """A node's address. Its text, its repr and its pickle are `wss://host/***`; only `reveal` gives the whole."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return mask_url(self._text)

    def __repr__(self) -> str:
        return f"NodeUrl({mask_url(self._text)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeUrl) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[NodeUrl], tuple[str]]:
        return NodeUrl, (mask_url(self._text),)


def mask_url(url: str) -> str:
    """Scheme, host and port of a URL, and `/***` where anything stood after them; other text (an IPC path) as it is."""
    if "://" not in url:
        return url
    scheme, rest = url.split("://", 1)
    authority, mark, tail = re.split(r"([/?#])", rest, maxsplit=1) if re.search(r"[/?#]", rest) else (rest, "", "")
    host = authority.rpartition("@")[2]
    return f"{scheme}://{host}/{HIDDEN}" if tail or (mark and mark != "/") else f"{scheme}://{host}{mark}"


def holds_secret(url: str) -> bool:
    """Whether a URL has anything that `mask_url` hides: a user, a path, a query."""
    return mask_url(url) != url


def secret_parts(url: str) -> Iterator[str]:
    """The pieces of a URL that may be keys, as written and decoded: user, password, path segments, query values."""
    if "://" not in url:
        return
    try:
        parts = urlsplit(url)
    except ValueError:  # of a host in broken brackets: what may be a key in it cannot be told
        yield url.split("://", 1)[1]
        return
    userinfo = parts.netloc.rpartition("@")[0]
    values = [value for _, value in parse_qsl(parts.query)]
    for piece in (*userinfo.split(":"), *parts.path.split("/"), *values, parts.query, parts.fragment):
        for form in {piece, unquote(piece)}:
            if len(form) >= MIN_SECRET_LENGTH:
                yield form


def mask_text(text: str, known_secrets: Collection[str] = ()) -> str:
    """The text without keys: every URL masked, every JSON web token and every known secret replaced by `***`."""
    if "://" in text:
        text = _URL.sub(_masked, text)
    if "eyJ" in text:
        text = _JSON_WEB_TOKEN.sub(HIDDEN, text)
    for secret in known_secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _masked(found: re.Match[str]) -> str:
    """The marks that end a sentence or a clause stay: `wss://host/key: refused` is `wss://host/***: refused`."""
    url = found[0].rstrip(":;,.!?)")
    return mask_url(url) + found[0][len(url) :]
