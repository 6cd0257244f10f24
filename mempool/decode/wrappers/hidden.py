"""Swaps of which a wrapper states the tokens, the amount and the minimum, while the pools stay hidden."""

from __future__ import annotations

from typing import NamedTuple

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.model.swap import Completeness, ExactIn, Hop, SwapIntent

_ETHER_AS_TOKEN = b"\xee" * 20


class Terms(NamedTuple):
    """What is known of such a swap. Tokens are 20 bytes."""

    token_in: bytes
    token_out: bytes
    amount_in: int
    min_amount_out: int


def add_hidden(call: Call, terms: Terms, recipient: bytes, reason: str) -> None:
    """Note the swap as partial; `reason` says what hides the pools."""
    hop = Hop("", "", b"", native_or(terms.token_in), native_or(terms.token_out), None)
    intent = SwapIntent(
        call.router.name,
        call.function,
        (hop,),
        ExactIn(terms.amount_in, terms.min_amount_out),
        recipient,
        call.deadline,
        0,
        call.revert_scopes,
        completeness=Completeness.PARTIAL,
        reason=reason,
    )
    call.add(intent)


def native_or(token: bytes) -> bytes:
    """The token, with the address that many routers write for the native coin brought to the one that stands for it here."""
    return NATIVE if token == _ETHER_AS_TOKEN else token
