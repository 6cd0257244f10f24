"""The best size of a pool's trade against a ladder: as good as any other, to the pool's own rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool
from mempool.books.depth import BookDepth
from mempool.books.ladder import Ladder
from mempool.books.merge import NO_FEES, ladder_of
from mempool.books.money import FeesPips, other_asset
from mempool.detect.cross_view import Coin, Pair
from mempool.detect.pool_size import FLOAT_PART, PoolSide, PoolSize, best_size, same_size
from mempool.detect.steps import Steps, steps_of
from mempool.model.book import Level
from mempool.model.consolidated import Trade
from mempool.model.pool import PoolState
from tests.amm.pools import BOUNDED, TOKEN0, TOKEN1, v2_pool, v3_pool, v3_pools
from tests.books.venues import BINANCE, BYBIT, FEES, KRAKEN
from tests.detect.cross_scenes import CIRCLE_TETHER, gain_at

TRADES = st.sampled_from(Trade)
USDC_LEGS = (
    BookDepth(CIRCLE_TETHER, (Level(9995, 10**6), Level(9980, 10**9)), (Level(10_001, 10**6), Level(10_020, 10**9)), 4, 1),
)


def pair(base_decimals: int = 0, money_decimals: int = 0, *, base_is_token0: bool = True, money: str = "USD") -> Pair:
    tokens = (TOKEN0, TOKEN1) if base_is_token0 else (TOKEN1, TOKEN0)
    base, dollar = Coin(tokens[0], "ETH", base_decimals, is_dollar=False), Coin(tokens[1], money, money_decimals, is_dollar=True)
    return Pair(base, dollar, (), {})


def one_sided(levels: Sequence[tuple[int, int]], decimals: tuple[int, int] = (0, 0)) -> BookDepth:
    """The same levels on both sides, since only one is taken."""
    falling = sorted((Level(price, size) for price, size in levels), key=lambda level: -level.price)
    return BookDepth(KRAKEN, tuple(falling), tuple(reversed(falling)), *decimals)


class Rungs(NamedTuple):
    """The same books as the steps that are looked for in, and as the ladder that tells what a size comes to."""

    steps: Steps
    ladder: Ladder


def rungs_of(
    trade: Trade, books: Sequence[BookDepth], money: str = "USD", legs: Sequence[BookDepth] = (), fees: FeesPips = NO_FEES
) -> Rungs:
    by_asset = {other_asset(leg.instrument, money): leg for leg in legs}
    joined = [book for book in books if book.instrument.quote == money or book.instrument.quote in by_asset]
    return Rungs(steps_of(trade, money, joined, by_asset, fees), ladder_of(trade, money, books, legs, fees))


def rungs(trade: Trade, levels: Sequence[tuple[int, int]], decimals: tuple[int, int] = (0, 0)) -> Rungs:
    return rungs_of(trade, [one_sided(levels, decimals)])


def best(pool: PoolState, two: Pair, offered: Rungs) -> PoolSize | None:
    return best_size(PoolSide(pool, two, offered.steps.trade), offered.steps)


def same(pool: PoolState, two: Pair, offered: Rungs, size: PoolSize) -> PoolSize | None:
    return same_size(PoolSide(pool, two, offered.steps.trade), offered.steps, size)


def gain_of(pool: PoolState, two: Pair, offered: Rungs, size: PoolSize) -> Fraction:
    gain = gain_at(pool, two, offered.ladder, size.amount_in)
    assert gain is not None
    return gain


def rounding(pool: PoolState, two: Pair, offered: Rungs, amount_in: int) -> Fraction:
    """What the pool's rounding may cost: a smallest unit of what it pays for each range that it passes; what floats may, too."""
    best_rung, is_sale = offered.ladder.rungs[0], offered.steps.trade is Trade.SELL
    unit_in, unit_out = (Fraction(1, 10**coin.decimals) for coin in ((two.money, two.base) if is_sale else (two.base, two.money)))
    base_price = Fraction(best_rung.price, 10**offered.ladder.price_decimals)
    paid, put_in = (unit_out * base_price, unit_in) if is_sale else (unit_out, unit_in * base_price)
    return paid if isinstance(pool, V2Pool) else 15 * paid + Fraction(FLOAT_PART) * amount_in * put_in


