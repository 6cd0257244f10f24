"""Routers: one file for each kind, and the table that names them."""

from __future__ import annotations

from collections.abc import Mapping

from mempool.decode.routers.curve_pool import CURVE_POOL
from mempool.decode.routers.curve_router import CURVE_REGISTRY_EXCHANGE, CURVE_ROUTER_NG
from mempool.decode.routers.paraswap_v6 import PARASWAP_V6
from mempool.decode.routers.swap_router02 import SWAP_ROUTER02
from mempool.decode.routers.uniswap_v2_router import UNISWAP_V2_ROUTER
from mempool.decode.routers.uniswap_v3_router import UNISWAP_V3_ROUTER
from mempool.decode.routers.universal_router import UNIVERSAL_ROUTER, UNIVERSAL_ROUTER_7_BIT, UNIVERSAL_ROUTER_V1
from mempool.decode.routers.zerox_exchange_proxy import ZEROX_EXCHANGE_PROXY
from mempool.decode.tables import RouterKind

ROUTERS: Mapping[str, RouterKind] = {
    "uniswap_v2_router": UNISWAP_V2_ROUTER,
    "uniswap_v3_router": UNISWAP_V3_ROUTER,
    "swap_router02": SWAP_ROUTER02,
    "universal_router_v1": UNIVERSAL_ROUTER_V1,
    "universal_router": UNIVERSAL_ROUTER,
    "universal_router_7_bit": UNIVERSAL_ROUTER_7_BIT,
    "paraswap_v6": PARASWAP_V6,
    "zerox_exchange_proxy": ZEROX_EXCHANGE_PROXY,
    "curve_router_ng": CURVE_ROUTER_NG,
    "curve_registry_exchange": CURVE_REGISTRY_EXCHANGE,
    "curve_pool": CURVE_POOL,
}
"""By the `kind` of a router in a chain's file."""
