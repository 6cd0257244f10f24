"""Offset bombs end at the budget, long before they cost anything."""

from __future__ import annotations

import tracemalloc

import pytest

from mempool.abi import (
    MAX_CALLDATA_BYTES,
    MAX_COMMANDS,
    MAX_DEPTH,
    MAX_HASHES,
    MAX_HELD_BYTES,
    MAX_ITEMS,
    SPARE_BYTES,
    Budget,
    Padding,
)
from mempool.abi.budget import COMMAND_WORK, HASH_WORK, MAX_WORK
from mempool.errors import MalformedCalldata
from tests.abi.reading import read, reader

MEGABYTE = 1 << 20


def word(value: int) -> bytes:
    return value.to_bytes(32)


def aliased_blobs(count: int, size: int) -> bytes:
    """`bytes[]` whose items are all the same `size` bytes."""
    return word(32) + word(count) + word(32 * count) * count + word(size) + b"\x5a" * size


def nested_aliases(levels: int, count: int) -> bytes:
    """`bytes[]…[]` of `levels`, each of `count` offsets to the one below."""
    data = word(32)
    for _ in range(levels):
        data += word(count) + word(32 * count) * count
    return data + word(32) + b"\x5a" * 32


def all_the_same(count: int) -> bytes:
    """Each word is an offset, a length and an item at once: 32 arrays of 32 arrays of 32 arrays …"""
    return word(32) * count


BOMBS = {
    "bytes[] of 2,000 times 64 KiB": ("bytes[]", aliased_blobs(2_000, 60_000)),
    "bytes[] of 64 times 64 KiB": ("bytes[]", aliased_blobs(64, 65_536)),
    "bytes[] of 4,000 items": ("bytes[]", aliased_blobs(3_900, 64)),
    **{f"bytes[][][][] of {count}": ("bytes[][][][]", nested_aliases(4, count)) for count in (16, 32, 1_000)},
    **{f"uint256[][][] of {count}": ("uint256[][][]", nested_aliases(3, count)) for count in (20, 64, 1_300)},
    **{f"(bytes,bytes)[] of {count}": ("(bytes,bytes)[]", aliased_blobs(count, 30_000)) for count in (10, 500, 2_000)},
    **{f"one word {count} times": ("bytes[][][][][][][][]", all_the_same(count)) for count in (100, 600, 4_000)},
    **{
        f"one ({', '.join(['uint256'] * 8)}, bytes) {count} times": (
            f"({','.join(['uint256'] * 8)},bytes)[]",
            word(32) + word(count) + word(32 * count) * count + word(7) * 8 + word(288) + word(0),
        )
        for count in (1_500, 4_000)
    },
    "uint256[] of 5,000": ("uint256[]", word(32) + word(5_000) + bytes(160_000)),
    "empty arrays of 4,097": ("uint256[][]", word(32) + word(4_097) + word(32 * 4_097) * 4_097 + word(0)),
    **{f"(uint8,uint8)[][] of {count}": ("(uint8,uint8)[][]", nested_aliases(2, count)) for count in (100, 1_500)},
    **{f"string[][] of {count}": ("string[][]", nested_aliases(2, count)) for count in (80, 1_000)},
}


