"""Balances inside one call."""

from __future__ import annotations

from mempool.decode.ledger import EMPTY, UNKNOWN, Holding, Ledger
from mempool.model.swap import BalanceIn, Take

ROUTER, TOKEN = b"\x01" * 20, b"\x02" * 20


def test_empty_balance_fixes_no_size() -> None:
    assert EMPTY.size(1) is None
    assert UNKNOWN.size(1) is None
    assert Holding(5).size(1) == BalanceIn(5, (), 1)


def test_balances_add_up_with_their_sources() -> None:
    assert Holding(5, (0,)).plus(Holding(6, (2,))) == Holding(11, (0, 2))
    assert not Holding(5).plus(UNKNOWN).known


def test_amount_paid_out_of_a_swaps_output_counts_against_it() -> None:
    assert Holding(0, (0,)).less(Take(7)).size(1) == BalanceIn(-7, (0,), 1)


def test_paying_more_than_the_call_put_there_leaves_the_balance_unknown() -> None:
    assert Holding(5).less(Take(6)) == UNKNOWN


def test_balance_needed_before_a_take_is_the_smallest_that_leaves_enough() -> None:
    for numerator in (1, 37, 999):
        for minimum in range(60):
            needed = Take(0, numerator, 1000).needed_before(minimum)
            assert needed - needed * numerator // 1000 >= minimum
            assert needed == 0 or (needed - 1) - (needed - 1) * numerator // 1000 < minimum


def test_what_is_not_understood_makes_every_balance_unknown() -> None:
    ledger = Ledger({})
    ledger.credit(ROUTER, TOKEN, Holding(5))
    ledger.forget_all()
    assert ledger.take_all(ROUTER, TOKEN) == UNKNOWN
    ledger.credit(ROUTER, TOKEN, Holding(6))
    assert ledger.balance(ROUTER, TOKEN).size(0) == BalanceIn(6, (), 0)


def test_balance_that_is_taken_to_its_last_unit_is_nothing_and_known() -> None:
    ledger = Ledger({})
    ledger.change(b"holder", b"token", 5)
    ledger.change(b"holder", b"token", -5)
    assert ledger.balance(b"holder", b"token").size(0) is None
    ledger.change(b"holder", b"token", 7)
    assert ledger.balance(b"holder", b"token").size(0) == BalanceIn(7, (), 0)
