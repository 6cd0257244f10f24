"""Arguments found where they stand, as assembly finds them: what is beyond the end is zero, offsets may lead back."""

from __future__ import annotations

import random

import pytest
from eth_abi.abi import encode

from mempool.abi import MAX_ITEMS, SPARE_BYTES, Budget, Offsets, item_at, word_at
from mempool.abi.in_place import input_in_place, items_at, struct_in_place
from mempool.abi.types import parse_type
from mempool.errors import ConfigError, MalformedCalldata

SWAP = ["address", "uint256", "bytes", "bool"]
PATH = ["uint256", "address[]"]
LISTS = ["bytes", "bytes[]"]
DETAILS = ["(address,address,uint160,address)[]"]
STEP = "(address,uint24,bytes)"
JUNK = random.Random(1).randbytes(100)
EVERY = list(Offsets)


def word(number: int) -> bytes:
    return (number % (1 << 256)).to_bytes(32)


def budget() -> Budget:
    return Budget(b"test", 4096 + SPARE_BYTES)


def found(types: list[str], data: bytes, start: int, length: int, offsets: Offsets = Offsets.WHOLE) -> bytes:
    return input_in_place([parse_type(each) for each in types], offsets)(data, start, length, budget())


@pytest.mark.parametrize("offsets", EVERY)
@pytest.mark.parametrize(
    ("types", "values"),
    [
        (SWAP, (b"\xaa" * 20, 7, b"p" * 43, True)),
        (PATH, (7, [b"\xaa" * 20, b"\xbb" * 20])),
        (LISTS, (b"\x01\x02", [b"first", b"", b"t" * 33])),
        (DETAILS, ([(b"\xaa" * 20, b"\xbb" * 20, 7, b"\xcc" * 20)] * 2,)),
    ],
)
def test_what_an_encoder_made_is_found_as_it_is_wherever_it_stands(
    types: list[str], values: tuple[object, ...], offsets: Offsets
) -> None:
    data = encode(types, values)
    assert found(types, JUNK + data + JUNK, len(JUNK), len(data), offsets) == data


def test_words_are_read_beyond_their_input_and_are_zero_beyond_the_calldata() -> None:
    assert found(["uint256", "uint256"], JUNK + word(7) + word(8), len(JUNK), 0) == word(7) + word(8)
    assert found(["uint256", "uint256"], JUNK + word(7) + b"\x01", len(JUNK), 0) == word(7) + b"\x01" + bytes(31)
    assert found(["uint256"], JUNK, 1 << 255, 0) == word(0)


def test_places_go_around_at_two_to_the_256() -> None:
    assert word_at(word(7), 1 << 256) == 7
    assert found(["uint256", "uint256"], word(7), (1 << 256) - 32, 0) == word(0) + word(7)


def test_bytes_must_end_inside_their_input() -> None:
    data = encode(["bytes"], [b"p" * 43])
    assert found(["bytes"], data, 0, 64 + 43) == data
    with pytest.raises(ValueError, match="ends behind its input"):
        found(["bytes"], data, 0, 64 + 42)


def test_items_of_an_array_count_as_one_byte_each_where_it_must_end_inside_its_input() -> None:
    data = encode(["address[]"], [[b"\xaa" * 20, b"\xbb" * 20]])
    assert found(["address[]"], data, 0, 64 + 2) == data
    with pytest.raises(ValueError, match="ends behind its input"):
        found(["address[]"], data, 0, 64 + 1)


def test_items_count_as_words_in_arithmetic_that_goes_around_where_the_contract_counts_so() -> None:
    words = Offsets.LOW_32_BITS_AND_WORDS
    data = encode(["address[]"], [[b"\xaa" * 20, b"\xbb" * 20]])
    assert found(["address[]"], data, 0, 128, words) == data
    with pytest.raises(ValueError, match="ends behind its input"):
        found(["address[]"], data, 0, 127, words)
    back = word(9) + word(1) + word(7) + word(-64)
    assert found(["uint256[]"], back, 96, 0, words) == encode(["uint256[]"], [[7]])
    for odd in (word(-64) + word(1 << 251), word(-96)):
        with pytest.raises(ValueError, match="ends behind its input"):
            found(["uint256[]"], word(1) + word(7) + word(7) + odd, 96, 0, words)


def test_offset_may_lead_to_the_inputs_own_length() -> None:
    assert found(["bytes"], word(32) + word(-32), 32, 32) == encode(["bytes"], [word(-32)])


