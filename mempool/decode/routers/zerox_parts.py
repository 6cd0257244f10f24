"""What 0x's contracts have in common: their sign for the native coin, and swaps whose pools the call does not show."""

from __future__ import annotations

from typing import Any

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.pools import Path
from mempool.model.swap import Completeness, Hop, Size, SwapIntent

NATIVE_SIGN = b"\xee" * 20
"""Stands for the native coin in 0x's calldata."""
RFQ = "zerox_rfq"
_REASONS = {RFQ: "fills an order that a maker signed", "": "does not show its pools"}
_HIDDEN = "does not show the pools of {}"


def normal_token(token: bytes) -> bytes:
    """The token, with the native coin as everywhere else."""
    return NATIVE if token == NATIVE_SIGN else token


def add_hidden(call: Call, protocol: str, tokens: tuple[bytes, bytes], size: Size, recipient: bytes) -> None:
    """Note a swap of which only the tokens and amounts are known."""
    intent = SwapIntent(
        call.router.name,
        call.function,
        (Hop(protocol, "", b"", *tokens, None),),
        size,
        recipient,
        call.deadline,
        0,
        tuple(call.revert_scopes),
        completeness=Completeness.PARTIAL,
        reason=_REASONS.get(protocol) or _HIDDEN.format(protocol),
    )
    call.add(intent)


def v2_path(call: Call, fork: str, tokens: tuple[bytes, ...]) -> Path:
    """The path along the pairs of a V2 fork, two tokens or more; without its pools where the chain does not list the fork."""
    factory = call.router.factories.get(fork)
    if factory is not None:
        return Path(factory.token_path(tokens, call))
    return Path((Hop(fork, "", b"", tokens[0], tokens[-1], None),), f"no factory of {fork} is listed")


def order_out(order: tuple[Any, ...], amount_in: int) -> int:
    """What an order (makerToken, takerToken, makerAmount, takerAmount, …) gives for a part of it, rounding down."""
    maker_amount, taker_amount = order[2:4]
    return amount_in * maker_amount // taker_amount if taker_amount else 0


def pay_native(call: Call, recipient: bytes) -> None:
    """What the last swap brought the recipient is paid out as the native coin."""
    if call.ledger is not None:
        call.ledger.credit(recipient, NATIVE, call.ledger.take_all(recipient, call.router.wrapped_native))
