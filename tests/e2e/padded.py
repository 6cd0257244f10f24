"""Calldata with a map of its padding: the bytes beside values that are narrower than their word, and behind the ends of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from eth_abi.abi import encode

from mempool.model.keccak import keccak256
from tests.decode.calls import split_types

WORD = 32


class Padded(NamedTuple):
    """An encoding, and `(start, length)` of each piece of padding in it."""

    data: bytes
    padding: tuple[tuple[int, int], ...] = ()

    def at(self, start: int) -> tuple[tuple[int, int], ...]:
        """The padding, where the encoding stands at `start` of something longer."""
        return tuple((start + each, length) for each, length in self.padding)


def padded_call(signature: str, *arguments: Any) -> Padded:
    """A call of `name(type,…)`; `bytes` among the arguments may be `Padded` themselves."""
    body = _sequence(split_types(signature[signature.index("(") + 1 : -1]), arguments)
    return Padded(keccak256(signature.encode())[:4] + body.data, body.at(4))


def padded_input(types: str, *arguments: Any) -> Padded:
    """Arguments alone, `types` as in `address,uint256`."""
    return _sequence(split_types(types), arguments)


def _sequence(types: Sequence[str], values: Sequence[Any]) -> Padded:
    parts = [(_is_dynamic(each), _encoded(each, value)) for each, value in zip(types, values, strict=True)]
    tail_at = sum(WORD if dynamic else len(part.data) for dynamic, part in parts)
    head, tail = b"", b""
    padding: tuple[tuple[int, int], ...] = ()
    for dynamic, part in parts:
        if dynamic:
            head += (tail_at + len(tail)).to_bytes(WORD)
            padding += part.at(tail_at + len(tail))
            tail += part.data
        else:
            padding += part.at(len(head))
            head += part.data
    return Padded(head + tail, padding)


def _encoded(kind: str, value: Any) -> Padded:
    if kind.endswith("[]"):
        items = _sequence([kind[:-2]] * len(value), value)
        return Padded(len(value).to_bytes(WORD) + items.data, items.at(WORD))
    if kind.startswith("("):
        return _sequence(split_types(kind[1:-1]), value)
    if kind == "bytes":
        return _bytes(value if isinstance(value, Padded) else Padded(value))
    beside = WORD - _value_bytes(kind)
    return Padded(encode([kind], [value]), ((0, beside),) if beside else ())


def _bytes(value: Padded) -> Padded:
    spare = -len(value.data) % WORD
    behind = ((WORD + len(value.data), spare),) if spare else ()
    return Padded(len(value.data).to_bytes(WORD) + value.data + bytes(spare), value.at(WORD) + behind)


def _is_dynamic(kind: str) -> bool:
    if kind.startswith("(") and not kind.endswith("[]"):
        return any(_is_dynamic(each) for each in split_types(kind[1:-1]))
    return kind == "bytes" or kind.endswith("[]")


def _value_bytes(kind: str) -> int:
    if kind == "address":
        return 20
    if kind == "bool":
        return 1
    if kind == "bytes32":
        return WORD
    return int(kind.removeprefix("u").removeprefix("int")) // 8
