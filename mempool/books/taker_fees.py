"""The takers' fees that a user names himself, `NAME=PERCENT`, in place of the venues' base tiers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation

from mempool.books.money import FeesPips
from mempool.errors import UsageError

PERCENT = 100
PIP_DECIMALS = 4
"""Of a percentage: a pip is 0.0001 %."""


def taker_fees(defaults: FeesPips, texts: Iterable[str]) -> FeesPips:
    """The fees of `defaults`, those that the texts name replaced. Raises `UsageError` as `named_fees` does."""
    return {**defaults, **named_fees(defaults, texts)}


def named_fees(known: Collection[str], texts: Iterable[str]) -> FeesPips:
    """Those alone that a text such as `binance=0.075` names; a later text wins.

    Raises `UsageError` on venues that are not known, which lists the known ones, and on what is no percentage that pips can say.
    """
    fees: dict[str, int] = {}
    for text in texts:
        name, is_pair, percent = text.partition("=")
        venue = name.strip().lower()
        if not is_pair:
            raise UsageError(f"{text!r} is no taker fee: write NAME=PERCENT, such as binance=0.075")
        if venue not in known:
            raise UsageError(f"unknown exchange {name.strip()!r} in {text!r}: known are {', '.join(known)}")
        fees[venue] = _pips(percent.strip().removesuffix("%"), text)
    return fees


def _pips(percent: str, text: str) -> int:
    try:
        number = Decimal(percent)
    except InvalidOperation:
        raise UsageError(f"{text!r}: {percent!r} is no number of percent, such as 0.075") from None
    if number.is_finite() and 0 <= number < PERCENT and number == round(number, PIP_DECIMALS):
        return int(round(number, PIP_DECIMALS).scaleb(PIP_DECIMALS))
    raise UsageError(f"{text!r}: a taker fee is from 0 to less than 100 percent, in steps of 0.0001")
