"""CEX-DEX arbitrage: what a pool's price after a pending swap is worth at the exchanges, size, fees, gas and ages counted."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from mempool.detect.book_cycles import Terms, oldest_trade, silence
from mempool.detect.cross_view import CrossView, Pair
from mempool.detect.gas import GasAssumption
from mempool.detect.offers import Offers
from mempool.detect.pool_size import PoolSide, PoolSize, best_size, same_size
from mempool.detect.steps import SLACK
from mempool.model.arbitrage import BookTrade, CexDexArbitrage, PoolTrade, Rejection
from mempool.model.book import Instrument
from mempool.model.consolidated import PIPS, Trade
from mempool.model.pool import PoolState
from mempool.model.swap import HopResult, SwapResult


class _Gap(Struct, frozen=True):
    """A pool that a swap has moved, and the trade at the exchanges that this has made better."""

    pair: Pair
    trade: Trade
    before: PoolState
    after: PoolState
    limit: float
    """What the first unit costs in the pool now, or brings there, after its fee: money for one of the base asset."""

    @property
    def token_in(self) -> bytes:
        """What the pool is sold."""
        return self.pair.money.token if self.trade is Trade.SELL else self.pair.base.token

    @property
    def token_out(self) -> bytes:
        return self.pair.base.token if self.trade is Trade.SELL else self.pair.money.token


class _Trial(Struct, frozen=True):
    """The trades of one size and what they come to, before gas."""

    size: PoolSize
    trades: tuple[BookTrade, ...]
    gain: Fraction


def detect_cex_dex(
    view: CrossView, cause: SwapResult, gas: GasAssumption, terms: Terms, *, taxed: Container[bytes] = frozenset()
) -> Iterator[CexDexArbitrage]:
    """For each pool that the swap moves at most one finding or near miss: traded there at its best size, and the other way
    round at the exchanges.

    Only the direction that the swap has made better is looked at: what the swap bought is dear in the pool, so it is sold
    there and bought at the exchanges, or the reverse; the other direction gains less than it did before. All priced books
    of the base asset count, each in the pool's money or through the leg of its quote asset that is best after its fee.
    The pool's trade is in its own integers; the exchanges' ones are not rounded to lots, see `BookTrade`.
    Gas is priced at the best ask of the native asset after fees. A book that was not heard of for longer than
    `terms.max_age_ns` is left out where there is something without it; what there is only with it is rejected as stale.

    Nothing is said of swaps that may move less than it seems: where a token of theirs is in `taxed`, or the router measures
    what arrives and a token is none that exchanges trade. Ticks that are not known end a trade, and it may be more.
    """
    for before, after in () if cause.reverts else _moves(cause.hops):
        gap = _opened(view, before, after)
        if gap is None:
            continue
        comparison = _Comparison(view, gap, gas, terms)
        offers = comparison.offers()
        if comparison.may_gain(offers) and not _may_be_taxed(view, cause, taxed):
            found = comparison.found(offers)
            if found is not None:
                yield found


class _Comparison:
    """One gap against the books of one moment."""

    def __init__(self, view: CrossView, gap: _Gap, gas: GasAssumption, terms: Terms) -> None:
        self.view, self.gap, self.gas, self.terms = view, gap, gas, terms

    def offers(self, without: Container[Instrument] = ()) -> Offers:
        return Offers(self.gap.pair, self.gap.trade, self.view.books, self.terms.fees, without)

    def may_gain(self, offers: Offers) -> bool:
        """Whether the best book's price is better than the pool's, without the takers' fees: no size gains where it is not."""
        price, sign = offers.best_price(), self.gap.trade.value
        return price is not None and sign * price < sign * self.gap.limit * (1 + sign * SLACK)

    def found(self, offers: Offers) -> CexDexArbitrage | None:
        stale = {each for each in offers.instruments() if self._is_stale(each)}
        if stale:
            without = self.offers(stale)
            fresh = self._judged(without) if self.may_gain(without) else None
            if fresh is not None and fresh.rejection is None:
                return fresh
            return self._judged(offers) or fresh
        return self._judged(offers)

    def _is_stale(self, instrument: Instrument) -> bool:
        depth = self.view.books.depth(instrument)
        return depth is not None and self.view.books.now_ns - depth.recv_ns > self.terms.max_age_ns

    def _judged(self, offers: Offers) -> CexDexArbitrage | None:
        """None where nothing gains without fees, or nothing more than before the swap."""
        after = self._side(self.gap.after)
        free, with_fees = offers.steps(self.gap.limit, after.most_base(offers.best_price() or 0.0))
        gross = self._tried(offers, best_size(after, free), with_fees=False)
        if gross is None:
            return None
        net = self._tried(offers, best_size(after, with_fees))
        if net is None:
            near_miss = self._tried(offers, same_size(after, with_fees, gross.size))
            return None if near_miss is None else self._made(near_miss, gross.gain, Fraction())
        before = self._tried(offers, best_size(self._side(self.gap.before), with_fees))
        standing = Fraction() if before is None else before.gain
        return self._made(net, gross.gain, standing) if net.gain > standing else None

    def _side(self, pool: PoolState) -> PoolSide:
        return PoolSide(pool, self.gap.pair, self.gap.trade)

    def _tried(self, offers: Offers, size: PoolSize | None, *, with_fees: bool = True) -> _Trial | None:
        if size is None:
            return None
        trades, unit = offers.trades(size.fills, with_fees=with_fees), 10**self.gap.pair.money.decimals
        if self.gap.trade is Trade.SELL:
            return _Trial(size, trades, offers.value(trades) - Fraction(size.amount_in, unit))
        return _Trial(size, trades, Fraction(size.amount_out, unit) - offers.value(trades))

    def _made(self, trial: _Trial, gross: Fraction, standing: Fraction) -> CexDexArbitrage:
        gap, size = self.gap, trial.size
        units = self.gas.units([gap.after.kind])
        cost = self._gas_cost(units)
        made = CexDexArbitrage(
            money=gap.pair.money.asset,
            pool_trade=PoolTrade(gap.after.address, gap.token_in, gap.token_out, size.amount_in, size.amount_out),
            trades=trial.trades,
            gross_profit=gross,
            net_profit=None if cost is None else trial.gain - cost,
            standing_profit=standing,
            gas_units=units,
            gas_price_wei=self.gas.price_wei,
            gas_cost=cost,
            block_number=self.view.pools.block.number,
            may_be_more=size.may_be_more,
        )
        rejection, note = _rejection(made, trial.gain, self.terms)
        return replace(made, rejection=rejection, note=note) if rejection else made

    def _gas_cost(self, units: int) -> Fraction | None:
        """In the pair's money; None where no priced book sells the native asset for it."""
        native, money = self.view.assets.native, self.gap.pair.money
        if native is None:
            return None
        amount = Fraction(units * self.gas.price_wei, 10**native.decimals)
        if native == money or not amount:
            return amount
        pair = self.gap.pair if native == self.gap.pair.base else self.view.assets.between(native, money)
        ask = Offers(pair, Trade.BUY, self.view.books, self.terms.fees).best_ask()
        return None if ask is None else amount * ask


