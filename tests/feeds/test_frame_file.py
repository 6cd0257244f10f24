"""Recordings of frames are read line by line, in bounded memory, whatever stands in them."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from mempool.errors import BadData, UsageError
from mempool.feeds.frame_file import read_frames


def test_stamped_and_bare_lines_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b'17 {"a":1}\n\n{"b": 2}\r\npong\n18 pong\nx {"c":3}')
    assert list(read_frames(file, 100)) == [(17, b'{"a":1}'), (0, b'{"b": 2}'), (0, b"pong"), (18, b"pong"), (0, b'x {"c":3}')]


def test_any_white_space_stands_between_stamp_and_frame_and_a_byte_order_mark_before_all(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b'\xef\xbb\xbf17\t{"a":1}  \r\n  \r\n18   {"b": 2}\n\xef\xbb\xbf19 {}')
    assert list(read_frames(file, 100)) == [(17, b'{"a":1}'), (18, b'{"b": 2}'), (0, b"\xef\xbb\xbf19 {}")]


def test_whole_lines_before_the_cut_of_a_gzip_file_are_read(tmp_path: Path) -> None:
    lines = [b"%d {}" % number for number in range(1, 10_001)]
    file = tmp_path / "cut.gz"
    file.write_bytes(gzip.compress(b"\n".join(lines))[:-9])
    read: list[tuple[int, bytes]] = []
    with pytest.raises(BadData, match="not a whole gzip file"):
        read.extend(read_frames(file, 100))
    assert len(read) > 9_990


def test_line_that_is_too_long_is_cut_and_the_next_one_read(tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_bytes(b"1 " + b"x" * 1_000 + b'\n2 {"a":1}\n')
    (_, cut), after = read_frames(file, 100)
    assert 100 < len(cut) < 200
    assert after == (2, b'{"a":1}')


def test_what_unpacks_to_much_takes_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "frames.gz"
    with gzip.open(file, "wb") as stream:
        for _ in range(64):
            stream.write(b"x" * 1_000_000)
    tracemalloc.start()
    try:
        assert len(list(read_frames(file, 10_000))) == 1
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_file_that_cannot_be_opened_or_is_cut_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        list(read_frames(tmp_path / "absent", 100))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"{}\n" * 10_000)[:-9])
    with pytest.raises(BadData, match="not a whole gzip file"):
        list(read_frames(cut, 100))
