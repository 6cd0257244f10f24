"""Prices are exact, and only a live book that is verified, or cannot be, is priced."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mempool.model.book import BookState, Connection, Instrument, Proof, Quote, scaled_text, unscaled
from tests.books.venues import quantities


@given(st.integers(0, 10**40), st.integers(0, 36))
def test_scaled_text_and_decimal_are_the_same_number(number: int, decimals: int) -> None:
    assert unscaled(number, decimals) == Decimal(scaled_text(number, decimals))
    assert str(scaled_text(number, decimals)).partition(".")[2] == str(number).rjust(decimals + 1, "0")[-decimals:] * bool(
        decimals
    )


@pytest.mark.parametrize("connection", Connection)
@pytest.mark.parametrize("proof", Proof)
def test_only_a_live_book_that_is_verified_or_cannot_be_is_priced(connection: Connection, proof: Proof) -> None:
    state = BookState(connection, proof, "", 0)
    assert state.is_priced is (connection == "live" and proof in ("verified", "unverifiable"))


def test_quote_gives_exact_decimals() -> None:
    instrument = Instrument("kraken", "BTC/USD", "BTC", "USD")
    quote = Quote(instrument, 633887, 25761908, 633888, 34887114, 1, 8, Proof.VERIFIED, recv_ns=1)
    assert (quote.bid, quote.ask) == (Decimal("63388.7"), Decimal("63388.8"))
    assert quantities(quote) == (Decimal("0.25761908"), Decimal("0.34887114"))


def test_dollar_and_its_coins_are_different_pairs() -> None:
    pairs = {Instrument("binance", f"ETH{quote}", "ETH", quote).pair for quote in ("USD", "USDT", "USDC")}
    assert pairs == {"ETH/USD", "ETH/USDT", "ETH/USDC"}
