"""Captures: what is written is read back, and what is damaged is said so after all that is whole."""

from __future__ import annotations

from pathlib import Path
from random import Random

import orjson
import pytest

from mempool.errors import CaptureError, StoreError, UsageError
from mempool.feeds.capture import Asked, CaptureReader, CaptureWriter, Down, Entry, Expired, Heard, Mark, Refused, Up
from mempool.feeds.events import Purpose

ENTRIES: list[Entry] = [
    Up(1, "n"),
    Asked(2, "n", 1, "eth_call", [{"to": "0x"}, "latest"], Purpose.BODY),
    Heard(3, "n", b'{"id":1,"result":"\\u00e9 \xc3\xa9"}'),
    Heard(4, "n", b"\xff\x00 not UTF-8"),
    Refused(5, "n", "eth_chainId", [], "not connected"),
    Expired(6, "n", (1, 2), "no answer in 10 s"),
    Mark(7, "pools", "0xabc"),
    Down(8, "n", "cut"),
]


def write(path: Path, entries: list[Entry]) -> CaptureWriter:
    writer = CaptureWriter(str(path), chain_id=1, started_ns=99, about={"routers": "6"})
    for entry in entries:
        match entry:
            case Heard(recv_ns, source, frame):
                writer.heard(recv_ns, source, frame)
            case Asked():
                writer.asked(entry)
            case Refused():
                writer.refused(entry)
            case Expired():
                writer.expired(entry)
            case Up(recv_ns, source):
                writer.up(recv_ns, source)
            case Down(recv_ns, source, reason):
                writer.down(recv_ns, source, reason)
            case Mark(recv_ns, name, key):
                writer.mark(recv_ns, name, key)
    return writer


def read(path: Path) -> tuple[list[Entry], str]:
    """The entries before the first error, and that."""
    entries: list[Entry] = []
    reader = CaptureReader(str(path))
    try:
        for entry in reader:
            entries.append(entry)  # noqa: PERF402 - what was read before the error counts
    except CaptureError as error:
        return entries, str(error)
    return entries, ""


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, ENTRIES).close()
    assert read(tmp_path / name) == (ENTRIES, "")
    with CaptureReader(str(tmp_path / name)) as reader:
        header = reader.header
    assert (header.schema, header.chain_id, header.started_ns, header.about) == ("mempool.capture/1", 1, 99, {"routers": "6"})
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')


def test_lines_are_arrays_of_stamp_source_kind_and_payload(tmp_path: Path) -> None:
    write(tmp_path / "a", ENTRIES[:3]).close()
    lines = [orjson.loads(line) for line in (tmp_path / "a").read_bytes().splitlines()]
    assert [line[2] for line in lines[1:]] == ["up", "out", "in"]
    assert lines[2] == [2, "n", "out", {"id": 1, "method": "eth_call", "params": [{"to": "0x"}, "latest"], "purpose": "body"}]


def test_flushed_capture_of_a_killed_process_is_read_up_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    writer = write(path, ENTRIES)
    writer.flush()
    cut = tmp_path / "cut.gz"
    cut.write_bytes(path.read_bytes())
    writer.close()
    entries, reason = read(cut)
    assert entries == ENTRIES
    assert reason.startswith(f"{cut}, line 10: cannot be read on")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'[1,"n","in","abc', "the line is cut off"),
        (b"banana\n", "not an entry"),
        (b"[1]\n", "not an entry"),
        (b'["1","n","in","x"]\n', "not an entry"),
        (b'[1,"n","in",5]\n', "not an entry"),
        (b'[1,"n","raw","zz"]\n', "not an entry"),
        (b'[1,"n","out",{"id":"x"}]\n', "not an entry"),
        (b'[1,"n","\x1b[31m","x"]\n', "not an entry"),
        (b'[1,"n","what","x"]\n', "an entry of kind what is not known"),
        (b"[" * 100_000 + b"\n", "not an entry"),
        (b"\xff\xff\n", "not an entry"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_damaged_line_is_named_after_everything_before_it(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a"
    write(path, ENTRIES).close()
    path.write_bytes(path.read_bytes() + line)
    entries, error = read(path)
    assert entries == ENTRIES
    assert error.startswith(f"{path}, line 10: {reason}")
    assert error.isprintable()


def test_damaged_gzip_is_a_clear_error_after_what_stands_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    random = Random(5)
    written: list[Entry] = [Heard(number, "n", random.randbytes(500).hex().encode()) for number in range(2_000)]
    write(path, written).close()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) * 3 // 4] ^= 0xFF
    path.write_bytes(damaged)
    entries, error = read(path)
    assert "cannot be read on" in error or "not an entry" in error
    assert 1_000 < len(entries) < 2_000
    assert entries[:1_000] == written[:1_000]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "this is not a capture"),
        (b"\x1f\x8bbanana", "cannot be read on"),
        (b'{"jsonrpc":"2.0"}\n', "this is not a capture"),
        (b'{"schema":"mempool.capture/2","chain_id":1,"started_ns":1,"version":"9"}\n', "has schema mempool.capture/2"),
    ],
)
def test_file_that_is_no_capture_is_refused_at_once(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=reason):
        CaptureReader(str(path))


def test_file_that_cannot_be_opened_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none: No such file or directory: name a capture"):
        CaptureReader(str(tmp_path / "none"))


def test_file_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file or directory"):
        CaptureWriter(str(tmp_path / "no" / "a"), chain_id=1, started_ns=0)


def test_full_disk_silences_the_writer_and_is_told_at_the_end() -> None:
    writer = write(Path("/dev/full"), ENTRIES * 1_000)
    assert writer.failure == "No space left on device"
    with pytest.raises(StoreError, match="No space left on device"):
        writer.close()


def test_file_with_content_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    path.write_bytes(b"rows")
    with pytest.raises(StoreError, match="exists already and is not overwritten"):
        write(path, ENTRIES)
    assert path.read_bytes() == b"rows"
