"""Functions of a contract's ABI, each with its selector and the reader of its arguments."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from mempool.abi.budget import Budget
from mempool.abi.layout import Padding, Read
from mempool.abi.plain import ReadPlain, plain_readers
from mempool.abi.readers import arguments_reader
from mempool.abi.types import AbiType, canonical_tuple, canonical_type, parse_type
from mempool.errors import ConfigError
from mempool.model.keccak import keccak256


class FunctionReader(Struct, frozen=True):
    """One function: `signature` is `name(type,…)`, `selector` the first 4 bytes of its hash."""

    name: str
    signature: str
    selector: bytes
    types: tuple[AbiType, ...]
    padding: Padding

    def reader(self) -> Read:
        return arguments_reader(self.types, self.padding)

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


def _function(entry: Mapping[str, Any], padding: Padding) -> FunctionReader:
    signature = entry["name"] + canonical_tuple(entry["inputs"])
    selector = keccak256(signature.encode())[:4]
    types = _types(entry["inputs"])
    return FunctionReader(entry["name"], signature, selector, types, padding)


def inputs_reader(inputs: Sequence[Mapping[str, Any]], padding: Padding) -> Read:
    """The reader of the `inputs` of one entry of ABI JSON; gives a tuple of values."""
    return arguments_reader(_types(inputs), padding)


def plain_inputs_readers(inputs: Sequence[Mapping[str, Any]], padding: Padding) -> Mapping[int, ReadPlain]:
    """Quick readers of the same by the length of what they read, which begins with the first of them."""
    return plain_readers(_types(inputs), padding, 0)


def _types(inputs: Sequence[Mapping[str, Any]]) -> tuple[AbiType, ...]:
    return tuple(parse_type(canonical_type(parameter)) for parameter in inputs)
