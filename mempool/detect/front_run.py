"""The most that can be taken from one hop over any pool: V2 pairs by closed forms, all others by searching their quotes."""

from __future__ import annotations

from collections.abc import Iterator

from mempool.amm.curve import Curve, EndOfLiquidity
from mempool.amm.optimal import DENSE, NOTHING, Size, V2Reserves, best_on_one_hill, largest_by_margin, largest_true
from mempool.amm.tick_math import Q96
from mempool.amm.uniswap_v2 import PIPS, V2Pool
from mempool.detect.curves import Curves
from mempool.detect.sandwich_curve import OnCurve
from mempool.detect.sandwich_v2 import BuysExactly, SellsExactly, best_front_run_of_purchase, best_front_run_of_sale, first_gain
from mempool.detect.victim import Victim
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.opportunity import Leg
from mempool.model.pool import PoolState, PoolSwap
from mempool.model.swap import ExactOut, HopResult, SwapResult

FINE = 1 << 20
"""Up to this size a front-run is searched by quotes alone: there rounding decides."""

EXACT_BELOW = 1 << 30


def best_trades(victim: Victim, curves: Curves) -> tuple[Leg, ...]:
    """What to buy ahead on the hop's pool and to sell back after the victim's swap; nothing where nothing gains.

    On a V2 pair it is the integer optimum (see `sandwich_v2`). On other pools the largest front-run under the sender's limit is
    exact below 2**30 units and within a billionth above, and the gain is searched as one with a single top between two ticks: so
    it is over one range of V3 liquidity (the same maths as a pair with virtual reserves), and rounding may hide a few units.
    Raises `StateUnknown` where the best size found stands at the end of what is known of the pool.
    """
    pool = victim.hop.before
    if len(victim.pools) > 1 and _twice(victim.cause, pool):
        return _by_quotes(victim)
    if isinstance(pool, V2Pool):
        best = _on_pair(v2_reserves(pool, victim.token_in), victim.on_hop())
        return legs(victim, best.amount_in) if best.profit > 0 else ()
    if victim.price_limit and isinstance(victim.size, ExactOut):
        return _by_quotes(victim)
    return _by_curve(victim, curves.of(pool, victim.token_in))


def _by_curve(victim: Victim, curve: Curve) -> tuple[Leg, ...]:
    """The top on the pool's curve, then quoted; searched by quotes alone where the size is small or liquidity ends."""
    try:
        on_curve = OnCurve(curve, victim.on_hop(), _least_price(victim))
        top = int(on_curve.best())
    except EndOfLiquidity:
        return _by_quotes(victim)
    if on_curve.limit <= FINE:
        return _by_quotes(victim)
    return _near(victim, top) if top else ()


def _least_price(victim: Victim) -> float:
    """The sender's price limit in what one unit of the token in still pays."""
    price = (victim.price_limit / Q96) ** 2
    return price if victim.token_in == victim.hop.before.token0 or not price else 1 / price


def no_front_run_gains(cause: SwapResult, hop: HopResult) -> bool:
    """Whether it is plain at once that nothing can be taken: the sale moves a V2 pair by less than the fees of two trades."""
    pool = hop.before
    if not isinstance(pool, V2Pool) or isinstance(cause.intent.size, ExactOut) or (len(cause.hops) > 1 and _twice(cause, pool)):
        return False
    return first_gain(v2_reserves(pool, hop.hop.token_in), hop.amount_in) <= 0


def _twice(cause: SwapResult, pool: PoolState) -> bool:
    return sum(hop.hop.pool == pool.address for hop in cause.hops) > 1


def _on_pair(pair: V2Reserves, victim: SellsExactly | BuysExactly) -> Size:
    if isinstance(victim, SellsExactly):
        return best_front_run_of_sale(pair, victim)
    return best_front_run_of_purchase(pair, victim)


def _near(victim: Victim, top: int) -> tuple[Leg, ...]:
    """The trades of the largest front-run near `top` that keeps the sender's limit."""
    if top < EXACT_BELOW:
        top = largest_true(lambda amount_in: _attack(victim, amount_in) is not None, known=0, guess=top)
    attacks = (_attack(victim, top - part) for part in _parts(top)) if top else ()
    trades = next((trades for trades in attacks if trades is not None), None)
    if trades is None:
        return _by_quotes(victim)
    return trades if trades[-1].amount_out > trades[0].amount_in else ()


