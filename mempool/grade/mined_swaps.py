"""The swaps that a transaction's own logs show on given pools, each with the pool's state right before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from mempool.amm import POOL_KINDS
from mempool.grade.swap_topics import TRANSFER_TOPIC
from mempool.model.block import Log
from mempool.model.pool import PoolState, SwapEvent
from mempool.model.swap import Hop


class MinedSwap(Struct, frozen=True, gc=False):
    """One swap as its pool logged it.

    `before` is the pool's state just before, None where it is unknown; `disturbed` says that another event had moved the
    pool earlier in the same transaction. `payers` sent tokens to the pool since its swap before this one.
    """

    event: SwapEvent
    before: PoolState | None
    disturbed: bool
    payers: frozenset[bytes]

    def amounts(self, hop: Hop) -> tuple[int, int]:
        """`(amount_in, amount_out)` in the hop's direction."""
        event = self.event
        if hop.token_in < hop.token_out:
            return event.amount0_in, event.amount1_out
        return event.amount1_in, event.amount0_out

    def goes_along(self, hop: Hop) -> bool:
        """Whether the pool took the hop's token in and paid the other one; a dust swap may have paid nothing at all."""
        if self.event.pool != hop.pool:
            return False
        amount_in, amount_out = self.amounts(hop)
        return amount_in > 0 and (amount_out > 0 or self.event.amount0_out == self.event.amount1_out)


def mined_swaps(logs: Sequence[Log], hops: Iterable[Hop], state_of: Callable[[bytes], PoolState | None]) -> list[MinedSwap]:
    """The swaps on the pools of `hops` whose maths is known, in the order of the logs; `state_of` gives the states before."""
    accounts = {hop.pool: _Account(hop.kind, state_of(hop.pool)) for hop in hops if hop.kind}
    swaps: list[MinedSwap] = []
    for log in logs:
        _note_payment(log, accounts)
        account = accounts.get(log.address)
        if account is not None:
            swaps.extend(account.take(log))
    return swaps


class _Account:
    """One pool while the transaction's logs are read in order."""

    def __init__(self, kind: str, state: PoolState | None) -> None:
        self._kind = POOL_KINDS[kind]
        self._state, self._before_last_move = state, state
        self._moves = 0
        self.payers: set[bytes] = set()

    def take(self, log: Log) -> list[MinedSwap]:
        """The swap that this log shows, if it is one. A V2 pair logs `Sync` and then `Swap`; a V3 pool only its `Swap`.

        So in both families the last event that moved the pool, this one included, is the swap's own.
        """
        if log.topics and log.topics[0] in self._kind.topics:
            self._before_last_move, self._moves = self._state, self._moves + 1
            self._state = self._state.after_log(log) if self._state is not None else None
        event = self._kind.read_swap(log)
        if event is None:
            return []
        payers, self.payers = frozenset(self.payers), set()
        return [MinedSwap(event, self._before_last_move, self._moves > 1, payers)]


def _note_payment(log: Log, accounts: Mapping[bytes, _Account]) -> None:
    if len(log.topics) == 3 and log.topics[0] == TRANSFER_TOPIC:
        account = accounts.get(log.topics[2][12:])
        if account is not None:
            account.payers.add(log.topics[1][12:])
