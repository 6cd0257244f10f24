"""Pool families: each one's state and exact integer maths, and the table that names them."""

from __future__ import annotations

from mempool.amm import uniswap_v2, uniswap_v3_slots
from mempool.amm.pool_kind import PoolKind

_KINDS = (uniswap_v2.KIND, uniswap_v3_slots.KIND)

POOL_KINDS: dict[str, PoolKind] = {kind.name: kind for kind in _KINDS}
if len(POOL_KINDS) != len(_KINDS):
    raise ValueError("two pool families bear one name")