def _attack(victim: Victim, amount_in: int) -> tuple[Leg, Leg] | None:
    """Both trades at that size, or None where the sender's swap would not bear it."""
    try:
        front = victim.hop.before.swap_exact_in(victim.token_in, amount_in)
        after = victim.after(front.after, within_limit=True)
        return None if after is None else _legs(victim, front, after)
    except SwapImpossible:
        return None


def _parts(amount: int) -> Iterator[int]:
    """Nothing, then growing parts of the amount, up to a billionth."""
    yield 0
    for shift in range(50, 29, -5):
        yield (amount >> shift) + 1


def _by_quotes(victim: Victim) -> tuple[Leg, ...]:
    if not isinstance(victim.size, ExactOut) and not first_unit_gains(victim):
        return ()
    best = _Search(victim).best()
    return legs(victim, best.amount_in) if best.profit > 0 else ()


def first_unit_gains(victim: Victim) -> bool:
    """Whether an infinitely small front-run gains: bought at the price before the swap, sold at the one after it, less both fees.

    Where liquidity is constant a sale that this does not hold for gains nothing at any size (`gain <= 0` in `sandwich_v2`).
    """
    before, after = victim.hop.before.mid_price(victim.token_in), victim.hop.after.mid_price(victim.token_in)
    keep = PIPS - victim.hop.before.fee_pips
    return before[0] * after[1] * keep * keep > after[0] * before[1] * PIPS * PIPS


def legs(victim: Victim, amount_in: int) -> tuple[Leg, Leg]:
    """Both trades of the attacker at that size."""
    front = victim.hop.before.swap_exact_in(victim.token_in, amount_in)
    after = victim.after(front.after)
    if after is None:
        raise SwapImpossible(victim.hop.before.address, f"the swap fails after a front-run of {amount_in}")
    return _legs(victim, front, after)


def _legs(victim: Victim, front: PoolSwap, after: PoolState) -> tuple[Leg, Leg]:
    back = after.swap_exact_in(victim.token_out, front.amount_out)
    pool, token_in, token_out = victim.hop.before.address, victim.token_in, victim.token_out
    return (
        Leg(pool, token_in, token_out, front.amount_in, front.amount_out),
        Leg(pool, token_out, token_in, back.amount_in, back.amount_out),
    )


def v2_reserves(pool: V2Pool, token_in: bytes) -> V2Reserves:
    """The pair's reserves in the direction of a sale of `token_in`."""
    reserves = (pool.reserve0, pool.reserve1) if token_in == pool.token0 else (pool.reserve1, pool.reserve0)
    return V2Reserves(*reserves, pool.fee_pips)


class _Search:
    def __init__(self, victim: Victim) -> None:
        self.victim = victim
        self.unknown: dict[int, StateUnknown] = {}

    def best(self) -> Size:
        last = largest_by_margin(self._margin, guess=max(self.victim.hop.amount_in, 1))
        if not last or (isinstance(self.victim.size, ExactOut) and last > DENSE and self._profit(last) <= 0):
            # Ahead of a purchase the gain only rises with the size, so a loss at the limit is a loss everywhere.
            return self._unless_unknown(NOTHING, last)
        return self._unless_unknown(best_on_one_hill(self._profit, last), last)

    def _unless_unknown(self, best: Size, last: int) -> Size:
        """The known ticks may end a little above `last`; only a size that stands below that end is a finding."""
        nearest = min(self.unknown, default=None)
        at_end = best.amount_in >= last - max(1, last >> 10) or isinstance(self.victim.size, ExactOut)
        if nearest is not None and nearest - last <= max(1, last >> 30) and at_end:
            raise self.unknown[nearest]
        return best

    def _margin(self, amount_in: int) -> int | None:
        before = self.victim.hop.before
        try:
            pool = before.swap_exact_in(self.victim.token_in, amount_in).after if amount_in else before
            return self.victim.margin(pool)
        except SwapImpossible:
            return None
        except StateUnknown as error:
            self.unknown[amount_in] = error
            return None

    def _profit(self, amount_in: int) -> int:
        try:
            front, back = legs(self.victim, amount_in)
        except SwapImpossible:
            return -amount_in
        return back.amount_out - front.amount_in
