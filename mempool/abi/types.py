"""The ABI's type grammar: `(address,uint24)[]` and the like as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from mempool.errors import ConfigError


class Word(Struct, frozen=True):
    """A type of one 32-byte word. `kind` is uint, int, address, bool or bytes; `size` is its width in bytes."""

    kind: str
    size: int


class Blob(Struct, frozen=True):
    """`bytes` or `string`; a string is handed out as its bytes, since nothing promises that they are UTF-8."""


class ArrayOf(Struct, frozen=True):
    """`element[]`."""

    element: AbiType


class TupleOf(Struct, frozen=True):
    """A tuple; `element[k]` is a tuple of k equal components, which is how it is encoded."""

    components: tuple[AbiType, ...]


AbiType = Word | Blob | ArrayOf | TupleOf

_TOKEN = re.compile(r"\(|\)|,|\[\d*\]|[a-z]+\d*")
_WORD = re.compile(r"(uint|int|bytes)(\d+)")
_MAX_FIXED_ITEMS = 256
_PLAIN: Mapping[str, AbiType] = {
    "address": Word("address", 20),
    "bool": Word("bool", 1),
    "uint": Word("uint", 32),
    "int": Word("int", 32),
    "function": Word("bytes", 24),
    "bytes": Blob(),
    "string": Blob(),
}


def parse_type(text: str) -> AbiType:
    """The type that `text` names in canonical form. Raises `ConfigError` where it names none."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise ConfigError(f"{text!r} is not an ABI type")
    tokens.reverse()
    parsed = _parse(tokens, text)
    if tokens:
        raise ConfigError(f"{text!r} is not an ABI type: {tokens[-1]!r} stands after its end")
    return parsed


def canonical_type(parameter: Mapping[str, Any]) -> str:
    """The canonical text of one `inputs` entry of standard ABI JSON."""
    text = str(parameter["type"])
    if not text.startswith("tuple"):
        return text
    return canonical_tuple(parameter["components"]) + text.removeprefix("tuple")


def canonical_tuple(parameters: Sequence[Mapping[str, Any]]) -> str:
    """`(type,…)` of the parameters: a signature without the name."""
    return f"({','.join(map(canonical_type, parameters))})"


def is_dynamic(abi_type: AbiType) -> bool:
    """Whether a value of the type stands behind an offset."""
    if isinstance(abi_type, TupleOf):
        return any(map(is_dynamic, abi_type.components))
    return not isinstance(abi_type, Word)


def _parse(tokens: list[str], text: str) -> AbiType:
    parsed = _parse_base(tokens, text)
    while tokens and tokens[-1].startswith("["):
        length = tokens.pop()[1:-1]
        if not length:
            parsed = ArrayOf(parsed)
        elif 0 < int(length) <= _MAX_FIXED_ITEMS:
            parsed = TupleOf((parsed,) * int(length))
        else:
            raise ConfigError(f"{text!r}: a fixed array holds 1 to {_MAX_FIXED_ITEMS} items")
    return parsed


def _parse_base(tokens: list[str], text: str) -> AbiType:
    piece = tokens.pop() if tokens else ""
    if piece == "(":
        return _parse_tuple(tokens, text)
    if piece in _PLAIN:
        return _PLAIN[piece]
    matched = _WORD.fullmatch(piece)
    if matched is None:
        raise ConfigError(f"{text!r} is not an ABI type: it has no type at {piece!r}")
    kind, number = matched[1], int(matched[2])
    size, rest = (number, 0) if kind == "bytes" else divmod(number, 8)
    if rest or not 0 < size <= 32:
        raise ConfigError(f"{text!r} is not an ABI type: {piece!r} has no such width")
    return Word(kind, size)


def _parse_tuple(tokens: list[str], text: str) -> TupleOf:
    components = []
    separator = ","
    while separator == ",":
        components.append(_parse(tokens, text))
        separator = tokens.pop() if tokens else ""
    if separator != ")":
        raise ConfigError(f"{text!r} is not an ABI type: a bracket is not closed")
    return TupleOf(tuple(components))
