"""Swaps of contracts that pull a stated amount and pay out themselves, and what they do to balances."""

from __future__ import annotations

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.model.swap import Completeness, ExactIn, Hop, Size, SwapIntent, Take

Known = tuple[Completeness, str]
"""How much of a swap is known, and why it is not all."""
EXACT: Known = (Completeness.EXACT, "")


def add_paid(call: Call, payer: bytes, intent: SwapIntent) -> None:
    """Note a swap whose input is taken from `payer`: by an amount that is open where the output is stated, and of any token
    where the pool's tokens are not known."""
    ledger = call.ledger
    if ledger is not None and intent.token_in:
        if isinstance(intent.size, ExactIn):
            ledger.take(payer, intent.token_in, Take(intent.size.amount_in))
        else:
            ledger.forget(payer, intent.token_in)
    call.add(intent)
    if ledger is not None and not intent.token_out:
        ledger.forget_all()


def swap_intent(call: Call, hops: tuple[Hop, ...], size: Size, recipient: bytes, known: Known = EXACT) -> SwapIntent:
    """The intent of the function that is being read."""
    router, function, deadline, scopes = call.router.name, call.function, call.deadline, call.revert_scopes
    completeness, reason = known
    return SwapIntent(router, function, hops, size, recipient, deadline, 0, scopes, completeness=completeness, reason=reason)


def pay_out_native(call: Call, recipient: bytes) -> None:
    """The last swap's output, which its pool pays as the wrapped native token, reached the recipient unwrapped."""
    if call.ledger is not None:
        for token in (call.router.wrapped_native, NATIVE):
            call.ledger.forget(recipient, token)
