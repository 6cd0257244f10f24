"""What a call itself puts into the router's and the pairs' hands, so that "sell the balance" gets its amount."""

from __future__ import annotations

from msgspec import Struct

from mempool.model.swap import ALL, BalanceIn, Take

MAX_TAKES = 32
"""A balance that more is taken from, before it is known what it is, is not kept track of any further."""
NATIVE = bytes(20)
"""Stands for the native coin among tokens, as in the routers' own commands."""


class Holding(Struct, frozen=True, gc=False):
    """One balance: `wei` that the call fixes, plus the outputs of the intents `sources`, less what was taken since."""

    wei: int = 0
    sources: tuple[int, ...] = ()
    takes: tuple[Take, ...] = ()
    known: bool = True

    def size(self, min_amount_out: int, share: Take = ALL) -> BalanceIn | None:
        """All of it, or a share, as the size of a swap; None where the call does not fix it."""
        if not self.known or not (self.sources or self.wei > 0):
            return None
        if any(take.numerator for take in self.takes):
            return BalanceIn(self.wei, self.sources, min_amount_out, self.takes, share)
        held_wei = self.wei - sum(take.wei for take in self.takes)
        return BalanceIn(held_wei, self.sources, min_amount_out, (), share) if self.sources or held_wei > 0 else None

    def plus(self, other: Holding) -> Holding:
        """Both together. What comes after a portion was taken is not part of it: such a balance is not known."""
        if self is EMPTY:
            return other
        takes = self.takes + other.takes
        portions = takes and any(take.numerator for take in takes)
        known = self.known and other.known and (not portions or self.is_empty or other.is_empty) and len(takes) <= MAX_TAKES
        return Holding(self.wei + other.wei, self.sources + other.sources, takes, known)

    @property
    def is_empty(self) -> bool:
        return not self.wei and not self.sources and not self.takes and self.known

    def less(self, take: Take) -> Holding:
        """The holding after `take`; taking more than a fixed balance holds means that the rest came from elsewhere."""
        if self.sources:
            if len(self.takes) == MAX_TAKES:
                return UNKNOWN
            return Holding(self.wei, self.sources, (*self.takes, take), self.known)
        rest = self.wei - take.of(self.wei)
        return Holding(rest, (), self.takes, self.known) if rest >= 0 else UNKNOWN


EMPTY = Holding()
UNKNOWN = Holding(known=False)


class Ledger(Struct, gc=False):
    """Balances by (holder, token) that the call brought about; what stood there before it counts as nothing.

    What comes and goes is written down, and reckoned up when a balance is asked for: many calls sell stated amounts alone.
    """

    holdings: dict[tuple[bytes, bytes], Holding]
    blurred: bool = False
    """A command that is not understood has run: no balance is known any more."""
    changes: list[tuple[bytes, bytes, Holding | Take | int]] = []
    """`(holder, token, what came or what was taken)`, not yet part of `holdings`; a number is wei that came or, below 0, went."""

    def credit(self, holder: bytes, token: bytes, holding: Holding) -> None:
        self.changes.append((holder, token, holding))

    def take(self, holder: bytes, token: bytes, take: Take) -> None:
        self.changes.append((holder, token, take))

    def change(self, holder: bytes, token: bytes, wei: int) -> None:
        """A stated amount comes or, below 0, goes."""
        self.changes.append((holder, token, wei))

    def move(self, holder: bytes, token: bytes, to: bytes, amount_wei: int) -> None:
        """A stated amount of the token goes from one to the other."""
        self.changes += ((holder, token, -amount_wei), (to, token, amount_wei))

    def take_all(self, holder: bytes, token: bytes) -> Holding:
        """Empty the balance and hand it over."""
        held = self.balance(holder, token)
        self.holdings[holder, token] = EMPTY
        return held

    def balance(self, holder: bytes, token: bytes) -> Holding:
        if self.changes:
            self._reckon()
        return self.holdings.get((holder, token), UNKNOWN if self.blurred else EMPTY)

    def forget(self, holder: bytes, token: bytes) -> None:
        """An amount that only a simulation knows was taken."""
        if self.changes:
            self._reckon()
        self.holdings[holder, token] = UNKNOWN

    def forget_all(self) -> None:
        self.changes.clear()
        self.holdings.clear()
        self.blurred = True

    def _reckon(self) -> None:
        holdings, default = self.holdings, UNKNOWN if self.blurred else EMPTY
        for holder, token, change in self.changes:
            key = (holder, token)
            holdings[key] = _after(holdings.get(key, default), change)
        self.changes.clear()


def _after(held: Holding, change: Holding | Take | int) -> Holding:
    if isinstance(change, int):
        change = Holding(change) if change >= 0 else Take(-change)
    if isinstance(change, Take):
        return held.less(change)
    return change if held is EMPTY else held.plus(change)
