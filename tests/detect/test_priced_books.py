"""Which book turns an asset into the money, and what can be traded for what at a venue."""

from __future__ import annotations

from mempool.detect.book_cycles import Terms
from mempool.detect.priced_books import PricedBooks
from mempool.model.consolidated import Trade
from tests.books.venues import BINANCE, CIRCLE, COINBASE, FREE, KRAKEN, TETHER, TETHER_TOO

ALL = [BINANCE, COINBASE, CIRCLE, TETHER_TOO, KRAKEN, TETHER]


def test_rate_of_an_asset_is_the_cheapest_venues_book_and_the_first_by_name_of_several() -> None:
    assert PricedBooks(ALL, Terms("USD", FREE)).rates["USDT"] == TETHER_TOO
    assert PricedBooks(ALL[::-1], Terms("USD", FREE)).rates["USDT"] == TETHER_TOO
    dear = Terms("USD", {**FREE, "coinbase": 1})
    assert PricedBooks(ALL, dear).rates == {"ETH": KRAKEN, "USDC": CIRCLE, "USDT": TETHER}


def test_books_are_listed_by_base_by_quote_and_by_what_they_take() -> None:
    books = PricedBooks(ALL, Terms("USD", FREE))
    assert books.by_base["ETH"] == [BINANCE, COINBASE, KRAKEN]
    assert books.bases_in["USDC"] == ["USD"]
    assert books.takes["coinbase", "USD"] == [(COINBASE, Trade.BUY), (CIRCLE, Trade.SELL), (TETHER_TOO, Trade.BUY)]
