"""Simulates all intents of one call in order, each on what the ones before it did to the pools."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mempool.errors import StateUnknown
from mempool.market import MarketView
from mempool.model.swap import DecodedCall, SwapIntent, SwapResult
from mempool.simulate.intent import simulate


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
    An intent that reverts and may (`allow_revert`) leaves the pools as they were. After one that may not, the rest is still
    simulated as if it had passed, for a reader who wants to know, though the call as a whole does nothing.
    """
    state, reverts = view, ""
    results: list[SwapResult | None] = []
    unknown: list[tuple[int, StateUnknown]] = []
    in_doubt: dict[bytes, StateUnknown] = {}
    for index, intent in enumerate(call.intents):
        try:
            _check_doubt(intent, in_doubt)
            result = simulate(intent, state, timestamp, results)
        except StateUnknown as error:
            results.append(None)
            unknown.append((index, error))
            in_doubt |= {hop.pool: error for hop in intent.hops}
            continue
        results.append(result)
        if not result.reverts or not may_fail(result, timestamp):
            reverts = reverts or result.reverts
            state = state.overlay({hop.hop.pool: hop.after for hop in result.hops})
    return CallResult(tuple(results), tuple(unknown), reverts, view if reverts else state)


def may_fail(result: SwapResult, timestamp: int) -> bool:
    """Whether the call goes on without this swap; a missed deadline is the whole call's."""
    deadline = result.intent.deadline
    return result.intent.allow_revert and (deadline is None or timestamp <= deadline)


def _check_doubt(intent: SwapIntent, in_doubt: dict[bytes, StateUnknown]) -> None:
    """An intent on a pool that an unknown one has moved before it lacks the very same state."""
    for hop in intent.hops:
        if hop.pool in in_doubt:
            raise in_doubt[hop.pool]
