"""Numbers and venues of a consolidated market as text: to read, and exact for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mempool.model.book import scaled_text
from mempool.model.consolidated import Trade
from mempool.model.display import format_amount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from mempool.books.ladder import Taken
    from mempool.engine.books_look import MarketLook
    from mempool.model.consolidated import Best, ConsolidatedQuote

PRICE_DECIMALS = 6
"""Shown of a price over several venues, which may be a ratio that ends nowhere."""
SMALL_DECIMALS = 10
"""Of what is below one."""
EXACT_DECIMALS = 18
"""For programs: what has no more of them is not rounded."""
DONE = {Trade.SELL: "sold for", Trade.BUY: "bought with"}
BOUNDS = {Trade.SELL: "≥", Trade.BUY: "≤"}
"""A sale brings so much or more, a purchase costs so much or less."""


def price_text(best: Best | None) -> str:
    """To read; empty without one."""
    return "" if best is None else short_text(best.exact_price)


def short_text(value: Fraction) -> str:
    """To read, rounded half to even: `PRICE_DECIMALS`, of less than one `SMALL_DECIMALS`."""
    return _text(value, PRICE_DECIMALS if abs(value) >= 1 else SMALL_DECIMALS)


def exact_text(value: Fraction | None) -> str | None:
    """For programs: rounded half to even at `EXACT_DECIMALS`, and so exact unless it is a ratio that does not end before."""
    return None if value is None else _text(value, EXACT_DECIMALS)


def venue_names(best: Best | None) -> str:
    """Joined by `+` where several offer the same price."""
    return "+".join(names(best))


def names(best: Best | None) -> list[str]:
    return [] if best is None else [instrument.venue for instrument, _ in best.shares]


def both_names(quote: ConsolidatedQuote) -> str:
    """Of the bid, then of the ask; empty where no book is priced."""
    return f"{venue_names(quote.bid)} / {venue_names(quote.ask)}" if quote.bid else ""


def size_text(look: MarketLook) -> str:
    """`25 ETH`; empty where no size was named."""
    return "" if look.size is None else f"{exact_text(look.size)} {look.best.base}"


def size_lines(look: MarketLook, *, with_average: bool) -> Iterator[str]:
    """What selling and buying the size comes to, and where: a line each, none where no book is priced."""
    for trade, taken in look.sized.by_trade() if look.sized else ():
        told = [*_told(trade, taken, with_average=with_average)]
        yield f"{size_text(look)} {DONE[trade]} {look.best.quote}: {'; '.join(told)}"


def average_text(trade: Trade, taken: Taken) -> str:
    """`≥` or `≤` stands before what may be better than the listed levels make it; empty where nothing is filled."""
    return "" if taken.vwap is None else f"{'' if taken.is_certain else BOUNDS[trade]}{short_text(taken.vwap)}"


def amount_text(size: Fraction) -> str:
    """To read: four digits."""
    return format_amount(round(size * 10**EXACT_DECIMALS), EXACT_DECIMALS)


def _told(trade: Trade, taken: Taken, *, with_average: bool) -> Iterator[str]:
    if taken.unfilled:
        yield f"{amount_text(taken.unfilled)} unfilled"
    if taken.worst_price is not None:
        if with_average:
            yield f"{average_text(trade, taken)} after fees"
        yield ", ".join(f"{instrument.venue} {amount_text(size)}" for instrument, size in taken.fills)
        yield f"the last at {short_text(taken.worst_price)}"
    if not taken.is_certain:
        yield "more may be behind what is listed"


def _text(value: Fraction, decimals: int) -> str:
    scaled = round(value * 10**decimals)
    text = scaled_text(abs(scaled), decimals).rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text
