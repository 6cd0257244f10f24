"""What a sender asks for, and what the pools would make of it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mempool.model.block import BlockRef
from mempool.model.pool import PoolIdentity, PoolState
from mempool.model.price import PriceImpact


class Completeness(StrEnum):
    """How much of a call is known; each call and each intent has exactly one."""

    EXACT = "exact"
    AMOUNT_UNKNOWN = "amount_unknown"
    TOKENS_UNKNOWN = "tokens_unknown"
    PARTIAL = "partial"
    OPAQUE = "opaque"
    MALFORMED = "malformed"
    REFUSED = "refused"
    NOT_A_SWAP = "not_a_swap"


class Hop(Struct, frozen=True, gc=False):
    """One pool of a path, in trade order. Addresses are 20 bytes; `protocol` is a factory's name in the chain's tables."""

    protocol: str
    kind: str
    """The pool family in `POOL_KINDS`."""
    pool: bytes
    token_in: bytes
    token_out: bytes
    fee_pips: int
    tick_spacing: int = 0

    @property
    def identity(self) -> PoolIdentity:
        """The pool that this hop trades on; a pool's tokens are ordered by address."""
        token0, token1 = sorted((self.token_in, self.token_out))
        return PoolIdentity(self.kind, self.pool, token0, token1, self.fee_pips, self.tick_spacing)


class ExactIn(Struct, frozen=True, gc=False):
    """Sell exactly `amount_in` of the first token for at least `min_amount_out` of the last."""

    amount_in: int
    min_amount_out: int


class ExactOut(Struct, frozen=True, gc=False):
    """Buy exactly `amount_out` of the last token for at most `max_amount_in` of the first.

    With `pays_forward` the router computes the input and then pays what the V2 pairs give for it, which may be slightly more.
    """

    amount_out: int
    max_amount_in: int
    pays_forward: bool = False


class BalanceIn(Struct, frozen=True, gc=False):
    """Sell all that the router (or the pair) holds: `held_wei`, plus the outputs of the call's earlier intents `sources`.

    Known when the call itself fixes it; with no source and nothing held the intent is `amount_unknown`.
    """

    held_wei: int
    sources: tuple[int, ...]
    min_amount_out: int


Size = ExactIn | ExactOut | BalanceIn


class SwapIntent(Struct, frozen=True, gc=False):
    """One swap that a call asks for, before simulation."""

    router: str
    """The router's name in the chain's tables."""
    function: str
    """Function or command that asks for it, such as `swapExactETHForTokens` or `V3_SWAP_EXACT_IN`."""
    hops: tuple[Hop, ...]
    size: Size
    recipient: bytes
    """20 bytes; sentinels (sender, router) are resolved."""
    deadline: int | None = None
    """Unix seconds, or None where the call carries none."""
    sqrt_price_limit_x96: int = 0
    """Price limit of a single V3 hop; 0 is none."""
    revert_scopes: tuple[int, ...] = ()
    """The parts of the call that may fail as a whole without failing the rest, outermost first, that this intent stands in.

    Each has a number of its own. Where an intent fails, all that the innermost of its scopes holds is undone.
    """
    measures_received: bool = False
    """The router swaps what the pair received and checks what the recipient received (`…SupportingFeeOnTransferTokens`)."""
    completeness: Completeness = Completeness.EXACT
    reason: str = ""

    @property
    def allow_revert(self) -> bool:
        """It may fail without failing the transaction."""
        return bool(self.revert_scopes)

    @property
    def token_in(self) -> bytes:
        return self.hops[0].token_in

    @property
    def token_out(self) -> bytes:
        return self.hops[-1].token_out


class DecodedCall(Struct, frozen=True, gc=False):
    """What one transaction asks of a listed router. `commands` names every function and command in it, in order."""

    router: str
    selector: bytes
    completeness: Completeness
    intents: tuple[SwapIntent, ...] = ()
    commands: tuple[str, ...] = ()
    extra_bytes: int = 0
    reason: str = ""
    joint_minimums: tuple[BalanceIn, ...] = ()
    """What several intents must bring together: `held_wei` and the outputs of `sources` are at least `min_amount_out`."""


class HopResult(Struct, frozen=True, gc=False):
    """One hop as simulated; `before` and `after` are the pool's states around it."""

    hop: Hop
    amount_in: int
    amount_out: int
    impact: PriceImpact
    before: PoolState
    after: PoolState


class SwapResult(Struct, frozen=True, gc=False):
    """One intent as simulated on the state after `block` (and what the same call did before it).

    `reverts` says why the router or a pool would revert ("" where it would not): its own limit, its deadline, or the pool.
    Balances and allowances are not looked at.
    """

    intent: SwapIntent
    hops: tuple[HopResult, ...]
    amount_in: int
    amount_out: int
    reverts: str
    block: BlockRef
