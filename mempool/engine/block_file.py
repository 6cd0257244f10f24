"""Reads a block file, compressed or not, and gives the pool states that its `pre_state` knows."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from mempool.amm import POOL_KINDS
from mempool.amm.pool_kind import load_from
from mempool.amm.uniswap_v2 import TOKEN_SLOTS
from mempool.errors import BadData, StateUnknown, UsageError
from mempool.feeds.frames import Account, BlockFile, parse_block_file
from mempool.model.pool import PoolIdentity, PoolState

GZIP_MAGIC = b"\x1f\x8b"
MAX_JSON_BYTES = 1 << 30
"""A mainnet block with its state is 10 MB of JSON; what unpacks to more than this is no block."""
ALL_WORDS_EACH_SIDE = 7_000
"""More bitmap words than a pool has at the finest tick spacing, so that nothing which the file knows is left out."""


def read_block_file(path: Path) -> BlockFile:
    """The file's block, receipts and state. Raises `UsageError` where it cannot be opened, `BadData` for what is in it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}: name a readable block file") from error
    try:
        return parse_block_file(_unpacked(raw))
    except BadData as error:
        raise BadData(f"{path}: {error}") from error


def pool_states(pre_state: Mapping[bytes, Account], identities: Iterable[PoolIdentity]) -> list[PoolState]:
    """The pools whose essential slots are known. Unknown bitmap words and ticks stay unknown in the states."""
    states = []
    for identity in identities:
        account = pre_state.get(identity.address)
        if account is not None:
            loading = POOL_KINDS[identity.kind].load(identity, words_each_side=ALL_WORDS_EACH_SIDE)
            try:
                states.append(load_from(loading, account.storage))
            except StateUnknown:
                continue
    return states


def pair_tokens(account: Account | None) -> tuple[bytes, bytes] | None:
    """What stands where a V2 pair keeps its tokens; no proof that the account is one. None where it is not known."""
    words = [None if account is None else account.storage.get(slot) for slot in TOKEN_SLOTS]
    token0, token1 = (b"" if word is None else (word % (1 << 160)).to_bytes(20) for word in words)
    return (token0, token1) if any(token0) and any(token1) else None


def _unpacked(raw: bytes) -> bytes:
    """The JSON text; gzip is told by its first two bytes, whatever the file's name."""
    if raw[:2] != GZIP_MAGIC:
        return raw
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpacker.decompress(raw, MAX_JSON_BYTES)
    except zlib.error as error:
        raise BadData(f"not a whole gzip file: {error}") from error
    if not unpacker.eof:
        raise BadData("the gzip data is cut short" if len(text) < MAX_JSON_BYTES else f"unpacks to over {MAX_JSON_BYTES} bytes")
    return text
