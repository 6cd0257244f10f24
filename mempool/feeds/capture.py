"""Captures: every message heard and every request made, one JSON array a line, for a replay to run on.

The first line is the header. Every other line is `[recv_ns, source, kind, payload]`:

| kind | payload |
|---|---|
| `in` | a message as heard, as text |
| `raw` | a message that is not UTF-8, in hex |
| `out` | a request as it is sent: `{"id", "method", "params", "purpose"}` |
| `got` | the body of a REST answer, as text: `{"id", "body"}`, or `{"id", "raw"}` in hex where it is not UTF-8 |
| `refused` | a request that was not sent: `{"method", "params", "reason"}` |
| `expired` | requests that were given up: `{"ids", "reason"}` |
| `up`, `down` | the connection stands; is lost, with the reason as text |
| `mark` | the engine's own: `{"mark", "key"}` |

No line holds a URL: sources are names, and the feed takes an endpoint's secrets out of what it records.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self, cast

import msgspec
import orjson
from msgspec import Raw, Struct

from mempool import __version__
from mempool.errors import CaptureError, StoreError, UsageError
from mempool.feeds.events import Purpose
from mempool.model.display import excerpt

SCHEMA = "mempool.capture/1"
FLUSH_BYTES = 65_536
MAX_LINE_BYTES = 128 * 1_024 * 1_024
COMPRESSION = 3


class Header(Struct, frozen=True):
    """What a capture says of itself; `about` is free."""

    schema: str
    chain_id: int
    started_ns: int
    version: str
    about: dict[str, str] = {}


class Heard(Struct, frozen=True, gc=False):
    """A message, byte for byte."""

    recv_ns: int
    source: str
    frame: bytes


class Asked(Struct, frozen=True, gc=False):
    """A request that was sent."""

    recv_ns: int
    source: str
    id: int
    method: str
    params: Sequence[object]
    purpose: Purpose


class Got(Struct, frozen=True, gc=False):
    """The body of the answer to the REST request `id`, byte for byte."""

    recv_ns: int
    source: str
    id: int
    body: bytes


class Refused(Struct, frozen=True, gc=False):
    """A request that found no connection."""

    recv_ns: int
    source: str
    method: str
    params: Sequence[object]
    reason: str


class Expired(Struct, frozen=True, gc=False):
    """Requests that were given up."""

    recv_ns: int
    source: str
    ids: tuple[int, ...]
    reason: str


class Up(Struct, frozen=True, gc=False):
    """A connection stands."""

    recv_ns: int
    source: str


class Down(Struct, frozen=True, gc=False):
    """A connection is lost."""

    recv_ns: int
    source: str
    reason: str


class Mark(Struct, frozen=True, gc=False):
    """The engine changed its state here for another reason than a message, such as the end of its read `key`."""

    recv_ns: int
    name: str
    key: str


Entry = Heard | Asked | Got | Refused | Expired | Up | Down | Mark


class CaptureWriter:
    """Writes a capture, gzipped where the name ends with `.gz`; holds back at most 64 KiB until `flush` or `close`.

    Raises `StoreError` where the file cannot be opened. Where the disk fails later it goes silent, so that what listens
    goes on; `failure` says why, and `close` raises it.
    """

    def __init__(self, path: str, *, chain_id: int, started_ns: int, about: dict[str, str] | None = None) -> None:
        self.path = path
        self.failure = ""
        self._lines: list[bytes] = []
        self._size = 0
        self._file = _create(path)
        self._append(Header(SCHEMA, chain_id, started_ns, __version__, about or {}))
        self.flush()

    def heard(self, recv_ns: int, source: str, frame: bytes) -> None:
        try:
            self._line(recv_ns, source, "in", frame.decode())
        except UnicodeDecodeError:
            self._line(recv_ns, source, "raw", frame.hex())

    def asked(self, entry: Asked) -> None:
        request = {"id": entry.id, "method": entry.method, "params": entry.params, "purpose": entry.purpose}
        self._line(entry.recv_ns, entry.source, "out", request)

    def got(self, entry: Got) -> None:
        try:
            payload = {"id": entry.id, "body": entry.body.decode()}
        except UnicodeDecodeError:
            payload = {"id": entry.id, "raw": entry.body.hex()}
        self._line(entry.recv_ns, entry.source, "got", payload)

    def refused(self, entry: Refused) -> None:
        request = {"method": entry.method, "params": entry.params, "reason": entry.reason}
        self._line(entry.recv_ns, entry.source, "refused", request)

    def expired(self, entry: Expired) -> None:
        self._line(entry.recv_ns, entry.source, "expired", {"ids": entry.ids, "reason": entry.reason})

    def up(self, recv_ns: int, source: str) -> None:
        self._line(recv_ns, source, "up", None)

    def down(self, recv_ns: int, source: str, reason: str) -> None:
        self._line(recv_ns, source, "down", reason)

    def mark(self, recv_ns: int, name: str, key: str) -> None:
        """Where the engine applies what no message carries; a replay stops here and calls it."""
        self._line(recv_ns, "", "mark", {"mark": name, "key": key})

    def flush(self) -> None:
        """Give everything to the operating system, so that a killed process loses nothing older."""
        self._write(sync=True)

    def close(self) -> None:
        """Flush and close. Raises `StoreError` where something could not be written, now or earlier."""
        self._write(sync=True)
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or _reason(error)
        if self.failure:
            raise StoreError(f"{self.path} is not complete: {self.failure}; free some space and record again")

    def _line(self, *entry: object) -> None:
        self._append(entry)
        if self._size >= FLUSH_BYTES:
            self._write(sync=False)

    def _append(self, entry: object) -> None:
        if not self.failure:
            line = orjson.dumps(entry, default=msgspec.to_builtins, option=orjson.OPT_APPEND_NEWLINE)
            self._lines.append(line)
            self._size += len(line)

    def _write(self, *, sync: bool) -> None:
        lines, self._lines, self._size = self._lines, [], 0
        if self.failure:
            return
        try:
            self._file.write(b"".join(lines))
            if sync:
                self._file.flush()
        except OSError as error:
            self.failure = _reason(error)


class CaptureReader:
    """Iterates over a capture's entries, once, in their order.

    Raises `UsageError` where the file cannot be opened, `CaptureError` with the line: at once where the header is not one,
    later where the rest cannot be read on, after everything before it has been delivered.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 0
        self._file = self._open()
        try:
            self.header = self._header()
        except CaptureError:
            self.close()
            raise

    def __iter__(self) -> Iterator[Entry]:
        with self._file:
            while line := self._read_line():
                yield self._entry(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def _open(self) -> BinaryIO:
        try:
            with Path(self.path).open("rb") as file:
                zipped = file.read(2) == b"\x1f\x8b"
            return cast("BinaryIO", gzip.open(self.path)) if zipped else Path(self.path).open("rb")
        except OSError as error:
            raise UsageError(f"{self.path}: {_reason(error)}: name a capture that `run --record` wrote") from None

    def _header(self) -> Header:
        self.line = 0
        header = _decode_header(self._read_line())
        if header is None:
            raise self._error("this is not a capture: it does not begin with a header")
        if header.schema != SCHEMA:
            raise self._error(f"the capture has schema {excerpt(header.schema, 40)}, this release reads {SCHEMA}")
        return header

    def _read_line(self) -> bytes:
        self.line += 1
        try:
            line = self._file.readline(MAX_LINE_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise self._error(f"cannot be read on: {_reason(error)}") from None
        if line and not line.endswith(b"\n"):
            raise self._error("the line is cut off" if len(line) < MAX_LINE_BYTES else "the line is too long")
        return line

    def _entry(self, line: bytes) -> Entry:
        try:
            record = _RECORD.decode(line)
            read = _READERS.get(record.kind)
            if read is not None:
                return read(record)
            reason = f"an entry of kind {excerpt(record.kind, 20)} is not known"
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            reason = f"not an entry: {excerpt(str(error))}"
        raise self._error(reason)

    def _error(self, reason: str) -> CaptureError:
        return CaptureError(self.path, self.line, reason)


class _Record(Struct, array_like=True, gc=False):
    recv_ns: int
    source: str
    kind: str
    payload: Raw


class _Request(Struct, gc=False):
    method: str
    params: list[object]
    id: int = 0
    purpose: Purpose = Purpose.READ
    reason: str = ""


class _Answer(Struct, gc=False):
    id: int
    body: str = ""
    raw: str = ""


class _Expiry(Struct, gc=False):
    ids: tuple[int, ...]
    reason: str


class _MarkPayload(Struct, gc=False):
    mark: str
    key: str


_RECORD = msgspec.json.Decoder(_Record)


def _request(payload: Raw) -> _Request:
    return msgspec.json.decode(payload, type=_Request)


def _text(payload: Raw) -> str:
    return msgspec.json.decode(payload, type=str)


def _asked(record: _Record) -> Asked:
    request = _request(record.payload)
    return Asked(record.recv_ns, record.source, request.id, request.method, request.params, request.purpose)


def _got(record: _Record) -> Got:
    answer = msgspec.json.decode(record.payload, type=_Answer)
    return Got(record.recv_ns, record.source, answer.id, bytes.fromhex(answer.raw) or answer.body.encode())


def _refused(record: _Record) -> Refused:
    request = _request(record.payload)
    return Refused(record.recv_ns, record.source, request.method, request.params, request.reason)


def _expired(record: _Record) -> Expired:
    expiry = msgspec.json.decode(record.payload, type=_Expiry)
    return Expired(record.recv_ns, record.source, expiry.ids, expiry.reason)


def _mark(record: _Record) -> Mark:
    payload = msgspec.json.decode(record.payload, type=_MarkPayload)
    return Mark(record.recv_ns, payload.mark, payload.key)


_READERS: dict[str, Callable[[_Record], Entry]] = {
    "in": lambda record: Heard(record.recv_ns, record.source, _text(record.payload).encode()),
    "raw": lambda record: Heard(record.recv_ns, record.source, bytes.fromhex(_text(record.payload))),
    "out": _asked,
    "got": _got,
    "refused": _refused,
    "expired": _expired,
    "up": lambda record: Up(record.recv_ns, record.source),
    "down": lambda record: Down(record.recv_ns, record.source, _text(record.payload)),
    "mark": _mark,
}


def _decode_header(line: bytes) -> Header | None:
    try:
        return msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _create(path: str) -> BinaryIO:
    try:
        if Path(path).is_file() and Path(path).stat().st_size:
            raise StoreError(f"{path} exists already and is not overwritten: name another file for the capture, or remove it")
        return cast("BinaryIO", gzip.open(path, "wb", COMPRESSION)) if path.endswith(".gz") else Path(path).open("wb")
    except OSError as error:
        reason = _reason(error)
    raise StoreError(f"{path} cannot be written: {reason}; name another file")


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
