"""Compiles ABI types to the function that reads them: one precompiled `struct.Struct` per static head."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from mempool.abi.arrays import array_reader, charged, guarded, read_blob, read_blob_and_blobs
from mempool.abi.layout import DIRTY, Group, Padding, Read, Shape, Slot, Tail, shape_of, slots_of
from mempool.abi.plans import ReadPair, by_shape
from mempool.abi.source import function_of
from mempool.abi.types import AbiType, ArrayOf, Blob, TupleOf, is_dynamic

_BLOB_AND_BLOBS = [Tail(Blob()), Tail(ArrayOf(Blob()))]
_SOURCE = """\
def read(data, start, budget):
    {targets}, = unpack(data, start)
    if {is_dirty}:
        raise budget.malformed(DIRTY)
    if start + {size} > budget.end:
        budget.end = start + {size}
    return {values}
"""


def arguments_reader(components: Sequence[AbiType], padding: Padding, read_pair: ReadPair = read_blob_and_blobs) -> Read:
    """Reads the components one after another, as arguments stand behind a selector and a tuple at its start; gives a tuple.

    `read_pair` reads `bytes` and `bytes[]` where they are the first two. The reader is made as source text: a loop over the
    fields takes twice as long.
    """
    if not components:
        return _read_nothing
    shapes = [shape_of(component, padding.of_words) for component in components]
    slots = slots_of(shapes)
    names: dict[str, Any] = {"DIRTY": DIRTY, "unpack": _unpacker(slots), "read_both": by_shape(read_pair)}
    checks = [(index, slot.checked_bytes) for index, slot in enumerate(slots) if slot.checked_bytes]
    names |= {f"zeros{size}": bytes(size) for _, size in checks}
    source = _SOURCE.format(
        targets=", ".join(_target(index, slot) for index, slot in enumerate(slots)),
        is_dirty=" or ".join(f"padding{index} != zeros{size}" for index, size in checks) or "False",
        size=32 * len(slots),
        values=_tuple_of(_expressions(shapes, 0, names, padding.of_tails)),
    )
    read: Read = function_of(source, "read", names)
    return read


def _read_nothing(_data: bytes, _start: int, _budget: object) -> tuple[()]:
    return ()


def _target(index: int, slot: Slot) -> str:
    """What one word is unpacked to: its checked padding stands on one side of its value."""
    value, padding = f"value{index}", f"padding{index}"
    if not slot.checked_bytes:
        return value
    return f"{padding}, {value}" if slot.before else f"{value}, {padding}"


def _expressions(shapes: Sequence[Shape], first: int, names: dict[str, Any], padding: Padding) -> list[str]:
    """The text that makes each shape's value of the words from number `first` on; adds the functions it calls to `names`."""
    at, texts = first, []
    for shape in shapes:
        texts.append(_expression(shape, first, names, padding))
        first += len(slots_of([shape]))
    if shapes[:2] == _BLOB_AND_BLOBS:
        return [f"*read_both(data, start + value{at}, start + value{at + 1}, budget)", *texts[2:]]
    return texts


def _expression(shape: Shape, index: int, names: dict[str, Any], padding: Padding) -> str:
    if isinstance(shape, Group):
        return _tuple_of(_expressions(shape.parts, index, names, padding))
    if isinstance(shape, Tail):
        names[f"read{index}"] = _tail_reader(shape.abi_type, padding)
        return f"read{index}(data, start + value{index}, budget)"
    if shape.slot.convert is None:
        return f"value{index}"
    names[f"convert{index}"] = shape.slot.convert
    return f"convert{index}(value{index})"


def _tuple_of(texts: Iterable[str]) -> str:
    return f"({', '.join(texts)},)"


def _unpacker(slots: Sequence[Slot]) -> Any:
    return struct.Struct(">" + "".join(slot.joint_format for slot in slots)).unpack_from


def _tail_reader(abi_type: AbiType, padding: Padding) -> Read:
    if isinstance(abi_type, TupleOf):
        return guarded(arguments_reader(abi_type.components, padding))
    if not isinstance(abi_type, ArrayOf):
        return read_blob
    shape = shape_of(abi_type.element, padding)
    element = abi_type.element
    if isinstance(element, TupleOf):
        read = arguments_reader(element.components, padding)
        return array_reader(shape, charged(read, _head_bytes(element)) if isinstance(shape, Tail) else read)
    return array_reader(shape, _tail_reader(element, padding) if isinstance(shape, Tail) else None)


def _head_bytes(abi_type: AbiType) -> int:
    """What the heads of a dynamic tuple take, its own and those of the tuples inside it; 0 for what has a length."""
    if not isinstance(abi_type, TupleOf) or not is_dynamic(abi_type):
        return 0
    own = slots_of([shape_of(component, Padding.CHECKED) for component in abi_type.components])
    return 32 * len(own) + sum(map(_head_bytes, abi_type.components))
