"""Readers of what stands behind an offset: bytes, and arrays of words, of static tuples and of dynamic elements."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any

from mempool.abi.budget import Budget
from mempool.abi.in_place import items_at
from mempool.abi.layout import DIRTY, OFFSET, Read, Shape, Slot, Tail, slots_of
from mempool.errors import MalformedCalldata

_length_at = struct.Struct(">24sQ").unpack_from
_NO_HIGH_BITS = bytes(24)
_FEW = 16
_BEYOND = "an offset points beyond the calldata"
_TOO_LONG = "a length exceeds the calldata"


def array_reader(element: Shape, read_element: Read | None) -> Read:
    """Reads `element[]` to a tuple; `read_element` reads one element at its place, and is None for plain words."""
    if read_element is None:
        (slot,) = slots_of([element])
        return _words_reader(slot)
    if read_element is read_blob:
        return _read_blobs
    if isinstance(element, Tail):
        return _tails_reader(read_element)
    return _static_tuples_reader(32 * len(slots_of([element])), read_element)


def guarded(read: Read) -> Read:
    """The reader behind an offset, which may point anywhere up to 2^64."""

    def read_behind_offset(data: bytes, start: int, budget: Budget) -> Any:
        if start > len(data):
            raise budget.malformed(_BEYOND)
        return read(data, start, budget)

    return read_behind_offset


def charged(read: Read, size: int) -> Read:
    """The same for an element of a list, charged with its head's `size` bytes: many offsets may lead to one and the same."""

    def read_element(data: bytes, start: int, budget: Budget) -> Any:
        if start > len(data):
            raise budget.malformed(_BEYOND)
        element = read(data, start, budget)
        budget.bytes_left -= size
        if budget.bytes_left < 0:
            raise budget.out_of_bytes()
        return element

    return read_element


def read_blob(data: bytes, start: int, budget: Budget) -> bytes:
    """Reads `bytes` or `string`; a tail that is not padded to whole words is accepted, as the EVM does."""
    if start > len(data):
        raise budget.malformed(_BEYOND)
    length: int
    high_bits, length = _length_at(data, start)
    first = start + 32
    end = first + length
    if end > len(data) or high_bits != _NO_HIGH_BITS:
        raise budget.malformed(_TOO_LONG)
    budget.bytes_left -= length
    if budget.bytes_left < 0:
        raise budget.out_of_bytes()
    padded_end = end + (-length & 31)
    if padded_end > budget.end:
        budget.end = padded_end
    return data[first:end]


def _read_blobs(data: bytes, start: int, budget: Budget) -> tuple[bytes, ...]:
    """Reads `bytes[]`, which carries whole plans and calls. A few sound items are read in one loop; the rest as any array."""
    first, count = start + 32, _FEW
    if first <= len(data):
        high_bits, count = _length_at(data, start)
    if count >= _FEW or high_bits != _NO_HIGH_BITS:
        return _read_each_blob(data, start, budget)
    blobs = _few_blobs(data, first, count, budget)
    return _read_each_blob(data, start, budget) if blobs is None else blobs


def read_blob_and_blobs(data: bytes, start: int, start_of_many: int, budget: Budget) -> tuple[bytes, tuple[bytes, ...]]:
    """`bytes` and `bytes[]`, as command bytes and their inputs stand; at once where the first take one word before the others."""
    both = _read_both_at_once(data, start, start_of_many, budget)
    return both or (read_blob(data, start, budget), _read_blobs(data, start_of_many, budget))


def read_blob_and_items(data: bytes, start: int, start_of_many: int, budget: Budget) -> tuple[bytes, tuple[bytes, ...]]:
    """The same of a whole calldata, in which a contract looks each item up when it needs it; see `item_at`."""
    both = _read_both_at_once(data, start, start_of_many, budget)
    if both:
        return both
    blob = read_blob(data, start, budget)
    bytes_left = budget.bytes_left
    try:
        return blob, _read_each_blob(data, start_of_many, budget)
    except MalformedCalldata as error:
        if error.refused:
            raise
    budget.bytes_left = bytes_left
    return blob, items_at(data, start_of_many + 32, _claimed(data, start_of_many, 32, budget), budget)


