"""Compiles an ABI type to the function that reads it: one precompiled `struct.Struct` per static head."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from mempool.abi.arrays import array_reader, guarded, read_blob
from mempool.abi.budget import Budget
from mempool.abi.layout import DIRTY, Group, Padding, Read, Shape, Tail, padding_check, shape_of, slots_of
from mempool.abi.types import AbiType, ArrayOf, TupleOf


def arguments_reader(components: Sequence[AbiType], padding: Padding) -> Read:
    """Reads the components one after another, as a function's arguments stand behind its selector; gives a list."""
    shapes = [shape_of(component, padding) for component in components]
    slots = slots_of(shapes)
    unpack = struct.Struct(">" + "".join(slot.values for slot in slots)).unpack_from
    padding_at, clean = padding_check([slot.padding for slot in slots])
    converters = [(index, slot.convert) for index, slot in enumerate(slots) if slot.convert is not None]
    tails = [(index, _tail_reader(shape.abi_type, padding)) for index, shape in _placed(shapes) if isinstance(shape, Tail)]
    regroup = _regrouping(shapes)
    size = 32 * len(slots)

    def read(data: bytes, start: int, budget: Budget) -> list[Any]:
        values = list(unpack(data, start))
        if clean and padding_at(data, start) != clean:
            raise budget.malformed(DIRTY)
        for index, convert in converters:
            values[index] = convert(values[index])
        if start + size > budget.end:
            budget.end = start + size
        for index, read_tail in tails:
            values[index] = read_tail(data, start + values[index], budget)
        return values if regroup is None else regroup(values)

    return read


def tuple_reader(abi_type: TupleOf, padding: Padding) -> Read:
    """Reads a tuple whose head starts at `start`."""
    read_list = arguments_reader(abi_type.components, padding)

    def read(data: bytes, start: int, budget: Budget) -> tuple[Any, ...]:
        return tuple(read_list(data, start, budget))

    return read


def _tail_reader(abi_type: AbiType, padding: Padding) -> Read:
    if isinstance(abi_type, TupleOf):
        return guarded(tuple_reader(abi_type, padding))
    if not isinstance(abi_type, ArrayOf):
        return read_blob
    shape = shape_of(abi_type.element, padding)
    if isinstance(shape, Tail):
        return array_reader(shape, _tail_reader(abi_type.element, padding))
    if isinstance(abi_type.element, TupleOf):
        return array_reader(shape, tuple_reader(abi_type.element, padding))
    return array_reader(shape, None)


def _placed(shapes: Sequence[Shape]) -> list[tuple[int, Shape]]:
    """Each shape of a head with the index of its first word."""
    starts = accumulate((len(slots_of([shape])) for shape in shapes), initial=0)
    return list(zip(starts, shapes, strict=False))


def _regrouping(shapes: Sequence[Shape]) -> Callable[[list[Any]], list[Any]] | None:
    """What folds the flat words of static tuples back into tuples; None where the head has none."""
    if not any(isinstance(shape, Group) for shape in shapes):
        return None
    plan = [(start, start + len(slots_of([shape])), _fold(shape)) for start, shape in _placed(shapes)]

    def regroup(values: list[Any]) -> list[Any]:
        return [values[start] if fold is None else fold(values[start:end]) for start, end, fold in plan]

    return regroup


def _fold(shape: Shape) -> Callable[[list[Any]], tuple[Any, ...]] | None:
    if not isinstance(shape, Group):
        return None
    inner = _regrouping(shape.parts)
    if inner is None:
        return tuple
    return lambda values: tuple(inner(values))
