"""Reads command bytes and their inputs by the shape of the whole, where that shape has come before."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from mempool.abi.budget import Budget

ReadPair = Callable[[bytes, int, int, Budget], tuple[bytes, tuple[bytes, ...]]]
"""`(calldata, start of the bytes, start of the bytes[], budget) -> both`."""
MAX_SHAPES = 1024
"""A full table is emptied, so that made-up shapes cannot fill the memory."""
MAX_COMMANDS = 15


class _Shape(Struct, frozen=True, gc=False):
    """`unpack` gives, from the first input on, each length and each input; the lengths must be `lengths`."""

    codes: bytes
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    lengths: tuple[bytes, ...]
    charge: int
    """Bytes of the command bytes, the offsets and the inputs."""
    end: int
    """Counted from the command bytes' length on."""


def by_shape(read_pair: ReadPair) -> ReadPair:
    """The reader with a table of shapes in front of it; what it gives, raises and charges is the same.

    A shape is the words in which all stands that places the inputs: the command bytes, the count and the offsets.
    """
    shapes: dict[bytes, _Shape] = {}

    def read(data: bytes, start: int, start_of_many: int, budget: Budget) -> tuple[bytes, tuple[bytes, ...]]:
        first_offset = start + 96
        count = data[first_offset - 1] if start_of_many == start + 64 and len(data) >= first_offset else 0
        if not 0 < count <= MAX_COMMANDS:
            return read_pair(data, start, start_of_many, budget)
        first = first_offset + 32 * count
        words = data[start:first]
        shape = shapes.get(words)
        if shape is None:
            codes, inputs = read_pair(data, start, start_of_many, budget)
            if words == _usual_words(codes, inputs):
                if len(shapes) >= MAX_SHAPES:
                    shapes.clear()
                shapes[words] = _shape_of(codes, inputs)
            return codes, inputs
        end = start + shape.end
        if end <= len(data):
            found = shape.unpack(data, first)
            bytes_left, items_left = budget.bytes_left - shape.charge, budget.items_left - count
            if found[::2] == shape.lengths and bytes_left >= 0 and items_left >= 0:
                budget.bytes_left, budget.items_left = bytes_left, items_left
                if end > budget.end:
                    budget.end = end
                return shape.codes, found[1::2]
        return read_pair(data, start, start_of_many, budget)

    return read


def _usual_words(codes: bytes, inputs: Sequence[bytes]) -> bytes:
    """The words up to the first input, as every encoder writes them for at most 32 command bytes."""
    offset = 32 * len(inputs)
    offsets = []
    for data in inputs:
        offsets.append(offset)
        offset += 32 + _padded(data)
    words = (len(codes), int.from_bytes(codes.ljust(32, b"\0")[:32]), len(inputs), *offsets)
    return b"".join(word.to_bytes(32) for word in words)


def _shape_of(codes: bytes, inputs: Sequence[bytes]) -> _Shape:
    layout = "".join(f"32s{len(data)}s{_padded(data) - len(data)}x" for data in inputs)
    lengths = tuple(len(data).to_bytes(32) for data in inputs)
    charge = len(codes) + 32 * len(inputs) + sum(map(len, inputs))
    end = 96 + 32 * len(inputs) + sum(32 + _padded(data) for data in inputs)
    return _Shape(codes, struct.Struct(">" + layout).unpack_from, lengths, charge, end)


def _padded(data: bytes) -> int:
    return (len(data) + 31) // 32 * 32
