"""The one market that all venues follow: a mid price as a function of pair and time."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sin
from random import Random

from scripts._exchanges.listings import SECOND_NS

MidPrice = Callable[[str, int], float]
"""From the base asset and the time in nanoseconds to the price of one in dollars. The simulator asks in no particular order."""

PRICES = {"ETH": 3_200.0, "BTC": 64_000.0}
PERIODS = ((7.3, 1.0), (31.0, 4.0), (113.0, 10.0), (599.0, 40.0))
"""Seconds, and the amplitude in basis points."""


class Waves:
    """Prices that swing around a fixed one in waves whose phases the seed chooses: no state, so any order of questions."""

    def __init__(self, seed: int) -> None:
        self._phases = {base: [Random(f"{seed}/{base}/{wave}").random() for wave in PERIODS] for base in PRICES}

    def __call__(self, base: str, now_ns: int) -> float:
        bps = sum(
            amplitude * wave(now_ns, seconds, phase)
            for (seconds, amplitude), phase in zip(PERIODS, self._phases[base], strict=True)
        )
        return PRICES[base] * (1 + bps / 10_000)


def wave(now_ns: int, seconds: float, phase: float) -> float:
    """Between -1 and 1; `phase` is the part of a turn that it is ahead at time zero."""
    return sin(2 * pi * (now_ns / SECOND_NS / seconds + phase))
