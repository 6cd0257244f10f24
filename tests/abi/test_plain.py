"""What is laid out in the usual way is read at once, to the values and charges of the full reader, met before or not."""

from __future__ import annotations

import random

import pytest
from eth_abi.abi import encode

from mempool.abi import MAX_NEW_READERS, Budget, Padding, arguments_reader, read_arguments
from mempool.abi import plain as plain_module
from mempool.abi.plain import MAX_ITEMS, MAX_KNOWN, plain_readers
from mempool.abi.types import parse_type

PATH_AND_PRICES = ("address", "bytes", "bool", "uint256[]")
TOKENS_AND_PRICES = ("uint256", "address[]", "bool", "uint256[]")


@pytest.mark.parametrize("types", [PATH_AND_PRICES, TOKENS_AND_PRICES])
def test_two_tails_of_any_lengths_are_read_at_once_as_the_full_reader_reads_them(types: tuple[str, ...]) -> None:
    components = tuple(parse_type(text) for text in types)
    readers, full = plain_readers(components, Padding.CHECKED, 0), arguments_reader(components, Padding.CHECKED)
    chance = random.Random(7)
    for words in range(MAX_ITEMS + 1):
        for prices in range(MAX_ITEMS + 1 - words):
            tail = chance.randbytes(32 * words - 9 * bool(words)) if types[1] == "bytes" else [chance.randbytes(20)] * words
            head = chance.randbytes(20) if types[0] == "address" else 7
            data = encode(types, (head, tail, True, [chance.getrandbits(256) for _ in range(prices)]))
            charged = Budget(b"test", 10_000)
            expected = read_arguments(full, data, 0, charged)
            for _ in range(2):
                budget = Budget(b"test", 10_000)
                assert readers[len(data)](b"skip" + data, 4, budget) == expected
                assert (budget.bytes_left, budget.items_left) == (charged.bytes_left, charged.items_left)


def test_made_up_tails_do_not_fill_the_memory() -> None:
    known, read_tails = plain_module._tails_reader((parse_type("bytes"),), Padding.CHECKED, (1,))
    for number in range(3 * MAX_KNOWN):
        read_tails((32).to_bytes(32) + number.to_bytes(32))
        assert len(known) <= MAX_KNOWN


def test_one_call_makes_a_few_readers_and_leaves_the_rest_to_the_full_reader() -> None:
    budget, made = Budget(b"test", 1 << 20), 0
    for size in range(1, 12):
        # Nobody else has readers of these types: what is made is kept for the life of the process.
        types = (*(parse_type(f"uint{8 * size}") for _ in range(size)), parse_type("address[]"))
        readers = plain_readers(types, Padding.CHECKED, 0)
        for length in list(readers):
            items = (length - 32 * (size + 2)) // 32
            data = encode([f"uint{8 * size}"] * size + ["address[]"], (*[1] * size, [bytes(20)] * items))
            assert len(data) == length
            found = readers[length](data, 0, budget)
            made += found is not None
            assert found in (None, (*[1] * size, (bytes(20),) * items))
    assert made == MAX_NEW_READERS
