"""The readers agree with eth-abi on what an encoder makes, and with the EVM on what it does not."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mempool.abi import Padding
from mempool.errors import MalformedCalldata
from tests.abi.reading import outcome, read, read_with_budget

WORDS = ["address", "bool", "uint256", "uint24", "uint160", "uint8", "int24", "int256", "int8", "bytes32", "bytes4", "bytes1"]
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck))


def value_of(text: str) -> st.SearchStrategy[Any]:
    """Values of a type as eth-abi takes and gives them, with addresses as bytes."""
    if text.endswith("]"):
        element, _, length = text[:-1].rpartition("[")
        most = int(length) if length else 3
        return st.lists(value_of(element), min_size=int(length) if length else 0, max_size=most).map(tuple)
    if text.startswith("("):
        return st.tuples(*map(value_of, split(text[1:-1])))
    if text == "address":
        return st.binary(min_size=20, max_size=20)
    if text == "bool":
        return st.booleans()
    if text in ("bytes", "string"):
        return st.binary(max_size=70) if text == "bytes" else st.text(max_size=20)
    if text.startswith("bytes"):
        return st.binary(min_size=int(text[5:]), max_size=int(text[5:]))
    bits = int(text.removeprefix("u").removeprefix("int"))
    return st.integers(0, 2**bits - 1) if text.startswith("u") else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text + ","):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return parts


TYPES = st.recursive(
    st.sampled_from([*WORDS, "bytes", "string"]),
    lambda inner: st.one_of(
        inner.map(lambda text: f"{text}[]"),
        st.tuples(inner, st.integers(1, 3)).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.lists(inner, min_size=1, max_size=3).map(lambda texts: f"({','.join(texts)})"),
    ),
    max_leaves=5,
)
CASES = st.lists(TYPES, min_size=1, max_size=4).flatmap(lambda types: st.tuples(st.just(types), st.tuples(*map(value_of, types))))


def agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, bytes) and isinstance(theirs, str):
        return theirs in ("0x" + ours.hex(), ours.decode("utf-8", "replace"))
    return type(ours) is type(theirs) and bool(ours == theirs)


def check_agreement(types: list[str], values: tuple[Any, ...]) -> None:
    data = encode(types, values)
    theirs = decode(types, data)
    for padding in Padding:
        ours, budget = read_with_budget(types, data, padding)
        assert agree(ours, theirs)
        assert budget.end == len(data)


@settings(QUIET, max_examples=150)
@given(CASES)
def test_well_formed_calldata_reads_as_eth_abi_reads_it(case: tuple[list[str], tuple[Any, ...]]) -> None:
    check_agreement(*case)


def word(value: int) -> bytes:
    return (value % 2**256).to_bytes(32)


@pytest.mark.parametrize(
    ("text", "dirty", "masked"),
    [
        ("address", b"\x01" + bytes(11) + b"\xaa" * 20, b"\xaa" * 20),
        ("uint24", b"\xff" + bytes(30) + b"\x05", 5),
        ("bytes4", b"abcd" + bytes(27) + b"\x01", b"abcd"),
        ("bool", b"\x80" + bytes(31), True),
        ("int24", b"\x0f" * 29 + b"\xff\xff\xfb", -5),
    ],
)
def test_dirty_word_is_refused_or_cut_as_the_row_says(text: str, dirty: bytes, masked: object) -> None:
    assert read([text], dirty, Padding.MASKED) == (masked,)
    array = word(32) + word(1) + dirty
    assert read([f"{text}[]"], array, Padding.MASKED) == ((masked,),)
    many = word(32) + word(20) + word(0) * 19 + dirty
    for types, data in (([text], dirty), ([f"{text}[]"], array), ([f"({text})[1]"], dirty), ([f"{text}[]"], many)):
        with pytest.raises(MalformedCalldata) as caught:
            read(types, data, Padding.CHECKED)
        assert not caught.value.refused


def test_words_read_by_assembly_are_masked_and_what_stands_behind_offsets_is_checked() -> None:
    dirty = b"\x01" + bytes(11) + b"\xaa" * 20
    types = ["address", "address[]"]
    assert read(types, dirty + word(64) + word(0), Padding.MASKED_WORDS) == (b"\xaa" * 20, ())
    with pytest.raises(MalformedCalldata):
        read(types, dirty + word(64) + word(1) + dirty, Padding.MASKED_WORDS)


def test_flag_is_one_or_zero_where_it_is_checked() -> None:
    assert read(["bool", "bool"], word(1) + word(0)) == (True, False)
    with pytest.raises(MalformedCalldata, match="neither 0 nor 1"):
        read(["bool"], word(2))


def test_overlapping_and_backward_offsets_are_legal() -> None:
    data = word(64) + word(64) + word(3) + b"abc".ljust(32, b"\0")
    assert read(["bytes", "bytes"], data) == (b"abc", b"abc")
    backward = word(0) + word(7)
    with pytest.raises(MalformedCalldata):
        read(["uint256[]", "uint256"], word(2**64) + word(7))
    assert read(["uint256[]", "uint256"], backward) == ((), 7)


def test_unpadded_tail_is_legal() -> None:
    data = word(32) + word(3) + b"abc"
    result, budget = read_with_budget(["bytes"], data)
    assert (result, budget.end) == ((b"abc",), 96)


def test_offset_into_another_arguments_words_reads_them() -> None:
    # The tuple's offset 0 points at the head itself: its first word is then the offset, as on chain.
    assert read(["(uint256,bytes)"], word(0) + word(64) + word(2) + b"hi") == ((0, b"hi"),)


@pytest.mark.parametrize("types", [["uint256"], ["bytes"], ["address[]"], ["(uint8,bytes[])"], ["(uint8,bool)[]"], ["bytes[2]"]])
def test_calldata_cut_anywhere_never_reads_as_something_else(types: list[str]) -> None:
    values = {"uint256": 5, "bytes": b"x" * 40, "address[]": [b"\x01" * 20] * 3, "(uint8,bytes[])": (1, [b"ab", b"c" * 33])}
    data = encode(types, [values.get(types[0], [(1, True), (2, False)] if "bool" in types[0] else [b"q", b"r" * 32])])
    whole = read(types, data)
    for length in range(len(data)):
        cut = outcome(types, data[:length])
        assert cut == whole or (isinstance(cut, MalformedCalldata) and not cut.refused)


@pytest.mark.parametrize("huge", [2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**128, 2**255, 2**256 - 33, 2**256 - 1])
@pytest.mark.parametrize("types", [["bytes", "uint256"], ["address[]", "bytes[]"], ["(uint256,(bytes,uint8)[])", "string"]])
def test_huge_number_at_any_word_is_malformed_or_a_value(types: list[str], huge: int) -> None:
    values: dict[str, Any] = {
        "bytes": b"x" * 40,
        "uint256": 5,
        "address[]": [b"\x01" * 20] * 2,
        "bytes[]": [b"a", b"b" * 40],
        "(uint256,(bytes,uint8)[])": (3, [(b"k", 1), (b"l", 2)]),
        "string": "text",
    }
    data = encode(types, [values[text] for text in types])
    for start in range(0, len(data), 32):
        for padding in Padding:
            mutated = data[:start] + word(huge) + data[start + 32 :]
            result = outcome(types, mutated, padding)
            assert isinstance(result, tuple) or result.reason


@pytest.mark.parametrize("bit", [64, 100, 255])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
@pytest.mark.parametrize(
    "types", [["bytes[]"], ["bytes", "bytes[]"], ["bytes", "bytes[]", "bytes"], ["uint256", "(bytes,bytes[])"]]
)
def test_bit_above_the_64th_is_malformed_in_every_offset_and_length(types: list[str], count: int, bit: int) -> None:
    values = {"bytes": b"", "bytes[]": [b""] * count, "uint256": 7, "(bytes,bytes[])": (b"", [b""] * count)}
    data = encode(types, [values[each] for each in types])
    assert read(types, data)
    for place in range(32 * types.count("uint256"), len(data), 32):
        number = int.from_bytes(data[place : place + 32]) | 1 << bit
        ended = outcome(types, data[:place] + word(number) + data[place + 32 :])
        assert isinstance(ended, MalformedCalldata), place
        assert not ended.refused


def test_no_arguments_read_as_none() -> None:
    assert read([], b"") == ()
