"""The events that make a mined transaction a swap, and the one that shows who paid a pool."""

from __future__ import annotations

from mempool.model.block import Receipt
from mempool.model.keccak import keccak256

SWAP_EVENTS = {
    "Uniswap V2": "Swap(address,uint256,uint256,uint256,uint256,address)",
    "Uniswap V3": "Swap(address,address,int256,int256,uint160,uint128,int24)",
    "Uniswap V4": "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)",
    "Curve, int128 indices": "TokenExchange(address,int128,uint256,int128,uint256)",
    "Curve, uint256 indices": "TokenExchange(address,uint256,uint256,uint256,uint256)",
    "Curve, crypto NG": "TokenExchange(address,uint256,uint256,uint256,uint256,uint256,uint256)",
    "Curve, underlying coins": "TokenExchangeUnderlying(address,int128,uint256,int128,uint256)",
    "Balancer V1": "LOG_SWAP(address,address,address,uint256,uint256)",
    "Balancer V2": "Swap(bytes32,address,address,uint256,uint256)",
    "Balancer V3": "Swap(address,address,address,uint256,uint256,uint256,uint256)",
    "PancakeSwap V3": "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)",
}
SWAP_TOPICS = {keccak256(signature.encode()): family for family, signature in SWAP_EVENTS.items()}
"""First topic -> family. Forks that log the same event count with the family that they copy."""
TRANSFER_TOPIC = keccak256(b"Transfer(address,address,uint256)")


def is_swap_transaction(receipt: Receipt) -> bool:
    """Whether the transaction succeeded and logged at least one of `SWAP_EVENTS`."""
    return receipt.succeeded and any(log.topics and log.topics[0] in SWAP_TOPICS for log in receipt.logs)
