"""Dollar prices out of the devnet's own pools, which the simulated exchanges follow with a delay."""

from __future__ import annotations

from math import exp

from msgspec import Struct

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, pool_address, returned
from scripts._devnet.rpc import Request, Rpc
from scripts._devnet.world import ALL_TOKENS
from scripts._exchanges.listings import SECOND_NS
from scripts._exchanges.market import STABLECOINS, stablecoin_price

LAG_S = 1.0
"""So long after a block, 63 % of its change have come to the exchanges."""
SLOT0 = "(uint160,int24,uint16,uint16,uint16,uint8,bool)"


class PricePool(Struct, frozen=True):
    """A V3 pool that an asset is priced by, and what exchanges call the other asset."""

    token: Address
    money_token: Address
    fee_pips: int
    money: str

    @property
    def request(self) -> Request:
        to = pool_address(self.token, self.money_token, self.fee_pips)
        return "eth_call", [{"to": to, "data": calldata("slot0()")}, "latest"]

    def price(self, answer: str) -> float:
        """Of one whole token, before the pool's fee."""
        sqrt_price: float = returned(SLOT0, answer)[0] / 2**96
        smallest = sqrt_price**2 if self.token < self.money_token else 1 / sqrt_price**2
        return smallest * 10.0 ** (ALL_TOKENS[self.token].decimals - ALL_TOKENS[self.money_token].decimals)


POOLS = {"ETH": PricePool(at.WETH, at.USDC, 500, "USDC"), "BTC": PricePool(at.WBTC, at.WETH, 500, "ETH")}


class Approach(Struct, frozen=True):
    """A price that goes from `start` to `target`, fast at first."""

    start: float
    target: float
    since_ns: int

    def at(self, now_ns: int) -> float:
        passed_s = max(now_ns - self.since_ns, 0) / SECOND_NS
        return self.target + (self.start - self.target) * exp(-passed_s / LAG_S)


class PoolPrices:
    """A `MidPrice`; `refresh` reads the pools anew, and where one of them has moved, its asset sets out for the new price."""

    def __init__(self, rpc: Rpc, now_ns: int) -> None:
        self._rpc = rpc
        self._ways = {asset: Approach(price, price, now_ns) for asset, price in self._read().items()}

    def __call__(self, asset: str, now_ns: int) -> float:
        if asset in STABLECOINS:
            return stablecoin_price(asset, now_ns)
        return self._ways[asset].at(now_ns) * self(POOLS[asset].money, now_ns)

    def refresh(self, now_ns: int) -> None:
        """Raises `NodeRefused`, and `OSError` or `HTTPException` where the node is gone."""
        for asset, price in self._read().items():
            way = self._ways[asset]
            if price != way.target:
                self._ways[asset] = Approach(way.at(now_ns), price, now_ns)

    def _read(self) -> dict[str, float]:
        answers = self._rpc.batch(pool.request for pool in POOLS.values())
        return {asset: pool.price(answer) for (asset, pool), answer in zip(POOLS.items(), answers, strict=True)}
