"""Words that name pools, as 1inch v4 and v5 and OKX pack them, and 1inch v6; and the addresses of some known pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.model.swap import DecodedCall, SwapIntent
from tests.decode.calls import SENDER, USDC, WETH, tables

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

SWAP_TOPICS = {
    "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
}
"""Of V2 and V3; both begin with token0's amount and go on with token1's."""
V2_USDC_WETH = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
V2_DAI_WETH = bytes.fromhex("a478c2975ab1ea89e8196811f51a7b7ade33eb11")
V3_USDC_WETH = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
V3_DAI_USDC = bytes.fromhex("5777d92f208679db4b9778590fa3cab3ac9e2168")
UNLISTED, OTHER_UNLISTED = b"\x99" * 20, b"\x98" * 20
"""Pools of no listed factory."""
TOKEN = b"\x77" * 20
"""A token that is not listed."""
ETH = b"\xee" * 20
NATIVE = bytes(20)
TOKEN1_IN = 1 << 255
UNWRAP_AFTER_V2 = 1 << 254
UNWRAP_AFTER_V3 = 1 << 253
PART = 997_000_000
V6_V3, V6_CURVE = 1 << 253, 2 << 253
V6_UNWRAP = 1 << 252
V6_TOKEN0_IN = 1 << 247

assert USDC < WETH, "token0 of the pools of USDC and WETH is USDC"


def word(pool: bytes, flags: int = 0, part: int = PART) -> int:
    """The pair's word; V3 pools' have no part, which is not looked at."""
    return flags | part << 160 | int.from_bytes(pool)


def packed(*words: int) -> list[bytes]:
    """Words as `bytes32[]` takes them."""
    return [each.to_bytes(32) for each in words]


def decoded_at(router: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), router, data, value_wei, SENDER)
    assert call is not None
    return call


def v2_word_of(of: DecodeTables, flags: int = 0) -> tuple[bytes, int]:
    """A listed token, and the word of a pair that sells the wrapped native token for it, whatever the chain."""
    factory = next(factory for factory in of.factories.values() if factory.kind == "uniswap_v2")
    token = next(token for token in of.tokens if token != of.wrapped_native)
    pool = factory.address_of(of.wrapped_native, token, factory.fee_pips)
    reverse = 0 if of.wrapped_native < token else TOKEN1_IN
    return token, word(pool, flags | reverse, 1_000_000_000 - 1000 * factory.fee_pips)


def mined_amounts_in(intent: SwapIntent, logs: Sequence[dict[str, Any]]) -> list[tuple[bytes, int]]:
    """The pools that logged a swap in the hops' order, and what each took of the token that its hop sells (0: the other way)."""
    swaps = iter([log for log in logs if log["topics"] and log["topics"][0] in SWAP_TOPICS])
    found = []
    for hop in intent.hops:
        log = next(log for log in swaps if bytes.fromhex(log["address"][2:]) == hop.pool)
        zero_for_one = hop.token_in < hop.token_out if hop.token_in and hop.token_out else hop.zero_for_one
        place = 2 if zero_for_one else 66
        amount = int.from_bytes(bytes.fromhex(log["data"][place : place + 64]), signed=True)
        found.append((hop.pool, max(amount, 0)))
    return found
