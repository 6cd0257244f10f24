"""Uniswap V3 pools: the walk over ticks exactly as the contract does it, and the events that move a pool."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from mempool.amm.sqrt_price_math import LIMIT_UINT256, PoolReverts
from mempool.amm.swap_step import PIPS, known_whole_step, step_exact_in, step_exact_out, whole_step
from mempool.amm.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from mempool.amm.ticks import TickTable
from mempool.errors import SwapImpossible
from mempool.model.block import Log
from mempool.model.keccak import keccak256
from mempool.model.pool import PoolSwap, SwapEvent

SWAP_TOPIC = keccak256(b"Swap(address,address,int256,int256,uint160,uint128,int24)")
MINT_TOPIC = keccak256(b"Mint(address,address,int24,int24,uint128,uint256,uint256)")
BURN_TOPIC = keccak256(b"Burn(address,int24,int24,uint128,uint256,uint256)")
INITIALIZE_TOPIC = keccak256(b"Initialize(uint160,int24)")
LIMIT_INT256 = 1 << 255
Q192 = 1 << 192


class V3Pool(Struct, frozen=True):
    """One pool: price, tick and active liquidity as `slot0` and `liquidity` hold them, and the known part of its ticks.

    The protocol's share is taken out of the fee and changes no amount, so it is not kept.
    """

    address: bytes
    token0: bytes
    token1: bytes
    fee_pips: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    ticks: TickTable

    @property
    def kind(self) -> str:
        return "uniswap_v3"

    def swap_exact_in(self, token_in: bytes, amount_in: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Sell up to `amount_in`: less is taken where the price limit, or the end of all liquidity, stops the swap.

        Raises `SwapImpossible` where the pool reverts, `StateUnknown` where the walk leaves the known ticks.
        """
        limit = self._check(token_in, amount_in, sqrt_price_limit_x96)
        return self._within_range(limit, amount_in) or self._walk(limit, amount_in, exact_in=True)

    def swap_exact_out(self, token_in: bytes, amount_out: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Buy up to `amount_out`: the pool itself does not revert when it pays less; routers without a limit do."""
        limit = self._check(token_in, amount_out, sqrt_price_limit_x96)
        return self._walk(limit, amount_out, exact_in=False)

    def mid_price(self, token_in: bytes) -> tuple[int, int]:
        squared = self.sqrt_price_x96 * self.sqrt_price_x96
        return (squared, Q192) if token_in == self.token0 else (Q192, squared)

    def virtual_reserve(self, token: bytes) -> int:
        """What a V2 pair with the active liquidity would hold at this price. Whitepaper of V3, section 6.2.1."""
        if token == self.token1:
            return self.liquidity * self.sqrt_price_x96 >> 96
        return (self.liquidity << 96) // self.sqrt_price_x96 if self.sqrt_price_x96 else 0

    def after_log(self, log: Log) -> V3Pool:
        """An event of another shape than the pool's own is none of its events, whatever its topic says."""
        if not log.topics or LOG_SHAPES.get(log.topics[0]) != (len(log.topics), len(log.data)):
            return self
        return LOG_CHANGES[log.topics[0]](self, log)

    def _check(self, token_in: bytes, amount: int, limit: int) -> int:
        """The price limit to walk to, after the checks that open the contract's `swap`."""
        if token_in != self.token0 and token_in != self.token1:
            raise SwapImpossible(self.address, f"does not trade 0x{token_in.hex()}")
        if not 0 < amount < LIMIT_INT256:
            raise SwapImpossible(self.address, "AS: the amount is 0" if amount <= 0 else "the amount passes 255 bits")
        if not self.sqrt_price_x96:
            raise SwapImpossible(self.address, "LOK: the pool is not initialised")
        if token_in == self.token0:
            limit = limit or MIN_SQRT_RATIO + 1
            in_order = MIN_SQRT_RATIO < limit < self.sqrt_price_x96
        else:
            limit = limit or MAX_SQRT_RATIO - 1
            in_order = self.sqrt_price_x96 < limit < MAX_SQRT_RATIO
        if not in_order:
            raise SwapImpossible(self.address, f"SPL: price limit {limit}, price {self.sqrt_price_x96}")
        return limit

    def _within_range(self, limit: int, amount_in: int) -> PoolSwap | None:
        """A sale that ends before the next tick, as most do, in one step; None where it does not, or where products overflow.

        The step would reach its target exactly where the price after the whole input, which is rounded away from the target,
        stands at it or beyond: so what the target would take need not be worked out.
        """
        price, liquidity = self.sqrt_price_x96, self.liquidity
        if not liquidity:
            return None
        after_fee = amount_in * (PIPS - self.fee_pips) // PIPS
        scaled = liquidity << 96
        if limit < price:
            total = scaled + after_fee * price
            end = -(-scaled * price // total)
            target = sqrt_ratio_at_tick(self.ticks.next_below(self.tick)[0])
            if total >= LIMIT_UINT256 or end <= target or end <= limit:
                return None
            amount_out = liquidity * (price - end) >> 96
        else:
            end = price + (after_fee << 96) // liquidity
            target = sqrt_ratio_at_tick(self.ticks.next_above(self.tick)[0])
            if end >= target or end >= limit:
                return None
            amount_out = scaled * (end - price) // end // price
        tick = self.tick if end == price else tick_at_sqrt_ratio(end)
        after = V3Pool(self.address, self.token0, self.token1, self.fee_pips, end, tick, liquidity, self.ticks)
        return PoolSwap(amount_in, amount_out, after)

    def _walk(self, limit: int, amount: int, *, exact_in: bool) -> PoolSwap:
        price, tick, liquidity, ticks, fee_pips = self.sqrt_price_x96, self.tick, self.liquidity, self.ticks, self.fee_pips
        down = limit < price
        next_tick, stop_at = (ticks.next_below, max) if down else (ticks.next_above, min)
        amount_in = amount_out = 0
        remaining = amount
        measure = whole_step  # From where the pool stands: nobody will ask for this step again.
        while remaining and price != limit:
            boundary, initialised = next_tick(tick)
            boundary_price, price_before = sqrt_ratio_at_tick(boundary), price
            target = stop_at(boundary_price, limit)
            step_in, step_out = measure(price, target, liquidity, fee_pips)
            measure = known_whole_step
            if remaining >= (step_in if exact_in else step_out):
                price = target
            else:
                try:
                    price, step_in, step_out = (step_exact_in if exact_in else step_exact_out)(
                        price, target, liquidity, remaining, fee_pips
                    )
                except PoolReverts as error:
                    raise SwapImpossible(self.address, str(error)) from error
            amount_in += step_in
            amount_out += step_out
            remaining -= step_in if exact_in else step_out
            if price == boundary_price:
                if initialised:
                    liquidity += -ticks.net_liquidity(boundary) if down else ticks.net_liquidity(boundary)
                tick = boundary - 1 if down else boundary
            elif price != price_before:
                tick = tick_at_sqrt_ratio(price)
        after = V3Pool(self.address, self.token0, self.token1, fee_pips, price, tick, liquidity, ticks)
        return PoolSwap(amount_in, amount_out, after)


def read_swap(log: Log) -> SwapEvent | None:
    """A pool's `Swap` event, or None for any other log. The event's amounts are signed from the pool's side."""
    if log.topics[:1] != (SWAP_TOPIC,) or LOG_SHAPES[SWAP_TOPIC] != (len(log.topics), len(log.data)):
        return None
    amount0, amount1 = _signed_word(log.data, 0), _signed_word(log.data, 1)
    return SwapEvent(log.address, max(amount0, 0), max(amount1, 0), max(-amount0, 0), max(-amount1, 0))


def _after_swap(pool: V3Pool, log: Log) -> V3Pool:
    return replace(
        pool,
        sqrt_price_x96=_signed_word(log.data, 2),
        liquidity=_signed_word(log.data, 3),
        tick=_signed_word(log.data, 4),
    )


def _after_initialize(pool: V3Pool, log: Log) -> V3Pool:
    return replace(pool, sqrt_price_x96=_signed_word(log.data, 0), tick=_signed_word(log.data, 1))


def _after_mint(pool: V3Pool, log: Log) -> V3Pool:
    return _after_position(pool, log, _signed_word(log.data, 1))


def _after_burn(pool: V3Pool, log: Log) -> V3Pool:
    return _after_position(pool, log, -_signed_word(log.data, 0))


def _after_position(pool: V3Pool, log: Log, liquidity_delta: int) -> V3Pool:
    """Topics of both events: signature, owner, lower tick, upper tick. A burn of 0 only collects fees."""
    if liquidity_delta == 0:
        return pool
    lower, upper = (int.from_bytes(topic, signed=True) for topic in log.topics[2:4])
    active = pool.liquidity + liquidity_delta if lower <= pool.tick < upper else pool.liquidity
    return replace(pool, liquidity=active, ticks=pool.ticks.with_position(lower, upper, liquidity_delta))


LOG_CHANGES = {
    SWAP_TOPIC: _after_swap,
    INITIALIZE_TOPIC: _after_initialize,
    MINT_TOPIC: _after_mint,
    BURN_TOPIC: _after_burn,
}
LOG_SHAPES = {SWAP_TOPIC: (3, 160), INITIALIZE_TOPIC: (1, 64), MINT_TOPIC: (4, 128), BURN_TOPIC: (4, 96)}
"""How many topics and how many bytes of data each event has."""


def _signed_word(data: bytes, index: int) -> int:
    return int.from_bytes(data[32 * index : 32 * index + 32], signed=True)
