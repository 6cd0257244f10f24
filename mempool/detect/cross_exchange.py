"""Cross-exchange arbitrage: bought at one venue and sold at another, through rate books where their money differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from mempool.books.depth import BookDepth
from mempool.detect.book_cycles import BookView, Step, Terms, judged
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade


def detect_cross_exchange(view: BookView, cause: Instrument, terms: Terms) -> Iterator[BookArbitrage]:
    """What every two venues' books of one base asset come to, of those cycles that pass the cause's book.

    Two books of one quote asset are traded in it. Others start and end in `terms.money`, each through the first rate book of
    the view between its own asset and that; where there is none they are not compared.
    """
    for buy, sell in permutations(view.books, 2):
        if buy.instrument.base != sell.instrument.base or buy.instrument.venue == sell.instrument.venue:
            continue
        steps = _steps(buy, sell, view.books, terms.money)
        if any(step.book.instrument == cause for step in steps):
            found = judged(ArbitrageKind.CROSS_EXCHANGE, steps, view, terms)
            if found is not None:
                yield found


def _steps(buy: BookDepth, sell: BookDepth, books: Sequence[BookDepth], money: str) -> Sequence[Step]:
    """The cycle, or nothing where a rate is missing or the books are rates themselves."""
    trades = [Step(buy, Trade.BUY), Step(sell, Trade.SELL)]
    spent, received = buy.instrument.quote, sell.instrument.quote
    if spent == received:
        return trades
    if buy.instrument.base == money:
        return ()
    before, after = _conversion(money, spent, books), _conversion(received, money, books)
    return () if before is None or after is None else [*before, *trades, *after]


def _conversion(have: str, want: str, books: Sequence[BookDepth]) -> Sequence[Step] | None:
    if have == want:
        return ()
    for book in books:
        base, quote = book.instrument.base, book.instrument.quote
        if (base, quote) == (want, have):
            return (Step(book, Trade.BUY),)
        if (base, quote) == (have, want):
            return (Step(book, Trade.SELL),)
    return None
