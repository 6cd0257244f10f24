"""Pool families: each one's state and exact integer maths, and the table that names them."""

from __future__ import annotations

from mempool.amm import uniswap_v2, uniswap_v3_slots
from mempool.amm.curve import Curve
from mempool.amm.pool_kind import PoolKind
from mempool.amm.uniswap_v2 import PIPS
from mempool.model.pool import PoolState

_KINDS = (uniswap_v2.KIND, uniswap_v3_slots.KIND)

POOL_KINDS: dict[str, PoolKind] = {kind.name: kind for kind in _KINDS}
if len(POOL_KINDS) != len(_KINDS):
    raise ValueError("two pool families bear one name")


def curve_of(pool: PoolState, token_in: bytes) -> Curve:
    """The pool as a real curve for sales of `token_in`."""
    return Curve((PIPS - pool.fee_pips) / PIPS, POOL_KINDS[pool.kind].ranges(pool, token_in))
