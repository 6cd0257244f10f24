"""Simulates all intents of one call in order, each on what the ones before it did to the pools."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mempool.errors import StateUnknown
from mempool.market import MarketView
from mempool.model.swap import DecodedCall, SwapIntent, SwapResult
from mempool.simulate.intent import simulate

UNDONE = "undone: another swap fails that stands or falls with it"


class CallResult(Struct, frozen=True):
    """What a call would do. Of its intents, those that could be simulated are in `results`, the others in `unknown`."""

    by_index: tuple[SwapResult | None, ...]
    """One for each intent, None where its state or amount is not known."""
    unknown: tuple[tuple[int, StateUnknown], ...]
    """Index of an intent that could not be simulated, and what is missing."""
    reverts: str
    """Why the whole call would revert, "" where it would not: the first reason of an intent that may not fail."""
    after: MarketView
    """The pools after the call: untouched where it reverts; pools of an unknown intent stand as the others left them."""

    @property
    def results(self) -> tuple[SwapResult, ...]:
        return tuple(result for result in self.by_index if result is not None)

    def by_intent(self) -> Iterator[tuple[int, SwapResult]]:
        """The results with their intent's index."""
        return ((index, result) for index, result in enumerate(self.by_index) if result is not None)


def simulate_call(call: DecodedCall, view: MarketView, timestamp: int) -> CallResult:
    """Run the call's intents on the view; `timestamp` (unix seconds) is the one of the block that would hold it.

    Unknown state stops only the intents that need it: their own pools are in doubt from there on, all others are exact.
    An intent that fails inside a scope that may takes the rest of its innermost scope with it: they say so in `reverts` and
    leave the pools as they were. After one that may not fail, the rest is still simulated as if it had passed, for a reader
    who wants to know, though the call as a whole does nothing.
    """
    undone: frozenset[int] = frozenset()
    while True:
        run = _Run(view, timestamp, undone)
        scope = next((scope for intent in call.intents if (scope := run.failing_scope(intent)) is not None), None)
        if scope is None:
            return run.result()
        # Only the first failure counts: without its scope, what came after it in the call may well pass.
        undone |= {scope}


class _Run:
    """One pass over a call's intents, with the scopes of `undone` known to fail."""

    def __init__(self, view: MarketView, timestamp: int, undone: frozenset[int]) -> None:
        self._view, self._state, self._timestamp, self._undone = view, view, timestamp, undone
        self._reverts = ""
        self._results: list[SwapResult | None] = []
        self._unknown: list[tuple[int, StateUnknown]] = []
        self._in_doubt: dict[bytes, StateUnknown] = {}

    def failing_scope(self, intent: SwapIntent) -> int | None:
        """Simulate the next intent; the scope that it takes with it, if it is the first of that to fail."""
        try:
            self._check_doubt(intent)
            result = simulate(intent, self._state, self._timestamp, self._results)
        except StateUnknown as error:
            self._unknown.append((len(self._results), error))
            self._results.append(None)
            self._in_doubt |= {hop.pool: error for hop in intent.hops}
            return None
        if not self._undone.isdisjoint(intent.revert_scopes):
            self._results.append(result if result.reverts else replace(result, reverts=UNDONE))
            return None
        self._results.append(result)
        if result.reverts and may_fail(result, self._timestamp):
            return intent.revert_scopes[-1]
        self._reverts = self._reverts or result.reverts
        self._state = self._state.overlay({hop.hop.pool: hop.after for hop in result.hops})
        return None

    def result(self) -> CallResult:
        after = self._view if self._reverts else self._state
        return CallResult(tuple(self._results), tuple(self._unknown), self._reverts, after)

    def _check_doubt(self, intent: SwapIntent) -> None:
        """An intent on a pool that an unknown one has moved before it lacks the very same state."""
        for hop in intent.hops:
            if hop.pool in self._in_doubt:
                raise self._in_doubt[hop.pool]


def may_fail(result: SwapResult, timestamp: int) -> bool:
    """Whether the call goes on without this swap; a missed deadline is the whole call's."""
    deadline = result.intent.deadline
    return result.intent.allow_revert and (deadline is None or timestamp <= deadline)
