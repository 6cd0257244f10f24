"""Triangular arbitrage: three books of one venue, round from an asset to itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mempool.detect.book_cycles import BookView, Step, Terms, judged
from mempool.model.arbitrage import ArbitrageKind, BookArbitrage
from mempool.model.book import Instrument
from mempool.model.consolidated import Trade


def detect_triangular(view: BookView, cause: Instrument, terms: Terms) -> Iterator[BookArbitrage]:
    """The cycles through the cause's book and two others of its venue, in both directions.

    Each starts in `terms.money` where it passes it, else in the first of its assets by name.
    """
    steps = [Step(book, trade) for book in view.books if book.instrument.venue == cause.venue for trade in Trade]
    for first in steps:
        if first.book.instrument != cause:
            continue
        for cycle in _cycles(first, steps):
            found = judged(ArbitrageKind.TRIANGULAR, _from_money(cycle, terms.money), view, terms)
            if found is not None:
                yield found


def _cycles(first: Step, steps: Sequence[Step]) -> Iterator[Sequence[Step]]:
    for second in steps:
        if second.asset_in != first.asset_out or second.asset_out == first.asset_in:
            continue
        for third in steps:
            if third.asset_in == second.asset_out and third.asset_out == first.asset_in:
                yield first, second, third


def _from_money(cycle: Sequence[Step], money: str) -> Sequence[Step]:
    assets = [step.asset_in for step in cycle]
    start = assets.index(money if money in assets else min(assets))
    return *cycle[start:], *cycle[:start]
