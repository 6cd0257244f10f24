"""What a finding's trades would cost in gas: assumptions, stated in every finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView

# One swap by a lean contract of its own, warm or cold slots mixed; a router's bookkeeping and approvals would come on top.
HOP_UNITS = {"uniswap_v2": 75_000, "uniswap_v3": 115_000}


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
    offers = [_price_of_native(view, pool, token, cost_wei) for pool in view.pools_between(token, gas.wrapped_native)]
    costs = [offer for offer in offers if offer is not None]
    return gross_profit - min(costs) if costs else None


def _price_of_native(view: MarketView, address: bytes, token: bytes, amount_wei: int) -> int | None:
    pool = view.pool(address)
    if pool is None:
        return None
    try:
        bought = pool.swap_exact_out(token, amount_wei)
    except (StateUnknown, SwapImpossible):
        return None
    return bought.amount_in if bought.amount_out == amount_wei else None
