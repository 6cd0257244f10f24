"""The package's one keccak-256, for CREATE2 addresses, storage slots and event topics."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """The 32-byte hash that Solidity's `keccak256` gives (not NIST's SHA3-256, which pads otherwise)."""
    return keccak.new(digest_bits=256, data=data).digest()
