"""A transaction as the public pool shows it."""

from __future__ import annotations

from msgspec import Struct


class PendingTransaction(Struct, frozen=True, gc=False):
    """In the public pool, not mined. Addresses are 20 bytes; `hash` is `0x` and 64 lower-case hex digits."""

    hash: str
    sender: bytes
    to: bytes | None
    nonce: int
    value_wei: int
    gas_limit: int
    max_fee_per_gas_wei: int
    max_priority_fee_per_gas_wei: int
    calldata: bytes
    recv_ns: int
    """Wall clock at the first sighting, in nanoseconds since the epoch."""
    source: str
    """Name of the node that showed it first; never its URL."""
