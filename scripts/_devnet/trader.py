"""One user about to trade: picks a route and a size, asks the chain for a quote, and sets the limit that the user accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, packed_path, returned
from scripts._devnet.rpc import Rpc
from scripts._devnet.world import V2_MARKETS, V3_MARKETS, units

MOST_HOPS = 3
LENGTH_WEIGHT = {2: 30, 3: 3, 4: 0.3}
"""By the number of tokens, since there are many more long routes than short ones."""


class Limits(Enum):
    """What the user accepts: a few percent off, nearly anything (on a large trade), more than can be had; or it is too late."""

    USUAL = "usual"
    LOOSE = "loose"
    IMPOSSIBLE = "impossible"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Call:
    """A transaction to send: `family` is the router's or the protocol's short name, `function` what a reader would call it."""

    family: str
    function: str
    to: Address | None
    data: str
    value_wei: int = 0


@dataclass(frozen=True)
class Route:
    """Tokens in trade order; `fees` one per hop for V3, none for V2. `dollars` is the depth of its shallowest pool."""

    tokens: tuple[Address, ...]
    fees: tuple[int, ...]
    dollars: int

    @property
    def path(self) -> bytes:
        """V3's packed path in trade order."""
        steps: list[str | int] = [self.tokens[0]]
        for fee, token in zip(self.fees, self.tokens[1:], strict=True):
            steps += [fee, token]
        return packed_path(*steps)

    @property
    def backward_path(self) -> bytes:
        """V3's packed path as exact out wants it."""
        return Route(self.tokens[::-1], self.fees[::-1], self.dollars).path


def routes(edges: Sequence[tuple[Route, ...]]) -> list[Route]:
    """All routes of 1 to 3 hops that visit no token twice."""
    single = [route for pair in edges for route in pair]
    found, longest = list(single), list(single)
    for _ in range(MOST_HOPS - 1):
        longest = [joined(route, hop) for route in longest for hop in single if fits(route, hop)]
        found += longest
    return found


def fits(route: Route, hop: Route) -> bool:
    return route.tokens[-1] == hop.tokens[0] and hop.tokens[1] not in route.tokens


def joined(route: Route, hop: Route) -> Route:
    return Route((*route.tokens, hop.tokens[1]), route.fees + hop.fees, min(route.dollars, hop.dollars))


def both_ways(tokens: tuple[Address, Address], fees: tuple[int, ...], dollars: int) -> tuple[Route, ...]:
    return Route(tokens, fees, dollars), Route(tokens[::-1], fees, dollars)


ALL_V2_ROUTES = routes([both_ways(market.tokens, (), market.dollars) for market in V2_MARKETS])
V2_ROUTES = [route for route in ALL_V2_ROUTES if at.TAXED not in route.tokens]
TAXED_ROUTES = [route for route in ALL_V2_ROUTES if at.TAXED in route.tokens and len(route.tokens) == 2]
V3_ROUTES = routes([both_ways(market.tokens, (market.fee_pips,), market.dollars) for market in V3_MARKETS])


@dataclass
class Trader:
    """`now` is the chain's time in unix seconds."""

    rng: Random
    rpc: Rpc
    user: Address
    now: int
    limits: Limits = Limits.USUAL

    @property
    def deadline(self) -> int:
        return self.now - 60 if self.limits is Limits.EXPIRED else self.now + 1800

    def pick(self, choices: Sequence[Route], hops: int = 0, first: Address = "", last: Address = "") -> Route:
        """A route with so many hops (0: any, short ones likelier), from and to the given tokens where they are given."""
        fitting = [
            route
            for route in choices
            if hops in (0, len(route.tokens) - 1) and first in ("", route.tokens[0]) and last in ("", route.tokens[-1])
        ]
        return self.rng.choices(fitting, [LENGTH_WEIGHT[len(route.tokens)] for route in fitting])[0]

    def size(self, route: Route, token: Address) -> int:
        """An amount of `token`: from dust to two percent of the pool, or a large trade where the limits are loose."""
        share = self.rng.uniform(0.02, 0.08) if self.limits is Limits.LOOSE else 10 ** self.rng.uniform(-5, -1.7)
        return max(units(token, route.dollars * share), 1)

    def least(self, quote: int) -> int:
        """The least to accept of what is quoted."""
        match self.limits:
            case Limits.LOOSE:
                return self.rng.choice((0, quote * 4 // 5))
            case Limits.IMPOSSIBLE:
                return quote * 21 // 20 + 1
            case _:
                return quote * self.rng.randint(9500, 9950) // 10_000

    def most(self, quote: int) -> int:
        """The most to pay for what is quoted."""
        match self.limits:
            case Limits.LOOSE:
                return quote * 6 // 5
            case Limits.IMPOSSIBLE:
                return quote * 19 // 20
            case _:
                return quote * self.rng.randint(10_050, 10_500) // 10_000 + 1

    def read(self, to: Address, data: str, types: str) -> tuple[Any, ...]:
        return returned(types, self.rpc.call("eth_call", {"from": self.user, "to": to, "data": data}, "latest"))

    def quote_v2_in(self, route: Route, amount_in: int) -> int:
        data = calldata("getAmountsOut(uint256,address[])", amount_in, route.tokens)
        return int(self.read(at.V2_ROUTER, data, "(uint256[])")[0][-1])

    def quote_v2_out(self, route: Route, amount_out: int) -> int:
        data = calldata("getAmountsIn(uint256,address[])", amount_out, route.tokens)
        return int(self.read(at.V2_ROUTER, data, "(uint256[])")[0][0])

    def quote_v3_in(self, route: Route, amount_in: int) -> int:
        data = calldata("quoteExactInput(bytes,uint256)", route.path, amount_in)
        return int(self.read(at.V3_QUOTER, data, "(uint256,uint160[],uint32[],uint256)")[0])

    def quote_v3_out(self, route: Route, amount_out: int) -> int:
        data = calldata("quoteExactOutput(bytes,uint256)", route.backward_path, amount_out)
        return int(self.read(at.V3_QUOTER, data, "(uint256,uint160[],uint32[],uint256)")[0])
