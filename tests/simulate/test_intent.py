"""One intent as its router runs it: amounts, impact, and the reasons to revert."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace

from mempool.amm.tick_math import sqrt_ratio_at_tick
from mempool.amm.uniswap_v2 import amount_in_rounding_up, amount_out_rounding_down
from mempool.errors import StateUnknown
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut
from mempool.simulate import simulate
from tests.amm.pools import TOKEN0, TOKEN1, TOKEN2, v2_pool
from tests.simulate.swaps import BLOCK, DEEP, FIRST, NOW, SECOND, THIRD, hop, intent, view


def test_exact_in_runs_forwards_and_shows_every_hop() -> None:
    asked = intent(ExactIn(10**18, 1), hop(FIRST, TOKEN0), hop(SECOND, TOKEN1))
    result = simulate(asked, view(), NOW)
    between = amount_out_rounding_down(10**18, FIRST.reserve0, FIRST.reserve1, 3000)
    paid = amount_out_rounding_down(between, SECOND.reserve0, SECOND.reserve1, 3000)
    assert (result.amount_in, result.amount_out, result.reverts, result.block) == (10**18, paid, "", BLOCK)
    assert [(each.amount_in, each.amount_out) for each in result.hops] == [(10**18, between), (between, paid)]
    assert [each.before for each in result.hops] == [FIRST, SECOND]
    assert result.hops[0].after == FIRST.swap_exact_in(TOKEN0, 10**18).after
    assert result.intent is asked


def test_router02_pays_exactly_what_was_bought_and_forward_payers_slightly_more() -> None:
    exact = v2_pool(10**6, 10**9)
    wanted = 123_456
    amount_in = amount_in_rounding_up(wanted, 10**6, 10**9, 3000)
    backward = simulate(intent(ExactOut(wanted, 10**6), hop(exact, TOKEN0)), view(exact), NOW)
    forward = simulate(intent(ExactOut(wanted, 10**6, pays_forward=True), hop(exact, TOKEN0)), view(exact), NOW)
    assert (backward.amount_in, backward.amount_out) == (amount_in, wanted)
    assert (forward.amount_in, forward.amount_out) == (amount_in, amount_out_rounding_down(amount_in, 10**6, 10**9, 3000))
    assert forward.amount_out > wanted


def test_exact_out_over_v3_pools_runs_backwards() -> None:
    result = simulate(intent(ExactOut(10**18, 10**20), hop(DEEP, TOKEN0), hop(THIRD, TOKEN1)), view(), NOW)
    last = THIRD.swap_exact_out(TOKEN1, 10**18)
    first = DEEP.swap_exact_out(TOKEN0, last.amount_in)
    assert [each.after for each in result.hops] == [first.after, last.after]
    assert (result.amount_in, result.amount_out) == (first.amount_in, 10**18)


@pytest.mark.parametrize("size", [ExactIn(10**24, 0), ExactOut(10**23, 10**24)])
def test_price_limit_ends_the_swap_early_without_a_revert(size: ExactIn | ExactOut) -> None:
    limit = sqrt_ratio_at_tick(-30)
    result = simulate(intent(size, hop(DEEP, TOKEN0), limit=limit), view(), NOW)
    assert result.reverts == ""
    assert result.amount_in < 10**24
    assert result.amount_out < 10**23
    assert result.hops[0].after == DEEP.swap_exact_in(TOKEN0, 10**24, limit).after


def test_exact_out_that_the_pool_cannot_pay_in_full_reverts_without_a_limit() -> None:
    result = simulate(intent(ExactOut(10**24, 2**255), hop(DEEP, TOKEN0)), view(), NOW)
    assert "pays only" in result.reverts
    assert (result.hops, result.amount_in, result.amount_out) == ((), 0, 0)


def test_own_limit_is_named_with_its_numbers_and_the_amounts_are_still_shown() -> None:
    paid = simulate(intent(ExactIn(10**18, 0)), view(), NOW).amount_out
    assert simulate(intent(ExactIn(10**18, paid)), view(), NOW).reverts == ""
    short = simulate(intent(ExactIn(10**18, paid + 1)), view(), NOW)
    assert short.reverts == f"too little received: {paid} of at least {paid + 1}"
    assert short.amount_out == paid
    dear = simulate(intent(ExactOut(10**18, 7)), view(), NOW)
    assert dear.reverts == f"too much requested: {dear.amount_in} of at most 7"


def test_deadline_is_passed_only_after_its_second() -> None:
    assert simulate(intent(deadline=NOW), view(), NOW).reverts == ""
    late = simulate(intent(deadline=NOW - 1), view(), NOW)
    assert late.reverts == f"deadline passed: the block's time is {NOW}, the deadline {NOW - 1}"
    assert late.amount_out > 0


def test_late_intent_reverts_whatever_its_pools_are() -> None:
    late = simulate(intent(ExactIn(1, 0), hop(SECOND, TOKEN1), deadline=NOW - 1), view(FIRST), NOW)
    assert (late.reverts.startswith("deadline passed"), late.hops, late.amount_out) == (True, (), 0)


def test_swap_that_the_pool_refuses_reverts_with_the_pool_s_reason() -> None:
    result = simulate(intent(ExactIn(0, 0)), view(), NOW)
    assert "INSUFFICIENT_INPUT_AMOUNT" in result.reverts
    assert result.hops == ()


def test_balance_is_what_is_held_and_what_earlier_intents_bought() -> None:
    bought = simulate(intent(ExactIn(10**18, 0)), view(), NOW)
    failed = simulate(intent(ExactIn(10**18, 10**30)), view(), NOW)
    sells = intent(BalanceIn(5, (0, 1), 0), hop(SECOND, TOKEN1))
    assert simulate(sells, view(), NOW, [bought, failed]).amount_in == 5 + bought.amount_out
    with pytest.raises(StateUnknown, match="intent 1"):
        simulate(sells, view(), NOW, [bought, None])
    with pytest.raises(StateUnknown, match="intent 0"):
        simulate(sells, view(), NOW)


def test_absent_pool_is_named_and_never_taken_for_an_empty_one() -> None:
    with pytest.raises(StateUnknown) as error:
        simulate(intent(ExactIn(1, 0), hop(SECOND, TOKEN1)), view(FIRST), NOW)
    assert (error.value.pool, error.value.missing) == (SECOND.address, "the pool")


def test_intent_whose_amount_the_call_does_not_fix_is_unknown() -> None:
    vague = replace(intent(), completeness=Completeness.AMOUNT_UNKNOWN, reason="spends a balance")
    with pytest.raises(StateUnknown, match="spends a balance"):
        simulate(vague, view(), NOW)


def test_impact_is_measured_from_the_mid_price_before_the_hop() -> None:
    impact = simulate(intent(ExactIn(10**22, 0)), view(), NOW).hops[0].impact
    assert Fraction(impact.mid_numerator, impact.mid_denominator) == 3
    assert impact.with_fee == 1 - Fraction(impact.amount_out, 3 * 10**22)
    assert Fraction(9, 1000) < impact.without_fee < Fraction(1, 100) < impact.with_fee


def test_pool_that_stands_twice_is_shown_as_it_was_met() -> None:
    result = simulate(intent(ExactIn(10**18, 0), hop(DEEP, TOKEN0), hop(DEEP, TOKEN1)), view(), NOW)
    assert result.hops[1].before is result.hops[0].after
    assert result.amount_out < 10**18


def test_pair_that_follows_itself_in_a_path_is_not_paid() -> None:
    there_and_back = [hop(FIRST, TOKEN0), hop(FIRST, TOKEN1)]
    result = simulate(intent(ExactIn(10**18, 0), *there_and_back), view(), NOW)
    assert "INSUFFICIENT_INPUT_AMOUNT" in result.reverts


EXTREMES = (0, 1, 2, 2**112 - 1, 2**112, 2**128, 2**255 - 1, 2**255, 2**256 - 1)


@pytest.mark.parametrize("amount", EXTREMES)
@pytest.mark.parametrize("limit", [0, 1, sqrt_ratio_at_tick(-30), sqrt_ratio_at_tick(30), 2**160 - 1])
def test_extreme_amounts_and_limits_end_in_amounts_or_a_reason(amount: int, limit: int) -> None:
    paths = [
        [hop(FIRST, TOKEN0)],
        [hop(DEEP, TOKEN1)],
        [hop(FIRST, TOKEN0), hop(SECOND, TOKEN1)],
        [hop(DEEP, TOKEN0), hop(THIRD, TOKEN1)],
    ]
    for path in paths:
        for size in (ExactIn(amount, 0), ExactOut(amount, 2**256 - 1), ExactOut(amount, 2**256 - 1, pays_forward=True)):
            result = simulate(intent(size, *path, limit=limit), view(), NOW)
            assert result.reverts or result.amount_in > 0
            assert bool(result.hops) or (result.amount_in, result.amount_out) == (0, 0)


def test_token_of_the_last_hop_is_what_the_path_pays() -> None:
    asked = intent(ExactIn(10**18, 0), hop(DEEP, TOKEN0), hop(THIRD, TOKEN1))
    assert (asked.token_in, asked.token_out) == (TOKEN0, TOKEN2)
    assert (
        simulate(asked, view(), NOW).hops[1].after
        == THIRD.swap_exact_in(TOKEN1, DEEP.swap_exact_in(TOKEN0, 10**18).amount_out).after
    )
