"""Reads pools and tokens from a node, off the hot path: pool snapshots at one block, what pools and tokens say of themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from mempool.amm import POOL_KINDS
from mempool.amm.pool_kind import SnapshotLoad
from mempool.errors import RpcError, StateUnknown, UpstreamError
from mempool.feeds.connection import block_number
from mempool.feeds.events import Requester
from mempool.model.pool import PoolIdentity, PoolState

if TYPE_CHECKING:
    from eth_typing import HexStr
    from web3 import AsyncWeb3
    from web3.types import TxParams

    from mempool.feeds.provider import FeedProvider

SYMBOL_SELECTOR = "0x95d89b41"
DECIMALS_SELECTOR = "0x313ce567"
TOKEN0_SELECTOR = "0x0dfe1681"
TOKEN1_SELECTOR = "0xd21220a7"
CALL_GAS = 500_000
MAX_SYMBOL_BYTES = 256
WORD = 32


class PoolFailure(Struct, frozen=True, gc=False):
    """A pool that could not be read. `absent`: nothing is deployed there, which is an answer; else asking again may help."""

    pool: bytes
    reason: str
    absent: bool = False


class TokenInfo(Struct, frozen=True, gc=False):
    """What a token says of itself, unsanitised: `symbol` as raw bytes (none: it says nothing), cut at 256.

    `decimals` is None where it says none that fits a byte; values over 36 are for the caller to distrust.
    """

    address: bytes
    symbol: bytes
    decimals: int | None


class ChainReads:
    """Reads over `request`. The first that asks a contract imports web3, which takes 1.6 s: what listens calls `load` before."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    def load(self) -> None:
        """Have it imported now; a process does so once."""
        _ = self._web3

    @cached_property
    def _web3(self) -> AsyncWeb3[FeedProvider]:
        from web3 import AsyncWeb3

        from mempool.feeds.provider import FeedProvider

        return AsyncWeb3(FeedProvider(self._request), middleware=[])

    async def chain_id(self) -> int:
        return await self._web3.eth.chain_id

    async def pool_states(
        self, identities: Sequence[PoolIdentity], block_hash: str, *, words_each_side: int
    ) -> list[PoolState | PoolFailure]:
        """Each pool as it stands after that block, in the order of `identities`. Never raises on what a node answers."""
        reads = (self._pool_state(identity, block_hash, words_each_side) for identity in identities)
        return list(await asyncio.gather(*reads))

    async def token_info(self, address: bytes) -> TokenInfo:
        """A token's symbol and decimals at the newest block. Raises `UpstreamError` where the node does not answer at all."""
        symbol, decimals = await asyncio.gather(self._call(address, SYMBOL_SELECTOR), self._call(address, DECIMALS_SELECTOR))
        return TokenInfo(address, read_symbol(symbol), read_decimals(decimals))

    async def pool_tokens(self, address: bytes) -> tuple[bytes, bytes] | None:
        """What a pool says its `token0()` and `token1()` are at the newest block; None where it does not say.

        Raises `UpstreamError` where the node does not answer at all.
        """
        answers = await asyncio.gather(self._call(address, TOKEN0_SELECTOR), self._call(address, TOKEN1_SELECTOR))
        token0, token1 = map(read_address, answers)
        return None if token0 is None or token1 is None else (token0, token1)

    async def _pool_state(self, identity: PoolIdentity, block_hash: str, words_each_side: int) -> PoolState | PoolFailure:
        loading = POOL_KINDS[identity.kind].load(identity, words_each_side=words_each_side)
        try:
            return await self._drive(loading, identity.address, block_hash)
        except StateUnknown as error:
            return PoolFailure(identity.address, str(error))
        except UpstreamError as error:
            return PoolFailure(identity.address, str(error))
        except _Absent:
            return PoolFailure(identity.address, "no contract stands there", absent=True)

    async def _drive(self, loading: SnapshotLoad, pool: bytes, block_hash: str) -> PoolState:
        wanted = next(loading)
        values = await self._slots(pool, wanted, block_hash)
        # An address without code has zero in every slot, as a pool without liquidity may.
        if not any(values.values()) and not await self._has_code(pool, block_hash):
            raise _Absent
        while True:
            try:
                wanted = loading.send(values)
            except StopIteration as done:
                state: PoolState = done.value
                return state
            values = await self._slots(pool, wanted, block_hash)

    async def _slots(self, pool: bytes, slots: Sequence[int], block_hash: str) -> Mapping[int, int | None]:
        # Straight to the feed: through web3 each slot costs 0.3 ms of the event loop, and a V3 pool has hundreds.
        address = f"0x{pool.hex()}"
        reads = (self._request("eth_getStorageAt", [address, hex(slot), block_hash]) for slot in slots)
        return dict(zip(slots, map(block_number, await asyncio.gather(*reads)), strict=True))

    async def _has_code(self, address: bytes, block_hash: str) -> bool:
        return bool(await self._web3.eth.get_code(self._web3.to_checksum_address(address), cast("HexStr", block_hash)))

    async def _call(self, contract: bytes, selector: str) -> bytes | None:
        call = cast("TxParams", {"to": self._web3.to_checksum_address(contract), "data": selector, "gas": CALL_GAS})
        try:
            return bytes(await self._web3.eth.call(call, "latest"))
        except RpcError:  # reverts, runs out of gas, or the node refuses it
            return None


class _Absent(Exception):
    """Nothing is deployed at the pool's address."""


def read_symbol(returned: bytes | None) -> bytes:
    """A symbol as `string` or, as early tokens have it, `bytes32`; empty where it is neither."""
    if returned is None or len(returned) < WORD:
        return b""
    if len(returned) == WORD:
        return returned.rstrip(b"\0")
    start = int.from_bytes(returned[:WORD]) + WORD
    if start > len(returned):
        return b""
    size = int.from_bytes(returned[start - WORD : start])
    if start + size > len(returned):
        return b""
    return returned[start : start + min(size, MAX_SYMBOL_BYTES)]


def read_decimals(returned: bytes | None) -> int | None:
    """Decimals as the first word, or None where it does not fit a byte."""
    if returned is None or len(returned) < WORD:
        return None
    decimals = int.from_bytes(returned[:WORD])
    return decimals if decimals < 256 else None


def read_address(returned: bytes | None) -> bytes | None:
    """An address as the first word, or None where the word is none."""
    if returned is None or len(returned) < WORD or any(returned[: WORD - 20]):
        return None
    return returned[WORD - 20 : WORD]
