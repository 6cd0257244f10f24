"""Reads calldata that is laid out as every encoder lays it out, in one piece; whatever else is legal is left to the full reader.

A whole swap is then one `struct` call. There are such readers for what is words alone, and for words around arrays of words or
`bytes`, of which all but the first two are empty. What stands behind the words is mostly a path, and those come again and again:
it is looked up as it stands, and read where it was not met before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import accumulate
from typing import Any

from mempool.abi.budget import Budget
from mempool.abi.layout import Group, Leaf, Padding, Shape, Slot, Tail, shape_of, slots_of
from mempool.abi.source import function_of
from mempool.abi.types import AbiType, ArrayOf, Blob, TupleOf, Word, is_dynamic

ReadPlain = Callable[[bytes, int, Budget | None], tuple[Any, ...] | None]
"""`(calldata, start, budget) -> arguments`, charged to the budget as the full reader charges them.

None, with nothing charged, where an offset, a length or a padding is not the usual one, a value is out of its type's range or the
budget does not suffice.
"""

_Known = dict[bytes, tuple[Any, ...]]
"""Of each tail as it stands its values, and the bytes that it is charged with."""
_ReadTails = Callable[[bytes], tuple[Any, ...] | None]

MAX_ITEMS = 8
"""Items of arrays and words of bytes together."""
MAX_KNOWN = 512
"""Tails that are kept of each layout; a full table is emptied, so that made-up ones cannot fill the memory."""
_MAX_HEAD = 32
_SOURCE = """\
def read_plain(data, start, budget):
    {targets}, = unpack(data, start)
    if {differs}:
        return None
{tails}    try:
        arguments = {values}
    except ValueError:
        return None
{charge}    return arguments
"""
_TAILS = """\
    found = known.get(tails)
    if found is None:
        found = read_tails(tails)
        if found is None:
            return None
    {names}, size = found
"""
_TAILS_SOURCE = """\
def read_tails(tails):
    {targets}, = unpack(tails)
    if {differs}:
        return None
    try:
        found = {values}
    except ValueError:
        return None
    if len(known) >= MAX_KNOWN:
        known.clear()
    known[tails] = found
    return found
"""
_CHARGE = """\
    if budget is not None:
        bytes_left = budget.bytes_left - size
        items_left = budget.items_left - {items}
        if bytes_left < 0 or items_left < 0:
            return None
        budget.bytes_left = bytes_left
        budget.items_left = items_left
