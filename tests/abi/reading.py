"""Runs a reader as the decoder does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from mempool.abi import SPARE_BYTES, Budget, Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.errors import MalformedCalldata


@cache
def reader(types: tuple[str, ...], padding: Padding) -> Read:
    return arguments_reader([parse_type(text) for text in types], padding)


def read(types: Sequence[str], data: bytes, padding: Padding = Padding.CHECKED) -> tuple[Any, ...]:
    return read_with_budget(types, data, padding)[0]


def read_with_budget(types: Sequence[str], data: bytes, padding: Padding = Padding.CHECKED) -> tuple[tuple[Any, ...], Budget]:
    budget = Budget(b"test", len(data) + SPARE_BYTES)
    return read_arguments(reader(tuple(types), padding), data, 0, budget), budget


def outcome(types: Sequence[str], data: bytes, padding: Padding = Padding.CHECKED) -> tuple[Any, ...] | MalformedCalldata:
    """What reading ends as; anything but these two is a failure."""
    try:
        return read(types, data, padding)
    except MalformedCalldata as error:
        return error
