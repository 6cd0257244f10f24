"""The tally counts what was reported, each transaction's revert once."""

from __future__ import annotations

from mempool.engine.tally import Tally
from mempool.model.outcome import Cause, Outcome, RevertGrade
from mempool.model.record import OutcomeGraded, TransactionState, TransactionStatus


def outcome(hop_index: int, cause: Cause, error: int | None, revert: RevertGrade = RevertGrade.NONE) -> OutcomeGraded:
    return OutcomeGraded(Outcome("0x1", 0, hop_index, 5, None, None, error, error, cause, (), revert), "0xb", 9)


def test_hops_are_counted_by_cause_and_by_exactness_in_block_order() -> None:
    tally = Tally()
    for record in (outcome(0, Cause.EXACT, 0), outcome(1, Cause.MOVED_AHEAD, 0), outcome(2, Cause.FEE_ON_TRANSFER, -5)):
        tally.note(record)
    assert tally.causes == {"exact": 1, "moved_ahead": 1, "fee_on_transfer": 1}
    assert (tally.mined_hops, tally.exact_in_block_order) == (3, 2)


def test_revert_of_a_transaction_with_two_hops_counts_once() -> None:
    tally = Tally()
    for index in range(2):
        tally.note(outcome(index, Cause.EXACT, None, RevertGrade.RIGHT))
    assert tally.reverts == {"right": 1}
    assert tally.mined_hops == 0


def test_states_are_counted() -> None:
    tally = Tally()
    tally.note(TransactionState("0x1", TransactionStatus.VANISHED))
    assert tally.states == {"vanished": 1}
