"""Counts what an engine reports, for the summary at the end of a run or a replay."""

from __future__ import annotations

from collections import Counter

from mempool.engine.book_tally import BookTally
from mempool.engine.counters import Counters
from mempool.model.opportunity import Bound
from mempool.model.outcome import RevertGrade
from mempool.model.record import OpportunityFound, OutcomeGraded, PredictionMade, Record, TransactionSeen, TransactionState

_REMEMBERED = 10_000
"""Transactions that may be graded again, by their other hops or after a reorganisation; older ones stay as they were counted."""


class Tally:
    """Fed with every record. Findings and hops are counted as reported, those of orphaned blocks included."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.swaps_by_router: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.largest_eth: dict[str, float] = {}
        """The largest priced finding by kind, in the native token."""
        self.causes: Counter[str] = Counter()
        """Graded hops by the cause of their difference."""
        self.mined_hops = 0
        """Graded hops with amounts: those that were carried out."""
        self.exact_in_block_order = 0
        """Of those, the ones that the same simulation gives to the wei on what the block had done before."""
        self.predicted_reverts = 0
        self.books = BookTally()
        self._reverts: Counter[str] = Counter()
        self._reverted: dict[str, RevertGrade] = {}

    @property
    def reverts(self) -> Counter[str]:
        """Transactions by how the prediction of their reverting came out, where there was a revert or one was predicted."""
        return +self._reverts

    def note(self, record: Record) -> None:
        match record:
            case TransactionSeen(_, decoded):
                self.swaps_by_router[decoded.router] += 1
            case TransactionState(status=status):
                self.states[status.value] += 1
            case PredictionMade(prediction):
                self.predicted_reverts += bool(prediction.result.reverts)
            case OutcomeGraded(outcome):
                self.causes[outcome.cause.value] += 1
                self.mined_hops += outcome.error_in_block_order is not None
                self.exact_in_block_order += outcome.error_in_block_order == 0
                self._count_revert(outcome.transaction_hash, outcome.revert)
            case OpportunityFound(opportunity=opportunity, profit_eth=profit_eth):
                kind = opportunity.kind.value
                self.findings[kind if opportunity.bound is not Bound.STATE_UNKNOWN else "state_unknown"] += 1
                if profit_eth is not None:
                    self.largest_eth[kind] = max(profit_eth, self.largest_eth.get(kind, 0.0))
            case _:
                self.books.note(record)

    def _count_revert(self, transaction_hash: str, grade: RevertGrade) -> None:
        """A transaction counts once, as it was graded last."""
        before = self._reverted.pop(transaction_hash, None)
        if before is not None:
            self._reverts[before.value] -= 1
        if grade is RevertGrade.NONE:
            return
        self._reverts[grade.value] += 1
        self._reverted[transaction_hash] = grade
        if len(self._reverted) > _REMEMBERED:
            del self._reverted[next(iter(self._reverted))]
