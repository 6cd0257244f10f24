"""The entries of a capture as rows of a table: when, from whom, of which kind, and what was said, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mempool.errors import CaptureError
from mempool.feeds.capture import Asked, CaptureReader, Down, Entry, Expired, Got, Header, Heard, Mark, Refused, Up

Row = tuple[int, str, str, int | None, str | None]
Told = tuple[str, int | None, str | None]
"""The last three."""
MAX_INT64 = 2**63 - 1


COLUMNS = {"recv_ns": "BIGINT", "source": "VARCHAR", "kind": "VARCHAR", "request_id": "BIGINT", "payload": "VARCHAR"}
"""Of a row, with DuckDB's names of their types."""


class CaptureRows:
    """Iterates over the rows of a capture, up to where it can be read; `problem` then says why it ended there."""

    def __init__(self, reader: CaptureReader) -> None:
        self._reader = reader
        self.problem: CaptureError | None = None

    def __iter__(self) -> Iterator[Row]:
        try:
            for entry in self._reader:
                yield row_of(entry)
        except CaptureError as problem:
            self.problem = problem


def header_texts(header: Header) -> dict[str, str]:
    """What a capture says of itself, as texts by name."""
    about = {
        "schema": header.schema,
        "chain_id": str(header.chain_id),
        "started_ns": str(header.started_ns),
        "mempool": header.version,
    }
    return {**about, "about": _json(header.about)}


def row_of(entry: Entry) -> Row:
    """Kinds are those of the capture's lines; what is no text is in hex, as kind `raw`, or `got_raw` of a REST answer."""
    source = "" if isinstance(entry, Mark) else entry.source
    kind, request_id, payload = _TOLD[type(entry)](entry)
    return _int64(entry.recv_ns), source, kind, None if request_id is None else _int64(request_id), payload


def _heard(entry: Heard) -> Told:
    return _bytes("in", "raw", None, entry.frame)


def _got(entry: Got) -> Told:
    return _bytes("got", "got_raw", entry.id, entry.body)


def _asked(entry: Asked) -> Told:
    return "out", entry.id, _json({"method": entry.method, "params": entry.params, "purpose": entry.purpose})


def _refused(entry: Refused) -> Told:
    return "refused", None, _json({"method": entry.method, "params": entry.params, "reason": entry.reason})


def _expired(entry: Expired) -> Told:
    return "expired", None, _json({"ids": entry.ids, "reason": entry.reason})


def _up(entry: Up) -> Told:
    return "up", None, None


def _down(entry: Down) -> Told:
    return "down", None, entry.reason


def _mark(entry: Mark) -> Told:
    return "mark", None, _json({"mark": entry.name, "key": entry.key})


def _bytes(as_text: str, as_hex: str, request_id: int | None, content: bytes) -> Told:
    try:
        return as_text, request_id, content.decode()
    except UnicodeDecodeError:
        return as_hex, request_id, content.hex()


def _int64(number: int) -> int:
    """No clock and no counter of ours goes beyond it."""
    return max(-MAX_INT64, min(number, MAX_INT64))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


_TOLD: dict[type, Callable[[Any], Told]] = {
    Heard: _heard,
    Got: _got,
    Asked: _asked,
    Refused: _refused,
    Expired: _expired,
    Up: _up,
    Down: _down,
    Mark: _mark,
}
