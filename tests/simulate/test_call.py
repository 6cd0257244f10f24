"""A call's intents in order: what each does to the next, to the whole, and to what is unknown."""

from __future__ import annotations

from msgspec.structs import replace

from mempool.model.swap import BalanceIn, ExactIn
from mempool.simulate import simulate, simulate_call
from tests.amm.pools import TOKEN0, TOKEN1
from tests.simulate.swaps import DEEP, FIRST, NOW, SECOND, THIRD, call, hop, intent, view


def test_each_intent_meets_the_pools_as_the_ones_before_left_them() -> None:
    result = simulate_call(call(intent(), intent()), view(), NOW)
    first, second = result.results
    assert second.hops[0].before is first.hops[0].after
    assert second.amount_out < first.amount_out
    assert result.after.pool(FIRST.address) is second.hops[0].after
    assert result.after.pool(DEEP.address) is DEEP
    assert result.reverts == ""


def test_balance_of_an_earlier_intent_is_sold_by_a_later_one() -> None:
    result = simulate_call(call(intent(), intent(BalanceIn(0, (0,), 0), hop(SECOND, TOKEN1))), view(), NOW)
    assert result.results[1].amount_in == result.results[0].amount_out


def test_call_that_reverts_leaves_the_pools_as_they_were() -> None:
    before = view()
    result = simulate_call(call(intent(), intent(ExactIn(10**18, 10**30)), intent()), before, NOW)
    assert result.reverts.startswith("too little received")
    assert result.after is before
    assert [bool(each.reverts) for each in result.results] == [False, True, False]


def test_swaps_that_bring_too_little_together_revert_the_call() -> None:
    before = view()
    alone = simulate_call(call(intent(), intent()), before, NOW).results
    together = sum(result.amount_out for result in alone)
    for least, reverts in ((together + 5, False), (together + 6, True)):
        both = replace(call(intent(), intent()), joint_minimums=(BalanceIn(5, (0, 1), least),))
        result = simulate_call(both, before, NOW)
        assert [bool(each.reverts) for each in result.results] == [False, reverts]
        assert (bool(result.reverts), result.after is before) == (reverts, reverts)


def test_intent_that_may_fail_is_undone_and_the_call_goes_on() -> None:
    optional = intent(ExactIn(10**18, 10**30), scopes=(1,))
    result = simulate_call(call(optional, intent()), view(), NOW)
    assert result.reverts == ""
    assert result.results[1].hops[0].before is FIRST
    assert result.results[0].reverts


def test_missed_deadline_is_the_whole_call_s_even_where_intents_may_fail() -> None:
    result = simulate_call(call(intent(deadline=NOW - 1, scopes=(1,))), view(), NOW)
    assert result.reverts.startswith("deadline passed")


def test_unknown_pool_stops_only_the_intents_that_need_it() -> None:
    through_unknown = intent(ExactIn(10**18, 0), hop(FIRST, TOKEN0), hop(SECOND, TOKEN1))
    on_doubtful = intent(ExactIn(10**18, 0), hop(FIRST, TOKEN0))
    sells_unknown = intent(BalanceIn(0, (0,), 0), hop(THIRD, TOKEN1))
    independent = intent(ExactIn(10**18, 0), hop(DEEP, TOKEN0))
    known = view(FIRST, DEEP, THIRD)
    result = simulate_call(call(through_unknown, on_doubtful, sells_unknown, independent), known, NOW)
    assert [index for index, _ in result.unknown] == [0, 1, 2]
    assert [(error.pool, error.missing) for _, error in result.unknown[:2]] == [(SECOND.address, "the pool")] * 2
    assert list(result.by_intent()) == [(3, simulate(independent, known, NOW))]
    assert result.by_index[:3] == (None, None, None)


def test_call_without_intents_changes_nothing() -> None:
    before = view()
    result = simulate_call(call(), before, NOW)
    assert (result.results, result.unknown, result.reverts) == ((), (), "")
    assert result.after is before


def test_failing_swap_undoes_the_others_of_its_scope_and_nothing_else() -> None:
    before, undone, failing = intent(), intent(scopes=(1,)), intent(ExactIn(10**18, 10**30), scopes=(1,))
    result = simulate_call(call(before, undone, failing, intent()), view(), NOW)
    alone = simulate_call(call(before, intent()), view(), NOW)
    assert result.reverts == ""
    assert [bool(each.reverts) for each in result.results] == [False, True, True, False]
    assert result.after.pool(FIRST.address) == alone.after.pool(FIRST.address)
    assert result.results[3].amount_out == alone.results[1].amount_out


def test_scope_that_fails_inside_another_leaves_the_outer_one_standing() -> None:
    outer, inner = intent(scopes=(1,)), intent(ExactIn(10**18, 10**30), scopes=(1, 2))
    result = simulate_call(call(outer, inner), view(), NOW)
    assert [bool(each.reverts) for each in result.results] == [False, True]


def test_swap_that_fails_only_because_of_an_undone_one_is_not_undone_with_it() -> None:
    least = simulate_call(call(intent()), view(), NOW).results[0].amount_out
    moves, fails = intent(scopes=(1,)), intent(ExactIn(10**18, 10**30), scopes=(1,))
    needs = intent(ExactIn(10**18, least), scopes=(2,))
    result = simulate_call(call(moves, fails, needs), view(), NOW)
    assert [bool(each.reverts) for each in result.results] == [True, True, False]


def test_pool_that_an_undone_unknown_intent_would_have_moved_is_known_again() -> None:
    through_unknown = intent(ExactIn(10**18, 0), hop(FIRST, TOKEN0), hop(SECOND, TOKEN1), scopes=(1,))
    failing = intent(ExactIn(10**18, 10**30), hop(DEEP, TOKEN0), scopes=(1,))
    result = simulate_call(call(through_unknown, failing, intent()), view(FIRST, DEEP), NOW)
    assert [index for index, _ in result.unknown] == [0]
    assert result.by_index[2] == simulate(intent(), view(FIRST, DEEP), NOW)
