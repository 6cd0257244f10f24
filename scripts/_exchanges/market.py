"""The one market that all venues follow: a mid price as a function of pair and time."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sin
from random import Random

from scripts._exchanges.listings import SECOND_NS

MidPrice = Callable[[str, int], float]
"""From an asset and the time in nanoseconds to the price of one in dollars. The simulator asks in no particular order, and for
stablecoins too: a book in one of them is priced by both its assets.
"""
DOLLAR = "USD"

PRICES = {"ETH": 3_200.0, "BTC": 64_000.0}
PERIODS = ((7.3, 1.0), (31.0, 4.0), (113.0, 10.0), (599.0, 40.0))
"""Seconds, and the amplitude in basis points."""
STABLECOINS = {"USDT": (0.9995, 3.0, 311.0), "USDC": (1.0001, 1.0, 197.0)}
"""Dollars for one, by how many basis points it sways around that, and in how many seconds."""


class Waves:
    """Prices that swing around a fixed one in waves whose phases the seed chooses: no state, so any order of questions."""

    def __init__(self, seed: int) -> None:
        self._phases = {asset: [Random(f"{seed}/{asset}/{wave}").random() for wave in PERIODS] for asset in PRICES}

    def __call__(self, asset: str, now_ns: int) -> float:
        if asset in STABLECOINS:
            return stablecoin_price(asset, now_ns)
        bps = sum(
            amplitude * wave(now_ns, seconds, phase)
            for (seconds, amplitude), phase in zip(PERIODS, self._phases[asset], strict=True)
        )
        return PRICES[asset] * (1 + bps / 10_000)


def stablecoin_price(asset: str, now_ns: int) -> float:
    """In dollars: near one, and slow."""
    price, sway_bps, seconds = STABLECOINS[asset]
    return price * (1 + sway_bps * wave(now_ns, seconds, 0.0) / 10_000)


def price_in(mid: MidPrice, base: str, quote: str, now_ns: int) -> float:
    """Of one `base` in `quote`."""
    return mid(base, now_ns) / (1.0 if quote == DOLLAR else mid(quote, now_ns))


def wave(now_ns: int, seconds: float, phase: float) -> float:
    """Between -1 and 1; `phase` is the part of a turn that it is ahead at time zero."""
    return sin(2 * pi * (now_ns / SECOND_NS / seconds + phase))
