"""How the static head of a tuple lies in memory: one `struct` format for its values, one for the padding around them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from msgspec import Struct

from mempool.abi.budget import Budget
from mempool.abi.types import AbiType, TupleOf, Word, is_dynamic

Convert = Callable[[bytes], Any]
Read = Callable[[bytes, int, Budget], Any]
"""`(calldata, start, budget) -> value`. May also raise `struct.error` (the calldata ends) and `ValueError` (a value is out of its
type's range); `read_arguments` turns both into `MalformedCalldata`."""

DIRTY = "a word has set bits beside its value"


class Padding(Enum):
    """What a contract does about set bits beside a value that is narrower than its word."""

    MASKED = "masked"
    """Ignores them, as the first ABI coder does with addresses and small integers."""
    CHECKED = "checked"
    """Reverts, as ABI coder v2 does."""


class Slot(Struct, frozen=True):
    """One word of a head: its format, the format of its checked padding, and what makes the value of the bytes."""

    values: str
    padding: str
    convert: Convert | None = None


class Group(Struct, frozen=True):
    """A static tuple inside a head: the shapes of its components."""

    parts: tuple[Shape, ...]


class Leaf(Struct, frozen=True):
    """One word inside a head."""

    slot: Slot


class Tail(Struct, frozen=True):
    """An offset inside a head, and the type behind it."""

    abi_type: AbiType


Shape = Leaf | Group | Tail

# Offsets and lengths are always checked: what exceeds 64 bits lies beyond any calldata.
OFFSET = Slot("24xQ", "24s8x")


def shape_of(abi_type: AbiType, padding: Padding) -> Shape:
    """How a component of that type stands in its tuple's head."""
    if isinstance(abi_type, Word):
        return Leaf(slot_of(abi_type, padding))
    if isinstance(abi_type, TupleOf) and not is_dynamic(abi_type):
        return Group(tuple(shape_of(component, padding) for component in abi_type.components))
    return Tail(abi_type)


def slots_of(shapes: Sequence[Shape]) -> list[Slot]:
    """The words of a head in order."""
    slots: list[Slot] = []
    for shape in shapes:
        if isinstance(shape, Group):
            slots += slots_of(shape.parts)
        else:
            slots.append(shape.slot if isinstance(shape, Leaf) else OFFSET)
    return slots


def padding_check(formats: Sequence[str]) -> tuple[Callable[[bytes, int], tuple[bytes, ...]], tuple[bytes, ...]]:
    """What unpacks the checked padding of consecutive words, and what it gives where all of it is zero."""
    compiled = struct.Struct(">" + "".join(formats))
    return compiled.unpack_from, compiled.unpack(bytes(compiled.size))


def slot_of(word: Word, padding: Padding) -> Slot:
    """How a word of that type is cut and converted."""
    spare = 32 - word.size
    if word.kind == "int":
        return _signed_slot(word, padding)
    if word.kind == "bool":
        # The flag is any set bit where the contract masks; where it checks, all but the last must be zero.
        return Slot("32s", "32x", any) if padding is Padding.MASKED else Slot("31xc", "31sx", _checked_flag)
    checked = padding is Padding.CHECKED and spare > 0
    if word.kind == "bytes":
        return Slot(f"{word.size}s{spare}x", f"{word.size}x{spare}s" if checked else "32x")
    convert = None if word.kind == "address" else int.from_bytes
    return Slot(f"{spare}x{word.size}s", f"{spare}s{word.size}x" if checked else "32x", convert)


def _signed_slot(word: Word, padding: Padding) -> Slot:
    if padding is Padding.MASKED:
        return Slot(f"{32 - word.size}x{word.size}s", "32x", _signed)
    half = 1 << (8 * word.size - 1)

    def convert(data: bytes) -> int:
        value = int.from_bytes(data, signed=True)
        if not -half <= value < half:
            raise ValueError("a signed word is out of its range")
        return value

    return Slot("32s", "32x", convert)


def _signed(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


def _checked_flag(data: bytes) -> bool:
    if data > b"\x01":
        raise ValueError("a flag is neither 0 nor 1")
    return data == b"\x01"
