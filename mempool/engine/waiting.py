"""The bounded table of transactions that wait for pool states which were not loaded when they were first seen."""

from __future__ import annotations

from collections.abc import Iterable


class PoolWaits:
    """Which transactions wait for which pools. At most `capacity` transactions; beyond it the oldest is dropped and counted."""

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._missing: dict[str, dict[bytes, None]] = {}
        self._waiters: dict[bytes, set[str]] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._missing)

    def __contains__(self, transaction_hash: str) -> bool:
        return transaction_hash in self._missing

    def items(self) -> list[tuple[str, tuple[bytes, ...]]]:
        """Each waiting transaction with the pools that it still lacks."""
        return [(transaction_hash, tuple(pools)) for transaction_hash, pools in self._missing.items()]

    def add(self, transaction_hash: str, pools: Iterable[bytes]) -> None:
        """Wait for all of `pools`, and no longer for what was waited for before."""
        self.forget(transaction_hash)
        self._missing[transaction_hash] = dict.fromkeys(pools)
        for pool in self._missing[transaction_hash]:
            self._waiters.setdefault(pool, set()).add(transaction_hash)
        if len(self._missing) > self._capacity:
            self.forget(next(iter(self._missing)))
            self.dropped += 1

    def arrived(self, pool: bytes) -> list[str]:
        """The transactions that waited for this pool and now for none, in the order in which they began to wait."""
        waiters = self._waiters.pop(pool, set())
        for transaction_hash in waiters:
            self._missing[transaction_hash].pop(pool, None)
        ready = [
            transaction_hash
            for transaction_hash in self._missing
            if transaction_hash in waiters and not self._missing[transaction_hash]
        ]
        for transaction_hash in ready:
            del self._missing[transaction_hash]
        return ready

    def forget(self, transaction_hash: str) -> None:
        """Stop waiting; without effect for one that does not wait."""
        for pool in self._missing.pop(transaction_hash, ()):
            waiters = self._waiters[pool]
            waiters.discard(transaction_hash)
            if not waiters:
                del self._waiters[pool]
