"""How a type lies in a head: the words it takes, and for each of them its padding, its value and what makes a value of it."""

from __future__ import annotations

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
    MASKED_WORDS = "masked_words"
    """Ignores them in the outermost words, which assembly reads there, and reverts on them in what stands behind an offset."""

    @property
    def of_words(self) -> Padding:
        return Padding.MASKED if self is Padding.MASKED_WORDS else self

    @property
    def of_tails(self) -> Padding:
        return Padding.CHECKED if self is Padding.MASKED_WORDS else self


class Slot(Struct, frozen=True):
    """One word: `before` bytes of padding, the value's `struct` code, `after` bytes of padding.

    `is_checked` padding must be zero; `convert` makes the value of the bytes, where they are not the value themselves.
    """

    before: int
    code: str
    after: int
    is_checked: bool = False
    convert: Convert | None = None

    @property
    def checked_bytes(self) -> int:
        """How much padding must be zero. No word has padding on both sides that is checked."""
        return self.before + self.after if self.is_checked else 0

    @property
    def value_format(self) -> str:
        return f"{self.before}x{self.code}{self.after}x"

    @property
    def padding_format(self) -> str:
        """Gives the checked padding and nothing else."""
        width = 32 - self.before - self.after
        if not self.checked_bytes:
            return "32x"
        return f"{self.before}s{width}x" if self.before else f"{width}x{self.after}s"

    @property
    def joint_format(self) -> str:
        """Gives the checked padding, if there is any, and the value, in the order in which they stand."""
        if not self.checked_bytes:
            return self.value_format
        return f"{self.before}s{self.code}" if self.before else f"{self.code}{self.after}s"


class Leaf(Struct, frozen=True):
    """One word inside a head."""

    slot: Slot


class Group(Struct, frozen=True):
    """A static tuple inside a head: the shapes of its components."""

    parts: tuple[Shape, ...]


class Tail(Struct, frozen=True):
    """An offset inside a head, and the type behind it."""

    abi_type: AbiType


Shape = Leaf | Group | Tail

OFFSET = Slot(24, "Q", 0, is_checked=True)
"""Offsets and lengths are always checked: what exceeds 64 bits lies beyond any calldata."""


def shape_of(abi_type: AbiType, padding: Padding) -> Shape:
    """How a component of that type stands in its tuple's head."""
    if isinstance(abi_type, Word):
        return Leaf(_slot_of(abi_type, padding))
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


def _slot_of(word: Word, padding: Padding) -> Slot:
    spare = 32 - word.size
    is_checked = padding is Padding.CHECKED and spare > 0
    if word.kind == "int":
        return Slot(0, "32s", 0, convert=_ranged(word.size)) if is_checked else Slot(spare, f"{word.size}s", 0, convert=_signed)
    if word.kind == "bool":
        # Any set bit is the flag where the contract masks; where it checks, all but the last must be zero.
        return Slot(31, "c", 0, is_checked=True, convert=_flag) if is_checked else Slot(0, "32s", 0, convert=bytes(32).__ne__)
    if word.kind == "bytes":
        return Slot(0, f"{word.size}s", spare, is_checked)
    return Slot(spare, f"{word.size}s", 0, is_checked, None if word.kind == "address" else int.from_bytes)


def _signed(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


def _ranged(size: int) -> Convert:
    half = 1 << (8 * size - 1)

    def convert(data: bytes) -> int:
        value = int.from_bytes(data, signed=True)
        if not -half <= value < half:
            raise ValueError("a signed word is out of its type's range")
        return value

    return convert


def _flag(data: bytes) -> bool:
    if data > b"\x01":
        raise ValueError("a flag is neither 0 nor 1")
    return data == b"\x01"
