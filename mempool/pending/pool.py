"""Keeps the pending transactions that are followed, one entry a hash, and tells how each of them leaves."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct

from mempool.model.transaction import PendingTransaction


class SightingKind(Enum):
    """What a sighting of a transaction means for the pool."""

    NEW = "new"
    REPEATED = "repeated"
    """Known already; perhaps from another source."""
    RETURNED = "returned"
    """It had left (vanished, or its block was orphaned) and is announced again."""


class Sighting(Struct, frozen=True):
    """The effect of one sighting; `replaced` is the hash of the followed transaction whose place this one takes."""

    kind: SightingKind
    replaced: str | None = None
    evicted: str | None = None
    """The oldest followed transaction, which had to make room."""
    underpriced: bool = False
    """It has the nonce of a followed transaction and bids less, so no node would take it for a replacement."""


class Departure(Struct, frozen=True):
    """A transaction that left without being mined; `replaced_by` names the mined one with its nonce."""

    transaction: PendingTransaction
    reason: str
    replaced_by: str | None = None


class PendingPool:
    """Follows at most `capacity` transactions; beyond it the oldest makes room."""

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._waiting: dict[str, PendingTransaction] = {}
        self._left: dict[str, None] = {}
        self._by_nonce: dict[tuple[bytes, int], str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, transaction_hash: str) -> bool:
        return transaction_hash in self._waiting

    def get(self, transaction_hash: str) -> PendingTransaction | None:
        return self._waiting.get(transaction_hash)

    def apply(self, transaction: PendingTransaction) -> Sighting:
        """Take note of a sighting. A higher bid with the same sender and nonce replaces the earlier transaction."""
        if transaction.hash in self._waiting:
            return Sighting(SightingKind.REPEATED)
        kind = SightingKind.RETURNED if transaction.hash in self._left else SightingKind.NEW
        rival = self._rival(transaction)
        if self.is_outbid(transaction):
            self._leave(transaction.hash)
            return Sighting(kind, underpriced=True)
        if rival is not None:
            self._remove(rival)
        evicted = self._add(transaction)
        return Sighting(kind, replaced=rival.hash if rival else None, evicted=evicted)

    def is_outbid(self, transaction: PendingTransaction) -> bool:
        """Whether another that is followed has its sender and nonce and bids no less."""
        rival = self._rival(transaction)
        return rival is not None and rival.max_fee_per_gas_wei >= transaction.max_fee_per_gas_wei

    def include(self, mined: Iterable[PendingTransaction]) -> list[Departure]:
        """Remove what a block mined; what it made impossible (same sender, same nonce) departs as replaced."""
        departures = []
        for transaction in mined:
            waiting = self._rival(transaction)
            if waiting is None:
                continue
            self._remove(waiting)
            if waiting.hash != transaction.hash:
                departures.append(Departure(waiting, "its nonce was mined by another transaction", transaction.hash))
        return departures

    def restore(self, transaction: PendingTransaction) -> str | None:
        """Put back what an orphaned block had mined; the hash of the one that has its nonce since, if it cannot be."""
        rival = self._by_nonce.get((transaction.sender, transaction.nonce))
        if rival is None:
            self._add(transaction)
        return rival

    def vanish_all_but(self, present: frozenset[str], source: str, reason: str) -> list[Departure]:
        """What `source` showed and is not in `present`, its whole pool, departs; it may return with a later sighting."""
        gone = [tx for tx in self._waiting.values() if tx.source == source and tx.hash not in present]
        for transaction in gone:
            self._remove(transaction)
        return [Departure(transaction, reason) for transaction in gone]

    def _rival(self, transaction: PendingTransaction) -> PendingTransaction | None:
        return self._waiting.get(self._by_nonce.get((transaction.sender, transaction.nonce), ""))

    def _add(self, transaction: PendingTransaction) -> str | None:
        """The hash of the one that made room, if one had to."""
        self._left.pop(transaction.hash, None)
        self._waiting[transaction.hash] = transaction
        self._by_nonce[transaction.sender, transaction.nonce] = transaction.hash
        if len(self._waiting) <= self._capacity:
            return None
        oldest = next(iter(self._waiting.values()))
        self._remove(oldest)
        return oldest.hash

    def _remove(self, transaction: PendingTransaction) -> None:
        del self._waiting[transaction.hash]
        del self._by_nonce[transaction.sender, transaction.nonce]
        self._leave(transaction.hash)

    def _leave(self, transaction_hash: str) -> None:
        self._left[transaction_hash] = None
        if len(self._left) > 4 * self._capacity:
            del self._left[next(iter(self._left))]
