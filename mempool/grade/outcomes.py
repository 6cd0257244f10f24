"""Grades one mined call: every hop of its intents against the logs, and its reverting against its status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from mempool.grade.causes import agrees
from mempool.grade.intent_causes import Causes, causes_of_intents, fixes_out, hop_result
from mempool.grade.matching import Matched, match_hops
from mempool.grade.mined_swaps import mined_swaps
from mempool.model.block import Receipt
from mempool.model.outcome import Cause, Outcome, RevertGrade
from mempool.model.pool import PoolState
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactOut, HopResult, SwapIntent, SwapResult
from mempool.model.transaction import PendingTransaction

Results = Sequence[SwapResult | None]
"""One result an intent; None where the state or the amount was not known."""
Movers = Mapping[bytes, tuple[str, ...]]
"""Pool -> hashes of the transactions that moved it between the prediction's state and this transaction, in order."""


class MinedCall(Struct, frozen=True):
    """A mined call to a router. `results` are its intents simulated in block order; `state_of` gives the pools before it."""

    transaction: PendingTransaction
    call: DecodedCall
    receipt: Receipt
    block_number: int
    results: Results
    state_of: Callable[[bytes], PoolState | None]


class GradedCall(Struct, frozen=True, gc=False):
    """`outcomes` has one for each hop of an intent that was predicted or simulated; `executed` says which intents took place."""

    outcomes: tuple[Outcome, ...]
    revert: RevertGrade
    executed: tuple[bool, ...]


def grade_call(mined: MinedCall, predicted: Results, movers: Movers) -> GradedCall:
    """What became of the call's predictions; give `mined.results` as `predicted` to grade the block-order simulation itself."""
    intents = mined.call.intents
    matched = _matched(mined)
    causes = causes_of_intents(intents, mined.results, matched)
    revert = revert_grade(mined.call, predicted, succeeded=mined.receipt.succeeded)
    outcomes = [
        outcome
        for index in range(len(intents))
        if predicted[index] is not None or mined.results[index] is not None
        for outcome in _Grading(mined, index, predicted, matched[index], causes[index], movers).outcomes(revert)
    ]
    return GradedCall(tuple(outcomes), revert, tuple(swaps is not None for swaps in matched))


def revert_grade(call: DecodedCall, predicted: Results, *, succeeded: bool) -> RevertGrade:
    """Nothing unless the whole call was simulated, or comes after its deadline, which needs no simulation."""
    simulated = call.completeness is Completeness.EXACT and bool(predicted) and None not in predicted
    if not simulated and not any(map(_is_late, predicted)):
        return RevertGrade.NONE
    if any(map(_fails_the_call, predicted)):
        return RevertGrade.FALSE_ALARM if succeeded else RevertGrade.RIGHT
    return RevertGrade.NONE if succeeded else RevertGrade.MISSED


def _fails_the_call(result: SwapResult | None) -> bool:
    """A swap that may fail leaves the call standing, but a deadline is checked for the call as a whole."""
    if result is None or not result.reverts:
        return False
    return not result.intent.allow_revert or _is_late(result)


def _is_late(result: SwapResult | None) -> bool:
    return result is not None and result.reverts.startswith("deadline passed")


def _matched(mined: MinedCall) -> tuple[Matched | None, ...]:
    intents = mined.call.intents
    if not mined.receipt.succeeded:
        return (None,) * len(intents)
    hops = [hop for intent in intents for hop in intent.hops]
    swaps = mined_swaps(mined.receipt.logs, hops, mined.state_of)
    payers = {mined.transaction.sender, mined.transaction.to or b"", *(hop.pool for hop in hops)}
    doubtful = [result is not None and bool(result.reverts) for result in mined.results]
    return match_hops(intents, doubtful, swaps, frozenset(payers))


