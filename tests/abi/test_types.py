"""The type grammar."""

from __future__ import annotations

import pytest

from mempool.abi.types import ArrayOf, Blob, TupleOf, Word, canonical_type, is_dynamic, parse_type
from mempool.errors import ConfigError


def test_nested_types_are_parsed() -> None:
    assert parse_type("(address,(uint24,bytes)[])[2][]") == ArrayOf(
        TupleOf((TupleOf((Word("address", 20), ArrayOf(TupleOf((Word("uint", 3), Blob()))))),) * 2)
    )


def test_aliases_stand_for_what_they_are() -> None:
    assert parse_type("uint") == parse_type("uint256")
    assert parse_type("function") == parse_type("bytes24")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uint7",
        "uint264",
        "uint0",
        "bytes33",
        "bytes0",
        "address[",
        "address]",
        "(address",
        "address)",
        "()",
        "(address,)",
        "fixed128x18",
        "uint256[0]",
        "uint256[257]",
        "uint 256",
        "ADDRESS",
    ],
)
def test_text_that_names_no_type_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_type(text)


def test_what_holds_something_dynamic_is_dynamic() -> None:
    assert [is_dynamic(parse_type(text)) for text in ("(uint8,bool)[3]", "(uint8,string)[3]", "uint8[]", "bytes32")] == [
        False,
        True,
        True,
        False,
    ]


def test_components_of_abi_json_become_canonical_text() -> None:
    point = {
        "name": "p",
        "type": "tuple[2][]",
        "components": [{"type": "address"}, {"type": "tuple", "components": [{"type": "bool"}]}],
    }
    assert canonical_type(point) == "(address,(bool))[2][]"
