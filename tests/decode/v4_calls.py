"""Constructed V4_SWAP commands, encoded by eth-abi from the layouts that stand here, and what real ones logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode

from mempool.model.swap import SwapIntent
from tests.decode.calls import DAI, USDC, Command

ETH = bytes(20)
NO_HOOKS = bytes(20)
V4 = ("ur2", "ur2.1.1")
V4_SWAP = 0x10
IN_SINGLE, IN, OUT_SINGLE, OUT = 0x06, 0x07, 0x08, 0x09
SETTLE, SETTLE_ALL, SETTLE_PAIR, TAKE, TAKE_ALL, TAKE_PORTION, TAKE_PAIR = 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11
CLOSE, CLEAR_OR_TAKE, SWEEP_ACTION, WRAP_ACTION, UNWRAP_ACTION = 0x12, 0x13, 0x14, 0x15, 0x16
KEY = "(address,address,uint24,int24,address)"
STEPS = "(address,uint24,int24,address,bytes)[]"
TYPES = {
    SETTLE: ["address", "uint256", "bool"],
    SETTLE_ALL: ["address", "uint256"],
    SETTLE_PAIR: ["address", "address"],
    TAKE: ["address", "address", "uint256"],
    TAKE_ALL: ["address", "uint256"],
    TAKE_PORTION: ["address", "address", "uint256"],
    TAKE_PAIR: ["address", "address", "address"],
    CLOSE: ["address"],
    CLEAR_OR_TAKE: ["address", "uint256"],
    SWEEP_ACTION: ["address", "address"],
    WRAP_ACTION: ["uint256"],
    UNWRAP_ACTION: ["uint256"],
}
ETH_USDC = (ETH, USDC, 500, 10, NO_HOOKS)
ETH_USDC_ID = bytes.fromhex("21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27")
DAI_USDC = (DAI, USDC, 100, 1, NO_HOOKS)
SWAP_TOPIC = "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f"
Action = tuple[int, Any]


def single(router: str, key: Any, forward: bool, amount: int, limit: int, hook_data: bytes = b"") -> bytes:
    """The parameters of a swap through one pool, in that router's layout."""
    if router == "ur2.1.1":
        return encode([f"({KEY},bool,uint128,uint128,uint256,bytes)"], [(key, forward, amount, limit, 7, hook_data)])
    return encode([f"({KEY},bool,uint128,uint128,bytes)"], [(key, forward, amount, limit, hook_data)])


def along(router: str, currency: bytes, steps: Sequence[Any], amount: int, limit: int) -> bytes:
    """The parameters of a swap along a path of `(currency, fee, tick spacing, hooks, hook data)`."""
    if router == "ur2.1.1":
        return encode([f"(address,{STEPS},uint256[],uint128,uint128)"], [(currency, steps, [9] * len(steps), amount, limit)])
    return encode([f"(address,{STEPS},uint128,uint128)"], [(currency, steps, amount, limit)])


def v4(*actions: Action) -> Command:
    params = [each if isinstance(each, bytes) else encode(TYPES[code], each) for code, each in actions]
    return V4_SWAP, encode(["bytes", "bytes[]"], [bytes(code for code, _ in actions), params])


def sell(key: Any = ETH_USDC, amount: int = 11, limit: int = 22, *, forward: bool = True, router: str = "ur2") -> Action:
    return IN_SINGLE, single(router, key, forward, amount, limit)


def buy(key: Any = ETH_USDC, amount: int = 33, limit: int = 44, *, forward: bool = True, router: str = "ur2") -> Action:
    return OUT_SINGLE, single(router, key, forward, amount, limit)


def logged(logs: Sequence[dict[str, Any]]) -> list[tuple[bytes, bool, int]]:
    """`(pool id, whether currency0 was paid in, amount in)` of each swap: the swapper's amounts, below zero what it paid."""
    swaps = []
    for log in logs:
        if log["topics"][0] == SWAP_TOPIC:
            data = bytes.fromhex(log["data"][2:])
            amount0, amount1 = (int.from_bytes(data[start : start + 32], signed=True) for start in (0, 32))
            swaps.append((bytes.fromhex(log["topics"][1][2:]), amount0 < 0, -min(amount0, amount1)))
    return swaps


def directions(intents: Sequence[SwapIntent]) -> list[tuple[bytes, bool]]:
    hops = [hop for intent in intents for hop in intent.hops if hop.protocol == "uniswap_v4"]
    return [(hop.pool, hop.token_in < hop.token_out) for hop in hops]
