"""What strangers write is shown without its tricks, and amounts are shown as people write them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.model.display import (
    display,
    excerpt,
    format_amount,
    format_dollars,
    format_number,
    format_percent,
    looks_like,
    priced_decimals,
    short_address,
    token_label,
)

LISTED = ("USDC", "WETH", "ETH", "DAI", "WBTC")
ADDRESS = bytes.fromhex("1234567890123456789012345678901234abcdef")


@given(st.text(alphabet=st.characters(), max_size=200))
def test_no_control_format_or_surrogate_character_survives(text: str) -> None:
    shown = display(text)
    assert len(shown) <= 32
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_become_text_that_sqlite_takes(data: bytes) -> None:
    shown = display(data)
    shown.encode()
    assert "\0" not in shown


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        (b"MKR" + bytes(29), "MKR"),
        (b"\xff\xfeABC", "��ABC"),
        ("\x1b[31mRED", "�[31mRED"),
        ("a\0b", "a�b"),
        ("\ud800", "�"),
        ("\u202eCDSU", "�CDSU"),
        ("e\u0301", "é"),
        ("[link=https://x]y[/link]", "[link=https://x]y[/link]"),
        ("", ""),
    ],
)
def test_foreign_text_is_shown_without_its_tricks(foreign: str | bytes, shown: str) -> None:
    assert display(foreign) == shown


def test_a_megabyte_is_cut_to_the_limit() -> None:
    assert display("A" * 1_000_000) == "A" * 31 + "…"
    assert display(b"A" * 1_000_000, 8) == "A" * 7 + "…"


@pytest.mark.parametrize(
    "symbol", ["U\u0405DC", "USDC\u200b", "usdc", "ＵＳＤＣ", "USD\u0421", "\u0415\u0422\u041d", "U5DC", "USD\u0327C", " USDC"]
)
def test_a_look_alike_of_a_listed_symbol_is_recognised(symbol: str) -> None:
    assert looks_like(display(symbol), LISTED)


@pytest.mark.parametrize("symbol", ["PEPE", "USDCX", "USD", "柴犬幣", "🐶", "ΣETΩX"])
def test_another_symbol_is_no_look_alike(symbol: str) -> None:
    assert not looks_like(display(symbol), LISTED)


def test_a_label_says_which_token_it_is() -> None:
    assert token_label("USDC", ADDRESS, listed=True, listed_symbols=LISTED) == "USDC"
    assert token_label("U\u0405DC", ADDRESS, listed=False, listed_symbols=LISTED) == f"U?DC (unverified) {short_address(ADDRESS)}"
    assert token_label("USDC", ADDRESS, listed=False, listed_symbols=LISTED) == f"USDC (unverified) {short_address(ADDRESS)}"
    assert token_label("PEPE", ADDRESS, listed=False, listed_symbols=LISTED) == f"PEPE {short_address(ADDRESS)}"
    assert token_label("", ADDRESS, listed=False) == short_address(ADDRESS)


def test_a_short_address_keeps_both_ends() -> None:
    assert short_address("0x1234567890123456789012345678901234abcdef") == "0x1234…cdef"


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [
        (12_400_000_000_000_000_000, 18, "12.4"),
        (31_020_470_000, 6, "31,020"),
        (34_123_000_000_000_000, 18, "0.03412"),
        (1, 18, "1e-18"),
        (0, 18, "0"),
        (-1_500_000, 6, "-1.5"),
        (999_999, 2, "10,000"),
        (1_000_000, 0, "1,000,000"),
        (2**256 - 1, 18, "1.158e59"),
        (10**18, 18, "1"),
        (10**16, 18, "0.01"),
        (123_456_789, 3, "123,457"),
    ],
)
def test_amounts_are_written_as_people_write_them(amount: int, decimals: int, text: str) -> None:
    assert format_amount(amount, decimals) == text


def test_a_computed_number_is_written_the_same_way() -> None:
    assert format_number(0.0312345) == "0.03123"
    assert format_number(71_234.5) == "71,234"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0, "0 %"),
        (9.01e-7, "<0.001 %"),
        (0.0000324, "0.0032 %"),
        (0.00155154, "0.155 %"),
        (0.4604, "46 %"),
        (9.9949, "999 %"),
        (12.345, "1,234 %"),
    ],
)
def test_shares_are_told_without_powers_of_ten(ratio: float, text: str) -> None:
    assert format_percent(ratio) == text


@pytest.mark.parametrize(("value", "text"), [(-0.52, "-$0.52"), (1234.5, "$1,234.50"), (-0.001, "$0.00")])
def test_sign_stands_before_the_dollar(value: float, text: str) -> None:
    assert format_dollars(value) == text


@pytest.mark.parametrize(
    ("decimals", "priced"), [(18, 18), (0, 0), (36, 36), (37, None), (77, None), (255, None), (None, None), (-1, None)]
)
def test_decimals_beyond_reason_are_not_priced(decimals: int | None, priced: int | None) -> None:
    assert priced_decimals(decimals) == priced


def test_excerpt_is_cut_and_leaves_no_control_character() -> None:
    assert excerpt("a\x1b[31m\n\u202eb\x00", 7) == "a\ufffd[31m\ufffd"
