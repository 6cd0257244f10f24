"""What was expected of a swap, what the block did, and why they differ."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mempool.model.swap import SwapResult


class Cause(StrEnum):
    """Why a hop came out otherwise than simulated. A closed list; each is proven from logs, never guessed."""

    EXACT = "exact"
    MOVED_AHEAD = "moved_ahead"
    """Other transactions moved the pool between the prediction and this one; they are named."""
    FEE_ON_TRANSFER = "fee_on_transfer"
    """The pool received less than was sent, and the maths on what it received is exact."""
    MOVED_INSIDE_TRANSACTION = "moved_inside_transaction"
    """Another event of that pool stands earlier in the same transaction."""
    UPSTREAM = "upstream"
    """An earlier hop of the path is explained, so this one had another input."""
    OTHER_FEE = "other_fee"
    """The pool charges another fee than the tables say; the maths with that fee is exact."""
    UNEXPLAINED = "unexplained"


class RevertGrade(StrEnum):
    """How a prediction of reverting came out."""

    NONE = ""
    RIGHT = "right"
    MISSED = "missed"
    FALSE_ALARM = "false_alarm"


class Prediction(Struct, frozen=True, gc=False):
    """A simulated intent of a pending transaction. `late_ns` is how long it waited for pool state after its first sighting."""

    transaction_hash: str
    intent_index: int
    result: SwapResult
    predicted_ns: int
    late_ns: int = 0


class Outcome(Struct, frozen=True, gc=False):
    """One hop of a prediction against the mined block. Errors are mined minus simulated, in the smallest unit.

    For an exact-in hop the error is of the amount out; for an exact-out hop of the amount in.
    `mined_amount_in` and `mined_amount_out` are None where the transaction reverted or the hop left no log.
    """

    transaction_hash: str
    intent_index: int
    hop_index: int
    block_number: int
    mined_amount_in: int | None
    mined_amount_out: int | None
    error_as_predicted: int | None
    error_in_block_order: int | None
    cause: Cause
    moved_by: tuple[str, ...] = ()
    """Hashes of the transactions that moved the pool, where the cause is `moved_ahead`."""
    revert: RevertGrade = RevertGrade.NONE
