"""Reads calldata that is laid out as every encoder lays it out, in one piece; whatever else is legal is left to the full reader.

Worth having for functions with a single array, such as a path of tokens: a whole swap is then one `struct` call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mempool.abi.layout import Padding, Slot, Tail, shape_of, slots_of
from mempool.abi.types import AbiType, ArrayOf, Word

ReadPlain = Callable[[bytes], tuple[Any, ...] | None]
"""`calldata -> arguments`, or None where an offset, a length or a padding is not the usual one."""

MAX_ITEMS = 8
_SOURCE = """\
def read_plain(data):
    {targets}, = unpack(data)
    if {differs}:
        return None
    return ({values},)
"""


def plain_readers(components: Sequence[AbiType], padding: Padding) -> Mapping[int, ReadPlain]:
    """Readers by the length of the whole calldata; none for functions that are not words around one array of words."""
    shapes = [shape_of(component, padding.of_words) for component in components]
    arrays = [component.element for component in components if isinstance(component, ArrayOf)]
    tails = [shape for shape in shapes if isinstance(shape, Tail)]
    if len(tails) != 1 or not arrays or not isinstance(arrays[0], Word) or len(slots_of(shapes)) != len(shapes):
        return {}
    (element,) = slots_of([shape_of(arrays[0], padding.of_tails)])
    head = [None if isinstance(shape, Tail) else slots_of([shape])[0] for shape in shapes]
    return {4 + 32 * (len(head) + 1 + count): _reader(head, element, count) for count in range(MAX_ITEMS + 1)}


def _reader(head: Sequence[Slot | None], element: Slot, count: int) -> ReadPlain:
    """For arrays of `count` items; None in `head` is the offset. The text holds numbered names alone, as in `readers`."""
    text = _Text()
    values = [text.constant(32 * len(head)) if slot is None else text.word(slot) for slot in head]
    text.constant(count)
    items = [text.word(element) for _ in range(count)]
    array = f"({', '.join(items)},)" if items else "()"
    values = [array if slot is None else value for slot, value in zip(head, values, strict=True)]
    source = _SOURCE.format(targets=", ".join(text.targets), differs=" or ".join(text.differs), values=", ".join(values))
    names = {"unpack": struct.Struct(">4x" + text.format).unpack, **text.names}
    exec(source, names)  # noqa: S102 - the text holds nothing from outside, and no other plain Python reads as fast
    reader: ReadPlain = names["read_plain"]
    return reader


class _Text:
    """The pieces of a reader's text, word by word."""

    def __init__(self) -> None:
        self.format = ""
        self.targets: list[str] = []
        self.differs: list[str] = []
        self.names: dict[str, Any] = {}

    def constant(self, value: int) -> str:
        """A word that must be `value`."""
        name = f"word{len(self.targets)}"
        self._compare(name, value.to_bytes(32))
        self.format += "32s"
        self.targets.append(name)
        return name

    def word(self, slot: Slot) -> str:
        """A word that is read; the text of its value."""
        number = len(self.targets)
        value, padding = f"value{number}", f"padding{number}"
        targets = [value]
        if slot.checked_bytes:
            targets.insert(0 if slot.before else 1, padding)
            self._compare(padding, bytes(slot.checked_bytes))
        self.format += slot.joint_format
        self.targets += targets
        if slot.convert is None:
            return value
        self.names[f"convert{number}"] = slot.convert
        return f"convert{number}({value})"

    def _compare(self, name: str, expected: bytes) -> None:
        self.differs.append(f"{name} != expected_{name}")
        self.names[f"expected_{name}"] = expected
