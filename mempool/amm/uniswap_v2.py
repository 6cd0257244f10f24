"""Uniswap V2 pairs and their forks at any fee, rounded as the router's library and the pair round."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mempool.amm.curve import Range
from mempool.amm.pool_kind import PoolKind, SnapshotLoad
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.block import Log
from mempool.model.keccak import keccak256
from mempool.model.pool import PoolIdentity, PoolSwap, SwapEvent

SYNC_TOPIC = keccak256(b"Sync(uint112,uint112)")
SWAP_TOPIC = keccak256(b"Swap(address,uint256,uint256,uint256,uint256,address)")
RESERVES_SLOT = 8
TOKEN_SLOTS = (6, 7)
"""Where a pair keeps `token0` and `token1`; a swap reads both."""
MAX_RESERVE = 2**112 - 1
PIPS = 1_000_000


class V2Pool(Struct, frozen=True, gc=False):
    """One pair. The pair keeps the whole amount in, fee included, so its reserves tell everything about it."""

    address: bytes
    token0: bytes
    token1: bytes
    fee_pips: int
    reserve0: int
    reserve1: int

    @property
    def kind(self) -> str:
        return "uniswap_v2"

    def swap_exact_in(self, token_in: bytes, amount_in: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Sell `amount_in` for what the formula gives, rounded down. A pair knows no price limit: it must be 0.

        Raises `SwapImpossible` with the reason that the pair gives.
        """
        reserve_in, reserve_out = self._reserves(token_in, sqrt_price_limit_x96)
        if amount_in <= 0:
            raise SwapImpossible(self.address, "INSUFFICIENT_INPUT_AMOUNT")
        return self._after(token_in, amount_in, amount_out_rounding_down(amount_in, reserve_in, reserve_out, self.fee_pips))

    def swap_exact_out(self, token_in: bytes, amount_out: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Buy exactly `amount_out` for the least that the formula asks, rounded up. Raises like `swap_exact_in`."""
        reserve_in, reserve_out = self._reserves(token_in, sqrt_price_limit_x96)
        if amount_out <= 0:
            raise SwapImpossible(self.address, "INSUFFICIENT_OUTPUT_AMOUNT")
        if amount_out >= reserve_out:
            raise SwapImpossible(self.address, f"INSUFFICIENT_LIQUIDITY: {amount_out} asked, {reserve_out} there")
        return self._after(token_in, amount_in_rounding_up(amount_out, reserve_in, reserve_out, self.fee_pips), amount_out)

    def mid_price(self, token_in: bytes) -> tuple[int, int]:
        return (self.reserve1, self.reserve0) if token_in == self.token0 else (self.reserve0, self.reserve1)

    def virtual_reserve(self, token: bytes) -> int:
        return self.reserve0 if token == self.token0 else self.reserve1

    def after_log(self, log: Log) -> V2Pool:
        """`Sync` carries the reserves after every swap, mint, burn and skim, so no other event counts."""
        if log.topics[:1] != (SYNC_TOPIC,) or len(log.data) != 64:
            return self
        reserve0, reserve1 = int.from_bytes(log.data[:32]), int.from_bytes(log.data[32:])
        return replace(self, reserve0=reserve0, reserve1=reserve1)

    def _reserves(self, token_in: bytes, sqrt_price_limit_x96: int) -> tuple[int, int]:
        """`(reserve_in, reserve_out)`, both above 0."""
        if sqrt_price_limit_x96:
            raise SwapImpossible(self.address, "a V2 pair takes no price limit")
        reserve0, reserve1 = self.reserve0, self.reserve1
        if token_in != self.token0 and token_in != self.token1:
            raise SwapImpossible(self.address, f"does not trade 0x{token_in.hex()}")
        if not (reserve0 and reserve1):
            raise SwapImpossible(self.address, "INSUFFICIENT_LIQUIDITY: the pair is empty")
        return (reserve0, reserve1) if token_in == self.token0 else (reserve1, reserve0)

    def _after(self, token_in: bytes, amount_in: int, amount_out: int) -> PoolSwap:
        if amount_out == 0:
            raise SwapImpossible(self.address, "INSUFFICIENT_OUTPUT_AMOUNT")
        if token_in == self.token0:
            reserve0, reserve1 = self.reserve0 + amount_in, self.reserve1 - amount_out
        else:
            reserve0, reserve1 = self.reserve0 - amount_out, self.reserve1 + amount_in
        if reserve0 > MAX_RESERVE or reserve1 > MAX_RESERVE:
            raise SwapImpossible(self.address, "OVERFLOW: a reserve would pass 2**112 - 1")
        after = V2Pool(self.address, self.token0, self.token1, self.fee_pips, reserve0, reserve1)
        return PoolSwap(amount_in, amount_out, after)


def amount_out_rounding_down(amount_in: int, reserve_in: int, reserve_out: int, fee_pips: int) -> int:
    """The most that the pair pays for `amount_in`: `in' * out / (reserve_in + in')` with `in'` the amount after the fee.

    Whitepaper, section 3.2.1. With a fee of 3000 pips it equals the library's 997/1000, since both cancel the same factor.
    """
    amount_in_after_fee = amount_in * (PIPS - fee_pips)
    return amount_in_after_fee * reserve_out // (reserve_in * PIPS + amount_in_after_fee)


def amount_in_rounding_up(amount_out: int, reserve_in: int, reserve_out: int, fee_pips: int) -> int:
    """What the library asks for `amount_out < reserve_out`: the quotient rounded down, plus 1 even where it is exact."""
    return reserve_in * amount_out * PIPS // ((reserve_out - amount_out) * (PIPS - fee_pips)) + 1


def read_swap(log: Log) -> SwapEvent | None:
    """A pair's `Swap` event, or None for any other log."""
    if log.topics[:1] != (SWAP_TOPIC,) or len(log.topics) != 3 or len(log.data) != 128:
        return None
    amounts = [int.from_bytes(log.data[start : start + 32]) for start in range(0, 128, 32)]
    return SwapEvent(log.address, *amounts)


def load(identity: PoolIdentity, *, words_each_side: int) -> SnapshotLoad:
    """Asks for the one slot that packs `reserve0`, `reserve1` and the time of the last update, lowest first."""
    packed = (yield [RESERVES_SLOT]).get(RESERVES_SLOT)
    if packed is None:
        raise StateUnknown(identity.address, "the reserves")
    return V2Pool(
        address=identity.address,
        token0=identity.token0,
        token1=identity.token1,
        fee_pips=identity.fee_pips,
        reserve0=packed & MAX_RESERVE,
        reserve1=packed >> 112 & MAX_RESERVE,
    )


def ranges(pool: V2Pool, token_in: bytes) -> Iterator[Range]:
    """The one range of a pair that is not empty."""
    reserves = (pool.reserve0, pool.reserve1) if token_in == pool.token0 else (pool.reserve1, pool.reserve0)
    if all(reserves):
        yield Range(float(reserves[0]), float(reserves[1]))


KIND = PoolKind("uniswap_v2", frozenset({SYNC_TOPIC}), SWAP_TOPIC, read_swap, load, V2Pool.virtual_reserve, ranges)
