"""A shape that was met before is read at once, to the same values, errors and charges."""

from __future__ import annotations

import random

from eth_abi.abi import encode

from mempool.abi import SPARE_BYTES, Budget, Padding, Read, arguments_reader, read_arguments
from mempool.abi.arrays import read_blob_and_blobs
from mempool.abi.plans import by_shape, shape_at
from mempool.abi.types import parse_type
from mempool.errors import MalformedCalldata
from tests.decode.fuzzing import mutated

TYPES = ("bytes", "bytes[]", "uint256")
Outcome = tuple[object, int, int, int]


def outcome(read: Read, data: bytes, bytes_left: int) -> Outcome | tuple[str, bool]:
    budget = Budget(b"test", bytes_left)
    try:
        values = read_arguments(read, data, 0, budget)
    except MalformedCalldata as error:
        return error.reason, error.refused
    return values, budget.bytes_left, budget.items_left, budget.end


def plan(chance: random.Random) -> bytes:
    count = chance.choice((0, 1, 1, 2, 2, 3, 4, 15, 16))
    inputs = [chance.randbytes(chance.choice((0, 1, 31, 32, 33, 64, 160))) for _ in range(count)]
    codes = bytes(chance.choice((0, 8, 11)) for _ in range(chance.choice((count, count, count, 33))))
    return encode(TYPES, (codes, inputs, 7))


def test_ten_thousand_plans_read_the_same_with_and_without_the_shapes_met_before() -> None:
    chance = random.Random(5)
    plain = arguments_reader([parse_type(text) for text in TYPES], Padding.CHECKED)

    def fully(data: bytes, start: int, budget: Budget) -> object:
        """Nothing is known to a reader that is made anew."""
        return arguments_reader([parse_type(text) for text in TYPES], Padding.CHECKED)(data, start, budget)

    for number in range(10_000):
        data = plan(chance)
        if number % 2:
            data = mutated(data, chance)
        bytes_left = chance.choice((len(data) + SPARE_BYTES, chance.randrange(len(data) + 1)))
        assert outcome(plain, data, bytes_left) == outcome(fully, data, bytes_left), data.hex()


def test_known_shape_is_not_read_again_piece_by_piece() -> None:
    calls = []

    def counting(data: bytes, start: int, start_of_many: int, budget: Budget) -> tuple[bytes, tuple[bytes, ...]]:
        calls.append(start)
        return read_blob_and_blobs(data, start, start_of_many, budget)

    read = by_shape(counting)
    for first in (b"\x01", b"\x02"):
        data = encode(TYPES[:2], (b"\x08\x0b", [first * 40, b"\x03" * 64]))
        budget = Budget(b"test", 1_000)
        assert read(data, 64, 128, budget) == (b"\x08\x0b", (first * 40, b"\x03" * 64))
        assert (budget.bytes_left, budget.end) == (1_000 - 2 - 64 - 104, len(data))
    assert calls == [64]


def test_tail_of_a_known_shape_may_be_unpadded() -> None:
    read = arguments_reader([parse_type(text) for text in TYPES[:2]], Padding.CHECKED)
    values = (b"\x08\x0b", (b"\x01" * 40, b"\x02" * 33))
    data = encode(TYPES[:2], values)
    for cut in (0, 1, 31, 0):
        assert read_arguments(read, data[: len(data) - cut], 0, Budget(b"test", 1_000)) == values


def test_shape_says_where_each_input_is_read_and_there_is_none_of_what_is_laid_out_otherwise() -> None:
    chance = random.Random(6)
    known = 0
    for number in range(5_000):
        data = plan(chance)
        if number % 2:
            data = mutated(data, chance)
        shape = shape_at(data, 96)
        if shape is not None and data[:64] == (96).to_bytes(32) + (160).to_bytes(32):
            codes, inputs = read_blob_and_blobs(data, 96, 160, Budget(b"test", 100_000))
            assert (shape.codes, shape.sizes) == (codes, tuple(map(len, inputs)))
            for place, read in zip(shape.starts, inputs, strict=True):
                assert data[96 + place : 96 + place + len(read)] == read
            assert shape.lengths_reader()(data, 96 + shape.first) == shape.lengths
            known += 1
    assert known > 1_000
