"""Markets, swaps on them, and the brute force that the detectors are held to."""

from __future__ import annotations

from mempool.amm.uniswap_v2 import V2Pool
from mempool.detect import GasAssumption
from mempool.errors import SwapImpossible
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef
from mempool.model.opportunity import Opportunity
from mempool.model.pool import PoolState
from mempool.model.swap import Hop, Size, SwapIntent, SwapResult
from mempool.simulate import simulate

BLOCK = BlockRef(100, "0x64", "0x63", 1200)
NATIVE, DOLLAR, COIN, OTHER = (bytes([number]) * 20 for number in (1, 2, 3, 4))
GAS = GasAssumption(price_wei=0, wrapped_native=NATIVE)
ETHER = 10**18


def pair(token_in: bytes, reserve_in: int, token_out: bytes, reserve_out: int, fee_pips: int = 3000, number: int = 0) -> V2Pool:
    """A pair with its reserves named by token; `number` tells apart the pairs of the same two tokens."""
    (token0, reserve0), (token1, reserve1) = sorted(((token_in, reserve_in), (token_out, reserve_out)))
    return V2Pool(token0[:9] + token1[:9] + number.to_bytes(2), token0, token1, fee_pips, reserve0, reserve1)


def hop(pool: PoolState, token_in: bytes) -> Hop:
    token_out = pool.token1 if token_in == pool.token0 else pool.token0
    return Hop("a factory", pool.kind, pool.address, token_in, token_out, pool.fee_pips)


def intent(size: Size, *hops: Hop, measures_received: bool = False, price_limit: int = 0) -> SwapIntent:
    return SwapIntent(
        router="a router",
        function="swap",
        hops=hops,
        size=size,
        recipient=bytes(20),
        sqrt_price_limit_x96=price_limit,
        measures_received=measures_received,
    )


def scene(asked: SwapIntent, *pools: PoolState) -> tuple[MarketView, SwapResult]:
    """The view of these pools and what the intent does on it."""
    view = view_of(BLOCK, pools)
    return view, simulate(asked, view, BLOCK.timestamp)


def best_by_trying_all(view: MarketView, asked: SwapIntent, index: int, most: int = 100_000) -> int:
    """The attacker's largest gain over every front-run on hop `index` up to the one that breaks the swap."""
    best = 0
    for amount_in in range(1, most):
        gain = gain_of_front_run(view, asked, index, amount_in)
        if gain is None:
            break
        best = max(best, gain)
    else:
        raise AssertionError(f"the swap bears a front-run of {most}")
    return best


def gain_of_front_run(view: MarketView, asked: SwapIntent, index: int, amount_in: int) -> int | None:
    """The gain, or None where the sender's swap fails; a front-run that is paid nothing gains nothing."""
    attacked = asked.hops[index]
    pool = view.pool(attacked.pool)
    assert pool is not None
    try:
        front = pool.swap_exact_in(attacked.token_in, amount_in)
    except SwapImpossible as error:
        return 0 if "OUTPUT_AMOUNT" in str(error) else None
    result = simulate(asked, view.overlay({pool.address: front.after}), BLOCK.timestamp)
    if result.reverts:
        return None
    after = next(hop.after for hop in reversed(result.hops) if hop.hop.pool == pool.address)
    try:
        return after.swap_exact_in(attacked.token_out, front.amount_out).amount_out - front.amount_in
    except SwapImpossible:
        return 0


def gross_by_pool(findings: list[Opportunity]) -> dict[bytes, int]:
    return {finding.legs[0].pool: finding.gross_profit for finding in findings}
