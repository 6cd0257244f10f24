"""Every cause on a transaction that was constructed to have it, and reverts against every combination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mempool.amm.uniswap_v2 import V2Pool
from mempool.model.outcome import Cause, Outcome, RevertGrade
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut
from tests.grade.ledger import (
    DOLLAR,
    ETHER,
    ROUTER,
    TAXED,
    TAXED_DOLLAR,
    WETH,
    WETH_DOLLAR,
    WETH_TAXED,
    Ledger,
    call,
    hop,
    intent,
    simulated,
)

SELL_TAXED = intent(ExactIn(50 * ETHER, 0), hop(WETH_TAXED, TAXED))
BUY_TAXED = intent(ExactIn(2 * ETHER, 0), hop(WETH_TAXED, WETH))
THROUGH_TAXED = intent(ExactIn(2 * ETHER, 0), hop(WETH_TAXED, WETH), hop(TAXED_DOLLAR, TAXED))
TWO_POOLS = [WETH_TAXED, TAXED_DOLLAR]
OTHER_TX = "0x" + "02" * 32


def causes(outcomes: tuple[Outcome, ...]) -> list[Cause]:
    return [outcome.cause for outcome in outcomes]


def test_swap_as_simulated_is_exact_and_has_no_error() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, 2 * ETHER)
    (outcome,) = ledger.grade(call(BUY_TAXED), [simulated(BUY_TAXED, [WETH_TAXED])]).outcomes
    assert (outcome.cause, outcome.error_as_predicted, outcome.error_in_block_order) == (Cause.EXACT, 0, 0)


def test_surplus_that_lay_in_the_pair_before_does_not_make_a_right_amount_out_wrong() -> None:
    expected = simulated(BUY_TAXED, [WETH_TAXED])
    for surplus, paid, cause in ((7, 0, Cause.EXACT), (7, 1, Cause.UNEXPLAINED), (-7, 0, Cause.UNEXPLAINED)):
        ledger = Ledger(WETH_TAXED)
        ledger.settle(WETH_TAXED, WETH, 2 * ETHER + surplus, expected.amount_out + paid)
        assert causes(ledger.grade(call(BUY_TAXED), [expected]).outcomes) == [cause]


def test_pool_that_received_less_than_was_sent_is_fee_on_transfer() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, TAXED, 45 * ETHER)
    expected = simulated(SELL_TAXED, [WETH_TAXED])
    (outcome,) = ledger.grade(call(SELL_TAXED), [expected]).outcomes
    assert outcome.cause is Cause.FEE_ON_TRANSFER
    assert outcome.mined_amount_out is not None
    assert outcome.error_in_block_order == outcome.mined_amount_out - expected.amount_out < 0


def test_pool_that_received_less_and_paid_less_than_its_maths_is_unexplained() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.settle(WETH_TAXED, TAXED, 45 * ETHER, 7 * ETHER + 12_345)
    graded = ledger.grade(call(SELL_TAXED), [simulated(SELL_TAXED, [WETH_TAXED])])
    assert causes(graded.outcomes) == [Cause.UNEXPLAINED]


def test_token_that_sells_its_own_fee_first_moves_the_pool_inside_the_transaction() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, TAXED, 90 * ETHER, payer=TAXED)
    own = ledger.swap(WETH_TAXED, TAXED, 50 * ETHER)
    (outcome,) = ledger.grade(call(SELL_TAXED), [simulated(SELL_TAXED, [WETH_TAXED])]).outcomes
    assert (outcome.cause, outcome.mined_amount_out) == (Cause.MOVED_INSIDE_TRANSACTION, own)


def test_taxed_sale_behind_the_tokens_own_sale_is_moved_inside_the_transaction() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, TAXED, 90 * ETHER, payer=TAXED)
    ledger.swap(WETH_TAXED, TAXED, 45 * ETHER)
    graded = ledger.grade(call(SELL_TAXED), [simulated(SELL_TAXED, [WETH_TAXED])])
    assert causes(graded.outcomes) == [Cause.MOVED_INSIDE_TRANSACTION]


def test_pool_moved_inside_the_transaction_that_pays_off_its_maths_is_unexplained() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, TAXED, 90 * ETHER, payer=TAXED)
    ledger.transfer(TAXED, SELL_TAXED.recipient, WETH_TAXED.address, 50 * ETHER)
    ledger.settle(WETH_TAXED, TAXED, 50 * ETHER, 3 * ETHER + 54_321)
    graded = ledger.grade(call(SELL_TAXED), [simulated(SELL_TAXED, [WETH_TAXED])])
    assert causes(graded.outcomes) == [Cause.UNEXPLAINED]


def test_hop_behind_an_explained_one_is_upstream() -> None:
    sale = intent(ExactIn(50 * ETHER, 0), hop(WETH_TAXED, TAXED), hop(WETH_DOLLAR, WETH))
    ledger = Ledger(WETH_TAXED, WETH_DOLLAR)
    ether = ledger.swap(WETH_TAXED, TAXED, 45 * ETHER)
    ledger.swap(WETH_DOLLAR, WETH, ether, payer=WETH_TAXED.address)
    graded = ledger.grade(call(sale), [simulated(sale, [WETH_TAXED, WETH_DOLLAR])])
    assert causes(graded.outcomes) == [Cause.FEE_ON_TRANSFER, Cause.UPSTREAM]


def test_taxed_token_between_two_pools_is_fee_on_transfer_at_the_second() -> None:
    ledger = Ledger(*TWO_POOLS)
    bought = ledger.swap(WETH_TAXED, WETH, 2 * ETHER)
    ledger.swap(TAXED_DOLLAR, TAXED, bought * 9 // 10, payer=WETH_TAXED.address)
    graded = ledger.grade(call(THROUGH_TAXED), [simulated(THROUGH_TAXED, TWO_POOLS)])
    assert causes(graded.outcomes) == [Cause.EXACT, Cause.FEE_ON_TRANSFER]


def test_hop_behind_an_unexplained_one_is_unexplained_too() -> None:
    ledger = Ledger(*TWO_POOLS)
    ledger.settle(WETH_TAXED, WETH, 2 * ETHER, 9 * ETHER + 7)
    ledger.swap(TAXED_DOLLAR, TAXED, 9 * ETHER + 7, payer=WETH_TAXED.address)
    graded = ledger.grade(call(THROUGH_TAXED), [simulated(THROUGH_TAXED, TWO_POOLS)])
    assert causes(graded.outcomes) == [Cause.UNEXPLAINED, Cause.UNEXPLAINED]


@pytest.mark.parametrize("fee_pips", [0, 100, 2500, 3100, 9970])
def test_pool_that_charges_another_fee_is_named_so(fee_pips: int) -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, 2 * ETHER, fee_pips=fee_pips)
    graded = ledger.grade(call(BUY_TAXED), [simulated(BUY_TAXED, [WETH_TAXED])])
    assert causes(graded.outcomes) == [Cause.OTHER_FEE]


def test_fee_is_not_fitted_to_amounts_so_small_that_chance_would_hit_one() -> None:
    tiny = structs.replace(WETH_TAXED, reserve0=10**6, reserve1=10**6)
    wanted = intent(ExactIn(5_000, 0), hop(tiny, WETH))
    ledger = Ledger(tiny)
    ledger.swap(tiny, WETH, 5_000, fee_pips=2500)
    assert causes(ledger.grade(call(wanted), [simulated(wanted, [tiny])]).outcomes) == [Cause.UNEXPLAINED]


def test_exact_out_hop_is_graded_by_its_amount_in() -> None:
    wanted = intent(ExactOut(3 * ETHER, 10 * ETHER), hop(WETH_TAXED, WETH))
    expected = simulated(wanted, [WETH_TAXED])
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, ETHER, payer=TAXED)
    paid = ledger.pools[WETH_TAXED.address].swap_exact_out(WETH, 3 * ETHER).amount_in
    ledger.transfer(WETH, ROUTER, WETH_TAXED.address, paid)
    ledger.settle(WETH_TAXED, WETH, paid, 3 * ETHER)
    (outcome,) = ledger.grade(call(wanted), [expected]).outcomes
    assert outcome.cause is Cause.MOVED_INSIDE_TRANSACTION
    assert outcome.error_in_block_order == paid - expected.amount_in > 0


def test_exact_out_path_takes_its_difference_from_the_last_pool_backwards() -> None:
    wanted = intent(ExactOut(3 * ETHER, 10 * ETHER), *THROUGH_TAXED.hops)
    ledger = Ledger(*TWO_POOLS)
    ledger.swap(TAXED_DOLLAR, TAXED, ETHER, payer=DOLLAR)
    middle = ledger.pools[TAXED_DOLLAR.address].swap_exact_out(TAXED, 3 * ETHER).amount_in
    first = WETH_TAXED.swap_exact_out(WETH, middle).amount_in
    ledger.transfer(WETH, ROUTER, WETH_TAXED.address, first)
    ledger.settle(WETH_TAXED, WETH, first, middle)
    ledger.transfer(TAXED, WETH_TAXED.address, TAXED_DOLLAR.address, middle)
    ledger.settle(TAXED_DOLLAR, TAXED, middle, 3 * ETHER)
    graded = ledger.grade(call(wanted), [simulated(wanted, TWO_POOLS)])
    assert causes(graded.outcomes) == [Cause.UPSTREAM, Cause.MOVED_INSIDE_TRANSACTION]


def test_balance_of_an_explained_intent_makes_the_next_one_upstream() -> None:
    rest = intent(BalanceIn(0, (0,), 0), hop(WETH_DOLLAR, WETH))
    ledger = Ledger(WETH_TAXED, WETH_DOLLAR)
    ether = ledger.swap(WETH_TAXED, TAXED, 45 * ETHER)
    ledger.swap(WETH_DOLLAR, WETH, ether, payer=ROUTER)
    first = simulated(SELL_TAXED, [WETH_TAXED])
    as_exact_in = structs.replace(rest, size=ExactIn(first.amount_out, 0))
    second = structs.replace(simulated(as_exact_in, [WETH_DOLLAR]), intent=rest)
    graded = ledger.grade(call(SELL_TAXED, rest), [first, second])
    assert causes(graded.outcomes) == [Cause.FEE_ON_TRANSFER, Cause.UPSTREAM]


def test_pool_moved_ahead_names_the_transactions_that_moved_it() -> None:
    ledger = Ledger(structs.replace(WETH_TAXED, reserve0=WETH_TAXED.reserve0 + ETHER))
    now = ledger.pools[WETH_TAXED.address]
    ledger.swap(now, WETH, 2 * ETHER)
    in_block_order, predicted = simulated(BUY_TAXED, [now]), simulated(BUY_TAXED, [WETH_TAXED])
    movers = {WETH_TAXED.address: (OTHER_TX,), WETH_DOLLAR.address: ("0x" + "03" * 32,)}
    (outcome,) = ledger.grade(call(BUY_TAXED), [in_block_order], [predicted], movers=movers).outcomes
    assert (outcome.cause, outcome.moved_by, outcome.error_in_block_order) == (Cause.MOVED_AHEAD, (OTHER_TX,), 0)
    assert outcome.error_as_predicted == in_block_order.amount_out - predicted.amount_out


def test_purchase_that_pays_forward_and_cost_more_than_predicted_was_moved_ahead() -> None:
    wanted = intent(ExactOut(3 * ETHER, 10 * ETHER, pays_forward=True), hop(WETH_TAXED, WETH))
    moved = WETH_TAXED.swap_exact_in(WETH, 5 * ETHER).after
    assert isinstance(moved, V2Pool)
    predicted, in_block_order = simulated(wanted, [WETH_TAXED]), simulated(wanted, [moved])
    ledger = Ledger(moved)
    ledger.settle(moved, WETH, in_block_order.amount_in, in_block_order.amount_out)
    movers = {WETH_TAXED.address: (OTHER_TX,)}
    (outcome,) = ledger.grade(call(wanted), [in_block_order], [predicted], movers=movers).outcomes
    assert (outcome.cause, outcome.moved_by, outcome.error_in_block_order) == (Cause.MOVED_AHEAD, (OTHER_TX,), 0)
    assert outcome.error_as_predicted == in_block_order.amount_in - predicted.amount_in > 0


def test_other_prediction_without_anybody_who_moved_the_pool_is_unexplained() -> None:
    ledger = Ledger(structs.replace(WETH_TAXED, reserve0=WETH_TAXED.reserve0 + ETHER))
    now = ledger.pools[WETH_TAXED.address]
    ledger.swap(now, WETH, 2 * ETHER)
    graded = ledger.grade(call(BUY_TAXED), [simulated(BUY_TAXED, [now])], [simulated(BUY_TAXED, [WETH_TAXED])])
    assert causes(graded.outcomes) == [Cause.UNEXPLAINED]


def test_prediction_without_a_state_in_block_order_is_exact_or_unexplained() -> None:
    for sent, cause in ((2 * ETHER, Cause.EXACT), (3 * ETHER, Cause.UNEXPLAINED)):
        ledger = Ledger(WETH_TAXED)
        ledger.swap(WETH_TAXED, WETH, sent)
        (outcome,) = ledger.grade(call(BUY_TAXED), [None], [simulated(BUY_TAXED, [WETH_TAXED])]).outcomes
        assert (outcome.cause, outcome.error_in_block_order) == (cause, None)


def test_intent_without_prediction_and_state_has_no_outcome_but_counts_as_executed() -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, 2 * ETHER)
    graded = ledger.grade(call(BUY_TAXED), [None])
    assert (graded.outcomes, graded.executed) == ((), (True,))


@pytest.mark.parametrize(
    ("reverts", "succeeded", "grade"),
    [
        ("too little", False, RevertGrade.RIGHT),
        ("", False, RevertGrade.MISSED),
        ("too little", True, RevertGrade.FALSE_ALARM),
        ("", True, RevertGrade.NONE),
    ],
)
def test_revert_is_graded_against_the_status(reverts: str, succeeded: bool, grade: RevertGrade) -> None:
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, 2 * ETHER)
    graded = ledger.grade(call(BUY_TAXED), [simulated(BUY_TAXED, [WETH_TAXED], reverts)], succeeded=succeeded)
    assert (graded.revert, {outcome.revert for outcome in graded.outcomes}) == (grade, {grade})


def test_reverted_transaction_has_no_mined_amounts_and_executes_nothing() -> None:
    graded = Ledger(WETH_TAXED).grade(call(BUY_TAXED), [simulated(BUY_TAXED, [WETH_TAXED], "late")], succeeded=False)
    (outcome,) = graded.outcomes
    assert (outcome.mined_amount_in, outcome.error_in_block_order, outcome.cause) == (None, None, Cause.EXACT)
    assert graded.executed == (False,)


def test_revert_that_only_block_order_foresees_was_moved_ahead() -> None:
    ledger = Ledger(WETH_TAXED)
    foreseen, predicted = simulated(BUY_TAXED, [WETH_TAXED], "too little"), simulated(BUY_TAXED, [WETH_TAXED])
    movers = {WETH_TAXED.address: (OTHER_TX,)}
    (outcome,) = ledger.grade(call(BUY_TAXED), [foreseen], [predicted], movers=movers, succeeded=False).outcomes
    assert (outcome.cause, outcome.moved_by, outcome.revert) == (Cause.MOVED_AHEAD, (OTHER_TX,), RevertGrade.MISSED)


def test_call_that_is_not_wholly_simulated_has_no_revert_grade() -> None:
    known = simulated(BUY_TAXED, [WETH_TAXED], "too little")
    partial = call(BUY_TAXED, completeness=Completeness.PARTIAL)
    assert Ledger(WETH_TAXED).grade(partial, [known], succeeded=False).revert is RevertGrade.NONE
    assert Ledger(WETH_TAXED).grade(call(BUY_TAXED, SELL_TAXED), [known, None], succeeded=False).revert is RevertGrade.NONE


def test_late_call_is_graded_though_the_rest_of_it_is_unknown() -> None:
    late = simulated(BUY_TAXED, [WETH_TAXED], "deadline passed: the block's time is 2, the deadline 1")
    partial = call(BUY_TAXED, SELL_TAXED, completeness=Completeness.PARTIAL)
    assert Ledger(WETH_TAXED).grade(partial, [late, None], succeeded=False).revert is RevertGrade.RIGHT


def test_intent_that_may_fail_neither_fails_the_call_nor_needs_a_log() -> None:
    optional = intent(ExactIn(2 * ETHER, 10**30), hop(WETH_TAXED, WETH), scopes=(1,))
    ledger = Ledger(*TWO_POOLS)
    second = intent(ExactIn(ETHER, 0), hop(TAXED_DOLLAR, TAXED))
    ledger.swap(TAXED_DOLLAR, TAXED, ETHER)
    results = [simulated(optional, [WETH_TAXED], "too little"), simulated(second, [TAXED_DOLLAR])]
    graded = ledger.grade(call(optional, second), results)
    assert (graded.executed, graded.revert, causes(graded.outcomes)) == ((False, True), RevertGrade.NONE, [Cause.EXACT] * 2)


def test_log_goes_to_the_intent_that_must_succeed_before_the_one_that_may_fail() -> None:
    optional = intent(ExactIn(2 * ETHER, 0), hop(WETH_TAXED, WETH), scopes=(1,))
    must = intent(ExactIn(ETHER, 0), hop(WETH_TAXED, WETH))
    ledger = Ledger(WETH_TAXED)
    ledger.swap(WETH_TAXED, WETH, ETHER)
    results = [simulated(optional, [WETH_TAXED], "too little"), simulated(must, [WETH_TAXED])]
    assert ledger.grade(call(optional, must), results).executed == (False, True)


def test_mandatory_hop_without_any_log_is_unexplained() -> None:
    graded = Ledger(WETH_TAXED).grade(call(BUY_TAXED), [simulated(BUY_TAXED, [WETH_TAXED])])
    assert (causes(graded.outcomes), graded.executed) == ([Cause.UNEXPLAINED], (True,))


@given(st.lists(st.integers(10**15, 10**20), min_size=1, max_size=5))
def test_intents_over_one_pool_take_its_swaps_in_order(amounts: list[int]) -> None:
    ledger = Ledger(WETH_TAXED)
    intents = [intent(ExactIn(amount, 0), hop(WETH_TAXED, WETH)) for amount in amounts]
    results = []
    for amount, each in zip(amounts, intents, strict=True):
        results.append(simulated(each, [ledger.pools[WETH_TAXED.address]]))
        ledger.swap(WETH_TAXED, WETH, amount)
    graded = ledger.grade(call(*intents), results)
    assert [(outcome.cause, outcome.mined_amount_in) for outcome in graded.outcomes] == [(Cause.EXACT, each) for each in amounts]
