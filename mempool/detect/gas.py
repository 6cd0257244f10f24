"""What a finding's trades would cost in gas: assumptions, stated in every finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from mempool.amm.optimal import unit_price
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView
from mempool.model.pool import PoolState

# One swap by a lean contract of its own, warm or cold slots mixed; a router's bookkeeping and approvals would come on top.
HOP_UNITS = {"uniswap_v2": 75_000, "uniswap_v3": 115_000}

SURELY = 1 - 1e-9
"""Leaves room for what floats lose."""


class GasAssumption(Struct, frozen=True):
    """Gas price in wei, the token that pays it, and the gas units of a transaction and of one swap by pool family."""

    price_wei: int
    wrapped_native: bytes
    base_units: int = 21_000
    hop_units: Mapping[str, int] = field(default_factory=lambda: HOP_UNITS)
    other_hop_units: int = 150_000
    """For a pool family that `hop_units` does not list."""

    def units(self, kinds: Iterable[str]) -> int:
        """Units of one transaction that swaps once through a pool of each of these families."""
        return self.base_units + sum(self.hop_units.get(kind, self.other_hop_units) for kind in kinds)


def net_profit(view: MarketView, gas: GasAssumption, token: bytes, gross_profit: int, gas_units: int) -> int | None:
    """Gross profit in `token` less the gas, which is bought in the cheapest pool of the view; None where no pool sells it."""
    cost_wei = gas_units * gas.price_wei
    if token == gas.wrapped_native or cost_wei == 0:
        return gross_profit - cost_wei
    cheapest: int | None = None
    for price, pool in _by_price(view, token, gas.wrapped_native):
        # No pool asks less for an amount than its first unit's price says.
        if cheapest is not None and price * cost_wei * SURELY >= cheapest:
            break
        offer = _price_of_native(pool, token, cost_wei)
        cheapest = offer if cheapest is None or (offer is not None and offer < cheapest) else cheapest
    return None if cheapest is None else gross_profit - cheapest


def _by_price(view: MarketView, token: bytes, native: bytes) -> list[tuple[float, PoolState]]:
    """The pools that sell the native token, the one with the lowest price of a first wei first."""
    pools = (view.pool(address) for address in view.pools_between(token, native))
    prices = ((unit_price(pool.mid_price(token), pool.fee_pips), pool) for pool in pools if pool is not None)
    return sorted(((1 / paid, pool) for paid, pool in prices if paid), key=lambda offer: offer[0])


def _price_of_native(pool: PoolState, token: bytes, amount_wei: int) -> int | None:
    try:
        bought = pool.swap_exact_out(token, amount_wei)
    except (StateUnknown, SwapImpossible):
        return None
    return bought.amount_in if bought.amount_out == amount_wei else None
