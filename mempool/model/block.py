"""Mined blocks, their receipts and logs."""

from __future__ import annotations

from msgspec import Struct

from mempool.model.transaction import PendingTransaction


class BlockRef(Struct, frozen=True, gc=False):
    """Which block a state belongs to. Hashes are `0x` and 64 lower-case hex digits; `timestamp` is in unix seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_per_gas_wei: int = 0


class Log(Struct, frozen=True, gc=False):
    """One event. `address` is 20 bytes, each topic 32."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    log_index: int = 0


class Receipt(Struct, frozen=True, gc=False):
    """What a mined transaction did; `logs` in the order of execution, none when it reverted."""

    transaction_hash: str
    succeeded: bool
    gas_used: int
    logs: tuple[Log, ...]


class MinedBlock(Struct, frozen=True):
    """A block's transactions and their receipts, both in block order and of equal length."""

    ref: BlockRef
    transactions: tuple[PendingTransaction, ...]
    receipts: tuple[Receipt, ...]
