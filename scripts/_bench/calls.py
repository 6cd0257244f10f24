"""Calls that the decoders are measured on: made up, along paths of real tokens or of tokens that nobody has seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_abi.abi import encode
from msgspec import Struct

from mempool.model.keccak import keccak256

V2_ROUTER, V3_ROUTER, SWAP_ROUTER02, UNIVERSAL_ROUTER = (
    bytes.fromhex(address)
    for address in (
        "7a250d5630b4cf539739df2c5dacb4c659f2488d",
        "e592427a0aece92de3edee1f18e0157c05861564",
        "68b3465833fb72a70ecdf485e0e4c7bd8665fc45",
        "66a9893cc07d91d95644aedd05d03f95e1dba8af",
    )
)
WETH, USDC, DAI = (
    bytes.fromhex(address)
    for address in (
        "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
        "a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        "6b175474e89094c44da98b954eedeac495271d0f",
    )
)
SENDER = b"\x5e" * 20
DEADLINE = 2_000_000_000
ETHER = 10**18
Tokens = tuple[bytes, bytes, bytes]
ETH_ABI, WEB3, ROUTER_DECODER = "eth-abi", "web3", "router-decoder"
OF_UNIVERSAL_ROUTER: Mapping[str, float] = {ETH_ABI: 10, ROUTER_DECODER: 200}
"""How many times slower the others are expected to be on its calls."""

V2_TYPES = ["uint256", "uint256", "address[]", "address", "uint256"]
V3_SINGLE_TYPES = ["(address,address,uint24,address,uint256,uint256,uint256,uint160)"]
SINGLE02_TYPES = ["(address,address,uint24,address,uint256,uint256,uint160)"]
V2_02_TYPES = ["uint256", "uint256", "address[]", "address"]
MULTICALL_TYPES = ["uint256", "bytes[]"]
EXECUTE_TYPES = ["bytes", "bytes[]", "uint256"]
WRAP_TYPES = ["address", "uint256"]
V2_COMMAND_TYPES = ["address", "uint256", "uint256", "address[]", "bool"]


class Case(Struct, frozen=True):
    """A call of one router, and how it is made for given tokens."""

    work: str
    router: bytes
    table: str
    """The router's ABI in `abis/`."""
    calldata: Callable[[Tokens], bytes]
    expected: Mapping[str, float] = {}


def known_tokens() -> Tokens:
    return USDC, WETH, DAI


def fresh_tokens() -> Tokens:
    """Tokens that nobody has seen before."""
    return os.urandom(20), os.urandom(20), os.urandom(20)


def _call(signature: str, types: Sequence[str], *arguments: Any) -> bytes:
    return keccak256(signature.encode())[:4] + encode(types, arguments)


def _v2_swap(tokens: Tokens) -> bytes:
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return _call(signature, V2_TYPES, 3000 * 10**6, 2900 * ETHER, tokens, SENDER, DEADLINE)


def _v3_single(tokens: Tokens) -> bytes:
    arguments = (tokens[0], tokens[1], 500, SENDER, DEADLINE, 3000 * 10**6, ETHER, 0)
    return _call(f"exactInputSingle({V3_SINGLE_TYPES[0]})", V3_SINGLE_TYPES, arguments)


def _multicall(tokens: Tokens) -> bytes:
    single = _call(
        f"exactInputSingle({SINGLE02_TYPES[0]})", SINGLE02_TYPES, (tokens[0], tokens[1], 500, SENDER, 3000 * 10**6, ETHER, 0)
    )
    v2 = _call(
        "swapExactTokensForTokens(uint256,uint256,address[],address)", V2_02_TYPES, ETHER, 2900 * ETHER, tokens[1:], SENDER
    )
    return _call("multicall(uint256,bytes[])", MULTICALL_TYPES, DEADLINE, [single, v2])


def _execute(tokens: Tokens) -> bytes:
    """What the Uniswap front end sends to sell ether: wrap it, then swap along two V2 pairs."""
    to_router, to_sender = (2).to_bytes(20), (1).to_bytes(20)
    wrap = encode(WRAP_TYPES, (to_router, ETHER))
    swap = encode(V2_COMMAND_TYPES, (to_sender, ETHER, 2900 * ETHER, (WETH, tokens[0], tokens[2]), False))
    return _call("execute(bytes,bytes[],uint256)", EXECUTE_TYPES, bytes((0x0B, 0x08)), [wrap, swap], DEADLINE)


CASES = (
    Case("V2 swap, 3 tokens", V2_ROUTER, "uniswap/V2Router02", _v2_swap, {ETH_ABI: 25}),
    Case("V3 exactInputSingle", V3_ROUTER, "uniswap/V3SwapRouter", _v3_single),
    Case("SwapRouter02 multicall of 2", SWAP_ROUTER02, "uniswap/SwapRouter02", _multicall),
    Case(
        "Universal Router, wrap and V2 swap",
        UNIVERSAL_ROUTER,
        "uniswap/UniversalRouterV2",
        _execute,
        OF_UNIVERSAL_ROUTER,
    ),
)
