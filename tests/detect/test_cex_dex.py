"""CEX-DEX arbitrage: what a swap opens between a pool and the books, to the unit, and what may not be believed of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v3 import V3Pool
from mempool.books.depth import BookDepth
from mempool.books.merge import ladder_of
from mempool.detect import GasAssumption
from mempool.detect.book_cycles import Terms
from mempool.detect.cex_dex import detect_cex_dex
from mempool.detect.cross_view import Assets
from mempool.model.arbitrage import ArbitrageKind, CexDexArbitrage, Rejection
from mempool.model.book import Instrument, Level
from mempool.model.consolidated import Trade
from mempool.model.pool import PoolState
from mempool.model.swap import ExactIn, SwapIntent
from tests.amm.pools import BOUNDED
from tests.amm.pools import v3_pool as v3_pool_of
from tests.books.venues import BINANCE, BYBIT, COINBASE, FEES, KRAKEN, OKX, SECOND, TETHER
from tests.detect.book_scenes import NOW, book, books_around
from tests.detect.cross_scenes import (
    CIRCLE_USD,
    ETH,
    FEELESS,
    TERMS,
    UNI_BOOK,
    USDC,
    assert_adds_up,
    assets,
    cross_scene,
    gain_at,
)
from tests.detect.scenes import BLOCK, COIN, DOLLAR, ETHER, GAS, NATIVE, OTHER, hop, intent, pair

MILLION = 10**6
USDC_POOL = pair(NATIVE, 1000 * ETHER, DOLLAR, 3_000_000 * MILLION)
USDT_POOL = pair(NATIVE, 1000 * ETHER, OTHER, 3_000_000 * MILLION)
SELLS_ETH = intent(ExactIn(50 * ETHER, 0), hop(USDC_POOL, NATIVE))
BUYS_ETH = intent(ExactIn(150_000 * MILLION, 0), hop(USDC_POOL, DOLLAR))
SELLS_FOR_USDT = intent(ExactIn(50 * ETHER, 0), hop(USDT_POOL, NATIVE))
AT_KRAKEN = book(KRAKEN, bids=[("2999.00", "5"), ("2998.00", "100")], asks=[("3001.00", "5"), ("3002.00", "100")])
AT_COINBASE = book(COINBASE, bids=[("2998.50", "2"), ("2997.00", "100")], asks=[("3000.50", "2"), ("3003.00", "100")])
AT_BINANCE = book(BINANCE, bids=[("2999.50", "4"), ("2999.00", "100")], asks=[("3000.00", "4"), ("3000.50", "100")])
AT_OKX = book(OKX, bids=[("2999.40", "3"), ("2998.00", "100")], asks=[("3000.20", "3"), ("3001.50", "100")])
AT_BYBIT = book(BYBIT, bids=[("2990.00", "50")], asks=[("3010.00", "50")])
USDC_IN_USD = book(CIRCLE_USD, bids=[("0.99", "900000")], asks=[("1.00", "9000"), ("1.01", "900000")])
USDT_IN_USD = book(TETHER, bids=[("0.99", "900000")], asks=[("1.00", "900000")])


def found(
    asked: SwapIntent, pools: Sequence[PoolState] | PoolState, *depths: BookDepth, terms: Terms = TERMS, **options: Any
) -> list[CexDexArbitrage]:
    known = options.pop("known", None)
    gas = options.pop("gas", GAS)
    view, cause = cross_scene(asked, pools if isinstance(pools, Sequence) else [pools], depths, known)
    made = list(detect_cex_dex(view, cause, gas, terms, **options))
    for one in made:
        if one.gas_cost is not None:
            assert_adds_up(one, view.assets, depths, terms.fees)
    return made


def traded(one: CexDexArbitrage) -> list[tuple[Instrument, Trade]]:
    return [(trade.instrument, trade.trade) for trade in one.trades]


def test_what_a_swap_sells_is_bought_in_the_pool_and_sold_at_the_exchange_through_the_leg() -> None:
    (one,) = found(SELLS_ETH, USDC_POOL, AT_KRAKEN, USDC_IN_USD)
    assert (one.kind, one.money, one.rejection, one.note) == (ArbitrageKind.CEX_DEX, "USDC", None, "")
    pool = one.pool_trade
    assert (pool.pool, pool.token_in, pool.token_out) == (USDC_POOL.address, DOLLAR, NATIVE)
    # Dollars from the sale buy USDC, at the asks.
    assert traded(one) == [(KRAKEN, Trade.SELL), (CIRCLE_USD, Trade.BUY)]
    sale, leg = one.trades
    assert sale.amount_in == Fraction(pool.amount_out, ETHER) > 10
    assert (sale.worst_price, leg.worst_price) == (Fraction(2998), Fraction("1.01"))
    assert leg.amount_in == sale.amount_out
    assert one.net_profit == leg.amount_out - Fraction(pool.amount_in, MILLION) > 1000
    assert one.gross_profit > one.net_profit
    assert one.standing_profit == 0
    assert (one.block_number, one.may_be_more) == (BLOCK.number, False)


def test_what_a_swap_buys_is_sold_to_the_pool_and_bought_at_the_exchange_through_the_leg() -> None:
    (one,) = found(BUYS_ETH, USDC_POOL, AT_KRAKEN, USDC_IN_USD)
    pool = one.pool_trade
    assert (pool.token_in, pool.token_out) == (NATIVE, DOLLAR)
    assert traded(one) == [(KRAKEN, Trade.BUY), (CIRCLE_USD, Trade.SELL)]
    purchase, leg = one.trades
    assert purchase.amount_out == Fraction(pool.amount_in, ETHER)
    assert leg.amount_out == purchase.amount_in
    assert one.net_profit == Fraction(pool.amount_out, MILLION) - leg.amount_in > 500


def test_pool_in_usdt_meets_books_in_usdt_without_a_leg() -> None:
    (one,) = found(SELLS_FOR_USDT, USDT_POOL, AT_BINANCE, AT_OKX)
    assert (one.money, {instrument for instrument, _ in traded(one)}) == ("USDT", {BINANCE, OKX})
    assert one.rejection is None


def test_books_of_several_moneys_are_taken_together_in_the_order_of_their_prices() -> None:
    (one,) = found(SELLS_FOR_USDT, USDT_POOL, AT_KRAKEN, AT_COINBASE, AT_BINANCE, AT_OKX, USDT_IN_USD, terms=FEELESS)
    assert [instrument for instrument, _ in traded(one)] == [BINANCE, OKX, KRAKEN, TETHER]
    (more,) = found(replace(SELLS_FOR_USDT, size=ExactIn(300 * ETHER, 0)), USDT_POOL, AT_KRAKEN, AT_COINBASE, USDT_IN_USD)
    assert [instrument for instrument, _ in traded(more)] == [KRAKEN, COINBASE, TETHER]


def test_leg_is_the_one_with_the_best_price_after_its_fee() -> None:
    cheaper = Instrument("coinbase", "USDC-USD", "USDC", "USD")
    better = book(cheaper, bids=[("0.99", "900000")], asks=[("1.00", "900000")])
    known = assets(instruments=(KRAKEN, CIRCLE_USD, cheaper))
    fees = {"kraken": 2600, "coinbase": 2500}
    (one,) = found(SELLS_ETH, USDC_POOL, AT_KRAKEN, USDC_IN_USD, better, known=known, terms=Terms("USD", fees))
    assert traded(one)[1] == (cheaper, Trade.BUY)
    (other,) = found(SELLS_ETH, USDC_POOL, AT_KRAKEN, USDC_IN_USD, better, known=known)
    assert traded(other)[1] == (CIRCLE_USD, Trade.BUY)


def v3_pool(low: int = -300_000, words: Sequence[int] | None = None) -> V3Pool:
    """About 3000 USDC for one of the native token, which is token 0: 3000e6 / 1e18 is 1.0001**-196,256."""
    made = v3_pool_of([(low, 100_200, 10**18)], -196_260, 3000)
    ticks = (
        made.ticks
        if words is None
        else TickTable(made.address, 60, {word: made.ticks.words[word] for word in words}, made.ticks.ticks)
    )
    return replace(made, token0=NATIVE, token1=DOLLAR, ticks=ticks)


@pytest.mark.parametrize("token_in", [NATIVE, DOLLAR])
def test_pool_with_ticks_fires_in_both_directions(token_in: bytes) -> None:
    pool = v3_pool()
    amount = 1000 * ETHER if token_in == NATIVE else 3_000_000 * MILLION
    (one,) = found(intent(ExactIn(amount, 0), hop(pool, token_in)), pool, AT_KRAKEN, AT_BYBIT, USDC_IN_USD, terms=FEELESS)
    assert one.pool_trade.token_out == token_in
    assert one.rejection is None
    assert KRAKEN in [instrument for instrument, _ in traded(one)]


def test_trade_that_would_leave_the_known_ticks_stops_there_and_may_be_more() -> None:
    swap = intent(ExactIn(1000 * ETHER, 0), hop(v3_pool(), NATIVE))
    deep = book(BYBIT, bids=[("20000.00", "9000000")], asks=[("20001.00", "1")])
    (whole,) = found(swap, v3_pool(), deep, terms=FEELESS)
    # Words of 15,360 ticks: the one that the pool stands in ends at -184,320.
    (one,) = found(swap, v3_pool(words=[-13]), deep, terms=FEELESS)
    assert (one.may_be_more, whole.may_be_more) == (True, False)
    assert one.net_profit is not None
    assert whole.net_profit is not None
    assert 0 < one.net_profit < whole.net_profit


@pytest.mark.parametrize(
    "depths",
    [
        (AT_KRAKEN,),  # No leg.
        (AT_KRAKEN, USDT_IN_USD),  # A leg of another money.
        (USDC_IN_USD,),  # No book of the base asset.
        (book(KRAKEN, bids=[("2700.00", "5")], asks=[("2701.00", "5")]), USDC_IN_USD),  # As cheap as in the pool.
        (),
    ],
)
def test_without_a_better_price_in_the_pools_own_money_there_is_nothing(depths: tuple[BookDepth, ...]) -> None:
    assert found(SELLS_ETH, USDC_POOL, *depths) == []


def test_swap_that_closes_a_gap_opens_nothing() -> None:
    dear = book(KRAKEN, bids=[("3400.00", "100")], asks=[("3401.00", "100")])
    assert found(BUYS_ETH, USDC_POOL, dear, USDC_IN_USD, terms=FEELESS) == []
    assert len(found(SELLS_ETH, USDC_POOL, dear, USDC_IN_USD, terms=FEELESS)) == 1


def test_what_stood_open_before_the_swap_is_told() -> None:
    dear = book(BYBIT, bids=[("3400.00", "100")], asks=[("3401.00", "100")])
    (one,) = found(SELLS_ETH, USDC_POOL, dear)
    pool_pair = assets().pair(NATIVE, DOLLAR)
    assert pool_pair is not None
    rungs = ladder_of(Trade.SELL, "USDC", [dear], (), FEES)
    before = max(gain_at(USDC_POOL, pool_pair, rungs, amount * 1000 * MILLION) or 0 for amount in range(100, 250))
    assert one.net_profit is not None
    assert before <= one.standing_profit <= before * Fraction(1001, 1000) < one.net_profit


def test_gain_that_the_fees_eat_is_a_near_miss_with_its_loss() -> None:
    small = intent(ExactIn(2 * ETHER, 0), hop(USDC_POOL, NATIVE))
    (one,) = found(small, USDC_POOL, book(BYBIT, bids=[("3000.00", "9")], asks=[("3001.00", "9")]), terms=replace(TERMS))
    assert (one.rejection, one.note) == (
        Rejection.FEES,
        f"the takers' fees are more than the {float(one.gross_profit):.8g} USDC between the prices",
    )
    assert one.net_profit is not None
    assert one.net_profit < 0 < one.gross_profit
    assert one.trades[0].amount_in == Fraction(one.pool_trade.amount_out, ETHER)


def test_gain_that_the_gas_eats_is_a_near_miss_and_gas_is_bought_at_the_exchanges_ask() -> None:
    gas = GasAssumption(price_wei=10**14, wrapped_native=NATIVE)
    (one,) = found(SELLS_ETH, USDC_POOL, AT_BYBIT, gas=gas)
    assert (one.gas_units, one.gas_price_wei) == (96_000, 10**14)
    assert one.gas_cost == Fraction(96, 10) * 3010 * Fraction(1001, 1000)
    assert one.rejection is Rejection.GAS
    assert one.note.startswith("the gas costs 28924.896 USDC, and the trades gain ")
    (less,) = found(SELLS_ETH, USDC_POOL, AT_BYBIT, gas=replace(gas, price_wei=10**9))
    assert less.rejection is None
    assert less.net_profit is not None
    assert less.net_profit + (less.gas_cost or 0) == (one.net_profit or 0) + one.gas_cost


def test_gas_without_a_price_leaves_the_net_profit_open() -> None:
    pool = pair(COIN, 10**6 * ETHER, DOLLAR, 10**7 * MILLION)
    swap = intent(ExactIn(5 * 10**4 * ETHER, 0), hop(pool, COIN))
    at_kraken = book(UNI_BOOK, bids=[("10.00", "900000")], asks=[("10.01", "900000")])
    gas = replace(GAS, price_wei=10**9)
    (one,) = found(swap, pool, at_kraken, USDC_IN_USD, gas=gas)
    assert (one.gas_cost, one.net_profit, one.rejection) == (None, None, None)
    (priced,) = found(swap, pool, at_kraken, USDC_IN_USD, AT_KRAKEN, gas=gas)
    # The dollars for the ether are bought for USDC, at the bids.
    dollars = 3001 * Fraction(10026, 10000)
    assert priced.gas_cost == Fraction(96_000, 10**9) * dollars / (Fraction("0.99") * Fraction(9974, 10000))


def test_pool_in_the_native_token_has_it_for_money_and_converts_by_its_books() -> None:
    pool = pair(COIN, 10**6 * ETHER, NATIVE, 3333 * ETHER)
    swap = intent(ExactIn(5 * 10**4 * ETHER, 0), hop(pool, COIN))
    at_kraken = book(UNI_BOOK, bids=[("10.00", "900000")], asks=[("10.01", "900000")])
    (one,) = found(swap, pool, at_kraken, AT_KRAKEN, gas=replace(GAS, price_wei=10**9))
    assert (one.money, traded(one)) == ("ETH", [(UNI_BOOK, Trade.SELL), (KRAKEN, Trade.BUY)])
    assert one.gas_cost == Fraction(96_000, 10**9)


def test_two_dollars_are_compared_in_tether() -> None:
    pool = pair(DOLLAR, 10**6 * MILLION, OTHER, 10**6 * MILLION, fee_pips=100)
    direct = Instrument("binance", "USDCUSDT", "USDC", "USDT")
    depth = book(direct, bids=[("1.00", "900000")], asks=[("1.01", "900000")])
    (one,) = found(intent(ExactIn(50_000 * MILLION, 0), hop(pool, DOLLAR)), pool, depth)
    assert (one.money, traded(one)) == ("USDT", [(direct, Trade.SELL)])


@pytest.mark.parametrize("late", [KRAKEN, CIRCLE_USD])
def test_what_there_is_only_with_a_book_not_heard_of_for_long_is_stale(late: Instrument) -> None:
    depths = [replace(each, recv_ns=NOW - 6 * SECOND) if each.instrument == late else each for each in (AT_KRAKEN, USDC_IN_USD)]
    (one,) = found(SELLS_ETH, USDC_POOL, *depths)
    assert (one.rejection, one.note) == (Rejection.STALE, f"nothing has been heard of kraken {late.symbol} for 6.0 s")
    assert [trade.age_ns for trade in one.trades if trade.instrument == late] == [6 * SECOND]


def test_books_that_are_fresh_are_a_finding_without_the_stale_ones() -> None:
    stale = replace(AT_BYBIT, bids=AT_KRAKEN.bids, recv_ns=NOW - 6 * SECOND)
    (one,) = found(SELLS_ETH, USDC_POOL, AT_KRAKEN, USDC_IN_USD, stale)
    assert one.rejection is None
    assert BYBIT not in [instrument for instrument, _ in traded(one)]


def test_swap_that_reverts_opens_nothing() -> None:
    assert found(replace(SELLS_ETH, size=ExactIn(50 * ETHER, 10**30)), USDC_POOL, AT_BYBIT) == []


def test_nothing_is_said_of_swaps_that_may_move_less_than_it_seems() -> None:
    first = pair(COIN, 1000 * ETHER, NATIVE, 1000 * ETHER)
    path = intent(ExactIn(50 * ETHER, 0), hop(first, COIN), hop(USDC_POOL, NATIVE))
    pools = (first, USDC_POOL)
    assert [one.pool_trade.pool for one in found(path, pools, AT_BYBIT)] == [USDC_POOL.address]
    assert found(path, pools, AT_BYBIT, taxed={COIN}) == []
    measured = replace(path, measures_received=True)
    assert len(found(measured, pools, AT_BYBIT)) == 1
    assert found(measured, pools, AT_BYBIT, known=assets(ETH, USDC)) == []


def test_pool_that_a_swap_passes_twice_is_looked_at_once_as_it_is_left() -> None:
    back = pair(NATIVE, 1000 * ETHER, OTHER, 3_000_000 * MILLION, number=7)
    to_usdc = pair(OTHER, 3_000_000 * MILLION, DOLLAR, 3_000_000 * MILLION)
    round_trip = intent(
        ExactIn(20 * ETHER, 0), hop(USDC_POOL, NATIVE), hop(to_usdc, DOLLAR), hop(back, OTHER), hop(USDC_POOL, NATIVE)
    )
    pools = (USDC_POOL, back, to_usdc)
    made = [one for one in found(round_trip, pools, AT_BYBIT) if one.pool_trade.pool == USDC_POOL.address]
    (one,) = made
    view, cause = cross_scene(round_trip, pools, [AT_BYBIT])
    last = cause.hops[-1].after.swap_exact_in(DOLLAR, one.pool_trade.amount_in)
    assert last.amount_out == one.pool_trade.amount_out
    assert view.pools.block.number == one.block_number


@pytest.mark.parametrize("known", [assets(ETH, native=ETH), assets(ETH, USDC, instruments=()), assets(USDC, native=None)])
def test_pool_whose_coins_the_exchanges_do_not_trade_is_passed_over(known: Assets) -> None:
    assert found(SELLS_ETH, USDC_POOL, AT_BYBIT, known=known) == []


def test_list_that_goes_on_behind_what_is_taken_may_be_more() -> None:
    short = replace(AT_BYBIT, bids=(Level(299_000, 1),), bids_go_on=True)
    assert [one.may_be_more for one in found(SELLS_ETH, USDC_POOL, short)] == [True]
    assert [one.may_be_more for one in found(SELLS_ETH, USDC_POOL, replace(AT_BYBIT, bids_go_on=True))] == [False]


def many_levels(instrument: Instrument, middle: int, size: int, step: int = 10) -> BookDepth:
    """A hundred small levels a side, so many cents from each other, that go on behind them."""
    bids, asks = (tuple(Level(middle + sign * step * (5 + place), size) for place in range(100)) for sign in (-1, 1))
    return BookDepth(instrument, bids, asks, 2, 1, bids_go_on=True, asks_go_on=True, recv_ns=NOW)


@pytest.mark.parametrize("asked", [SELLS_ETH, BUYS_ETH])
@pytest.mark.parametrize("sizes", [{BYBIT: 6}, {KRAKEN: 9}, {KRAKEN: 6, COINBASE: 7}])
@pytest.mark.parametrize("terms", [TERMS, FEELESS])
def test_levels_that_no_trade_comes_to_are_left_aside_and_none_that_one_does(
    asked: SwapIntent, sizes: dict[Instrument, int], terms: Terms
) -> None:
    is_sale = asked is SELLS_ETH
    leg = replace(many_levels(CIRCLE_USD, 10_000, 20_000, step=1), price_decimals=4)
    deep = [many_levels(each, 300_000, size) for each, size in sizes.items()]
    (one,) = found(asked, USDC_POOL, *deep, leg, terms=terms)
    pool_pair = assets().pair(NATIVE, DOLLAR)
    assert pool_pair is not None
    (cause,) = cross_scene(asked, [USDC_POOL], [])[1].hops
    rungs = ladder_of(Trade.SELL if is_sale else Trade.BUY, "USDC", deep, [leg], terms.fees)
    top = one.pool_trade.amount_in
    gains = [gain_at(cause.after, pool_pair, rungs, top * part // 100) for part in (98, 99, 100, 101, 102)]
    assert max(gain or Fraction() for gain in gains) == gains[2]
    assert one.net_profit is not None
    assert one.net_profit == pytest.approx(gains[2])
    assert not one.may_be_more


@pytest.mark.parametrize("asked", [SELLS_ETH, BUYS_ETH])
def test_list_of_which_the_rest_is_no_better_than_the_pool_hides_nothing(asked: SwapIntent) -> None:
    few = book(BYBIT, bids=[("2990.00", "1"), ("1000.00", "9")], asks=[("3010.00", "1"), ("9000.00", "9")])
    (one,) = found(asked, USDC_POOL, replace(few, bids_go_on=True, asks_go_on=True))
    size = one.trades[0].amount_in if asked is SELLS_ETH else one.trades[0].amount_out
    assert 1 - Fraction(1, 10**9) < size <= 1
    assert not one.may_be_more


BOOKS = st.tuples(books_around(KRAKEN, 3000, 9), books_around(BINANCE, 3000, 9), books_around(BYBIT, 3000, 9))
LEG = books_around(CIRCLE_USD, 100, 9000).map(lambda depth: replace(depth, price_decimals=depth.price_decimals + 2))


@BOUNDED
@given(BOOKS, LEG, st.booleans(), st.integers(1, 400), st.sampled_from([TERMS, FEELESS]), st.data())
def test_no_other_trade_gains_more_and_all_adds_up(
    books: tuple[BookDepth, ...], leg: BookDepth, is_sale: bool, size: int, terms: Terms, data: st.DataObject
) -> None:
    asked = intent(ExactIn(size * ETHER if is_sale else size * 3000 * MILLION, 0), hop(USDC_POOL, NATIVE if is_sale else DOLLAR))
    (cause,) = cross_scene(asked, [USDC_POOL], [])[1].hops
    pool_pair = assets().pair(NATIVE, DOLLAR)
    assert pool_pair is not None
    trade = Trade.SELL if is_sale else Trade.BUY
    rungs = ladder_of(trade, "USDC", books, [leg], terms.fees)
    free = ladder_of(trade, "USDC", books, [leg])
    made = found(asked, USDC_POOL, *books, leg, terms=terms)
    unit = MILLION if is_sale else ETHER
    amounts = data.draw(st.lists(st.integers(1, 10**6 * unit if is_sale else 500 * unit), max_size=10))
    for one in made:
        amounts += [one.pool_trade.amount_in + more for more in (-2, -1, 1, 2)]
    for amount in amounts:
        gain, gross = (gain_at(cause.after, pool_pair, each, amount) or Fraction() for each in (rungs, free))
        assert gross <= sum(one.gross_profit for one in made) + Fraction(1, MILLION)
        assert gain <= sum(max(one.net_profit or Fraction(), Fraction()) for one in made) + Fraction(1, MILLION)
