"""Functions of a contract's ABI, each with its selector and the reader of its arguments."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mempool.abi.arrays import read_blob_and_items
from mempool.abi.budget import Budget
from mempool.abi.in_place import Offsets, ToUsual, input_in_place, struct_in_place
from mempool.abi.layout import Padding, Read
from mempool.abi.plain import ReadPlain, plain_readers
from mempool.abi.readers import arguments_reader
from mempool.abi.types import AbiType, TupleOf, canonical_tuple, canonical_type, is_dynamic, parse_type
from mempool.errors import ConfigError, MalformedCalldata
from mempool.model.keccak import keccak256

Around = Callable[[], tuple[bytes, int, int]]
"""`() -> (calldata, where the arguments begin in it, their stated length)`"""


class FunctionReader(Struct, frozen=True):
    """One function: `signature` is `name(type,…)`, `selector` the first 4 bytes of its hash."""

    name: str
    signature: str
    selector: bytes
    types: tuple[AbiType, ...]
    padding: Padding

    def reader(self) -> Read:
        return arguments_reader(self.types, self.padding, read_blob_and_items)

    def plain_readers(self) -> Mapping[int, ReadPlain]:
        """Quick readers by the length of the calldata: where there is none, or it gives None, `reader` decides."""
        return plain_readers(self.types, self.padding, 4)


def read_functions(abi: Sequence[Mapping[str, Any]], padding: Padding) -> dict[bytes, FunctionReader]:
    """The functions of a standard ABI JSON by selector; its other entries are passed over.

    Raises `ConfigError` where two of them share a selector.
    """
    functions: dict[bytes, FunctionReader] = {}
    for entry in abi:
        if entry.get("type") != "function":
            continue
        function = _function(entry, padding)
        if function.selector in functions:
            raise ConfigError(f"{function.signature} and {functions[function.selector].signature} share a selector")
        functions[function.selector] = function
    return functions


def read_arguments(read: Read, data: bytes, start: int, budget: Budget) -> Any:
    """Run a reader from `start` on. Raises `MalformedCalldata` and nothing else."""
    try:
        return read(data, start, budget)
    except struct.error:
        raise budget.malformed("the calldata ends inside its arguments") from None
    except ValueError as error:
        raise budget.malformed(str(error)) from None


def read_or_find(readers: tuple[Read, ToUsual | None], data: bytes, start: int, budget: Budget, around: Around) -> Any:
    """The same for `data` that stands in other calldata; what cannot be read from it alone is looked for `around` it.

    Bytes are charged once, items each time.
    """
    read, find = readers
    bytes_left = budget.bytes_left
    try:
        return read_arguments(read, data, start, budget)
    except MalformedCalldata as error:
        if find is None or error.refused:
            raise
    budget.bytes_left = bytes_left
    calldata, place, length = around()
    bytes_left = budget.bytes_left
    usual = read_arguments(lambda data, start, budget: find(data, start, length, budget), calldata, place, budget)
    budget.bytes_left = bytes_left
    return read_arguments(read, usual, 0, budget)


def _function(entry: Mapping[str, Any], padding: Padding) -> FunctionReader:
    signature = entry["name"] + canonical_tuple(entry["inputs"])
    selector = keccak256(signature.encode())[:4]
    types = _types(entry["inputs"])
    return FunctionReader(entry["name"], signature, selector, types, padding)


def inputs_reader(inputs: Sequence[Mapping[str, Any]], padding: Padding) -> Read:
    """The reader of the `inputs` of one entry of ABI JSON; gives a tuple of values."""
    return arguments_reader(_types(inputs), padding)


def inputs_in_place(inputs: Sequence[Mapping[str, Any]], offsets: Offsets) -> ToUsual:
    """What finds the `inputs` of one entry of ABI JSON where assembly does, for the reader of the same."""
    return input_in_place(_types(inputs), offsets)


def only_struct_in_place(inputs: Sequence[Mapping[str, Any]]) -> ToUsual | None:
    """The same for `inputs` that are one struct with lists, a parameter of an action; None where they are anything else."""
    types = _types(inputs)
    only = types[0] if len(types) == 1 else None
    return struct_in_place(only.components) if isinstance(only, TupleOf) and is_dynamic(only) else None


def plain_inputs_readers(inputs: Sequence[Mapping[str, Any]], padding: Padding) -> Mapping[int, ReadPlain]:
    """Quick readers of the same by the length of what they read, which begins with the first of them."""
    return plain_readers(_types(inputs), padding, 0)


def _types(inputs: Sequence[Mapping[str, Any]]) -> tuple[AbiType, ...]:
    return tuple(parse_type(canonical_type(parameter)) for parameter in inputs)
