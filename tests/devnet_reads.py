"""What tests read from the devnet: pool states by the package's own loaders, and mined logs as the package's nouns."""

from __future__ import annotations

from typing import Any

from mempool.amm import POOL_KINDS
from mempool.model.block import Log
from mempool.model.pool import PoolIdentity, PoolState
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import pair_address, pool_address
from scripts._devnet.world import TICK_SPACING


def pair_identity(token_x: str, token_y: str) -> PoolIdentity:
    token0, token1 = sorted((raw(token_x), raw(token_y)))
    return PoolIdentity("uniswap_v2", raw(pair_address(token_x, token_y)), token0, token1, 3000)


def pool_identity(token_x: str, token_y: str, fee_pips: int) -> PoolIdentity:
    token0, token1 = sorted((raw(token_x), raw(token_y)))
    address = raw(pool_address(token_x, token_y, fee_pips))
    return PoolIdentity("uniswap_v3", address, token0, token1, fee_pips, TICK_SPACING[fee_pips])


def load_pool(devnet: Devnet, identity: PoolIdentity, words_each_side: int = 20) -> PoolState:
    """The pool's state after the latest block, from its storage."""
    loading = POOL_KINDS[identity.kind].load(identity, words_each_side=words_each_side)
    slots = next(loading)
    address = "0x" + identity.address.hex()
    while True:
        answers = devnet.rpc.batch(("eth_getStorageAt", [address, hex(slot), "latest"]) for slot in slots)
        try:
            slots = loading.send({slot: int(answer, 16) for slot, answer in zip(slots, answers, strict=True)})
        except StopIteration as done:
            state: PoolState = done.value
            return state


def logs_of(receipt: dict[str, Any]) -> list[Log]:
    return [
        Log(raw(log["address"]), tuple(map(raw, log["topics"])), raw(log["data"]), int(log["logIndex"], 16))
        for log in receipt["logs"]
    ]


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
