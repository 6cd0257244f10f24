"""What a detector finds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class OpportunityKind(StrEnum):
    """The kinds that `--kind` filters by."""

    SANDWICH_EXPOSURE = "sandwich_exposure"
    BACKRUN = "backrun"


class Bound(StrEnum):
    """What the figure is: the exact optimum, a bound from above, or not to be had on the known state."""

    EXACT = "exact"
    UPPER_BOUND = "upper_bound"
    STATE_UNKNOWN = "state_unknown"


class Leg(Struct, frozen=True, gc=False):
    """One trade of the finding, in order."""

    pool: bytes
    token_in: bytes
    token_out: bytes
    amount_in: int
    amount_out: int


class Opportunity(Struct, frozen=True, gc=False):
    """A finding: its size, profit, route and assumptions. Profits are in the smallest unit of `profit_token`.

    `net_profit` is None where the gas cannot be priced in `profit_token`.
    """

    kind: OpportunityKind
    bound: Bound
    profit_token: bytes
    gross_profit: int
    net_profit: int | None
    legs: tuple[Leg, ...]
    gas_units: int
    gas_price_wei: int
    block_number: int
    note: str = ""
    """The assumption or the missing state, in words."""
