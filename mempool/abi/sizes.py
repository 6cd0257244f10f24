"""How many bytes arguments take at least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mempool.abi.layout import Padding, shape_of, slots_of
from mempool.abi.types import canonical_type, is_dynamic, parse_type


def least_bytes(inputs: Sequence[Mapping[str, Any]]) -> int:
    """The bytes of the `inputs` of an entry of ABI JSON where all that has a length is empty: words, and one for each length.

    A single struct counts without the offset that leads to it.
    """
    is_struct = len(inputs) == 1 and inputs[0]["type"] == "tuple"
    parts = inputs[0]["components"] if is_struct else inputs
    types = [parse_type(canonical_type(part)) for part in parts]
    words = len(slots_of([shape_of(each, Padding.CHECKED) for each in types]))
    return 32 * (words + sum(map(is_dynamic, types)))
