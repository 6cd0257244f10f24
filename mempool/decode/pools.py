"""A factory's pools and paths as hops, each made once: a known path costs one look-up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct

from mempool.abi import Budget
from mempool.decode.create2 import Salt, pool_address
from mempool.model.pool import PoolIdentity
from mempool.model.swap import Hop

MAX_KEPT = 16_384
"""Entries of each table; a full one is emptied, so that made-up paths cannot fill the memory."""
MAX_HOPS = 320
"""More than a transaction's gas pays for: a swap takes some 55,000 of at most 2^24 (EIP-7825). Each new hop costs two hashes."""
HASHES_OF_A_POOL = 2
"""One of the salt, one of what stands around it."""
_MAX_KEPT_HOPS = 8
Key = TypeVar("Key")
Value = TypeVar("Value")
_FIRST_POOL_BYTES = 43
_NEXT_POOL_BYTES = 23


class Path(Struct, frozen=True):
    """Hops in trade order. `reason` names what is unknown about them, or is empty."""

    hops: tuple[Hop, ...]
    reason: str = ""


class PoolFactory(Struct, frozen=True):
    """A factory of the chain's tables with the hops and paths made so far."""

    name: str
    kind: str
    address: bytes
    init_code_hash: bytes
    salt: Salt
    fee_pips: int
    tick_spacings: dict[int, int]
    is_simulated: bool = True
    hops: dict[tuple[bytes, bytes, int], Hop] = {}
    token_paths: dict[tuple[bytes, ...], tuple[Hop, ...]] = {}
    packed_paths: dict[bytes, Path] = {}
    reversed_paths: dict[bytes, Path] = {}
    single_paths: dict[tuple[bytes, bytes, int], Path] = {}

    def pool(self, token: bytes, other_token: bytes, fee_pips: int) -> PoolIdentity | None:
        """The pool of two different tokens, None at a fee that the factory lacks; where it has one fee, that one counts."""
        return self.hop(token, other_token, fee_pips or self.fee_pips).identity

    def token_path(self, tokens: tuple[bytes, ...], budget: Budget) -> tuple[Hop, ...]:
        """The hops of a path of tokens, for a factory with one fee."""
        hops = self.token_paths.get(tokens)
        if hops is not None:
            return hops
        if len(tokens) < 2:
            raise budget.malformed("the path has fewer than two tokens")
        check_pairs(tokens, budget)
        hops = tuple(self.hop(token_in, token_out, self.fee_pips) for token_in, token_out in pairwise(tokens))
        if len(hops) <= _MAX_KEPT_HOPS:
            keep(self.token_paths, tokens, hops)
        return hops

    def packed_path(self, packed: bytes, budget: Budget) -> Path:
        """The hops of `token (fee token)…`, 20 and 3 bytes each, in the order in which they stand.

        Bytes after the last whole pool are passed over, as V3-periphery's `Path` does: fewer than 23 are no further pool to it.
        """
        path = self.packed_paths.get(packed)
        if path is not None:
            return path
        if len(packed) < _FIRST_POOL_BYTES:
            raise budget.malformed(f"the path has {len(packed)} bytes, a pool takes {_FIRST_POOL_BYTES}")
        starts = range(0, len(packed) - 19, _NEXT_POOL_BYTES)
        tokens = [packed[start : start + 20] for start in starts]
        check_pairs(tokens, budget)
        fees = [int.from_bytes(packed[start + 20 : start + 23]) for start in starts[:-1]]
        path = self.path(tokens, fees)
        if len(fees) <= _MAX_KEPT_HOPS:
            keep(self.packed_paths, packed, path)
        return path

    def packed_path_reversed(self, packed: bytes, budget: Budget) -> Path:
        """The same for exact output, whose paths are written from the token out to the token in."""
        path = self.reversed_paths.get(packed)
        if path is None:
            forward = self.packed_path(packed, budget)
            hops = tuple(self.hop(hop.token_out, hop.token_in, hop.fee_pips or 0) for hop in reversed(forward.hops))
            path = Path(hops, forward.reason)
            if len(hops) <= _MAX_KEPT_HOPS:
                keep(self.reversed_paths, packed, path)
        return path

    def single(self, token_in: bytes, token_out: bytes, fee_pips: int, budget: Budget) -> Path:
        """The path of one pool."""
        key = (token_in, token_out, fee_pips)
        path = self.single_paths.get(key)
        if path is None:
            check_pairs((token_in, token_out), budget)
            path = self.path((token_in, token_out), (fee_pips,))
            keep(self.single_paths, key, path)
        return path

    def path(self, tokens: Sequence[bytes], fees: Sequence[int]) -> Path:
        """The path through `tokens`; a fee that the factory does not have makes a hop without a pool, and a reason."""
        hops = tuple(self.hop(*pair, fee_pips) for pair, fee_pips in zip(pairwise(tokens), fees, strict=True))
        unknown = [str(hop.fee_pips) for hop in hops if not hop.pool]
        return Path(hops, f"{self.name} has no fee of {', '.join(unknown)} pips" if unknown else "")

    def hop(self, token_in: bytes, token_out: bytes, fee_pips: int) -> Hop:
        """The hop through one pool; its `pool` is empty where the factory has no such fee."""
        hop = self.hops.get((token_in, token_out, fee_pips))
        if hop is None:
            hop = self._new_hop(token_in, token_out, fee_pips)
            keep(self.hops, (token_in, token_out, fee_pips), hop)
        return hop

    def _new_hop(self, token_in: bytes, token_out: bytes, fee_pips: int) -> Hop:
        tick_spacing = self.tick_spacings.get(fee_pips, 0)
        if self.tick_spacings and not tick_spacing:
            return Hop(self.name, "", b"", token_in, token_out, fee_pips)
        back = self.hops.get((token_out, token_in, fee_pips))
        address = self.address_of(token_in, token_out, fee_pips) if back is None else back.pool
        kind = self.kind if self.is_simulated else ""
        return Hop(self.name, kind, address, token_in, token_out, fee_pips, tick_spacing)

    def address_of(self, token: bytes, other_token: bytes, fee_pips: int) -> bytes:
        """Where the factory puts the pool of two tokens, if it makes it; two hashes."""
        token0, token1 = (token, other_token) if token < other_token else (other_token, token)
        return pool_address(self.address, self.init_code_hash, self.salt(token0, token1, fee_pips))


def check_pairs(tokens: Sequence[bytes], budget: Budget) -> None:
    """Before the hops of a new path are worked out, charge for them: the call may go on to revert, and try another."""
    if len(tokens) > MAX_HOPS:
        raise budget.refused(f"has more than {MAX_HOPS} hops")
    if any(token_in == token_out for token_in, token_out in pairwise(tokens)):
        raise budget.malformed("a hop has the same token on both sides")
    budget.charge_hashes(HASHES_OF_A_POOL * (len(tokens) - 1))


def keep(table: dict[Key, Value], key: Key, value: Value) -> None:
    """Set the entry of a table that is emptied when it is full."""
    if len(table) >= MAX_KEPT:
        table.clear()
    table[key] = value
