"""Reads mined blocks from a node: headers to walk back by, and whole blocks with their receipts."""

from __future__ import annotations

import asyncio

from mempool.errors import RpcError, UpstreamError
from mempool.feeds import frames
from mempool.feeds.events import Requester
from mempool.model.block import BlockRef, MinedBlock, Receipt

ATTEMPTS = 3
PAUSE_SECONDS = 0.25


class NoBlock(UpstreamError):
    """The node answers, and does not have what was asked for."""


async def read_ref(request: Requester, block_hash: str) -> BlockRef:
    """The header of a block, such as an unknown parent. Raises `NoBlock` where the node lacks it, `UpstreamError`, `BadData`."""
    return frames.parse_head(await _read(request, "eth_getBlockByHash", [block_hash, False]))


async def read_block(request: Requester, block_hash: str, *, recv_ns: int = 0, source: str = "") -> MinedBlock:
    """A block's transactions (stamped with `recv_ns` and `source`) and receipts, both in block order.

    A node that does not have the block yet is asked again twice. Raises `UpstreamError`, `BadData`.
    """
    raw = await _read(request, "eth_getBlockByHash", [block_hash, True])
    ref, transactions = frames.parse_block(raw, recv_ns, source)
    try:
        receipts = frames.parse_receipts(await _read(request, "eth_getBlockReceipts", [block_hash]))
    except RpcError:  # a node without that method
        receipts = await _read_receipts(request, [tx.hash for tx in transactions])
    return frames.mined_block(ref, transactions, receipts)


async def _read_receipts(request: Requester, hashes: list[str]) -> tuple[Receipt, ...]:
    reads = [_read(request, "eth_getTransactionReceipt", [text]) for text in hashes]
    raws = await asyncio.gather(*reads, return_exceptions=True)
    for raw in raws:
        if isinstance(raw, BaseException):
            raise raw
    return frames.parse_receipts(b"[%s]" % b",".join(raw for raw in raws if isinstance(raw, bytes)))


async def _read(request: Requester, method: str, params: list[object]) -> bytes:
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        raw = await request(method, params)
        if raw != b"null":
            return raw
    raise NoBlock(f"{method}: the node does not have {params[0]}")
