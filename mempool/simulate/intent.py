"""Simulates one intent as its router executes it, hop by hop, on a view of the pools."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mempool.amm.path import swap_path_exact_in, swap_path_exact_out
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import MarketView
from mempool.model.pool import PoolState, PoolSwap
from mempool.model.price import PriceImpact
from mempool.model.swap import Completeness, ExactIn, ExactOut, Hop, HopResult, SwapIntent, SwapResult

ABSENT = "the pool"
"""What `StateUnknown` names as missing where the whole pool is."""


def simulate(intent: SwapIntent, view: MarketView, timestamp: int, earlier: Sequence[SwapResult | None] = ()) -> SwapResult:
    """What the intent's swaps would pay on the view's pools, to the wei, and whether it would revert.

    `timestamp` (unix seconds) is the one of the block that would hold it. `earlier` are the results of the same call's intents
    before this one, by index, for an intent that sells what they bought; None stands for one that could not be simulated.
    An intent that fails its own limit or deadline still shows its amounts; one that a pool refuses has no hops.
    Raises `StateUnknown` where a pool (`missing` is then `the pool`), a tick or the amount is not known, but not for an intent
    after its deadline: routers look at that first, so it reverts whatever the pools are, and has no hops where they are unknown.
    """
    try:
        return _simulated(intent, view, timestamp, earlier)
    except StateUnknown:
        reverts = _missed_deadline(intent, timestamp)
        if not reverts:
            raise
        return _without_hops(intent, reverts, view)


def _simulated(intent: SwapIntent, view: MarketView, timestamp: int, earlier: Sequence[SwapResult | None]) -> SwapResult:
    pools = _pools(intent, view)
    amount_in = _amount_in(intent, earlier)
    try:
        swaps = _swaps(intent, pools, amount_in)
    except SwapImpossible as error:
        return _without_hops(intent, _missed_deadline(intent, timestamp) or str(error), view)
    reverts = _missed_deadline(intent, timestamp) or _missed_limit(intent, swaps[0].amount_in, swaps[-1].amount_out)
    hops = _hop_results(intent, pools, swaps)
    return SwapResult(intent, hops, swaps[0].amount_in, swaps[-1].amount_out, reverts, view.block)


def _without_hops(intent: SwapIntent, reverts: str, view: MarketView) -> SwapResult:
    return SwapResult(intent, hops=(), amount_in=0, amount_out=0, reverts=reverts, block=view.block)


def _pools(intent: SwapIntent, view: MarketView) -> list[PoolState]:
    pools = []
    for hop in intent.hops:
        if not hop.kind:
            raise StateUnknown(hop.pool, f"the maths of {hop.protocol}")
        pool = view.pool(hop.pool)
        if pool is None:
            raise StateUnknown(hop.pool, ABSENT)
        pools.append(pool)
    return pools


def _amount_in(intent: SwapIntent, earlier: Sequence[SwapResult | None]) -> int:
    """The amount to sell; 0 for an exact-out intent, whose input follows. An intent that reverted has bought nothing."""
    size = intent.size
    if intent.completeness is not Completeness.EXACT or not intent.hops:
        pool = intent.hops[0].pool if intent.hops else b""
        raise StateUnknown(pool, f"what the call asks ({intent.reason or intent.completeness})")
    if isinstance(size, ExactOut):
        return 0
    if isinstance(size, ExactIn):
        return size.amount_in
    amount = 0
    for source in size.sources:
        result = earlier[source] if source < len(earlier) else None
        if result is None:
            raise StateUnknown(intent.hops[0].pool, f"the amount in, which intent {source} of the call brings,")
        amount += 0 if result.reverts else result.amount_out
    return size.amount_in(amount)


def _swaps(intent: SwapIntent, pools: Sequence[PoolState], amount_in: int) -> list[PoolSwap]:
    _check_neighbours(intent)
    tokens_in = [hop.token_in for hop in intent.hops]
    size, limit = intent.size, intent.sqrt_price_limit_x96
    if isinstance(size, ExactOut):
        if limit:
            return [_only(pools).swap_exact_out(tokens_in[0], size.amount_out, limit)]
        swaps = swap_path_exact_out(pools, tokens_in, size.amount_out)
        # SwapRouter02 and the Universal Router only quote backwards, then pay what the V2 pairs give for that input.
        return swap_path_exact_in(pools, tokens_in, swaps[0].amount_in) if size.pays_forward else swaps
    if limit:
        return [_only(pools).swap_exact_in(tokens_in[0], amount_in, limit)]
    return swap_path_exact_in(pools, tokens_in, amount_in)


def _check_neighbours(intent: SwapIntent) -> None:
    """A V2 path pays each pair straight from the one before; one that follows itself receives nothing."""
    for hop, following in pairwise(intent.hops):
        if hop.pool == following.pool and hop.kind == "uniswap_v2":
            raise SwapImpossible(hop.pool, "INSUFFICIENT_INPUT_AMOUNT: the pair follows itself in the path")


def _only(pools: Sequence[PoolState]) -> PoolState:
    """The one pool of an intent with a price limit; no router offers a limit over several."""
    if len(pools) != 1:
        raise SwapImpossible(pools[0].address, "a price limit over several pools")
    return pools[0]


def _hop_results(intent: SwapIntent, pools: Sequence[PoolState], swaps: Sequence[PoolSwap]) -> tuple[HopResult, ...]:
    if len(swaps) == 1:
        return (_hop_result(intent.hops[0], pools[0], swaps[0]),)
    moved: dict[bytes, PoolState] = {}
    results = []
    for hop, pool, swap in zip(intent.hops, pools, swaps, strict=True):
        results.append(_hop_result(hop, moved.get(hop.pool, pool), swap))
        moved[hop.pool] = swap.after
    return tuple(results)


def _hop_result(hop: Hop, before: PoolState, swap: PoolSwap) -> HopResult:
    numerator, denominator = before.mid_price(hop.token_in)
    impact = PriceImpact(swap.amount_in, swap.amount_out, numerator, denominator, before.fee_pips)
    return HopResult(hop, swap.amount_in, swap.amount_out, impact, before, swap.after)


def _missed_deadline(intent: SwapIntent, timestamp: int) -> str:
    if intent.deadline is None or timestamp <= intent.deadline:
        return ""
    return f"deadline passed: the block's time is {timestamp}, the deadline {intent.deadline}"


def _missed_limit(intent: SwapIntent, amount_in: int, amount_out: int) -> str:
    size = intent.size
    if isinstance(size, ExactOut):
        return "" if amount_in <= size.max_amount_in else f"too much requested: {amount_in} of at most {size.max_amount_in}"
    return "" if amount_out >= size.min_amount_out else f"too little received: {amount_out} of at least {size.min_amount_out}"
