"""A small market and intents on it, for the tests of the simulation."""

from __future__ import annotations

from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef
from mempool.model.pool import PoolState
from mempool.model.swap import Completeness, DecodedCall, ExactIn, Hop, Size, SwapIntent
from tests.amm.pools import TOKEN0, TOKEN1, TOKEN2, v2_pool, v3_pool

BLOCK = BlockRef(100, "0x64", "0x63", 1200)
NOW = 1212
ONE_ETHER = ExactIn(10**18, 0)
FIRST = v2_pool(10**24, 3 * 10**24)
SECOND = V2Pool(b"\xcc" * 20, TOKEN1, TOKEN2, 3000, 7 * 10**23, 10**23)
DEEP = v3_pool([(-6000, 6000, 10**24)])
THIRD = V3Pool(b"\xdd" * 20, TOKEN1, TOKEN2, 500, DEEP.sqrt_price_x96, DEEP.tick, DEEP.liquidity, DEEP.ticks)


def view(*pools: PoolState) -> MarketView:
    return view_of(BLOCK, pools or (FIRST, SECOND, DEEP, THIRD))


def hop(pool: PoolState, token_in: bytes) -> Hop:
    token_out = pool.token1 if token_in == pool.token0 else pool.token0
    return Hop("a factory", pool.kind, pool.address, token_in, token_out, pool.fee_pips)


def intent(
    size: Size = ONE_ETHER, *hops: Hop, deadline: int | None = None, limit: int = 0, scopes: tuple[int, ...] = ()
) -> SwapIntent:
    return SwapIntent(
        router="a router",
        function="swap",
        hops=hops or (hop(FIRST, TOKEN0),),
        size=size,
        recipient=bytes(20),
        deadline=deadline,
        sqrt_price_limit_x96=limit,
        revert_scopes=scopes,
    )


def call(*intents: SwapIntent) -> DecodedCall:
    return DecodedCall("a router", b"\1\2\3\4", Completeness.EXACT, intents)
