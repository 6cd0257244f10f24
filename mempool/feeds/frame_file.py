"""Reads recordings of a venue's frames: lines of `<recv_ns> <frame>`, or bare frames, compressed with gzip or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from mempool.errors import BadData, UsageError

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Editors and shells on Windows put it before the first line."""
STAMP_DIGITS = 20


def read_frames(path: Path, max_frame_bytes: int) -> Iterator[tuple[int, bytes]]:
    """`(recv_ns, frame)` of each line that is not empty, `recv_ns` 0 where the line has no stamp.

    Holds one line at a time: of one that is longer than a frame may be, no more than shows that it is. Raises `UsageError`
    where the file cannot be opened, `BadData` where its compression is broken, after the lines before that.
    """
    with ExitStack() as files:
        stream = _open(path, files)
        limit = max_frame_bytes + STAMP_DIGITS + 2
        skipped = BYTE_ORDER_MARK
        try:
            while line := stream.readline(limit):
                rest = line
                while not rest.endswith(b"\n") and len(rest) == limit:
                    rest = stream.readline(limit)
                if text := line.removeprefix(skipped).strip():
                    yield _split(text)
                skipped = b""
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadData(f"{path}: not a whole gzip file: {error}") from error


def _open(path: Path, files: ExitStack) -> BinaryIO:
    try:
        raw = files.enter_context(path.open("rb"))
        start = raw.read(2)
        raw.seek(0)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}: name a recording of frames") from error
    return files.enter_context(cast("BinaryIO", gzip.GzipFile(fileobj=raw))) if start == GZIP_MAGIC else raw


def _split(line: bytes) -> tuple[int, bytes]:
    """A line that starts with no stamp is a frame as it is: what is wrong with it, its venue's reader says."""
    if line.startswith(b"{"):
        return 0, line
    stamp, *frame = line.split(None, 1)
    if not frame or not stamp.isdigit() or len(stamp) > STAMP_DIGITS:
        return 0, line
    return int(stamp), frame[0]
