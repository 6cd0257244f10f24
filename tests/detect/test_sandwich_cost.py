"""No pair of pools makes the search for a front-run long: whoever sends a swap could else stop the engine."""

from __future__ import annotations

from mempool.amm.optimal import V2Reserves
from mempool.detect.sandwich_v2 import FINE_STEPS, BuysExactly, best_front_run_of_purchase

COARSE_UNIT = 232_196_000_000
"""What one unit of an 8-decimals token costs in WETH in the pair before: so far the quote that runs through it is rounded up."""


def test_purchase_behind_a_coarse_token_is_searched_in_few_steps() -> None:
    asked = []

    def forward(quoted: int) -> int:
        asked.append(quoted)
        return -(-quoted // COARSE_UNIT) * COARSE_UNIT

    pair = V2Reserves(7_847_340_894_344_401_140_823, 20_390_262_239_876, 3000)
    victim = BuysExactly(15_178_920_508, 6_020_000_000_000_000_000, True, forward, COARSE_UNIT)
    best_front_run_of_purchase(pair, victim)
    assert 0 < len(asked) <= 4 * FINE_STEPS
