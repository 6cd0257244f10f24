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
    """The pool family in `POOL_KINDS`; empty where its maths is not known or the pool is none of a listed factory."""
    pool: bytes
    """Its address, or its 32-byte id in a vault that holds many; empty where the call does not show it."""
    token_in: bytes
    token_out: bytes
    """Empty, as `token_in` may be, where the call names the pool alone and its tokens are not known."""
    fee_pips: int | None
    """None where the call does not show it."""
    tick_spacing: int = 0
    hooks: bytes = b""
    """The contract that a V4 pool calls around a swap, 20 bytes; zeros are none, empty is no V4 pool."""
    zero_for_one: bool | None = None
    """The direction, where the call states it instead of the tokens."""

    @property
    def identity(self) -> PoolIdentity | None:
        """The pool that this hop trades on, its tokens ordered by address; None where it is not one to simulate."""
        if not self.kind or self.fee_pips is None or not self.pool or not self.token_in or not self.token_out:
            return None
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


class Take(Struct, frozen=True, gc=False):
    """Something that leaves a balance: `wei`, or `numerator / denominator` of it rounded down."""

    wei: int
    numerator: int = 0
    denominator: int = 1

    def of(self, balance: int) -> int:
        """What leaves `balance`."""
        return self.wei + balance * self.numerator // self.denominator

    def needed_before(self, minimum: int) -> int:
        """The smallest balance that still has `minimum` after this was taken."""
        if not self.numerator:
            return minimum + self.wei
        rest = self.denominator - self.numerator
        # b - floor(b * n / d) = ceil(b * rest / d) >= minimum, solved for the smallest b.
        return 0 if minimum <= 0 or rest <= 0 else (minimum - 1) * self.denominator // rest + 1


ALL = Take(0, 1, 1)


class BalanceIn(Struct, frozen=True, gc=False):
    """Sell a share of what the router (or the pair) holds: `held_wei`, plus the outputs of the call's earlier intents `sources`,
    less the `takes` that left it before, in their order.

    Known when the call itself fixes it; with no source and nothing held the intent is `amount_unknown`.
    """

    held_wei: int
    sources: tuple[int, ...]
    min_amount_out: int
    takes: tuple[Take, ...] = ()
    share: Take = ALL

    def amount_in(self, brought: int) -> int:
        """What is sold where the sources bring `brought` together; never negative."""
        balance = self.held_wei + brought
        for take in self.takes:
            balance -= take.of(balance)
        return max(self.share.of(balance), 0)


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


class Step(Struct, frozen=True, gc=False):
    """One function or command of a call, in the order in which they run; those that a step carries follow it one level deeper."""

    depth: int
    contract: str
    """The router's name in the chain's tables, where the step enters another contract than the step around it; else empty."""
    name: str
    first_intent: int
    """The intents from this number on, up to the next step's, are this step's."""


class DecodedCall(Struct, frozen=True, gc=False):
    """What one transaction asks of a listed router."""

    router: str
    selector: bytes
    completeness: Completeness
    intents: tuple[SwapIntent, ...] = ()
    steps: tuple[Step, ...] = ()
    extra_bytes: int = 0
    reason: str = ""
    joint_minimums: tuple[BalanceIn, ...] = ()
    """What several intents must bring together: `held_wei` and the outputs of `sources` are at least `min_amount_out`."""
    by_selector: bool = False
    """The contract that was called is not listed: its function was taken for what its selector says, which nobody vouches for."""

    @property
    def pools(self) -> dict[bytes, PoolIdentity]:
        """The pools that its intents trade on and that can be simulated, by address."""
        identities = (hop.identity for intent in self.intents for hop in intent.hops)
        return {identity.address: identity for identity in identities if identity is not None}

    @property
    def commands(self) -> tuple[str, ...]:
        """The name of every function and command in it, in order."""
        return tuple(step.name for step in self.steps)


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
