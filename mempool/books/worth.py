"""What an amount of one asset is worth in another at the mid prices of the books, to print and to rank only."""

from __future__ import annotations

from fractions import Fraction

from mempool.books.view import BooksView
from mempool.model.book import Quote

Rates = dict[tuple[str, str], tuple[float, float]]
"""From one asset to another: half the spread as a part of the price, and what one is worth."""


def worth_in(view: BooksView, asset: str, amount: Fraction, wanted: str) -> float | None:
    """The amount's worth without fees and its own impact; None where no priced book, nor two through a third asset, tell it.

    Of several books of two assets the one with the smallest spread is taken, and so of several ways through a third; a direct
    one goes first.
    """
    if asset == wanted:
        return float(amount)
    rates = _rates(view)
    if (direct := rates.get((asset, wanted))) is not None:
        return float(amount) * direct[1]
    ways = [
        (spread + rates[third, wanted][0], rate * rates[third, wanted][1])
        for (have, third), (spread, rate) in rates.items()
        if have == asset and (third, wanted) in rates
    ]
    return float(amount) * min(ways)[1] if ways else None


def _rates(view: BooksView) -> Rates:
    rates: Rates = {}
    for instrument, quote in view.quotes.items():
        spread, mid = _spread_and_mid(quote)
        base, money = instrument.base, instrument.quote
        if (base, money) not in rates or spread < rates[base, money][0]:
            rates[base, money] = (spread, mid)
            rates[money, base] = (spread, 1 / mid)
    return rates


def _spread_and_mid(quote: Quote) -> tuple[float, float]:
    both = quote.bid_price + quote.ask_price
    return (quote.ask_price - quote.bid_price) / both, both / 2 / 10**quote.price_decimals
