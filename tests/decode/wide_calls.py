"""Calls with lists as long as they can be, or filled with one thing over and over, for every function of every contract."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import cycle, islice

from mempool.abi import MAX_CALLDATA_BYTES, Padding
from mempool.abi.layout import shape_of, slots_of
from mempool.abi.types import AbiType, Blob, TupleOf, Word, is_dynamic, parse_type
from tests.decode.calls import USDC
from tests.decode.fuzzing import Function, Generator, Input, Target, functions, sent, targets

DEAD_BEEF = bytes.fromhex("deadbeef")
V2_PART = 997_000_000 << 160
SHAPES = ((4_000, 1), (1_300, 1), (250, 16), (60, 60))
"""How long the lists are, and those inside of them."""
LONGEST = MAX_CALLDATA_BYTES - 300
"""What leaves room for a call around it."""


def word(number: int) -> bytes:
    return number.to_bytes(32)


def words(*numbers: int) -> bytes:
    return b"".join(map(word, numbers))


def blob(data: bytes) -> bytes:
    return word(len(data)) + data + bytes(-len(data) % 32)


class Wide:
    """Encodes arguments whose lists have `lengths` by their depth: of words that differ, or of one element over and over."""

    def __init__(self, lengths: Sequence[int], data: bytes) -> None:
        self.lengths, self.data, self.made = lengths, data, 0

    def arguments(self, types: Sequence[AbiType], depth: int = 0) -> bytes:
        size = 32 * len(slots_of([shape_of(each, Padding.CHECKED) for each in types]))
        head, tails = b"", b""
        for each in types:
            if is_dynamic(each):
                head += word(size + len(tails))
                tails += self.tail(each, depth)
            else:
                head += self.static(each)
        return head + tails

    def tail(self, abi_type: AbiType, depth: int) -> bytes:
        if isinstance(abi_type, Blob):
            return blob(self.data)
        if isinstance(abi_type, TupleOf):
            return self.arguments(abi_type.components, depth)
        assert not isinstance(abi_type, Word)
        count, element = self.lengths[min(depth, 1)], abi_type.element
        if is_dynamic(element):
            return word(count) + word(32 * count) * count + self.tail(element, depth + 1)
        return word(count) + b"".join(self.static(element) for _ in range(count))

    def static(self, abi_type: AbiType) -> bytes:
        if isinstance(abi_type, TupleOf):
            return b"".join(map(self.static, abi_type.components))
        assert isinstance(abi_type, Word)
        self.made += 1
        if abi_type.kind == "address" or abi_type.size == 32:
            return word(V2_PART * (abi_type.size == 32) | 0x77 << 152 | self.made)
        return word(self.made & 1) if abi_type.kind != "bytes" else bytes(32)


def wide_calls(first: int = 0, stride: int = 1) -> Iterator[Input]:
    """Every function with lists of every kind of contract, in each shape that fits, carrying data of one sort after the other.

    With a `stride` one in so many, from number `first` on.
    """
    generator = Generator("ethereum", random.Random(1))
    examples = [each.data for each in generator.examples() if len(each.data) < 600]
    datas = (b"", DEAD_BEEF, generator.route() * 3, bytes(500), *examples[:5])
    shaped = ((target, function, shape) for target, function in _functions_with_lists() for shape in SHAPES)
    for (target, function, shape), data in zip(islice(shaped, first, None, stride), cycle(datas), strict=False):
        calldata = function.key + Wide(shape, data).arguments([parse_type(text) for text in function.types])
        if len(calldata) < LONGEST:
            yield sent(target, calldata)


def _functions_with_lists() -> Iterator[tuple[Target, Function]]:
    """Each once for each kind of contract."""
    seen: set[tuple[str, Function]] = set()
    for target in targets("ethereum"):
        for function in functions(target.row.abi):
            if (target.row.kind, function) not in seen and any(is_dynamic(parse_type(text)) for text in function.types):
                seen.add((target.row.kind, function))
                yield target, function


def filled_calls(first: int = 0, stride: int = 1) -> Iterator[Input]:
    """Every function of every kind of contract with its arguments filled; those that no ABI names too. Chosen likewise."""
    selectors = {(target.row.kind, selector): target for target in targets("ethereum") for selector in target.table.entries}
    chosen = ((target, selector, filling) for (_, selector), target in selectors.items() for filling in fillings().values())
    for target, selector, filling in islice(chosen, first, None, stride):
        yield sent(target, selector + filling)


@cache
def fillings() -> Mapping[str, bytes]:
    """Offsets that lead to each other, lengths and counts of every size, and bytes that a packed program begins with."""
    count = LONGEST // 32
    repeated = {"the first offset": word(32), "offsets": word(64), "ones": word(1), "a token": bytes(12) + USDC}
    words_of = {name: each * count for name, each in repeated.items()}
    return {
        **words_of,
        "zeros": bytes(32 * count),
        "numbers": b"".join(map(word, range(count))),
        "bytes of one": b"\x01" * 32 * count,
        "all bits": b"\xff" * 32 * count,
        "chance": random.Random(5).randbytes(32 * count),
    }