def _may_be_taxed(view: CrossView, cause: SwapResult, taxed: Container[bytes]) -> bool:
    tokens = {token for each in cause.hops for token in (each.hop.token_in, each.hop.token_out)}
    if any(token in taxed for token in tokens):
        return True
    return cause.intent.measures_received and not tokens <= view.assets.coins.keys()


def _moves(hops: Sequence[HopResult]) -> Iterator[tuple[PoolState, PoolState]]:
    """Each pool once, as the swap finds it and as it leaves it."""
    moved: dict[bytes, tuple[PoolState, PoolState]] = {}
    for each in hops:
        before, _ = moved.get(each.hop.pool, (each.before, each.after))
        moved[each.hop.pool] = before, each.after
    yield from moved.values()


def _opened(view: CrossView, before: PoolState, after: PoolState) -> _Gap | None:
    """The direction that is better than before; None where the pool is not comparable or its price is the same."""
    pair = view.assets.pair(after.token0, after.token1)
    if pair is None:
        return None
    (money, base), (money_before, base_before) = after.mid_price(pair.base.token), before.mid_price(pair.base.token)
    dearer = money * base_before - money_before * base
    if not dearer or not base or not money:
        return None
    price, keep = money / base * 10.0 ** (pair.base.decimals - pair.money.decimals), 1 - after.fee_pips / PIPS
    if dearer > 0:
        return _Gap(pair, Trade.BUY, before, after, price * keep)
    return _Gap(pair, Trade.SELL, before, after, price / keep)


def _rejection(made: CexDexArbitrage, gain: Fraction, terms: Terms) -> tuple[Rejection | None, str]:
    """`gain` is what the trades come to before gas."""
    money, profit = made.money, gain if made.net_profit is None else made.net_profit
    if gain <= 0:
        return Rejection.FEES, f"the takers' fees are more than the {float(made.gross_profit):.8g} {money} between the prices"
    if made.gas_cost is not None and profit <= 0:
        return Rejection.GAS, f"the gas costs {float(made.gas_cost):.8g} {money}, and the trades gain {float(gain):.8g}"
    if (oldest := oldest_trade(made.trades)).age_ns > terms.max_age_ns:
        return Rejection.STALE, silence(oldest)
    return None, ""