def assert_none_better(pool: PoolState, two: Pair, offered: Rungs, amounts: Iterable[int]) -> None:
    """Beside the given amounts, those about the best one are tried."""
    found = best(pool, two, offered)
    gain = Fraction() if found is None else gain_of(pool, two, offered, found)
    if found is not None:
        assert gain > 0
        top = found.amount_in
        near = [top + more for more in (-1000, -2, -1, 1, 2, 1000)]
        amounts = [*amounts, top * 101 // 100, top * 99 // 100, *near]
    most = gain + rounding(pool, two, offered, 0 if found is None else found.amount_in)
    for amount_in in amounts:
        other = gain_at(pool, two, offered.ladder, amount_in) if amount_in > 0 else None
        assert other is None or other <= most, amount_in


@pytest.mark.parametrize("trade", Trade)
def test_top_inside_a_level_is_where_the_pools_next_unit_costs_what_the_level_pays(trade: Trade) -> None:
    # sqrt(1000 * 4000) = 2000: a pool without fee at 4 goes to 1 (or to 16 the other way) with 1000 (or 500) of the base.
    pool = v2_pool(1000, 4000, fee_pips=0)
    price = 16 if trade is Trade.SELL else 1
    offered = rungs(trade, [(price, 10_000)])
    found = best(pool, pair(), offered)
    assert found is not None
    assert (found.amount_in, found.amount_out) == ((4000, 500) if trade is Trade.SELL else (1000, 2000))
    assert gain_of(pool, pair(), offered, found) == (500 * 16 - 4000 if trade is Trade.SELL else 2000 - 1000)
    assert not found.may_be_more


def test_top_at_the_end_of_a_level_takes_all_of_it_and_nothing_of_the_next() -> None:
    pool = v2_pool(10**9, 4 * 10**9, fee_pips=0)
    found = best(pool, pair(), rungs(Trade.BUY, [(1, 1000), (4, 1000)]))
    assert found is not None
    assert (found.amount_in, found.fills) == (1000, {KRAKEN: Fraction(1000)})


def test_nothing_gains_where_the_best_level_is_no_better_than_the_pool_after_its_fee() -> None:
    pool = v2_pool(10**9, 10**12, fee_pips=3000)
    assert best(pool, pair(), rungs(Trade.BUY, [(998, 10**6)])) is None
    assert best(pool, pair(), rungs(Trade.SELL, [(1003, 10**6)])) is None
    assert best(pool, pair(), rungs(Trade.BUY, [(996, 10**6)])) is not None
    assert best(pool, pair(), rungs(Trade.SELL, [(1004, 10**6)])) is not None


def test_empty_pool_and_empty_ladder_give_nothing() -> None:
    for trade in Trade:
        assert best(v2_pool(0, 0), pair(), rungs(trade, [(5, 5)])) is None
        assert best(v2_pool(1000, 1000), pair(), rungs(trade, [])) is None


def test_size_that_a_list_cuts_off_may_be_more() -> None:
    pool, whole = v2_pool(10**9, 4 * 10**9), one_sided([(1, 1000)])
    cut = BookDepth(KRAKEN, whole.bids, whole.asks, 0, 0, bids_go_on=True, asks_go_on=True)
    for depth, may_be_more in ((whole, False), (cut, True)):
        found = best(pool, pair(), rungs_of(Trade.BUY, [depth]))
        assert found is not None
        assert found.may_be_more is may_be_more


def test_size_inside_a_list_that_goes_on_is_certain() -> None:
    whole = one_sided([(1, 10**9)])
    cut = BookDepth(KRAKEN, whole.bids, whole.asks, 0, 0, bids_go_on=True, asks_go_on=True)
    found = best(v2_pool(1000, 4000), pair(), rungs_of(Trade.BUY, [cut]))
    assert found is not None
    assert not found.may_be_more


def test_known_ticks_end_the_trade_and_it_may_be_more() -> None:
    pool = v3_pool([(-60_000, 60_000, 10**21)], fee_pips=3000)
    words = {word: bits for word, bits in pool.ticks.words.items() if word in (-1, 0)}
    partly = V3Pool(
        pool.address,
        pool.token0,
        pool.token1,
        pool.fee_pips,
        pool.sqrt_price_x96,
        pool.tick,
        pool.liquidity,
        TickTable(pool.address, 60, words, pool.ticks.ticks),
    )
    two, cheap = pair(18, 18), rungs(Trade.BUY, [(1, 10**9)], (1, 0))
    found, all_known = best(partly, two, cheap), best(pool, two, cheap)
    assert found is not None
    assert all_known is not None
    assert (found.may_be_more, all_known.may_be_more) == (True, False)
    assert 0 < gain_of(partly, two, cheap, found) < gain_of(pool, two, cheap, all_known)
    # To the last tick of the last known word, where the price is 1.0001**-15360 = 0.2153.
    after = partly.swap_exact_in(TOKEN0, found.amount_in).after
    assert -15_360 <= getattr(after, "tick") <= -15_359  # noqa: B009


def test_end_of_all_liquidity_ends_the_trade() -> None:
    pool = v3_pool([(-600, 600, 10**18)], fee_pips=3000)
    found = best(pool, pair(18, 18), rungs(Trade.BUY, [(1, 10**9)], (1, 0)))
    assert found is not None
    assert 0 <= pool.swap_exact_in(TOKEN0, 10**30).amount_in - found.amount_in <= 1
    assert not found.may_be_more


def test_same_size_is_less_where_a_ladder_of_purchases_has_less() -> None:
    pool = v2_pool(10**9, 4 * 10**9)
    wide = best(pool, pair(), rungs(Trade.BUY, [(1, 1000)]))
    assert wide is not None
    found = same(pool, pair(), rungs(Trade.BUY, [(5, 300)]), wide)
    assert found is not None
    assert found.amount_in == 300
    assert same(pool, pair(), rungs(Trade.BUY, []), wide) is None


def test_amount_in_is_the_least_that_the_pool_pays_so_many_coarse_units_for() -> None:
    pool, two = v2_pool(1000 * 10**18, 3_000_000 * 100, 3000), pair(18, 2)
    found = best(pool, two, rungs(Trade.BUY, [(2900, 1000)]))
    assert found is not None
    assert pool.swap_exact_in(TOKEN0, found.amount_in - 1).amount_out == found.amount_out - 1


small_levels = st.dictionaries(st.integers(1, 60), st.integers(1, 120), min_size=1, max_size=5).map(
    lambda each: list(each.items())
)


@BOUNDED
@given(TRADES, st.integers(50, 1500), st.integers(50, 1500), st.sampled_from([0, 3000, 10_000]), small_levels, st.booleans())
def test_size_in_a_small_pair_is_the_best_of_all_sizes(
    trade: Trade, reserve0: int, reserve1: int, fee_pips: int, levels: list[tuple[int, int]], base_is_token0: bool
) -> None:
    pool, two = v2_pool(reserve0, reserve1, fee_pips), pair(base_is_token0=base_is_token0)
    assert_none_better(pool, two, rungs(trade, levels, (1, 0)), range(1, 600))


@st.composite
def priced_pools(draw: st.DrawFn) -> tuple[PoolState, Pair]:
    """A pair of real size around 2000 of the money for one of the base, in decimals as tokens have them."""
    decimals = draw(st.sampled_from([(18, 6), (6, 18), (18, 18), (8, 2), (8, 6)]))
    two = pair(*decimals, base_is_token0=draw(st.booleans()), money=draw(st.sampled_from(["USD", "USDC"])))
    base = draw(st.integers(1, 10**5)) * 10 ** decimals[0] + draw(st.integers(0, 10 ** decimals[0]))
    money = base * draw(st.integers(1800, 2200)) * 10 ** decimals[1] // 10 ** decimals[0] + draw(
        st.integers(1, 10 ** decimals[1])
    )
    fee_pips = draw(st.sampled_from([0, 100, 3000]))
    return (v2_pool(base, money, fee_pips) if two.base.token == TOKEN0 else v2_pool(money, base, fee_pips)), two


