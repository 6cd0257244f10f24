"""What an amount is worth at the books' mid prices, for print and rank."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mempool.books.view import BooksView
from mempool.books.worth import worth_in
from mempool.model.book import Instrument, Quote
from tests.books.venues import BINANCE, CIRCLE, COINBASE, KRAKEN, OKX, TETHER, quote

BITCOIN = Instrument("kraken", "ETH/BTC", "ETH", "BTC")


def worth(asset: str, amount: str, wanted: str, *quotes: Quote) -> float | None:
    view = BooksView({each.instrument: each for each in quotes}, lambda _: None, 0)
    return worth_in(view, asset, Fraction(amount), wanted)


def test_asset_is_worth_itself() -> None:
    assert worth("USD", "-1.5", "USD") == -1.5


def test_book_prices_its_base_in_its_quote_and_the_other_way_round() -> None:
    ether = quote(KRAKEN, "1999.00", "2001.00")
    assert worth("ETH", "3", "USD", ether) == pytest.approx(6000)
    assert worth("USD", "-500", "ETH", ether) == pytest.approx(-0.25)


def test_book_with_the_smallest_spread_is_asked() -> None:
    wide, narrow = quote(KRAKEN, "1000.00", "3000.00"), quote(COINBASE, "2099.00", "2101.00")
    assert worth("ETH", "1", "USD", wide, narrow) == worth("ETH", "1", "USD", narrow, wide) == pytest.approx(2100)


def test_tether_is_worth_dollars_through_its_rate_or_what_both_buy() -> None:
    in_dollars, in_tether = quote(KRAKEN, "1999.00", "2001.00"), quote(BINANCE, "1959.00", "2041.00")
    assert worth("USDT", "100", "USD", in_tether) is None
    assert worth("USDT", "100", "USD", in_tether, in_dollars) == pytest.approx(100)
    assert worth("USDT", "100", "USD", in_tether, in_dollars, quote(TETHER, "0.98", "1.00")) == pytest.approx(99)


def test_one_asset_between_is_gone_through_by_the_smallest_spreads() -> None:
    wide = quote(BITCOIN, "0.01", "0.09")
    bitcoin = quote(Instrument("okx", "BTC-USDT", "BTC", "USDT"), "39999.00", "40001.00")
    tether = quote(OKX, "1999.00", "2001.00")
    dollars = quote(Instrument("kraken", "BTC/USD", "BTC", "USD"), "40999.00", "41001.00")
    ether = quote(KRAKEN, "2049.00", "2051.00")
    assert worth("BTC", "1", "ETH", wide) == pytest.approx(20)
    assert worth("USDT", "4000", "USD", bitcoin, tether, dollars, ether) == pytest.approx(4100, rel=0.001)


def test_two_assets_between_are_too_many() -> None:
    # From USDC to USD, to ether, to bitcoin.
    assert (
        worth("USDC", "1", "BTC", quote(CIRCLE, "0.99", "1.01"), quote(KRAKEN, "1.00", "2.00"), quote(BITCOIN, "1", "2")) is None
    )
