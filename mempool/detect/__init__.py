"""Detectors: what a swap opens for others, what its sender risks, and which cycles over order books there are to watch."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Protocol

from mempool.detect.backrun import detect_backrun
from mempool.detect.book_cycles import Cycle
from mempool.detect.cross_exchange import cross_exchange_cycles
from mempool.detect.gas import GasAssumption as GasAssumption
from mempool.detect.priced_books import PricedBooks
from mempool.detect.sandwich_exposure import detect_sandwich_exposure
from mempool.detect.triangular import triangular_cycles
from mempool.market import MarketView
from mempool.model.arbitrage import ArbitrageKind
from mempool.model.book import Instrument
from mempool.model.opportunity import Opportunity, OpportunityKind
from mempool.model.swap import SwapResult


class Detector(Protocol):
    """Looks at one simulated swap; `view` is the state before it. `taxed` are tokens known to take a fee on transfers."""

    def __call__(
        self, view: MarketView, cause: SwapResult, gas: GasAssumption, *, taxed: Container[bytes] = frozenset()
    ) -> Iterator[Opportunity]: ...


DETECTORS: dict[str, Detector] = {
    OpportunityKind.SANDWICH_EXPOSURE.value: detect_sandwich_exposure,
    OpportunityKind.BACKRUN.value: detect_backrun,
}


class BookCycles(Protocol):
    """The cycles over the priced books that pass the cause's."""

    def __call__(self, cause: Instrument, books: PricedBooks) -> Iterator[Cycle]: ...


BOOK_CYCLES: dict[str, BookCycles] = {
    ArbitrageKind.CROSS_EXCHANGE.value: cross_exchange_cycles,
    ArbitrageKind.TRIANGULAR.value: triangular_cycles,
}
