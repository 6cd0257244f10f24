"""Wrappers: contracts that carry calls of other contracts, one file for each kind, and the table that names them."""

from __future__ import annotations

from collections.abc import Mapping

from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.account import ACCOUNT
from mempool.decode.wrappers.delegation_manager import DELEGATION_MANAGER
from mempool.decode.wrappers.dodo_proxy import DODO_PROXY
from mempool.decode.wrappers.entry_point import ENTRY_POINT
from mempool.decode.wrappers.erc20 import ERC20, PERMIT2
from mempool.decode.wrappers.lifi_diamond import LIFI_DIAMOND
from mempool.decode.wrappers.metamask_swap import METAMASK_SWAP
from mempool.decode.wrappers.multicall3 import MULTICALL3
from mempool.decode.wrappers.no_swaps import NO_SWAPS
from mempool.decode.wrappers.proxied_swap import PROXIED_SWAP
from mempool.decode.wrappers.rainbow_router import RAINBOW_ROUTER
from mempool.decode.wrappers.relay import RELAY_APPROVAL_PROXY, RELAY_ROUTER
from mempool.decode.wrappers.safe import MULTI_SEND, SAFE
from mempool.decode.wrappers.swap_proxy import SWAP_PROXY
from mempool.decode.wrappers.tokenlon import TOKENLON, TOKENLON_AMM_WRAPPER
from mempool.decode.wrappers.zerox_forwarders import ZEROX_ALLOWANCE_HOLDER, ZEROX_MULTICALL

WRAPPERS: Mapping[str, RouterKind] = {
    "multicall3": MULTICALL3,
    "entry_point": ENTRY_POINT,
    "account": ACCOUNT,
    "safe": SAFE,
    "multi_send": MULTI_SEND,
    "delegation_manager": DELEGATION_MANAGER,
    "metamask_swap": METAMASK_SWAP,
    "lifi_diamond": LIFI_DIAMOND,
    "proxied_swap": PROXIED_SWAP,
    "rainbow_router": RAINBOW_ROUTER,
    "dodo_proxy": DODO_PROXY,
    "tokenlon": TOKENLON,
    "tokenlon_amm_wrapper": TOKENLON_AMM_WRAPPER,
    "relay_router": RELAY_ROUTER,
    "relay_approval_proxy": RELAY_APPROVAL_PROXY,
    "erc20": ERC20,
    "permit2": PERMIT2,
    "no_swaps": NO_SWAPS,
    "swap_proxy": SWAP_PROXY,
    "zerox_allowance_holder": ZEROX_ALLOWANCE_HOLDER,
    "zerox_multicall": ZEROX_MULTICALL,
}
"""By the `kind` of a contract in a chain's file."""
