"""Reads command bytes and their inputs by the shape of the whole, where that shape has come before."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from msgspec import Struct

from mempool.abi.budget import Budget

ReadPair = Callable[[bytes, int, int, Budget], tuple[bytes, tuple[bytes, ...]]]
"""`(calldata, start of the bytes, start of the bytes[], budget) -> both`."""
MAX_SHAPES = 1024
"""A full table is emptied, so that made-up shapes cannot fill the memory."""
MAX_COMMANDS = 15


class PlanShape(Struct, frozen=True, gc=False):
    """Command bytes, and where each of the inputs stands and how long it is.

    All places are counted from the length of the command bytes on.
    """

    codes: bytes
    sizes: tuple[int, ...]
    starts: tuple[int, ...]
    first: int
    """Where the inputs begin, each with its length in front."""
    end: int

    @property
    def lengths(self) -> tuple[bytes, ...]:
        """The inputs' lengths as they stand in front of them."""
        return tuple(size.to_bytes(32) for size in self.sizes)

    def lengths_reader(self) -> Callable[[bytes, int], tuple[bytes, ...]]:
        """`(calldata, start of the first input) -> lengths`"""
        return struct.Struct(">" + "".join(f"32s{_padded(size)}x" for size in self.sizes)).unpack_from

    def inputs_reader(self) -> Callable[[bytes, int], tuple[bytes, ...]]:
        """`(calldata, start of the first input) -> (length, input, …)`"""
        parts = (f"32s{size}s{_padded(size) - size}x" for size in self.sizes)
        return struct.Struct(">" + "".join(parts)).unpack_from


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
            usual = usual_shape(codes, [len(each) for each in inputs])
            if words == _words_of(usual):
                if len(shapes) >= MAX_SHAPES:
                    shapes.clear()
                shapes[words] = _kept(usual)
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


def shape_at(data: bytes, start: int) -> PlanShape | None:
    """The shape of the command bytes at `start` and the inputs behind them, with an input for each command and all of it there.

    None where they are not laid out as every encoder lays them out, or are too many.
    """
    count, codes_length = _word(data, start + 64), _word(data, start)
    if not 0 < count == codes_length <= MAX_COMMANDS:
        return None
    place, sizes = start + 96 + 32 * count, []
    for _ in range(count):
        sizes.append(min(_word(data, place), len(data)))
        place += 32 + _padded(sizes[-1])
    shape = usual_shape(data[start + 32 : start + 32 + count], sizes)
    words = data[start : start + shape.first]
    return shape if words == _words_of(shape) and start + shape.end <= len(data) else None


def usual_shape(codes: bytes, sizes: Sequence[int]) -> PlanShape:
    """As every encoder lays out at most 32 command bytes and inputs of so many bytes."""
    first = 96 + 32 * len(sizes)
    *starts, end = accumulate((32 + _padded(size) for size in sizes), initial=first + 32)
    return PlanShape(codes, tuple(sizes), tuple(starts), first, end - 32)


def _words_of(shape: PlanShape) -> bytes:
    """The words up to the first input."""
    count, codes = len(shape.sizes), shape.codes
    offsets = (start - 128 for start in shape.starts)
    words = (len(codes), int.from_bytes(codes.ljust(32, b"\0")[:32]), count, *offsets)
    return b"".join(word.to_bytes(32) for word in words)


def _kept(shape: PlanShape) -> _Shape:
    charge = len(shape.codes) + 32 * len(shape.sizes) + sum(shape.sizes)
    return _Shape(shape.codes, shape.inputs_reader(), shape.lengths, charge, shape.end)


def _padded(size: int) -> int:
    return (size + 31) // 32 * 32


def _word(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 32])
