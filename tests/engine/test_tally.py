"""The tally counts what was reported, each transaction's revert once."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from mempool.engine.tally import Tally
from mempool.model.arbitrage import Rejection
from mempool.model.outcome import Cause, Outcome, RevertGrade
from mempool.model.record import OutcomeGraded, TransactionState, TransactionStatus
from tests.store.book_examples import COINBASE, CROSS, ROUND, found, gap, near_miss, opened_by, quoted


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


def test_transaction_that_is_graded_again_counts_as_it_was_graded_last() -> None:
    tally = Tally()
    for grade in (RevertGrade.RIGHT, RevertGrade.MISSED):
        tally.note(outcome(0, Cause.EXACT, None, grade))
    assert tally.reverts == {"missed": 1}
    tally.note(outcome(0, Cause.EXACT, None, RevertGrade.NONE))
    assert tally.reverts == {}


def test_tally_of_weeks_holds_no_more_than_that_of_a_day() -> None:
    tally, graded = Tally(), outcome(0, Cause.EXACT, 0)
    for grade, count in ((RevertGrade.NONE, 30_000), (RevertGrade.RIGHT, 30_000)):
        for number in range(count):
            each = replace(graded.outcome, transaction_hash=f"{grade} {number}", revert=grade)
            tally.note(replace(graded, outcome=each))
    assert tally.reverts == {"right": 30_000}
    assert sum(len(each) for each in vars(tally).values() if isinstance(each, dict)) < 11_000


def test_states_are_counted() -> None:
    tally = Tally()
    tally.note(TransactionState("0x1", TransactionStatus.VANISHED))
    assert tally.states == {"vanished": 1}


def test_a_finding_that_is_seen_again_counts_once_as_it_was_seen_last() -> None:
    tally = Tally()
    better = replace(CROSS, net_profit=Fraction(5_000))
    for record in (
        found(1, near_miss()),
        found(2),
        found(1, better),
        found(3, near_miss(ROUND, Rejection.STALE)),
        opened_by(1, 4),
    ):
        tally.note(record)
    books = tally.books
    assert +books.findings == {"cross_exchange": 2, "cex_dex": 1}
    assert +books.near_misses == {"stale": 1}
    assert books.largest_eth == {"cross_exchange": 2.0, "cex_dex": 0.005}


def test_a_gap_of_a_book_counts_once_and_a_fault_that_cost_no_price_apart() -> None:
    tally = Tally()
    for record in (quoted(1), quoted(1, COINBASE), quoted(2), gap(1, None), gap(2, 0), gap(1, 5), gap(3, None)):
        tally.note(record)
    books = tally.books
    assert (books.quotes, books.lost, books.faults, len(books.books)) == (3, 2, 1, 2)


def test_what_is_remembered_of_findings_is_bounded() -> None:
    tally = Tally()
    for number in range(1, 20_001):
        tally.note(found(number))
    assert tally.books.findings == {"cross_exchange": 20_000}
    assert len(tally.books._counted) == 10_000
