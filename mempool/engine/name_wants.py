"""Which pools that a call names by address alone are asked for their tokens, once each."""

from __future__ import annotations

from collections.abc import Iterable

MAX_ASKED = 100_000
"""Pools that are remembered as asked in vain; beyond it the oldest may be asked once more."""
MAX_OPEN = 4_096
MAX_OF_A_CALL = 16
"""Pools of one call that are asked; a call that names more by address alone is not waited for."""


class NameWants:
    """Open requests by pool, and the pools that turned out to be no listed factory's."""

    def __init__(self) -> None:
        self._open: set[bytes] = set()
        self._in_vain: dict[bytes, None] = {}
        self._requests: list[bytes] = []

    def ask(self, pools: Iterable[bytes]) -> list[bytes]:
        """Ask for those of one call that were not asked in vain; returns the ones whose answer is on its way."""
        wanted = [pool for pool in pools if pool not in self._in_vain]
        if len(wanted) > MAX_OF_A_CALL or len(self._open) + len(wanted) > MAX_OPEN:
            return []
        for pool in wanted:
            if pool not in self._open:
                self._open.add(pool)
                self._requests.append(pool)
        return wanted

    def answered(self, pool: bytes) -> None:
        """The request has ended, and the pool is known or may be asked again."""
        self._open.discard(pool)

    def in_vain(self, pool: bytes) -> None:
        """The pool says nothing that can be believed; asking again is of no use."""
        self.answered(pool)
        self._in_vain[pool] = None
        if len(self._in_vain) > MAX_ASKED:
            del self._in_vain[next(iter(self._in_vain))]

    def take(self) -> list[bytes]:
        """The pools to ask since the last call."""
        requests, self._requests = self._requests, []
        return requests
