"""Prices and what a swap does to them."""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct


class PriceImpact(Struct, frozen=True, gc=False):
    """How far one hop's execution fell short of the mid price: `(exact_quote - amount_out) / exact_quote`.

    `mid_numerator / mid_denominator` is the mid price before the hop (token out for one token in, smallest units).
    The ratios are made on demand, since a `Fraction` costs more than the swap itself.
    """

    amount_in: int
    amount_out: int
    mid_numerator: int
    mid_denominator: int
    fee_pips: int

    @property
    def with_fee(self) -> Fraction:
        """Shortfall against the mid price, the pool's fee counted as part of it."""
        return self._shortfall(self.amount_in * 1_000_000)

    @property
    def without_fee(self) -> Fraction:
        """Shortfall against the mid price of the amount that is left after the fee; may be below zero by rounding."""
        return self._shortfall(self.amount_in * (1_000_000 - self.fee_pips))

    def _shortfall(self, amount_in_pips: int) -> Fraction:
        exact_quote = amount_in_pips * self.mid_numerator
        if exact_quote == 0:
            return Fraction(0)
        return Fraction(exact_quote - self.amount_out * self.mid_denominator * 1_000_000, exact_quote)