class _Grading(Struct, frozen=True):
    """One intent of a mined call, with the swaps that it left (None where it was not carried out)."""

    mined: MinedCall
    index: int
    predictions: Results
    swaps: Matched | None
    causes: Causes
    movers: Movers

    @property
    def intent(self) -> SwapIntent:
        return self.mined.call.intents[self.index]

    def outcomes(self, revert: RevertGrade) -> list[Outcome]:
        return [self._outcome(hop_index, revert) for hop_index in range(len(self.intent.hops))]

    def _outcome(self, hop_index: int, revert: RevertGrade) -> Outcome:
        amounts = self._mined_amounts(hop_index)
        cause = self._cause_of_absence() if amounts is None else self._cause(hop_index, amounts)
        return Outcome(
            transaction_hash=self.mined.transaction.hash,
            intent_index=self.index,
            hop_index=hop_index,
            block_number=self.mined.block_number,
            mined_amount_in=amounts[0] if amounts else None,
            mined_amount_out=amounts[1] if amounts else None,
            error_as_predicted=self._error(amounts, hop_result(self.predictions[self.index], hop_index)),
            error_in_block_order=self._error(amounts, hop_result(self.mined.results[self.index], hop_index)),
            cause=cause,
            moved_by=self._moved_by(hop_index, absent=amounts is None) if cause is Cause.MOVED_AHEAD else (),
            revert=revert,
        )

    def _mined_amounts(self, hop_index: int) -> tuple[int, int] | None:
        swap = self.swaps[hop_index] if self.swaps is not None else None
        return swap.amounts(self.intent.hops[hop_index]) if swap is not None else None

    def _error(self, mined: tuple[int, int] | None, simulated: HopResult | None) -> int | None:
        if mined is None or simulated is None:
            return None
        if isinstance(self.intent.size, ExactOut):
            return mined[0] - simulated.amount_in
        return mined[1] - simulated.amount_out

    def _cause(self, hop_index: int, mined: tuple[int, int]) -> Cause:
        """The cause in block order; where that is exact and the prediction was not, the pools must have been moved ahead."""
        as_predicted = self._as_predicted(hop_index, mined)
        if not self.causes:
            return Cause.EXACT if as_predicted else Cause.UNEXPLAINED
        cause = self.causes[hop_index]
        if cause is not Cause.EXACT or as_predicted or self.predictions[self.index] is None:
            return cause
        return Cause.MOVED_AHEAD if self._moved_by(hop_index, absent=False) else Cause.UNEXPLAINED

    def _as_predicted(self, hop_index: int, mined: tuple[int, int]) -> bool:
        """Whether it came out as predicted. A surplus in the pair is no error; an input that was computed is wrong by any."""
        predicted = hop_result(self.predictions[self.index], hop_index)
        simulated = hop_result(self.mined.results[self.index], hop_index)
        if predicted is None:
            return False
        same = (
            simulated is not None and predicted.amount_in == simulated.amount_in and predicted.amount_out == simulated.amount_out
        )
        return same or agrees(mined, predicted, fixed_out=isinstance(self.intent.size, ExactOut))

    def _cause_of_absence(self) -> Cause:
        """Why there is no log: the failure was foreseen, would have been in block order, or was not."""
        if self.swaps is not None:
            return Cause.UNEXPLAINED
        if self._foresees_absence(self.predictions):
            return Cause.EXACT
        foreseen_in_block_order = self._foresees_absence(self.mined.results)
        return Cause.MOVED_AHEAD if foreseen_in_block_order and self._moved_by(0, absent=True) else Cause.UNEXPLAINED

    def _foresees_absence(self, results: Results) -> bool:
        if not self.mined.receipt.succeeded:
            return any(map(_fails_the_call, results))
        result = results[self.index]
        return result is not None and bool(result.reverts)

    def _moved_by(self, hop_index: int, *, absent: bool) -> tuple[str, ...]:
        """Those who moved a pool that this hop's amounts come from; for a call that failed, any of its pools."""
        intents = self.mined.call.intents
        own, size = self.intent.hops, self.intent.size
        if absent:
            hops = [hop for intent in intents for hop in intent.hops]
        else:
            sources = size.sources if isinstance(size, BalanceIn) else ()
            hops = [hop for source in sources for hop in intents[source].hops]
            # Who pays forward has computed its input from the whole path before.
            first = hop_index if fixes_out(self.intent) else 0
            last = len(own) if isinstance(size, ExactOut) else hop_index + 1
            hops += own[first:last]
        movers = (mover for pool in dict.fromkeys(hop.pool for hop in hops) for mover in self.movers.get(pool, ()))
        return tuple(dict.fromkeys(movers))
