"""Readers of what stands behind an offset: bytes, and arrays of words, of static tuples and of dynamic elements."""

from __future__ import annotations

import struct
from itertools import repeat
from typing import Any

from mempool.abi.budget import Budget
from mempool.abi.layout import DIRTY, OFFSET, Read, Shape, Slot, Tail, padding_check, slots_of

_length_at = struct.Struct(">24sQ").unpack_from
_NO_HIGH_BITS = bytes(24)
_PRECOMPILED_ITEMS = 16


def array_reader(element: Shape, read_element: Read | None) -> Read:
    """Reads `element[]`; `read_element` reads one element at its place, and is None for plain words."""
    if read_element is None:
        (slot,) = slots_of([element])
        return _words_reader(slot)
    if isinstance(element, Tail):
        return _tails_reader(read_element)
    return _static_tuples_reader(32 * len(slots_of([element])), read_element)


def guarded(read: Read) -> Read:
    """The reader behind an offset, which may point anywhere up to 2^64."""

    def read_behind_offset(data: bytes, start: int, budget: Budget) -> Any:
        if start > len(data):
            raise budget.malformed("an offset points beyond the calldata")
        return read(data, start, budget)

    return read_behind_offset


def read_blob(data: bytes, start: int, budget: Budget) -> bytes:
    """Reads `bytes` or `string`; a tail that is not padded to whole words is accepted, as the EVM does."""
    length = _length(data, start, budget)
    first = start + 32
    end = first + length
    if end > len(data):
        raise budget.malformed("a length exceeds the calldata")
    budget.charge_bytes(length)
    padded_end = end + (-length & 31)
    if padded_end > budget.end:
        budget.end = padded_end
    return data[first:end]


def _length(data: bytes, start: int, budget: Budget) -> int:
    """The length word at `start`. Raises where it is not there or cannot be a length."""
    if start > len(data):
        raise budget.malformed("an offset points beyond the calldata")
    length: int
    high_bits, length = _length_at(data, start)
    if high_bits != _NO_HIGH_BITS:
        raise budget.malformed("a length exceeds the calldata")
    return length


def _claim(data: bytes, first: int, count: int, width: int, budget: Budget) -> None:
    """Check and charge `count` elements of `width` bytes whose data starts at `first`."""
    size = count * width
    end = first + size
    if end > len(data):
        raise budget.malformed("a length exceeds the calldata")
    budget.charge_items(count)
    budget.charge_bytes(size)
    if end > budget.end:
        budget.end = end


def _words_reader(slot: Slot) -> Read:
    read_words = _checked_words(slot)
    convert = slot.convert

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        count = _length(data, start, budget)
        _claim(data, start + 32, count, 32, budget)
        words = read_words(data, start + 32, count, budget)
        return words if convert is None else tuple(map(convert, words))

    return read


def _tails_reader(read_element: Read) -> Read:
    read_offsets = _checked_words(OFFSET)

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        count = _length(data, start, budget)
        first = start + 32
        _claim(data, first, count, 32, budget)
        offsets = read_offsets(data, first, count, budget)
        return tuple(map(read_element, repeat(data), map(first.__add__, offsets), repeat(budget)))

    return read


def _static_tuples_reader(width: int, read_element: Read) -> Read:
    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        count = _length(data, start, budget)
        first = start + 32
        _claim(data, first, count, width, budget)
        return tuple(read_element(data, first + width * index, budget) for index in range(count))

    return read


def _checked_words(slot: Slot) -> Any:
    """`(data, first, count, budget) -> words`, not converted yet; all at once where there are few, as there mostly are."""
    unpackers = [struct.Struct(">" + slot.values * count).unpack_from for count in range(_PRECOMPILED_ITEMS)]
    paddings = [padding_check([slot.padding] * count) for count in range(_PRECOMPILED_ITEMS)]
    each = struct.Struct(">" + slot.values).iter_unpack
    each_padding = struct.Struct(">" + slot.padding).iter_unpack
    clean_word = paddings[1][1]

    def read_words(data: bytes, first: int, count: int, budget: Budget) -> tuple[Any, ...]:
        if count < _PRECOMPILED_ITEMS:
            padding_at, clean = paddings[count]
            if clean and padding_at(data, first) != clean:
                raise budget.malformed(DIRTY)
            return unpackers[count](data, first)
        words = memoryview(data)[first : first + 32 * count]
        if any(map(clean_word.__ne__, each_padding(words))):
            raise budget.malformed(DIRTY)
        return tuple(word for (word,) in each(words))

    return read_words
