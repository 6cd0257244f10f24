"""One step against the numbers that SwapMath's and SqrtPriceMath's own tests publish."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import pytest

from mempool.amm.sqrt_price_math import (
    PoolReverts,
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
    price_after_amount0_in,
    price_after_amount0_out,
    price_after_amount1_in,
    price_after_amount1_out,
)
from mempool.amm.swap_step import Step, step_exact_in, step_exact_out
from mempool.amm.tick_math import Q96

ETHER = 10**18
StepFunction = Callable[[int, int, int, int, int], Step]


def sqrt_price(numerator: int, denominator: int) -> int:
    return isqrt((numerator << 192) // denominator)


@pytest.mark.parametrize("step", [step_exact_in, step_exact_out])
def test_step_is_capped_at_the_target(step: StepFunction) -> None:
    target = sqrt_price(101, 100)
    taken, fee, paid = 9975124224178055, 5988667735148, 9925619580021728
    assert step(Q96, target, 2 * ETHER, ETHER, 600) == (target, taken + fee, paid)


def test_exact_in_that_stops_short_spends_all() -> None:
    after, amount_in, amount_out = step_exact_in(Q96, sqrt_price(1000, 100), 2 * ETHER, ETHER, 600)
    assert (amount_in, amount_out) == (ETHER, 666399946655997866)
    assert after == price_after_amount1_in(Q96, 2 * ETHER, 999400000000000000)


def test_exact_out_that_stops_short_pays_all() -> None:
    after, amount_in, amount_out = step_exact_out(Q96, sqrt_price(10_000, 100), 2 * ETHER, ETHER, 600)
    assert (amount_in, amount_out) == (2 * ETHER + 1200720432259356, ETHER)
    assert after == price_after_amount0_out(Q96, 2 * ETHER, ETHER)


def test_rounding_grants_no_more_than_the_amount_asked() -> None:
    price = 417332158212080721273783715441582
    step = step_exact_out(price, 1452870262520218020823638996, 159344665391607089467575320103, 1, 1)
    assert step == (price - 1, 2, 1)


def test_target_of_one_takes_part_of_the_input() -> None:
    step = step_exact_in(2, 1, 1, 3915081100057732413702495386755767, 1)
    assert step == (1, 39614081257132168796771975168 + 39614120871253040049813, 0)


def test_whole_input_can_go_as_fee() -> None:
    step = step_exact_in(2413, 79887613182836312, 1985041575832132834610021537970, 10, 1872)
    assert step == (2413, 10, 0)


def test_exact_out_beyond_the_range_s_liquidity_stops_at_the_target() -> None:
    price = 20282409603651670423947251286016
    up, down = price * 11 // 10, price * 9 // 10
    assert step_exact_out(price, up, 1024, 4, 3000) == (up, 26215 + 79, 0)
    assert step_exact_out(price, down, 1024, 263000, 3000) == (down, 1 + 1, 26214)


def test_amounts_between_two_prices_differ_by_their_rounding() -> None:
    low, high = Q96, sqrt_price(121, 100)
    assert amount0_rounding_up(low, high, ETHER) == 90909090909090910
    assert amount0_rounding_down(low, high, ETHER) == 90909090909090909
    assert amount1_rounding_up(low, high, ETHER) == 100000000000000000
    assert amount1_rounding_down(low, high, ETHER) == 99999999999999999


def test_price_after_a_product_beyond_256_bits_takes_the_contract_s_coarser_formula() -> None:
    # SqrtPriceMath's own tests: a minimum price of 1 whatever comes in, and no overflow on the way.
    assert price_after_amount0_in(Q96, 1, 2**255) == 1
    assert price_after_amount0_in(2**160 - 1, 2**128 - 1, 2**256 - 1 - ((2**128 - 1 << 96) // (2**160 - 1))) == 1


def test_asking_more_than_the_reserves_reverts() -> None:
    price = 20282409603651670423947251286016
    for amount in (4, 5):
        with pytest.raises(PoolReverts):
            price_after_amount0_out(price, 1024, amount)
    for amount in (262144, 262145):
        with pytest.raises(PoolReverts):
            price_after_amount1_out(price, 1024, amount)
    assert price_after_amount1_out(price, 1024, 262143) == 77371252455336267181195264


def test_price_beyond_160_bits_reverts() -> None:
    with pytest.raises(PoolReverts, match="160 bits"):
        price_after_amount1_in(2**160 - 1, 1024, 1024)
    with pytest.raises(PoolReverts):
        price_after_amount0_out(Q96, 1, 2**255)
