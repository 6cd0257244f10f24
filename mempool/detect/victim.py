"""The sender's swap again, as it would run after somebody has moved one of its pools."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.amm.optimal import largest_true
from mempool.amm.path import swap_path_exact_in, swap_path_exact_out
from mempool.detect.sandwich_v2 import BuysExactly, SellsExactly
from mempool.errors import StateUnknown, SwapImpossible
from mempool.model.pool import PoolState, PoolSwap
from mempool.model.swap import ExactIn, ExactOut, SwapResult


class Victim:
    """The swap of `cause` seen from its hop `index`: all that the attack on this hop's pool does not change is fixed once.

    Raises `StateUnknown` where the sender's limit cannot be carried over to this hop on the known ticks.
    """

    def __init__(self, cause: SwapResult, index: int) -> None:
        self.cause, self.index = cause, index
        self.size = cause.intent.size
        self.price_limit = cause.intent.sqrt_price_limit_x96
        self.hop = cause.hops[index]
        self.token_in = self.hop.hop.token_in
        self.token_out = self.hop.hop.token_out
        self.pools: tuple[PoolState, ...] = tuple(hop.before for hop in cause.hops)
        self.tokens_in = tuple(hop.hop.token_in for hop in cause.hops)
        self.offered = self._offered()

    @property
    def min_amount_out(self) -> int:
        """The sender's least final amount; a swap that pays nothing at all counts as failed."""
        return 0 if isinstance(self.size, ExactOut) else max(self.size.min_amount_out, 1)

    def margin(self, pool: PoolState) -> int | None:
        """How far within its limit the swap stays with `pool` in this hop's place (below 0: beyond it); None: a pool refuses."""
        try:
            return self._margin(self._swaps(pool))
        except SwapImpossible:
            return None

    def after(self, pool: PoolState, *, within_limit: bool = False) -> PoolState | None:
        """`pool` after the whole swap, or None where the swap would fail at a pool or, if asked for, at the sender's limit."""
        try:
            swaps = self._swaps(pool)
            if within_limit and self._margin(swaps) < 0:
                return None
            if isinstance(self.size, ExactOut) and self.size.pays_forward:
                swaps = swap_path_exact_in(
                    (*self.pools[: self.index], pool), self.tokens_in[: self.index + 1], swaps[0].amount_in
                )
        except SwapImpossible:
            return None
        if len(swaps) == 1:
            return swaps[0].after
        return next(swap.after for swap in reversed(swaps) if swap.after.address == pool.address)

    def _margin(self, swaps: Sequence[PoolSwap]) -> int:
        if isinstance(self.size, ExactOut):
            return self.size.max_amount_in - swaps[0].amount_in
        return swaps[-1].amount_out - self.min_amount_out

    def _offered(self) -> int:
        """What a sale offers to the hop; a price limit or the end of liquidity may have let the pool take less."""
        if self.index:
            return self.cause.hops[self.index - 1].amount_out
        return self.size.amount_in if isinstance(self.size, ExactIn) else self.hop.amount_in

    def _swaps(self, pool: PoolState) -> Sequence[PoolSwap]:
        """The hops that the attack can change: from this one on for a sale, up to it for a purchase."""
        if not isinstance(self.size, ExactOut):
            if self.price_limit:
                return [pool.swap_exact_in(self.token_in, self.offered, self.price_limit)]
            pools = (pool, *self.pools[self.index + 1 :])
            return swap_path_exact_in(pools, self.tokens_in[self.index :], self.offered)
        if self.price_limit:
            return [pool.swap_exact_out(self.token_in, self.size.amount_out, self.price_limit)]
        pools = (*self.pools[: self.index], pool)
        return swap_path_exact_out(pools, self.tokens_in[: self.index + 1], self._bought_from_hop(self.size))

    def _bought_from_hop(self, size: ExactOut) -> int:
        """What an exact-out path asks of this hop; the hops after it are as they were, so their quotes are too."""
        if not size.pays_forward:
            return self.hop.amount_out
        pools, tokens_in = self.pools[self.index + 1 :], self.tokens_in[self.index + 1 :]
        return swap_path_exact_out(pools, tokens_in, size.amount_out)[0].amount_in if pools else size.amount_out

    def on_hop(self) -> SellsExactly | BuysExactly:
        """The same swap as the closed forms want it: the sender's limit carried over to this one hop.

        Raises `StateUnknown` where the later or earlier hops would need ticks that are not known.
        """
        if not isinstance(self.size, ExactOut):
            return SellsExactly(self.offered, self._least_out_of_hop())
        bought, most = self._bought_from_hop(self.size), self._most_into_hop(self.size)
        if not self.size.pays_forward or self.index == 0:
            return BuysExactly(bought, most, self.size.pays_forward)
        excess = self._forward_excess()
        return BuysExactly(bought, most, pays_forward=True, forward=self._forward, forward_excess=excess)

    def _least_out_of_hop(self) -> int:
        """The least amount from this hop for which the later hops still pay the sender's minimum."""
        pools, tokens_in = self.pools[self.index + 1 :], self.tokens_in[self.index + 1 :]
        if not pools:
            return self.min_amount_out

        def pays(amount: int) -> bool:
            try:
                return swap_path_exact_in(pools, tokens_in, amount)[-1].amount_out >= self.min_amount_out
            except SwapImpossible:
                return False

        try:
            enough = swap_path_exact_out(pools, tokens_in, self.min_amount_out)[0].amount_in
        except SwapImpossible:
            enough = self.hop.amount_out
        if not pays(enough):
            enough = self.hop.amount_out
        return enough - largest_true(lambda less: less < enough and pays(enough - less), known=0, guess=0)

    def _most_into_hop(self, size: ExactOut) -> int:
        """The largest amount into this hop for which the earlier hops still ask no more than the sender's maximum."""
        pools, tokens_in = self.pools[: self.index], self.tokens_in[: self.index]
        if not pools:
            return size.max_amount_in

        def affords(amount: int) -> bool:
            try:
                return swap_path_exact_out(pools, tokens_in, amount)[0].amount_in <= size.max_amount_in
            except SwapImpossible:
                return False

        def surely_affords(amount: int) -> bool:
            try:
                return affords(amount)
            except StateUnknown:
                return False

        quoted = self.hop.before.swap_exact_out(self.token_in, self._bought_from_hop(size)).amount_in
        try:
            guess = swap_path_exact_in(pools, tokens_in, size.max_amount_in)[-1].amount_out
        except (SwapImpossible, StateUnknown):
            guess = quoted
        most = largest_true(surely_affords, known=quoted, guess=guess)
        affords(most + 1)  # Raises where it is the known ticks that end, not the sender's maximum.
        return most

    def _forward(self, quoted: int) -> int:
        pools, tokens_in = self.pools[: self.index], self.tokens_in[: self.index]
        paid = swap_path_exact_out(pools, tokens_in, quoted)[0].amount_in
        return swap_path_exact_in(pools, tokens_in, paid)[-1].amount_out

    def _forward_excess(self) -> int:
        """What quoting back and paying forward adds at most: a quote asks up to 1 too much, worth at most the mid price."""
        excess = 0
        for pool, token_in in zip(self.pools[: self.index], self.tokens_in[: self.index], strict=True):
            numerator, denominator = pool.mid_price(token_in)
            excess = -(-(excess + 1) * numerator // denominator)
        return excess