"""


@cache
def plain_readers(components: tuple[AbiType, ...], padding: Padding, skipped: int) -> Mapping[int, ReadPlain]:
    """Readers by the length of what they read and the `skipped` bytes before it; none for any other layout.

    What they read must be there in that length.
    """
    inner = _inner(components)
    tails = [component for component in inner or components if is_dynamic(component)]
    words = len(slots_of([shape_of(component, padding) for component in inner or components]))
    if not 0 < words <= _MAX_HEAD or not all(map(_is_plain, tails)):
        return {}
    readers: dict[int, ReadPlain] = {}
    end = skipped + 32 * (bool(inner) + words + len(tails))
    for count in range(MAX_ITEMS + 1) if tails else (0,):
        if len(tails) < 2:
            _add_when_used(readers, end + 32 * count, partial(_reader, components, padding, (count,)))
        else:
            readers[end + 32 * count] = _by_second_tail(components, padding, count)
    return readers


def _by_second_tail(components: Sequence[AbiType], padding: Padding, count: int) -> ReadPlain:
    """Where the second tail begins says how many of all the items or words are in the first; the rest are in the second."""
    inner = _inner(components)
    shapes = [shape_of(component, padding) for component in inner or components]
    _, second, *_ = (index for index, shape in enumerate(shapes) if isinstance(shape, Tail))
    first_word, second_place = len(slots_of(shapes)) + 1, 32 * (bool(inner) + len(slots_of(shapes[:second])))
    counts = {(32 * (first_word + words)).to_bytes(32): words for words in range(count + 1)}
    readers: dict[bytes, ReadPlain] = {}

    def read(data: bytes, start: int, budget: Budget | None) -> tuple[Any, ...] | None:
        place = start + second_place
        offset = data[place : place + 32]
        reader = readers.get(offset)
        if reader is None:
            words = counts.get(offset)
            if words is None or not _may_make_reader(budget):
                return None
            readers[offset] = reader = _reader(components, padding, (words, count - words))
        return reader(data, start, budget)

    return read


def _add_when_used(readers: dict[int, ReadPlain], length: int, make: Callable[[], ReadPlain]) -> None:
    """Most lengths of most functions never come: a reader is made when the first calldata of its length does."""
    made = cache(make)

    def read(data: bytes, start: int, budget: Budget | None) -> tuple[Any, ...] | None:
        if not _may_make_reader(budget):
            return None
        readers[length] = reader = made()
        return reader(data, start, budget)

    readers[length] = read


def _may_make_reader(budget: Budget | None) -> bool:
    """Without a budget one plan is read, which is short."""
    return budget is None or budget.may_make_reader()


def _inner(components: Sequence[AbiType]) -> Sequence[AbiType]:
    """The components of a dynamic tuple that is the only argument; none where it is anything else."""
    only = components[0] if len(components) == 1 else None
    return only.components if isinstance(only, TupleOf) and is_dynamic(only) else ()


def _is_plain(tail: AbiType) -> bool:
    return isinstance(tail, Blob) or (isinstance(tail, ArrayOf) and isinstance(tail.element, Word))


def _reader(components: Sequence[AbiType], padding: Padding, counts: Sequence[int]) -> ReadPlain:
    """For so many items, or words of bytes, in each of the first tails."""
    text = _Text()
    inner = _inner(components)
    if inner:
        text.constant(32)
        values = _tuple_of([text.arguments(inner, padding.of_tails, counts)])
    else:
        values = text.arguments(components, padding, counts)
    source = _SOURCE.format(
        targets=", ".join(text.targets),
        differs=" or ".join(text.differs) or "False",
        tails=_TAILS.format(names=", ".join(text.tails)) if text.tails else "",
        values=values,
        charge=_CHARGE.format(items=text.items) if text.tails and any(counts) else "",
    )
    read: ReadPlain = function_of(source, "read_plain", {"unpack": struct.Struct(text.format).unpack_from, **text.names})
    return read


@cache
def _tails_reader(tails: tuple[AbiType, ...], padding: Padding, counts: tuple[int, ...]) -> tuple[_Known, _ReadTails]:
    """The table of those met before, and the reader for others, which adds them to it."""
    text = _Text()
    values = [text.tail(tail, padding, count) for tail, count in zip(tails, counts, strict=True)]
    known: _Known = {}
    source = _TAILS_SOURCE.format(
        targets=", ".join(text.targets),
        differs=" or ".join(text.differs) or "False",
        values=_tuple_of([*values, " + ".join(text.sizes) or "0"]),
    )
    names = {"unpack": struct.Struct(text.format).unpack, "known": known, "MAX_KNOWN": MAX_KNOWN, **text.names}
    return known, function_of(source, "read_tails", names)


class _Text:
    """The pieces of a reader's text, word by word."""

    def __init__(self) -> None:
        self.format = ">"
        self.words = 0
        self.targets: list[str] = []
        self.differs: list[str] = []
        self.names: dict[str, Any] = {}
        self.tails: list[str] = []
        """The names of what is found behind the words."""
        self.sizes: list[str] = []
        """The texts of the bytes that the tails are charged with."""
        self.items = 0
        """How many items they are charged with."""

    def arguments(self, components: Sequence[AbiType], padding: Padding, counts: Sequence[int]) -> str:
        """The components one after another, and what stands behind them; the text of the tuple of their values."""
        shapes = [shape_of(component, padding.of_words) for component in components]
        tails = [index for index, component in enumerate(components) if is_dynamic(component)]
        counts = [*counts, *(0 for _ in tails[len(counts) :])]
        starts = accumulate((32 + 32 * count for count in counts), initial=32 * len(slots_of(shapes)))
        values = [self.head(shape, starts) for shape in shapes]
        for index in tails:
            values[index] = f"tail{index}"
            self.tails.append(values[index])
        if tails:
            types = tuple(components[index] for index in tails)
            self.names["known"], self.names["read_tails"] = _tails_reader(types, padding.of_tails, tuple(counts))
            self.items = sum(count for each, count in zip(types, counts, strict=True) if isinstance(each, ArrayOf))
            self._unpack(f"{32 * (len(counts) + sum(counts))}s", "tails")
        return _tuple_of(values)

    def head(self, shape: Shape, starts: Iterator[int]) -> str:
        """One component in the head, where a tail's offset is the next of `starts`; the text of its value."""
        if isinstance(shape, Group):
            return _tuple_of([self.head(part, starts) for part in shape.parts])
        if isinstance(shape, Leaf):
            return self.word(shape.slot)
        self.constant(next(starts))
        return ""

    def tail(self, tail: AbiType, padding: Padding, count: int) -> str:
        """`bytes` of so many words, or an array of so many items; the text of its value."""
        size = f"size{self.words}"
        if count:
            self.sizes.append(size if isinstance(tail, Blob) else str(32 * count))
        if not isinstance(tail, ArrayOf):
            return self.blob(size, count)
        (element,) = slots_of([shape_of(tail.element, padding)])
        self.constant(count)
        return _tuple_of([self.word(element) for _ in range(count)])

    def constant(self, value: int) -> None:
        """A word that must be `value`."""
        name = f"word{self.words}"
        self._compare(name, value.to_bytes(32))
        self._unpack("32s", name)

    def word(self, slot: Slot) -> str:
        """A word that is read; the text of its value."""
        number = self.words
        value, padding = f"value{number}", f"padding{number}"
        targets = [value]
        if slot.checked_bytes:
            targets.insert(0 if slot.before else 1, padding)
            self._compare(padding, bytes(slot.checked_bytes))
        self._unpack(slot.joint_format, *targets)
        if slot.convert is None:
            return value
        self.names[f"convert{number}"] = slot.convert
        return f"convert{number}({value})"

    def blob(self, size: str, words: int) -> str:
        """A length that takes so many words, and those; the text of the bytes."""
        most = 32 * words
        self._compare(f"high_{size}", bytes(24))
        self.differs.append(f"not {max(most - 32, -1)} < {size} <= {most}")
        self._unpack("24sQ", f"high_{size}", size)
        self._unpack(f"{most}s", f"bytes_{size}", words=words)
        return f"bytes_{size}[:{size}]"

    def _unpack(self, form: str, *targets: str, words: int = 1) -> None:
        self.format += form
        self.targets += targets
        self.words += words

    def _compare(self, name: str, expected: bytes) -> None:
        self.differs.append(f"{name} != expected_{name}")
        self.names[f"expected_{name}"] = expected


def _tuple_of(texts: Sequence[str]) -> str:
    return f"({', '.join(texts)},)" if texts else "()"