@pytest.mark.parametrize("name", BOMBS)
def test_offset_bomb_ends_as_refused_or_malformed_within_a_megabyte(name: str) -> None:
    text, data = BOMBS[name]
    reader((text,), Padding.CHECKED)  # compiled outside the measurement
    tracemalloc.start()
    try:
        with pytest.raises(MalformedCalldata) as caught:
            read([text], data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason
    assert peak <= MEGABYTE


@pytest.mark.parametrize(
    "bomb", ["bytes[] of 2,000 times 64 KiB", "bytes[] of 64 times 64 KiB", "bytes[][][][] of 16", "bytes[][][][] of 32"]
)
def test_valid_amplification_is_refused_not_malformed(bomb: str) -> None:
    text, data = BOMBS[bomb]
    with pytest.raises(MalformedCalldata) as caught:
        read([text], data)
    assert caught.value.refused


def test_aliasing_below_the_budget_is_legal() -> None:
    assert read(["bytes[]"], aliased_blobs(8, 100)) == ((b"\x5a" * 100,) * 8,)


def test_bytes_are_counted_for_each_level_and_over_all_calls_on_it() -> None:
    budget = Budget(b"test", 100 + SPARE_BYTES)
    budget.bytes_left -= 50
    budget.enter(100)
    budget.bytes_left -= 30
    budget.leave()
    assert budget.bytes_left == 50 + SPARE_BYTES
    budget.enter(100)
    assert budget.bytes_left == 70 + SPARE_BYTES
    budget.enter(100)
    assert budget.bytes_left == 100 + SPARE_BYTES
    budget.leave()
    assert budget.bytes_left == 70 + SPARE_BYTES


def entered(budget: Budget, size: int, read: int) -> None:
    """Read some bytes of a call of `size`, and go down into them."""
    budget.bytes_left -= read
    budget.enter(size)


def test_levels_around_hold_so_many_bytes_and_no_more() -> None:
    third = MAX_HELD_BYTES // 3
    budget = Budget(b"test", third + SPARE_BYTES)
    for _ in range(3):
        entered(budget, third, third)
    assert budget.held_bytes == 3 * third
    with pytest.raises(MalformedCalldata, match="inside each other") as caught:
        entered(budget, third, 1)
    assert caught.value.refused


def test_what_is_left_holds_nothing_any_more() -> None:
    size = 50_000
    budget = Budget(b"test", size + SPARE_BYTES)
    budget.bytes_left -= size
    for _ in range(50):
        budget.enter(size)
        entered(budget, size, size // 50)
        assert budget.held_bytes == size + size // 50
        budget.leave()
        budget.leave()
    assert budget.held_bytes == 0


def test_copies_are_held_until_their_level_is_left() -> None:
    size = 100_000
    budget = Budget(b"test", size + SPARE_BYTES)
    entered(budget, size, size)
    assert budget.kept(bytes(size)) == bytes(size)
    assert budget.held_bytes == 2 * size
    budget.leave()
    assert budget.held_bytes == 0
    with pytest.raises(MalformedCalldata, match="inside each other"):
        budget.kept(bytes(MAX_HELD_BYTES + 1))


def test_call_that_is_short_may_nest_all_of_itself_to_the_limit_of_depth() -> None:
    size = MAX_HELD_BYTES // (2 * MAX_DEPTH) - SPARE_BYTES
    for short in (size, size + 1):
        budget = Budget(b"test", short + SPARE_BYTES)
        for _ in range(MAX_DEPTH):
            budget.kept(bytes(short))
            entered(budget, short, short)


def test_each_allowance_may_be_spent_to_its_end_but_not_all_of_them() -> None:
    for commands, hashes, items in ((MAX_COMMANDS, 0, 0), (0, MAX_HASHES, 0), (0, 0, MAX_ITEMS), (250, 500, 500)):
        spent(Budget(b"test", 100), commands, hashes, items)
    for commands, hashes, items in ((MAX_COMMANDS, MAX_HASHES, 0), (MAX_COMMANDS, 0, MAX_ITEMS), (1, MAX_HASHES, MAX_ITEMS)):
        with pytest.raises(MalformedCalldata, match="together") as caught:
            spent(Budget(b"test", 100), commands, hashes, items)
        assert caught.value.refused


def spent(budget: Budget, commands: int, hashes: int, items: int) -> None:
    budget.charge_items(items)
    for _ in range(commands):
        budget.charge_command()
    budget.charge_hashes(hashes)


def test_last_unit_of_work_may_be_done_and_none_after_it() -> None:
    spare = MAX_WORK - HASH_WORK * 500 - COMMAND_WORK * 100
    spent(Budget(b"test", 100), 100, 500, spare)
    for more in ((101, 500, spare), (100, 501, spare), (100, 500, spare + 1)):
        with pytest.raises(MalformedCalldata, match="together"):
            spent(Budget(b"test", 100), *more)


@pytest.mark.parametrize(
    ("commands", "hashes", "items", "reason"),
    [(MAX_COMMANDS + 1, 0, 0, "commands"), (0, MAX_HASHES + 1, 0, "hashes"), (0, 0, MAX_ITEMS + 1, "array items")],
)
def test_allowance_that_is_overspent_is_named(commands: int, hashes: int, items: int, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=f"more than [0-9]+ {reason}") as caught:
        spent(Budget(b"test", 100), commands, hashes, items)
    assert caught.value.refused


def test_depth_is_bounded() -> None:
    budget = Budget(b"test", 100)
    for _ in range(MAX_DEPTH):
        budget.enter(100)
    with pytest.raises(MalformedCalldata) as caught:
        budget.enter(100)
    assert caught.value.refused
    assert MAX_CALLDATA_BYTES == 131_072
