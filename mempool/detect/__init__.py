"""Detectors: what a swap opens for others, and what its sender risks."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Protocol

from mempool.detect.backrun import detect_backrun
from mempool.detect.gas import GasAssumption as GasAssumption
from mempool.detect.sandwich_exposure import detect_sandwich_exposure
from mempool.market import MarketView
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
