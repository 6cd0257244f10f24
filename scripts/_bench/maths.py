"""The pools' maths and the two searches for sizes, ours alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mempool.amm.tick_math import sqrt_ratio_at_tick
from mempool.amm.ticks import TickTable
from mempool.amm.uniswap_v2 import V2Pool
from mempool.amm.uniswap_v3 import V3Pool
from mempool.detect import GasAssumption
from mempool.detect.backrun import detect_backrun
from mempool.detect.sandwich_exposure import detect_sandwich_exposure
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef
from mempool.model.opportunity import Opportunity
from mempool.model.pool import PoolState
from mempool.model.swap import ExactIn, Hop, SwapIntent, SwapResult
from mempool.simulate import simulate
from scripts._bench.figures import OURS, Contestant, Options, Row, Section, race

ROUNDS, QUICK_ROUNDS = 9, 1
TIMES, QUICK_TIMES = 500, 10
TOKEN0, TOKEN1 = b"\x11" * 20, b"\x22" * 20
BLOCK = BlockRef(1, "0x1", "0x0", 0)
GAS = GasAssumption(10**9, TOKEN0)
ETHER = 10**18
SPACING = 60
TICKS_CROSSED = (0, 1, 5, 20)
NOTES = (
    "V3: liquidity changes at every 60th tick, where each tick crossed stands",
    "sizing is the whole detector, its finding included: of a sale with 1 % tolerance, and between two pools that it parts",
)
Pools = tuple[PoolState, PoolState]


def measure(options: Options) -> list[Section]:
    rounds, times = (QUICK_ROUNDS, QUICK_TIMES) if options.quick else (ROUNDS, TIMES)
    work: list[tuple[str, Callable[[], object]]] = [("V2 amount out and state after", lambda: PAIR.swap_exact_in(TOKEN0, ETHER))]
    work += [(f"V3 swap over {crossed} ticks", _v3_swap(crossed)) for crossed in TICKS_CROSSED]
    for name, pools in (("V2", (PAIR, OTHER_PAIR)), ("V3", (v3_pool(1), v3_pool(2)))):
        view, cause = _sale(pools)
        work.append((f"sandwich sizing, {name}", _detecting(detect_sandwich_exposure, view, cause)))
        work.append((f"backrun sizing, {name}", _detecting(detect_backrun, view, cause)))
    rows = [Row(name, race((Contestant(OURS, _repeated(do, times), times),), rounds)) for name, do in work]
    return [Section("pool maths", "piece", tuple(rows), NOTES)]


PAIR = V2Pool(b"\xa1" * 20, TOKEN0, TOKEN1, 3000, 1_000 * ETHER, 1_000 * ETHER)
OTHER_PAIR = V2Pool(b"\xa2" * 20, TOKEN0, TOKEN1, 3000, 2_000 * ETHER, 2_000 * ETHER)


def v3_pool(number: int) -> V3Pool:
    """Fifty positions one inside the other, so that liquidity changes at each tick of the spacing on both sides."""
    words = dict.fromkeys(range(-4, 5), 0)
    address = bytes([0xB0 + number]) * 20
    ticks = TickTable(address, SPACING, words, {})
    for width in range(1, 51):
        ticks = ticks.with_position(-width * SPACING, width * SPACING, 400 * ETHER * number)
    price = sqrt_ratio_at_tick(0) + 10**20
    return V3Pool(address, TOKEN0, TOKEN1, 3000, price, 0, 50 * 400 * ETHER * number, ticks)


def _v3_swap(crossed: int) -> Callable[[], object]:
    """A swap of token 1 that ends in the middle between two ticks."""
    pool = v3_pool(1)
    steps = [_to_tick(pool, tick * SPACING) for tick in (crossed, crossed + 1)]
    amount_in = sum(steps) // 2
    swap = pool.swap_exact_in(TOKEN1, amount_in)
    if not isinstance(swap.after, V3Pool) or swap.after.tick // SPACING != crossed:
        raise AssertionError(f"the swap does not cross {crossed} ticks")
    return lambda: pool.swap_exact_in(TOKEN1, amount_in)


def _to_tick(pool: V3Pool, tick: int) -> int:
    limit = sqrt_ratio_at_tick(tick)
    return pool.swap_exact_in(TOKEN1, 10**30, limit).amount_in if limit > pool.sqrt_price_x96 else 0


def _sale(pools: Pools) -> tuple[MarketView, SwapResult]:
    """A sale that moves the first pool by more than both fees, with 1 % of tolerance, and the market that it is made on."""
    pool, view = pools[0], view_of(BLOCK, pools)
    amount_in = 20 * ETHER if isinstance(pool, V2Pool) else 400 * ETHER
    least = pool.swap_exact_in(TOKEN0, amount_in).amount_out * 99 // 100
    hop = Hop("a factory", pool.kind, pool.address, TOKEN0, TOKEN1, pool.fee_pips)
    asked = SwapIntent("a router", "swap", (hop,), ExactIn(amount_in, least), bytes(20))
    return view, simulate(asked, view, BLOCK.timestamp)


def _detecting(detect: Callable[..., Iterable[Opportunity]], view: MarketView, cause: SwapResult) -> Callable[[], object]:
    if not any(found.gross_profit > 0 for found in detect(view, cause, GAS)):
        raise AssertionError("there is nothing to size")
    return lambda: list(detect(view, cause, GAS))


def _repeated(work: Callable[[], object], times: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(times):
            work()

    return repeat
