"""Pools beside order books, swaps that move them, and what their arbitrage is held to."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mempool.books.depth import BookDepth
from mempool.books.ladder import Ladder
from mempool.books.money import FeesPips
from mempool.books.view import BooksView
from mempool.detect.book_cycles import Terms
from mempool.detect.cross_view import Assets, Coin, CrossView, Pair
from mempool.errors import StateUnknown, SwapImpossible
from mempool.market import view_of
from mempool.model.arbitrage import BookTrade, CexDexArbitrage
from mempool.model.book import Instrument, Proof, Quote
from mempool.model.consolidated import Trade
from mempool.model.pool import PoolState
from mempool.model.swap import SwapIntent, SwapResult
from mempool.simulate import simulate
from tests.books.venues import BINANCE, BYBIT, COINBASE, FEES, KRAKEN, OKX, TETHER
from tests.detect.book_scenes import NOW, backward, forward, segments
from tests.detect.scenes import BLOCK, COIN, DOLLAR, NATIVE, OTHER

ETH = Coin(NATIVE, "ETH", 18, is_dollar=False)
USDC = Coin(DOLLAR, "USDC", 6, is_dollar=True)
USDT = Coin(OTHER, "USDT", 6, is_dollar=True)
UNI = Coin(COIN, "UNI", 18, is_dollar=False)
CIRCLE_USD = Instrument("kraken", "USDC/USD", "USDC", "USD")
CIRCLE_TETHER = Instrument("binance", "USDCUSDT", "USDC", "USDT")
UNI_BOOK = Instrument("kraken", "UNI/USD", "UNI", "USD")
BOOKS = (KRAKEN, COINBASE, BINANCE, OKX, BYBIT, UNI_BOOK, TETHER, CIRCLE_USD, CIRCLE_TETHER)
TERMS = Terms("USD", FEES)
FEELESS = Terms("USD", dict.fromkeys(FEES, 0))


def assets(*coins: Coin, native: Coin | None = ETH, instruments: Sequence[Instrument] = BOOKS) -> Assets:
    return Assets({coin.token: coin for coin in coins or (ETH, USDC, USDT, UNI)}, native, tuple(instruments), {})


def quote_of(depth: BookDepth) -> Quote:
    bid, ask = depth.bids[0], depth.asks[0]
    decimals = depth.price_decimals, depth.size_decimals
    return Quote(depth.instrument, bid.price, bid.size, ask.price, ask.size, *decimals, Proof.VERIFIED, depth.recv_ns)


def books_view(depths: Sequence[BookDepth]) -> BooksView:
    by_instrument = {depth.instrument: depth for depth in depths}
    return BooksView({depth.instrument: quote_of(depth) for depth in depths}, by_instrument.get, NOW)


def cross_scene(
    asked: SwapIntent, pools: Sequence[PoolState], depths: Sequence[BookDepth], known: Assets | None = None
) -> tuple[CrossView, SwapResult]:
    """The view of these pools and books, and what the intent does on it."""
    pool_view = view_of(BLOCK, pools)
    view = CrossView(pool_view, books_view(depths), known or assets())
    return view, simulate(asked, pool_view, BLOCK.timestamp)


def gain_at(pool: PoolState, pair: Pair, ladder: Ladder, amount_in: int) -> Fraction | None:
    """What a trade of the pool gains against the ladder; None where the pool reverts or the ladder has not so much."""
    is_sale = ladder.trade is Trade.SELL
    try:
        swap = pool.swap_exact_in(pair.money.token if is_sale else pair.base.token, amount_in)
    except (SwapImpossible, StateUnknown):
        return None
    taken_in, paid = Fraction(swap.amount_in), Fraction(swap.amount_out)
    base_unit, money_unit = int(10**pair.base.decimals), int(10**pair.money.decimals)
    taken = ladder.walk((paid if is_sale else taken_in) / base_unit)
    if taken.unfilled:
        return None
    return taken.value - taken_in / money_unit if is_sale else paid / money_unit - taken.value


def assert_adds_up(found: CexDexArbitrage, known: Assets, depths: Sequence[BookDepth], fees: FeesPips) -> None:
    """Each trade is what its book gives, every asset that is got is spent but the money, and what is left of it is the net."""
    by_instrument = {depth.instrument: depth for depth in depths}
    held: dict[str, Fraction] = {}
    for trade in found.trades:
        levels = segments(by_instrument[trade.instrument], trade.trade, fees[trade.instrument.venue])
        assert forward(levels, trade.amount_in) == trade.amount_out
        assert backward(levels, trade.amount_out) == trade.amount_in
        _move(held, trade)
    pool = found.pool_trade
    coin_in, coin_out = known.coins[pool.token_in], known.coins[pool.token_out]
    held[coin_in.asset] = held.get(coin_in.asset, Fraction()) - Fraction(pool.amount_in, 10**coin_in.decimals)
    held[coin_out.asset] = held.get(coin_out.asset, Fraction()) + Fraction(pool.amount_out, 10**coin_out.decimals)
    assert found.gas_cost is not None
    assert found.net_profit == held.pop(found.money) - found.gas_cost
    assert set(held.values()) == {0}


def _move(held: dict[str, Fraction], trade: BookTrade) -> None:
    held[trade.asset_in] = held.get(trade.asset_in, Fraction()) - trade.amount_in
    held[trade.asset_out] = held.get(trade.asset_out, Fraction()) + trade.amount_out
