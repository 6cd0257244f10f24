"""The fees that a user names are read exactly, and what is none is refused with what would do."""

from __future__ import annotations

import pytest

from mempool.books.taker_fees import named_fees, taker_fees
from mempool.errors import UsageError

BASE = {"binance": 1000, "kraken": 4000}


def test_fees_that_are_not_named_stay_as_they_are() -> None:
    assert taker_fees(BASE, []) == BASE
    assert taker_fees(BASE, ["binance=0.075"]) == {"binance": 750, "kraken": 4000}
    assert BASE == {"binance": 1000, "kraken": 4000}


@pytest.mark.parametrize(
    ("text", "pips"), [("binance=0", 0), (" Binance = 0.0001% ", 1), ("binance=99.9999", 999_999), ("binance=1e-2", 100)]
)
def test_percentages_become_pips_exactly(text: str, pips: int) -> None:
    assert taker_fees(BASE, [text])["binance"] == pips


def test_named_fee_is_one_even_where_it_is_the_base_tiers() -> None:
    assert named_fees(BASE, ["kraken=0.4"]) == {"kraken": 4000}


def test_later_fee_of_a_venue_wins() -> None:
    assert taker_fees(BASE, ["kraken=0.4", "kraken=0.2"])["kraken"] == 2000


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("bitfinex=0.1", "unknown exchange 'bitfinex' in 'bitfinex=0.1': known are binance, kraken"),
        ("0.1", "write NAME=PERCENT"),
        ("", "write NAME=PERCENT"),
        ("=0.1", "unknown exchange ''"),
        ("binance=", "'' is no number of percent"),
        ("binance=free", "'free' is no number of percent"),
        ("binance=-0.01", "from 0 to less than 100"),
        ("binance=100", "from 0 to less than 100"),
        ("binance=1e999999", "from 0 to less than 100"),
        ("binance=nan", "from 0 to less than 100"),
        ("binance=inf", "from 0 to less than 100"),
        ("binance=snan", "from 0 to less than 100"),
        ("binance=1e-999999999", "in steps of 0.0001"),
        ("binance=0.00001", "in steps of 0.0001"),
        ("binance=0.1000000000000000000000000000000000000001", "in steps of 0.0001"),
    ],
)
def test_what_is_no_fee_is_refused_with_what_would_do(text: str, about: str) -> None:
    with pytest.raises(UsageError, match=about):
        taker_fees(BASE, [text])