def test_high_bits_lead_astray_but_where_only_the_low_ones_are_taken() -> None:
    data, dirty = encode(["bytes"], [b"p"]), word(32 + (1 << 200)) + word(1 + (1 << 32)) + b"p".ljust(32, b"\0")
    assert found(["bytes"], dirty, 0, 96, Offsets.LOW_32_BITS) == data
    with pytest.raises(ValueError, match="ends behind its input"):
        found(["bytes"], dirty, 0, 96)


def test_items_are_found_behind_signed_offsets() -> None:
    data = word(5) + b"hello".ljust(32, b"\0") + word(-64) + word(-(1 << 255)) + word(0)
    assert item_at(data, 64, 0) == (32, 5)
    assert item_at(data, 64, 1) == ((1 << 255) + 64 + 32, 0)
    assert items_at(data, 64, 2, budget()) == (b"hello", b"")
    with pytest.raises(ValueError, match="beyond the calldata"):
        item_at(word(1), 0, 0)
    with pytest.raises(ValueError, match="beyond the calldata"):
        item_at(word(32) + word(1), 0, 0)


def test_struct_is_found_behind_any_offset_and_its_lists_behind_signed_ones() -> None:
    find = struct_in_place([parse_type(each) for each in ("address", f"{STEP}[]", "bytes")])
    usual = encode([f"(address,{STEP}[],bytes)"], [(b"\xaa" * 20, [(b"\xbb" * 20, 500, b""), (b"\xcc" * 20, 10, b"hook")], b"")])
    assert find(usual, 0, 0, budget()) == usual
    odd = usual[:96] + word(-(1 << 255)) + usual[128:]
    assert find(odd, 0, 0, budget()) == usual[:-32] + word(0)
    assert find(JUNK + odd, len(JUNK), 0, budget()) == usual


def test_struct_outside_the_calldata_is_zero() -> None:
    find = struct_in_place([parse_type(each) for each in ("address", "bytes")])
    assert find(word(-64), 0, 0, budget()) == word(32) + word(0) + word(64) + word(0)
    for data in (word(1 << 255), word(32) + word(1) + word(64)):
        with pytest.raises(ValueError, match="beyond the calldata"):
            find(data, 0, 0, budget())


@pytest.mark.parametrize(
    ("types", "data"),
    [
        (LISTS, word(64) + word(64) + word(100) + 100 * word(3200) + word(3000) + bytes(3000)),
        (["address[]"], word(32) + word(3000) + bytes(100)),
        (["address[]"], word(32) + word(5000)),
        (["bytes"], word(32) + word(6000)),
    ],
)
def test_lists_cost_no_more_than_the_budget(types: list[str], data: bytes) -> None:
    with pytest.raises(MalformedCalldata) as raised:
        found(types, data, 0, 10_000)
    assert raised.value.refused


def test_list_whose_elements_do_not_all_lie_in_the_calldata_is_beyond_it() -> None:
    """Of each of the structs there is its offset at the least."""
    find = struct_in_place([parse_type(f"{STEP}[]")])
    steps = word(0) * 5
    assert find(word(32) + word(32) + word(5) + steps, 0, 0, budget())
    for count in (6, 100):
        with pytest.raises(ValueError, match="beyond the calldata"):
            find(word(32) + word(32) + word(count) + steps, 0, 0, budget())


def test_what_is_found_behind_an_offset_of_its_own_counts_as_eight_items() -> None:
    listed, of_items, of_steps = encode(["bytes[]"], [[b"a", b"b", b"c"]]), budget(), budget()
    items_at(listed, 64, 3, of_items)
    assert of_items.items_left == MAX_ITEMS - 8 * 3
    find = struct_in_place([parse_type(f"{STEP}[]")])
    find(encode([f"({STEP}[])"], [([(b"\xbb" * 20, 500, b"")] * 5,)]), 0, 0, of_steps)
    assert of_steps.items_left == MAX_ITEMS - 8 * 5
    with pytest.raises(MalformedCalldata) as raised:
        items_at(bytes(100), 0, MAX_ITEMS // 8 + 1, budget())
    assert raised.value.refused


def test_lists_of_lists_are_no_command() -> None:
    with pytest.raises(ConfigError, match="is not read in place"):
        input_in_place([parse_type("(address,bytes)")], Offsets.WHOLE)
