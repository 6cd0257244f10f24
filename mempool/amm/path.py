"""Swaps through several pools in a row: exact in runs forwards, exact out backwards from the last pool."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.errors import SwapImpossible
from mempool.model.pool import PoolState, PoolSwap

PathSwap = list[PoolSwap]
"""One swap for each pool, in trade order; each one's amount out is the next one's amount in."""


def swap_path_exact_in(pools: Sequence[PoolState], tokens_in: Sequence[bytes], amount_in: int) -> PathSwap:
    """Sell `amount_in` of the first token. `tokens_in[i]` is what goes into `pools[i]`.

    A pool that stands twice in the path is met the second time as the first left it. Raises like the pools' own swaps.
    """
    if len(pools) == 1:
        return [pools[0].swap_exact_in(tokens_in[0], amount_in)]
    moved: dict[bytes, PoolState] = {}
    swaps: PathSwap = []
    amount = amount_in
    for pool, token_in in zip(pools, tokens_in, strict=True):
        swap = moved.get(pool.address, pool).swap_exact_in(token_in, amount)
        moved[pool.address] = swap.after
        swaps.append(swap)
        amount = swap.amount_out
    return swaps


def swap_path_exact_out(pools: Sequence[PoolState], tokens_in: Sequence[bytes], amount_out: int) -> PathSwap:
    """Buy exactly `amount_out` of the last token; every hop must pay in full what the next one takes, as the routers require.

    Raises like the pools' own swaps, and `SwapImpossible` for a pool that stands twice: V3 pools are locked while the earlier
    hops run inside their callback, and V2 amounts computed on one reserve twice would break the pair's invariant.
    """
    if len({pool.address for pool in pools}) < len(pools):
        raise SwapImpossible(pools[0].address, "LOK: a pool stands twice in an exact-out path")
    swaps: PathSwap = []
    amount = amount_out
    for pool, token_in in zip(reversed(pools), reversed(tokens_in), strict=True):
        swap = pool.swap_exact_out(token_in, amount)
        if swap.amount_out != amount:
            raise SwapImpossible(pool.address, f"pays only {swap.amount_out} of the {amount} asked")
        swaps.append(swap)
        amount = swap.amount_in
    return swaps[::-1]
