"""Quotes in one money: fees and conversion legs on a book's prices, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mempool.books.scale import MAX_DECIMALS
from mempool.errors import UsageError
from mempool.model.book import Instrument, Quote
from mempool.model.consolidated import PIPS, Part, Ratio

FeesPips = Mapping[str, int]
"""The taker's fee of each venue by its name, in millionths of the quote asset: paid on top of purchases, out of sales."""
POWERS = tuple(int(10**decimals) for decimals in range(MAX_DECIMALS + 1))
"""Of ten, for as many decimals as a book may have."""


def part_of(quote: Quote, leg: Quote | None, money: str, fees: FeesPips) -> Part:
    """The quote in `money`, through `leg` where its quote asset is another one. Without fees, where `fees` is empty.

    A bid is what a sale comes to: the venue's price less its fee, then sold again on the leg. An ask is what a purchase
    costs: the venue's price and its fee, in a money that is itself bought on the leg.
    """
    bid, ask = _taken(quote, fees)
    if leg is None:
        return Part(quote, None, bid, ask)
    sold, bought = rates(leg, money, fees)
    return Part(quote, leg, _times(bid, sold), _times(ask, bought))


def rates(leg: Quote, money: str, fees: FeesPips) -> tuple[Ratio, Ratio]:
    """What one of the leg's other asset brings in `money` when sold, and what it costs when bought."""
    bid, ask = _taken(leg, fees)
    if leg.instrument.quote == money:
        return bid, ask
    return (ask[1], ask[0]), (bid[1], bid[0])


def check_fees(fees: FeesPips, instruments: Sequence[Instrument]) -> None:
    """Raises `UsageError` where a venue has no fee, or one that is none."""
    for venue in sorted({each.venue for each in instruments}):
        if not 0 <= fees.get(venue, -1) < PIPS:
            raise UsageError(f"{venue}: a taker fee between 0 and {PIPS - 1} pips is needed, not {fees.get(venue)}")


def other_asset(rate: Instrument, money: str) -> str:
    """What a rate book turns into `money`, or `money` into it. Raises `UsageError` where it has nothing to do with it."""
    if money not in (rate.base, rate.quote):
        raise UsageError(f"{rate.venue} {rate.symbol} is no rate of {money}")
    return rate.quote if rate.base == money else rate.base


def _taken(quote: Quote, fees: FeesPips) -> tuple[Ratio, Ratio]:
    """What a taker gets and pays in the book's own quote asset."""
    unit = POWERS[quote.price_decimals]
    if not fees:
        return (quote.bid_price, unit), (quote.ask_price, unit)
    fee = fees[quote.instrument.venue]
    unit *= PIPS
    return (quote.bid_price * (PIPS - fee), unit), (quote.ask_price * (PIPS + fee), unit)


def _times(price: Ratio, rate: Ratio) -> Ratio:
    return price[0] * rate[0], price[1] * rate[1]
