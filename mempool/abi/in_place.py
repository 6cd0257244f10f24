"""Finds arguments where they stand in the calldata, as assembly reads it: words beyond its end are 0, lists alone have a bound.

Uniswap's Universal Routers from V1.2 on, and PancakeSwap's first one, read their commands so (`Dispatcher.dispatch`): of an
input's stated length they ask only that lists end inside of it. For V1.2 and V2.0 this is tested against the deployed code; of
V2.1.1 and of PancakeSwap's, whose builds are in no package, it is taken from their published sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import accumulate, chain, groupby

from mempool.abi.budget import Budget
from mempool.abi.layout import Padding, shape_of, slots_of
from mempool.abi.types import AbiType, ArrayOf, Blob, TupleOf, is_dynamic
from mempool.errors import ConfigError

ToUsual = Callable[[bytes, int, int, Budget], bytes]
"""`(calldata, start of the arguments, their stated length, budget) -> the same as every encoder lays them out`.

It is charged as reading that is. May also raise `ValueError` where the contract reverts, as a `Read` may.
"""

_ITEMS_OF_ONE = 8
"""What has an offset of its own takes some eight times as long to find as to read where it is usually laid out, and is charged
as so many items."""
_AROUND = 1 << 256
_HALF = 1 << 255
_LOW_32_BITS = 0xFFFFFFFF
_BEYOND = "an offset points beyond the calldata"
_TOO_LONG = "a list ends behind its input"
_Place = tuple[int, int]
_Find = Callable[[bytes, _Place, int, Budget], bytes]
"""`(calldata, start and length of the whole, place of the offset, budget) -> what stands behind it, in the usual layout`"""


class Offsets(Enum):
    """How a contract takes the words that lead to a list in an input, its offset and its length."""

    WHOLE = "whole"
    """As BytesLib's `toLengthOffset` of V1.2: where a list must end inside its input, an item of an array counts as one byte."""
    LOW_32_BITS = "low_32_bits"
    """Of those that lead to `bytes` the low 32 bits, as v4-periphery's `CalldataDecoder.toBytes`; others as whole."""
    LOW_32_BITS_AND_WORDS = "low_32_bits_and_words"
    """The same, but that an item of an array counts as a word, modulo 2^256: `toLengthOffset` of V2.1.1."""


def word_at(data: bytes, place: int) -> int:
    """As `calldataload`, for any place modulo 2^256."""
    return int.from_bytes(_window(data, place, 32))


def item_at(data: bytes, first: int, number: int) -> _Place:
    """Where an item of a `bytes[]` begins and how long it is, as Solidity finds it in calldata.

    `first` is the place of the first offset, from which all are counted, and they are signed: what lies before is found too.
    Raises `ValueError` where it reverts.
    """
    return _list_behind(data, first, first + 32 * number, 1)


def items_at(data: bytes, first: int, count: int, budget: Budget) -> tuple[bytes, ...]:
    """The items of a `bytes[]` in calldata, charged with their bytes."""
    items = []
    _charge(budget, count * _ITEMS_OF_ONE, 0)
    for number in range(count):
        start, length = item_at(data, first, number)
        items.append(_copied(data, (start, length), budget))
        if start < len(data):
            budget.end = max(budget.end, start + length + (-length & 31))
    return tuple(items)


def blobs(each_data: Iterable[bytes]) -> bytes:
    """`bytes` as they are encoded, one after another: their length, then they, in whole words."""
    return b"".join(chain.from_iterable((len(data).to_bytes(32), data, bytes(-len(data) % 32)) for data in each_data))


def input_in_place(components: Sequence[AbiType], offsets: Offsets) -> ToUsual:
    """For a command's input: words, and lists that end inside it. Raises `ConfigError` for types that no command has."""
    find = _tuple_of(components, lambda component: _list_in_input(component, offsets))
    return lambda data, start, length, budget: find(data, (start, length), start, budget)


def struct_in_place(components: Sequence[AbiType]) -> ToUsual:
    """For one struct behind its offset, which nothing bounds; what the struct's own offsets lead to must lie in the calldata."""
    find = _tuple_of(components, _behind_signed_offset)

    def find_struct(data: bytes, start: int, length: int, budget: Budget) -> bytes:
        place = start + word_at(data, start)
        return (32).to_bytes(32) + find(data, (place, length), place, budget)

    return find_struct


def _tuple_of(components: Sequence[AbiType], finder_of: Callable[[AbiType], _Find]) -> _Find:
    """Components that stand one after another from a place on."""
    parts: list[tuple[int, _Find | None]] = []
    for is_list, group in groupby(components, is_dynamic):
        if is_list:
            parts += [(_head_size(each), finder_of(each)) for each in group]
        else:
            parts.append((sum(map(_head_size, group)), None))
    head_size = sum(size for size, _ in parts)

    def find_all(data: bytes, whole: _Place, at: int, budget: Budget) -> bytes:
        head, tails, end = [], [], head_size
        for size, find in parts:
            if find is None:
                head.append(_words(data, at, size))
            else:
                head.append(end.to_bytes(32))
                tails.append(find(data, whole, at, budget))
                end += len(tails[-1])
            at += size
        return b"".join((*head, *tails))

    return find_all


