"""What every pool state offers, whatever its family; the families stand in `mempool.amm`."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from mempool.model.block import Log


class PoolState(Protocol):
    """An immutable snapshot of one pool. Amounts are integers in the token's smallest unit, rounded as the contract rounds."""

    @property
    def address(self) -> bytes: ...
    @property
    def kind(self) -> str:
        """The family's name in `POOL_KINDS`: `uniswap_v2`, `uniswap_v3`."""

    @property
    def token0(self) -> bytes: ...
    @property
    def token1(self) -> bytes: ...
    @property
    def fee_pips(self) -> int:
        """Fee in hundredths of a basis point: 3000 is 0.3 %."""

    def swap_exact_in(self, token_in: bytes, amount_in: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Sell `amount_in`; a limit of 0 is none.

        Raises `SwapImpossible` where the pool reverts, `StateUnknown` off the known state.
        """

    def swap_exact_out(self, token_in: bytes, amount_out: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        """Buy `amount_out` of the other token. Raises like `swap_exact_in`."""

    def mid_price(self, token_in: bytes) -> tuple[int, int]:
        """`(numerator, denominator)`: smallest units of token out for one smallest unit of `token_in`, before any fee."""

    def after_log(self, log: Log) -> PoolState:
        """The state after an event of this pool; itself where the event does not move it."""


class PoolIdentity(Struct, frozen=True, gc=False):
    """What never changes about a pool. `tick_spacing` is 0 where the family has no ticks."""

    kind: str
    address: bytes
    token0: bytes
    token1: bytes
    fee_pips: int
    tick_spacing: int = 0


class SwapEvent(Struct, frozen=True, gc=False):
    """A pool's own account of one swap: what it received and paid of each token, all at least 0."""

    pool: bytes
    amount0_in: int
    amount1_in: int
    amount0_out: int
    amount1_out: int


class PoolSwap(Struct, frozen=True, gc=False):
    """What one pool took and paid, and its state afterwards. With a price limit it may have taken less than offered."""

    amount_in: int
    amount_out: int
    after: PoolState
