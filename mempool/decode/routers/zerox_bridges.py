"""The sources that 0x's bridge orders trade on: a number and the source's own data, which mostly name the pools."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from msgspec import Struct

from mempool.abi import Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.decode.call import Call
from mempool.decode.pools import Path, PoolFactory
from mempool.errors import MalformedCalldata
from mempool.model.swap import Hop

Tokens = tuple[bytes, bytes]
PathOf = Callable[[Call, tuple[Any, ...], Tokens, str], Path | None]
"""`(call, what its data holds, tokens, protocol) -> path`, None where the data does not show it."""


class Source(Struct, frozen=True):
    """A source by its number. Without `path_of` its pools are hidden."""

    protocol: str
    read: Read | None = None
    path_of: PathOf | None = None


def bridge_path(call: Call, order: tuple[bytes, bytes], tokens: Tokens) -> tuple[str, Path | None]:
    """The source's name, and the path of a bridge order (source, bridgeData) as far as its data shows it.

    The upper half of `source` is the number, the lower half a name that the quote chose.
    """
    number, data = int.from_bytes(order[0][:16]), order[1]
    source = SOURCES.get(number)
    if source is None:
        return f"zerox_bridge_{number}", None
    if source.read is None or source.path_of is None:
        return source.protocol, None
    try:
        return source.protocol, source.path_of(call, read_arguments(source.read, data, 0, call), tokens, source.protocol)
    except MalformedCalldata as error:
        if error.refused:
            raise
        return source.protocol, None


def _along_v2(call: Call, arguments: tuple[Any, ...], _tokens: Tokens, _protocol: str) -> Path | None:
    """(router, path)"""
    router, path = arguments
    factory = _factory(call, router, "uniswap_v2")
    return None if factory is None else Path(factory.token_path(path, call))


def _along_v3(call: Call, arguments: tuple[Any, ...], _tokens: Tokens, _protocol: str) -> Path | None:
    """(router, packed path)"""
    router, packed = arguments
    factory = _factory(call, router, "uniswap_v3")
    return None if factory is None else factory.packed_path(packed, call)


def _factory(call: Call, router: bytes, kind: str) -> PoolFactory | None:
    table = call.tables.routers.get(router)
    return None if table is None else table.factories.get(kind)


def _at(index: int) -> PathOf:
    """A single pool, which stands at that place among what the data holds."""

    def path_of(_call: Call, arguments: tuple[Any, ...], tokens: Tokens, protocol: str) -> Path:
        return Path((Hop(protocol, "", arguments[index], *tokens, None),))

    return path_of


def _along_balancer_v2(_call: Call, arguments: tuple[Any, ...], _tokens: Tokens, protocol: str) -> Path | None:
    """(vault, (poolId, assetInIndex, assetOutIndex, amount, userData)[], assets)"""
    _, steps, assets = arguments
    if any(max(step[1:3]) >= len(assets) for step in steps):
        return None
    hops = tuple(Hop(protocol, "", step[0], assets[step[1]], assets[step[2]], None) for step in steps)
    is_chain = all(hop.token_out == after.token_in for hop, after in pairwise(hops))
    return Path(hops) if hops and is_chain else None


def _along_kyber_dmm(_call: Call, arguments: tuple[Any, ...], _tokens: Tokens, protocol: str) -> Path | None:
    """(router, pools, path)"""
    _, pools, path = arguments
    if not pools or len(path) != len(pools) + 1:
        return None
    return Path(tuple(Hop(protocol, "", pool, *pair, None) for pool, pair in zip(pools, pairwise(path), strict=True)))


def _reader(*types: str) -> Read:
    return arguments_reader([parse_type(each) for each in types], Padding.CHECKED)


_POOL = _reader("address")
_CURVE = _reader("address", "bytes4", "int128", "int128")

SOURCES: dict[int, Source] = {
    1: Source("curve", _CURVE, _at(0)),
    2: Source("uniswap_v2_unlisted", _reader("address", "address[]"), _along_v2),
    3: Source("uniswap_v1"),
    4: Source("balancer_v1", _POOL, _at(0)),
    6: Source("mooniswap", _POOL, _at(0)),
    7: Source("mstable"),
    9: Source("shell", _POOL, _at(0)),
    10: Source("dodo_v1", _reader("address", "address", "bool"), _at(1)),
    11: Source("dodo_v2", _reader("address", "bool"), _at(0)),
    12: Source("crypto_com", _reader("address", "address[]"), _along_v2),
    13: Source("bancor"),
    15: Source("nerve"),
    16: Source("maker_psm"),
    17: Source("balancer_v2", _reader("address", "bytes32"), _at(1)),
    18: Source("uniswap_v3_unlisted", _reader("address", "bytes"), _along_v3),
    19: Source("kyber_dmm", _reader("address", "address[]", "address[]"), _along_kyber_dmm),
    20: Source("curve_v2", _CURVE, _at(0)),
    21: Source("lido"),
    23: Source("aave_v2"),
    24: Source("compound"),
    25: Source("balancer_v2", _reader("address", "(bytes32,uint256,uint256,uint256,bytes)[]", "address[]"), _along_balancer_v2),
    26: Source("gmx"),
    27: Source("platypus"),
    28: Source("bancor_v3"),
    29: Source("solidly"),
    30: Source("synthetix"),
    31: Source("woofi"),
    32: Source("aave_v3"),
    33: Source("kyber_elastic"),
    34: Source("barter"),
    35: Source("trader_joe_v2"),
    36: Source("velodrome_v2"),
    37: Source("maverick_v1"),
}
"""By their number in 0x's list of bridge protocols."""
