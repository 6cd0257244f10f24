"""Routers: one file for each kind, and the table that names them."""

from __future__ import annotations

from collections.abc import Mapping

from mempool.decode.routers.balancer_v1_proxy import BALANCER_V1_PROXY
from mempool.decode.routers.balancer_v2_vault import BALANCER_V2_VAULT
from mempool.decode.routers.balancer_v3_router import BALANCER_V3_BATCH_ROUTER, BALANCER_V3_ROUTER
from mempool.decode.routers.cow_settlement import COW_SETTLEMENT
from mempool.decode.routers.curve_pool import CURVE_POOL
from mempool.decode.routers.curve_router import CURVE_REGISTRY_EXCHANGE, CURVE_ROUTER_NG
from mempool.decode.routers.direct_pools import (
    BALANCER_V1_POOL,
    BALANCER_V3_VAULT,
    UNISWAP_V2_PAIR,
    UNISWAP_V3_POOL,
    UNISWAP_V4_POOL_MANAGER,
)
from mempool.decode.routers.kyber_meta_router import KYBER_META_ROUTER, KYBER_META_ROUTER_V1
from mempool.decode.routers.odos_router import ODOS_ROUTER_V2, ODOS_ROUTER_V3
from mempool.decode.routers.okx_dex_router import OKX_DEX_ROUTER
from mempool.decode.routers.one_inch_v1 import ONE_INCH_V1
from mempool.decode.routers.one_inch_v2 import ONE_INCH_V2
from mempool.decode.routers.one_inch_v4 import ONE_INCH_V3, ONE_INCH_V4
from mempool.decode.routers.one_inch_v5 import ONE_INCH_V5
from mempool.decode.routers.one_inch_v6 import ONE_INCH_V6
from mempool.decode.routers.open_ocean_exchange import OPEN_OCEAN_EXCHANGE
from mempool.decode.routers.pancake import PANCAKE_SMART_ROUTER, PANCAKE_UNIVERSAL_ROUTER
from mempool.decode.routers.paraswap_v4 import PARASWAP_V4
from mempool.decode.routers.paraswap_v5 import PARASWAP_V5
from mempool.decode.routers.paraswap_v6 import PARASWAP_V6
from mempool.decode.routers.sushi_red_snwapper import SUSHI_RED_SNWAPPER
from mempool.decode.routers.sushi_route_processor import (
    SUSHI_ROUTE_PROCESSOR_3,
    SUSHI_ROUTE_PROCESSOR_4,
    SUSHI_ROUTE_PROCESSOR_5,
)
from mempool.decode.routers.swap_router02 import SWAP_ROUTER02
from mempool.decode.routers.uniswap_v2_router import UNISWAP_V2_FORK, UNISWAP_V2_ROUTER
from mempool.decode.routers.uniswap_v3_router import UNISWAP_V3_ROUTER
from mempool.decode.routers.uniswap_x import UNISWAP_X_EXCLUSIVE_DUTCH, UNISWAP_X_V2_DUTCH
from mempool.decode.routers.universal_router import UNIVERSAL_ROUTER, UNIVERSAL_ROUTER_7_BIT, UNIVERSAL_ROUTER_V1
from mempool.decode.routers.zerox_bridge_settler import ZEROX_BRIDGE_SETTLER
from mempool.decode.routers.zerox_exchange_proxy import ZEROX_EXCHANGE_PROXY
from mempool.decode.routers.zerox_settler import ZEROX_SETTLER
from mempool.decode.tables import RouterKind

ROUTERS: Mapping[str, RouterKind] = {
    "uniswap_v2_router": UNISWAP_V2_ROUTER,
    "uniswap_v2_fork": UNISWAP_V2_FORK,
    "uniswap_v3_router": UNISWAP_V3_ROUTER,
    "swap_router02": SWAP_ROUTER02,
    "universal_router_v1": UNIVERSAL_ROUTER_V1,
    "universal_router": UNIVERSAL_ROUTER,
    "universal_router_7_bit": UNIVERSAL_ROUTER_7_BIT,
    "pancake_smart_router": PANCAKE_SMART_ROUTER,
    "pancake_universal_router": PANCAKE_UNIVERSAL_ROUTER,
    "paraswap_v6": PARASWAP_V6,
    "zerox_exchange_proxy": ZEROX_EXCHANGE_PROXY,
    "curve_router_ng": CURVE_ROUTER_NG,
    "curve_registry_exchange": CURVE_REGISTRY_EXCHANGE,
    "curve_pool": CURVE_POOL,
    "balancer_v1_pool": BALANCER_V1_POOL,
    "balancer_v1_proxy": BALANCER_V1_PROXY,
    "balancer_v2_vault": BALANCER_V2_VAULT,
    "balancer_v3_router": BALANCER_V3_ROUTER,
    "balancer_v3_batch_router": BALANCER_V3_BATCH_ROUTER,
    "balancer_v3_vault": BALANCER_V3_VAULT,
    "uniswap_v2_pair": UNISWAP_V2_PAIR,
    "uniswap_v3_pool": UNISWAP_V3_POOL,
    "uniswap_v4_pool_manager": UNISWAP_V4_POOL_MANAGER,
    "sushi_route_processor_3": SUSHI_ROUTE_PROCESSOR_3,
    "sushi_route_processor_4": SUSHI_ROUTE_PROCESSOR_4,
    "sushi_route_processor_5": SUSHI_ROUTE_PROCESSOR_5,
    "sushi_red_snwapper": SUSHI_RED_SNWAPPER,
    "kyber_meta_router": KYBER_META_ROUTER,
    "kyber_meta_router_v1": KYBER_META_ROUTER_V1,
    "odos_router_v2": ODOS_ROUTER_V2,
    "odos_router_v3": ODOS_ROUTER_V3,
    "cow_settlement": COW_SETTLEMENT,
    "uniswap_x_exclusive_dutch": UNISWAP_X_EXCLUSIVE_DUTCH,
    "uniswap_x_v2_dutch": UNISWAP_X_V2_DUTCH,
    "one_inch_v1": ONE_INCH_V1,
    "one_inch_v2": ONE_INCH_V2,
    "one_inch_v3": ONE_INCH_V3,
    "one_inch_v4": ONE_INCH_V4,
    "one_inch_v5": ONE_INCH_V5,
    "one_inch_v6": ONE_INCH_V6,
    "okx_dex_router": OKX_DEX_ROUTER,
    "zerox_settler": ZEROX_SETTLER,
    "zerox_bridge_settler": ZEROX_BRIDGE_SETTLER,
    "paraswap_v4": PARASWAP_V4,
    "paraswap_v5": PARASWAP_V5,
    "open_ocean_exchange": OPEN_OCEAN_EXCHANGE,
}
"""By the `kind` of a router in a chain's file."""