def _read_both_at_once(data: bytes, start: int, start_of_many: int, budget: Budget) -> tuple[bytes, tuple[bytes, ...]] | None:
    """None, with nothing charged, where the first take more than one word or not all is sound."""
    if start_of_many == start + 64 and start_of_many + 32 <= len(data):
        high_bits, length, word, high_bits_of_count, count = _blob_and_count_at(data, start)
        if count < _FEW and length <= 32 and high_bits == high_bits_of_count == _NO_HIGH_BITS:
            blobs = _few_blobs(data, start_of_many + 32, count, budget, length)
            if blobs is not None:
                return word[:length], blobs
    return None


def _few_blobs(data: bytes, first: int, count: int, budget: Budget, charged: int = 0) -> tuple[bytes, ...] | None:
    """The items at the `count` offsets from `first` on, charged with `charged` bytes more.

    None, with nothing charged, where not all is sound.
    """
    size, end = len(data), first + 32 * count
    if end > size:
        return None
    words = _offsets_at[count](data, first)
    left = budget.bytes_left - 32 * count - charged
    blobs = []
    for offset in words[1::2]:
        place = first + offset + 32
        if place > size:
            return None
        high_bits, length = _length_at(data, place - 32)
        blob_end = place + length
        if blob_end > size or high_bits != _NO_HIGH_BITS:
            return None
        left -= length
        blobs.append(data[place:blob_end])
        blob_end += -length & 31
        if blob_end > end:
            end = blob_end
    items_left = budget.items_left - count
    if left < 0 or items_left < 0 or words[::2] != _offset_paddings[count]:
        return None
    budget.bytes_left, budget.items_left = left, items_left
    if end > budget.end:
        budget.end = end
    return tuple(blobs)


def _claimed(data: bytes, start: int, width: int, budget: Budget) -> int:
    """The length of the array at `start`, checked and charged with `width` bytes an element."""
    if start > len(data):
        raise budget.malformed(_BEYOND)
    count: int
    high_bits, count = _length_at(data, start)
    size = count * width
    end = start + 32 + size
    if end > len(data) or high_bits != _NO_HIGH_BITS:
        raise budget.malformed(_TOO_LONG)
    budget.items_left -= count
    budget.bytes_left -= size
    if budget.items_left < 0:
        raise budget.out_of_items()
    if budget.bytes_left < 0:
        raise budget.out_of_bytes()
    if end > budget.end:
        budget.end = end
    return count


def _words_reader(slot: Slot) -> Read:
    read_words = _checked_words(slot)
    convert = slot.convert
    if convert is None:
        return read_words

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        return tuple(map(convert, read_words(data, start, budget)))

    return read


def _tails_reader(read_element: Read) -> Read:
    read_offsets = _checked_words(OFFSET)

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        offsets = read_offsets(data, start, budget)
        return tuple(map(read_element, repeat(data), map((start + 32).__add__, offsets), repeat(budget)))

    return read


def _static_tuples_reader(width: int, read_element: Read) -> Read:
    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        count = _claimed(data, start, width, budget)
        first = start + 32
        return tuple(read_element(data, first + width * index, budget) for index in range(count))

    return read


@cache
def _checked_words(slot: Slot) -> Callable[[bytes, int, Budget], tuple[Any, ...]]:
    """Reads the words of an array without converting them: at once where they are few, as they mostly are."""
    values = [struct.Struct(">" + slot.value_format * count).unpack_from for count in range(_FEW)]
    paddings = [struct.Struct(">" + slot.padding_format * count).unpack_from for count in range(_FEW)]
    zeros = [(bytes(slot.checked_bytes),) * count for count in range(_FEW)]
    is_checked = slot.checked_bytes > 0
    each_value = struct.Struct(">" + slot.value_format).iter_unpack
    each_padding = struct.Struct(">" + slot.padding_format).iter_unpack

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        count = _claimed(data, start, 32, budget)
        first = start + 32
        if count < _FEW:
            if is_checked and paddings[count](data, first) != zeros[count]:
                raise budget.malformed(DIRTY)
            return values[count](data, first)
        words = memoryview(data)[first : first + 32 * count]
        if is_checked and any(map(zeros[1].__ne__, each_padding(words))):
            raise budget.malformed(DIRTY)
        return tuple(value for (value,) in each_value(words))

    return read


_read_each_blob: Callable[[bytes, int, Budget], tuple[bytes, ...]] = _tails_reader(read_blob)
_blob_and_count_at = struct.Struct(">24sQ32s24sQ").unpack_from
_offsets_at = [struct.Struct(">" + "24sQ" * count).unpack_from for count in range(_FEW)]
_offset_paddings = [(_NO_HIGH_BITS,) * count for count in range(_FEW)]
