"""Cuts a stream of JSON texts, with or without newlines between them, into single texts."""

from __future__ import annotations

import re

from mempool.errors import UpstreamError

_TOKEN = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')


class Splitter:
    """`feed` takes what arrives and gives the whole texts in it.

    A line that balances is taken as one text without a closer look (a JSON text of a node holds no raw newline, and `}{`
    stands only between two); anything else is walked bracket by bracket, each byte once.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._start_over()

    def _start_over(self) -> None:
        self._at = self._depth = self._searched = 0
        self._in_string = self._walking = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The texts that `chunk` completes. Raises `UpstreamError` on a text over the limit."""
        self._buffer += chunk
        texts = []
        while (end := self._line_end() or self._walk()) > 0:
            text = bytes(self._buffer[:end]).strip()
            del self._buffer[:end]
            self._start_over()
            if text:
                texts.append(text)
        if len(self._buffer) > self._max_bytes:
            raise UpstreamError(f"a message is longer than {self._max_bytes} bytes")
        return texts

    def _line_end(self) -> int:
        """Where a balanced line ends, or 0."""
        if self._walking:
            return 0
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            return 0
        line = self._buffer[:end]
        whole = line.count(b"{") == line.count(b"}") and line.count(b"[") == line.count(b"]") and b"}{" not in line
        self._walking = not whole
        return end + 1 if whole else 0

    def _walk(self) -> int:
        """Where the first text ends by its brackets, or 0; goes on where it stopped for want of bytes."""
        while True:
            token = (_STRING_END if self._in_string else _TOKEN).search(self._buffer, self._at)
            if token is None:
                self._at = len(self._buffer)
                return 0
            mark = token[0]
            if mark == b"\\" and token.end() == len(self._buffer):
                self._at = token.start()
                return 0
            self._at = token.end() + (mark == b"\\")
            if mark == b'"':
                self._in_string = not self._in_string
            elif mark in b"{[":
                self._depth += 1
            elif mark in b"}]":
                self._depth -= 1
                if self._depth <= 0:
                    return self._at
