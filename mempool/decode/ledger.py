"""What a call itself puts into the router's and the pairs' hands, so that "sell the balance" gets its amount."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from mempool.model.swap import BalanceIn

NATIVE = bytes(20)
"""Stands for the native coin among tokens, as in the routers' own commands."""


class Take(Struct, frozen=True, gc=False):
    """Something that left a balance: `wei`, or `numerator / denominator` of it rounded down."""

    wei: int
    numerator: int = 0
    denominator: int = 1

    def needed_before(self, minimum: int) -> int:
        """The smallest balance that still has `minimum` after this was taken."""
        if not self.numerator:
            return minimum + self.wei
        rest = self.denominator - self.numerator
        # b - floor(b * n / d) = ceil(b * rest / d) >= minimum, solved for the smallest b.
        return 0 if minimum <= 0 or rest <= 0 else (minimum - 1) * self.denominator // rest + 1


class Holding(Struct, frozen=True, gc=False):
    """One balance: `wei` that the call fixes, plus the outputs of the intents `sources`, less what was taken since."""

    wei: int = 0
    sources: tuple[int, ...] = ()
    takes: tuple[Take, ...] = ()
    known: bool = True

    def size(self, min_amount_out: int) -> BalanceIn | None:
        """All of it as the size of a swap; None where the call does not fix it.

        A portion of an earlier output (`PAY_PORTION`) is rounded on an amount that only a simulation knows, so it does not.
        """
        held_wei = self.wei - sum(take.wei for take in self.takes)
        fixed = self.known and not any(take.numerator for take in self.takes)
        if not fixed or not (self.sources or held_wei > 0):
            return None
        return BalanceIn(held_wei, self.sources, min_amount_out)

    def plus(self, other: Holding) -> Holding:
        """Both together. What comes after a portion was taken is not part of it: such a balance is not known."""
        known = self.known and other.known and not any(take.numerator for take in self.takes)
        return Holding(self.wei + other.wei, self.sources + other.sources, self.takes + other.takes, known=known)

    def less(self, take: Take) -> Holding:
        """The holding after `take`; taking more than a fixed balance holds means that the rest came from elsewhere."""
        if self.sources:
            return replace(self, takes=(*self.takes, take))
        rest = self.wei - take.wei - self.wei * take.numerator // take.denominator
        return replace(self, wei=rest) if rest >= 0 else UNKNOWN


EMPTY = Holding()
UNKNOWN = Holding(known=False)


class Ledger(Struct, gc=False):
    """Balances by (holder, token) that the call brought about; what stood there before it counts as nothing."""

    holdings: dict[tuple[bytes, bytes], Holding]
    blurred: bool = False
    """A command that is not understood has run: no balance is known any more."""

    def credit(self, holder: bytes, token: bytes, holding: Holding) -> None:
        self.holdings[holder, token] = self.balance(holder, token).plus(holding)

    def take(self, holder: bytes, token: bytes, take: Take) -> None:
        self.holdings[holder, token] = self.balance(holder, token).less(take)

    def take_all(self, holder: bytes, token: bytes) -> Holding:
        """Empty the balance and hand it over."""
        held = self.balance(holder, token)
        self.holdings[holder, token] = EMPTY
        return held

    def balance(self, holder: bytes, token: bytes) -> Holding:
        return self.holdings.get((holder, token), UNKNOWN if self.blurred else EMPTY)

    def forget(self, holder: bytes, token: bytes) -> None:
        """An amount that only a simulation knows was taken."""
        self.holdings[holder, token] = UNKNOWN

    def forget_all(self) -> None:
        self.holdings.clear()
        self.blurred = True
