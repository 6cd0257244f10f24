"""Well-formed arguments read as eth-abi reads them: of many made-up types, and of every function in the ABI tables."""

from __future__ import annotations

import random
from functools import cache

import pytest
from eth_abi.abi import decode, encode

from mempool.abi import SPARE_BYTES, Budget, Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import canonical_type, parse_type
from mempool.resources import read_abis
from tests.abi.test_readers import WORDS, agree, split

_EDGES = (0, 1, 2**7, 2**31, 2**63, 2**112, 2**127, 2**128, 2**255, 2**256 - 1)


def made_up_type(chance: random.Random, depth: int = 0) -> str:
    """A word, or with luck something made of others, at most four deep."""
    if depth == 4 or chance.random() < 0.45:
        return chance.choice([*WORDS, "bytes", "string"])
    inner = [made_up_type(chance, depth + 1) for _ in range(chance.randint(1, 3))]
    return chance.choice((f"{inner[0]}[]", f"{inner[0]}[{len(inner)}]", f"({','.join(inner)})", f"({','.join(inner)})"))


def made_up_value(text: str, chance: random.Random) -> object:
    """A value as eth-abi takes it, often one at the edge of its type."""
    if text.endswith("]"):
        element, _, length = text[:-1].rpartition("[")
        return [made_up_value(element, chance) for _ in range(int(length) if length else chance.choice((0, 1, 1, 2, 3)))]
    if text.startswith("("):
        return tuple(made_up_value(part, chance) for part in split(text[1:-1]))
    if text == "address":
        return chance.randbytes(20)
    if text == "bool":
        return chance.random() < 0.5
    if text == "string":
        return chance.choice(("", "text", "Σ" * 20))
    if text == "bytes":
        return chance.randbytes(chance.choice((0, 1, 31, 32, 33, 70)))
    if text.startswith("bytes"):
        return chance.randbytes(int(text[5:]))
    bits = int(text.removeprefix("u").removeprefix("int") or 256)
    number = chance.choice((*_EDGES, chance.getrandbits(bits))) % (1 << bits)
    return number if text.startswith("u") or number < 1 << bits - 1 else number - (1 << bits)


def check(types: list[str], readers: list[Read], chance: random.Random) -> None:
    data = encode(types, [made_up_value(text, chance) for text in types])
    theirs = decode(types, data)
    for read in readers:
        budget = Budget(b"test", len(data) + SPARE_BYTES)
        assert agree(read_arguments(read, data, 0, budget), theirs), (types, data.hex())
        assert budget.end == len(data)


def check_made_up_types(lists_of_types: int, values_each: int, seed: int) -> None:
    """A reader is made for each list of types and each padding, and reads many values."""
    chance = random.Random(seed)
    for _ in range(lists_of_types):
        types = [made_up_type(chance) for _ in range(chance.randint(1, 4))]
        readers = [arguments_reader([parse_type(text) for text in types], padding) for padding in Padding]
        for _ in range(values_each):
            check(types, readers, chance)


@cache
def functions() -> list[list[str]]:
    """The types of every function, command and action of every ABI table, each list once."""
    rows = [row["inputs"] for abi in read_abis().values() for row in abi if isinstance(row.get("inputs"), list)]
    return [list(types) for types in dict.fromkeys(tuple(map(canonical_type, inputs)) for inputs in rows) if types]


def check_functions(values_each: int, seed: int) -> int:
    chance = random.Random(seed)
    for types in functions():
        readers = [arguments_reader([parse_type(text) for text in types], padding) for padding in Padding]
        for _ in range(values_each):
            check(types, readers, chance)
    return len(functions()) * values_each


def test_two_thousand_values_of_made_up_types_read_as_eth_abi_reads_them() -> None:
    check_made_up_types(100, 20, seed=1)


def test_arguments_of_every_function_of_the_tables_read_as_eth_abi_reads_them() -> None:
    assert check_functions(2, seed=1) > 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_thousand_values_of_made_up_types_read_as_eth_abi_reads_them(seed: int) -> None:
    check_made_up_types(100, 100, seed)


@pytest.mark.slow
def test_many_arguments_of_every_function_of_the_tables_read_as_eth_abi_reads_them() -> None:
    assert check_functions(60, seed=2) > 10_000
