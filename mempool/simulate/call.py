"""Simulates all intents of one call in order, each on what the ones before it did to the pools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mempool.errors import StateUnknown
from mempool.market import MarketView
from mempool.model.swap import BalanceIn, DecodedCall, SwapIntent, SwapResult
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
    An intent that fails inside a scope that may takes all of its innermost scope with it: they say so in `reverts`, and the pools
    are again as they were before the scope. After one that may not fail, the rest is still simulated as if it had passed, for a
    reader who wants to know, though the call as a whole does nothing.
    """
    if len(call.intents) == 1 and not call.joint_minimums:
        return _alone(call.intents[0], view, timestamp)
    run = _Run(view, timestamp)
    for intent in call.intents:
        run.add(intent)
    for minimum in call.joint_minimums:
        run.check(minimum)
    return CallResult(tuple(run.results), tuple(run.unknown), run.reverts, view if run.reverts else run.now.state)


def _alone(intent: SwapIntent, view: MarketView, timestamp: int) -> CallResult:
    """A call's only swap, which most are: nothing is in doubt before it, and nothing else stands or falls with it."""
    try:
        result = simulate(intent, view, timestamp)
    except StateUnknown as error:
        return CallResult((None,), ((0, error),), "", view)
    if result.reverts:
        return CallResult((result,), (), "" if may_fail(result, timestamp) else result.reverts, view)
    return CallResult((result,), (), "", view.overlay({hop.hop.pool: hop.after for hop in result.hops}))


class _Now(Struct, frozen=True):
    """Where the call stands: the pools, and those of them that an unknown intent has moved."""

    state: MarketView
    in_doubt: Mapping[bytes, StateUnknown] = {}


class _Run:
    """One pass over a call's intents; each failure returns to where its scope began, so the work grows with the intents alone."""

    def __init__(self, view: MarketView, timestamp: int) -> None:
        self.now, self._timestamp = _Now(view), timestamp
        self.reverts = ""
        self.results: list[SwapResult | None] = []
        self.unknown: list[tuple[int, StateUnknown]] = []
        self._began: dict[int, tuple[int, _Now]] = {}
        """For each scope the index of its first intent, and where the call stood then."""
        self._undone: set[int] = set()

    def add(self, intent: SwapIntent) -> None:
        for scope in intent.revert_scopes:
            self._began.setdefault(scope, (len(self.results), self.now))
        try:
            self._check_doubt(intent)
            result = simulate(intent, self.now.state, self._timestamp, self.results)
        except StateUnknown as error:
            self._doubt(intent, error)
        else:
            self._take(result)

    def check(self, minimum: BalanceIn) -> None:
        """Hold the swaps that must bring something together to it; the last of them says so where they do not."""
        bought = [result for source in minimum.sources if (result := self.results[source]) and not result.reverts]
        together = minimum.held_wei + sum(result.amount_out for result in bought)
        if len(bought) == len(minimum.sources) and together < minimum.min_amount_out:
            reverts = f"too little received: {together} of at least {minimum.min_amount_out} by the call's swaps together"
            self.results[minimum.sources[-1]] = replace(bought[-1], reverts=reverts)
            self.reverts = self.reverts or reverts

    def _take(self, result: SwapResult) -> None:
        if not self._undone.isdisjoint(result.intent.revert_scopes):
            self.results.append(_undone(result))
            return
        self.results.append(result)
        if result.reverts and may_fail(result, self._timestamp):
            self._undo(result.intent.revert_scopes[-1])
            return
        self.reverts = self.reverts or result.reverts
        state = self.now.state.overlay({hop.hop.pool: hop.after for hop in result.hops})
        self.now = _Now(state, self.now.in_doubt)

    def _undo(self, scope: int) -> None:
        """Go back to where the scope began; what it holds after this intent will find it undone."""
        self._undone.add(scope)
        first, self.now = self._began[scope]
        self.results[first:] = [result and _undone(result) for result in self.results[first:]]

    def _doubt(self, intent: SwapIntent, error: StateUnknown) -> None:
        self.unknown.append((len(self.results), error))
        self.results.append(None)
        if self._undone.isdisjoint(intent.revert_scopes):
            self.now = _Now(self.now.state, {**self.now.in_doubt, **{hop.pool: error for hop in intent.hops}})

    def _check_doubt(self, intent: SwapIntent) -> None:
        """An intent on a pool that an unknown one has moved before it lacks the very same state."""
        for hop in intent.hops:
            if hop.pool in self.now.in_doubt:
                raise self.now.in_doubt[hop.pool]


def _undone(result: SwapResult) -> SwapResult:
    return result if result.reverts else replace(result, reverts=UNDONE)


def may_fail(result: SwapResult, timestamp: int) -> bool:
    """Whether the call goes on without this swap; a missed deadline is the whole call's."""
    deadline = result.intent.deadline
    return result.intent.allow_revert and (deadline is None or timestamp <= deadline)
