"""Which pools the engine asks its reader for, once each, and what it has learnt of those that do not exist."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from mempool.decode import DecodeTables
from mempool.model.block import BlockRef
from mempool.model.pool import PoolIdentity

MAX_ABSENT = 10_000
"""Pools that are remembered as absent, oldest forgotten first."""


def siblings(tables: DecodeTables, token: bytes, other_token: bytes) -> list[PoolIdentity]:
    """Every pool that the listed factories can have of two tokens, whether it exists or not."""
    identities = (
        factory.pool(token, other_token, fee_pips)
        for factory in tables.factories.values()
        for fee_pips in factory.tick_spacings or (factory.fee_pips,)
    )
    return [identity for identity in identities if identity is not None]


class PoolRequest(Struct, frozen=True):
    """Pools whose state is wanted at one block. `words_each_side` is for those that have ticks."""

    identities: tuple[PoolIdentity, ...]
    block: BlockRef
    words_each_side: int


class PoolWants:
    """Open requests by pool. A pool that was found absent is asked for again only at a later block."""

    def __init__(self, words_each_side: int, max_words_each_side: int) -> None:
        self._first_words, self._max_words = words_each_side, max_words_each_side
        self._open: set[bytes] = set()
        self._absent_at: dict[bytes, str] = {}
        self._words: dict[bytes, int] = {}
        """Of pools that were widened."""
        self._requests: list[PoolRequest] = []

    def ask(self, identities: Iterable[PoolIdentity], head: BlockRef) -> None:
        """Ask for those that are not on their way and not known to be absent at this block."""
        wanted: dict[int, list[PoolIdentity]] = {}
        for identity in identities:
            if identity.address not in self._open and not self.is_absent(identity.address, head):
                self._open.add(identity.address)
                words = self._words.get(identity.address, self._first_words)
                wanted.setdefault(words, []).append(identity)
        self._requests += [PoolRequest(tuple(each), head, words) for words, each in wanted.items()]

    def ask_once(self, identities: Iterable[PoolIdentity], head: BlockRef) -> None:
        """Ask for those that were never found absent, since nobody depends on them."""
        self.ask([identity for identity in identities if identity.address not in self._absent_at], head)

    def widen(self, pool: bytes) -> bool:
        """Let the next request for this pool cover twice as many bitmap words; False where it covers the most already."""
        words = self._words.get(pool, self._first_words)
        if words >= self._max_words:
            return False
        self._words[pool] = min(2 * words, self._max_words)
        return True

    def answered(self, pool: bytes) -> None:
        """The request has ended, whatever it brought."""
        self._open.discard(pool)

    def absent(self, pool: bytes, block: BlockRef) -> None:
        """No contract stood there at that block."""
        self.answered(pool)
        self._absent_at[pool] = block.hash
        if len(self._absent_at) > MAX_ABSENT:
            del self._absent_at[next(iter(self._absent_at))]

    def is_absent(self, pool: bytes, block: BlockRef) -> bool:
        return self._absent_at.get(pool) == block.hash

    def take(self) -> list[PoolRequest]:
        """The requests since the last call, for the reader to carry out."""
        requests, self._requests = self._requests, []
        return requests