@st.composite
def real_books(draw: st.DrawFn) -> BookDepth:
    instrument = draw(st.sampled_from([KRAKEN, BYBIT, BINANCE]))
    decimals, size_decimals = draw(st.integers(0, 2)), draw(st.integers(0, 8))
    prices = draw(st.sets(st.integers(1700 * 10**decimals, 2300 * 10**decimals), min_size=1, max_size=6))
    falling = sorted(
        (Level(price, draw(st.integers(1, 10 ** (size_decimals + 3)))) for price in prices), key=lambda each: -each.price
    )
    return BookDepth(instrument, tuple(falling), tuple(reversed(falling)), decimals, size_decimals)


@BOUNDED
@given(
    priced_pools(),
    TRADES,
    st.lists(real_books(), min_size=1, max_size=3, unique_by=lambda each: each.instrument),
    st.sampled_from([NO_FEES, FEES]),
    st.lists(st.integers(1, 10**24), max_size=5),
)
def test_no_other_size_in_a_pair_gains_more(
    priced: tuple[PoolState, Pair], trade: Trade, books: list[BookDepth], fees: FeesPips, others: list[int]
) -> None:
    pool, two = priced
    offered = rungs_of(trade, books, two.money.asset, USDC_LEGS if two.money.asset == "USDC" else (), fees)
    assume(offered.ladder.rungs)
    assert_none_better(pool, two, offered, others)


@BOUNDED
@given(
    v3_pools(),
    TRADES,
    st.booleans(),
    st.lists(st.tuples(st.integers(-40, 40), st.integers(1, 10**9)), min_size=1, max_size=6),
    st.lists(st.integers(1, 10**26), max_size=5),
)
def test_no_other_size_over_ticks_gains_more(
    pool: V3Pool, trade: Trade, base_is_token0: bool, offsets: list[tuple[int, int]], others: list[int]
) -> None:
    two = pair(18, 18, base_is_token0=base_is_token0)
    money, base = pool.mid_price(two.base.token)
    prices = {max(money * 10**12 * (100 + offset) // (100 * base), 1): size for offset, size in offsets}
    assert_none_better(pool, two, rungs(trade, list(prices.items()), (12, 4)), others)