def _list_in_input(abi_type: AbiType, offsets: Offsets) -> _Find:
    if isinstance(abi_type, Blob):
        locate = _list_in if offsets is Offsets.WHOLE else _low_list_in
        return lambda data, whole, at, budget: blobs([_copied(data, locate(data, whole, at), budget)])
    if not isinstance(abi_type, ArrayOf):
        raise ConfigError(f"{abi_type} is not read in place")
    elements = _elements(abi_type.element)
    locate_array = _words_in if offsets is Offsets.LOW_32_BITS_AND_WORDS else _list_in
    return lambda data, whole, at, budget: elements(data, locate_array(data, whole, at), 0, budget)


def _behind_signed_offset(abi_type: AbiType) -> _Find:
    if isinstance(abi_type, Blob):
        return lambda data, whole, at, budget: blobs([_copied(data, _list_behind(data, whole[0], at, 1), budget)])
    if isinstance(abi_type, ArrayOf):
        elements, width = _elements(abi_type.element), _head_size(abi_type.element)
        return lambda data, whole, at, budget: elements(data, _list_behind(data, whole[0], at, width), 0, budget)
    if not isinstance(abi_type, TupleOf):
        raise ConfigError(f"{abi_type} is not read in place")
    find, size = _tuple_of(abi_type.components, _behind_signed_offset), sum(map(_head_size, abi_type.components))

    def find_struct(data: bytes, whole: _Place, at: int, budget: Budget) -> bytes:
        place = _place_behind(data, whole[0], at, size)
        _charge(budget, 0, size)
        return find(data, (place, 0), place, budget)

    return find_struct


def _elements(abi_type: AbiType) -> _Find:
    """An array of which `(start, length)` are known: its length, then its elements."""
    width = _head_size(abi_type)
    if not is_dynamic(abi_type):

        def copy(data: bytes, whole: _Place, _at: int, budget: Budget) -> bytes:
            start, count = whole
            _charge(budget, count, count * width)
            return count.to_bytes(32) + _window(data, start, count * width)

        return copy
    find = _behind_signed_offset(abi_type)

    def find_each(data: bytes, whole: _Place, _at: int, budget: Budget) -> bytes:
        start, count = whole
        _charge(budget, count * _ITEMS_OF_ONE, count * width)
        tails = [find(data, whole, start + width * number, budget) for number in range(count)]
        *starts, _ = accumulate(map(len, tails), initial=width * count)
        return b"".join((count.to_bytes(32), *(each.to_bytes(32) for each in starts), *tails))

    return find_each


def _list_in(data: bytes, whole: _Place, at: int) -> _Place:
    """Where a list begins and its length, of bytes or of items: the router counts one byte for either where it bounds it."""
    start, size = whole
    behind, length = _behind_offset(data, start, at)
    if length + behind > size:
        raise ValueError(_TOO_LONG)
    return (start + behind) % _AROUND, length


def _words_in(data: bytes, whole: _Place, at: int) -> _Place:
    """The same with a word for each item, in arithmetic that goes around; nobody can pay for as many items as that takes."""
    start, size = whole
    behind, length = _behind_offset(data, start, at)
    if (32 * length + behind) % _AROUND > size or length >= 1 << 64:
        raise ValueError(_TOO_LONG)
    return (start + behind) % _AROUND, length


def _behind_offset(data: bytes, start: int, at: int) -> tuple[int, int]:
    """Where a list's items begin, counted from `start`, and its length."""
    offset = word_at(data, at)
    return (offset + 32) % _AROUND, word_at(data, start + offset)


def _low_list_in(data: bytes, whole: _Place, at: int) -> _Place:
    start, size = whole
    place = start + (word_at(data, at) & _LOW_32_BITS)
    length = word_at(data, place) & _LOW_32_BITS
    if (start + size) % _AROUND < (place + 32 + length) % _AROUND:
        raise ValueError(_TOO_LONG)
    return place + 32, length


def _place_behind(data: bytes, base: int, at: int, least: int) -> int:
    """Where the signed offset at `at` leads, counted from `base`; so many bytes must follow."""
    offset = _signed(word_at(data, at))
    if offset >= _signed(len(data) - base - least + 1):
        raise ValueError(_BEYOND)
    return (base + offset) % _AROUND


def _list_behind(data: bytes, base: int, at: int, width: int) -> _Place:
    place = _place_behind(data, base, at, 32)
    length, start = word_at(data, place), (place + 32) % _AROUND
    if length >= 1 << 64 or _signed(start) > len(data) - length * width:
        raise ValueError(_BEYOND)
    return start, length


def _copied(data: bytes, place: _Place, budget: Budget) -> bytes:
    start, length = place
    _charge(budget, 0, length)
    return _window(data, start, length)


def _charge(budget: Budget, items: int, size: int) -> None:
    budget.items_left -= items
    if budget.items_left < 0:
        raise budget.out_of_items()
    budget.bytes_left -= size
    if budget.bytes_left < 0:
        raise budget.out_of_bytes()


def _head_size(abi_type: AbiType) -> int:
    return 32 * len(slots_of([shape_of(abi_type, Padding.MASKED)]))


def _words(data: bytes, place: int, size: int) -> bytes:
    """Words one after another, of which those behind the last place begin at the first again."""
    if place % _AROUND + size <= _AROUND:
        return _window(data, place, size)
    return b"".join(_window(data, each, 32) for each in range(place, place + size, 32))


def _window(data: bytes, place: int, size: int) -> bytes:
    start = place % _AROUND
    return data[start : start + size].ljust(size, b"\0")


def _signed(number: int) -> int:
    number %= _AROUND
    return number - _AROUND if number >= _HALF else number
