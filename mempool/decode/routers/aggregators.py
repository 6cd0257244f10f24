"""What aggregators' handlers have in common: the native coin's alias, and swaps along hops that the calldata shows or hides."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.payments import swap_intent
from mempool.model.swap import BalanceIn, Completeness, Hop, Size, Take

NATIVE_ALIAS = b"\xee" * 20
"""Stands for the native coin in most aggregators' calldata."""
_NOBODY = bytes(20)


def plain_token(token: bytes) -> bytes:
    """The token, with zeros for the native coin."""
    return NATIVE if token == NATIVE_ALIAS else token


def wrapped_token(call: Call, token: bytes) -> bytes:
    """The token, with the wrapped native token for the native coin, whichever way it is written."""
    return call.router.wrapped_native if token in (NATIVE_ALIAS, NATIVE) else token


def receiver(call: Call, recipient: bytes) -> bytes:
    """The recipient, with the sender for nobody."""
    return call.sender if recipient == _NOBODY else recipient


def pay_in(call: Call, token: bytes, amount: int) -> None:
    """A stated amount of the sender's goes in, where balances are kept."""
    if call.ledger is not None:
        call.ledger.take(call.sender, token, Take(amount))


def add_hidden(call: Call, tokens: tuple[bytes, bytes], size: Size, recipient: bytes, reason: str) -> None:
    """Note a swap whose tokens, amount and limit are known and whose pools are not."""
    hop = Hop("", "", b"", plain_token(tokens[0]), plain_token(tokens[1]), None)
    intent = swap_intent(call, (hop,), size, recipient, (Completeness.PARTIAL, reason))
    call.add(intent)


def add_shown(call: Call, hops: tuple[Hop, ...], size: Size, recipient: bytes, *, pays_native: bool = False) -> None:
    """Note a swap along hops that the calldata shows; with `pays_native` the wrapped token that they end with is unwrapped."""
    completeness, reason = known_of_hops(hops, size)
    intent = swap_intent(call, hops, size, recipient, (completeness, reason))
    if not pays_native or call.ledger is None:
        call.add(intent)
        return
    # The recipient gets the native coin and keeps what it had of the wrapped one.
    books, token = call.ledger, intent.token_out
    held = books.take_all(recipient, token)
    call.add(intent)
    books.take_all(recipient, token)
    books.credit(recipient, token, held)
    books.credit(recipient, NATIVE, Holding(0, (len(call.intents) - 1,)))


def keep_share(call: Call, recipient: bytes, token: bytes) -> None:
    """The contract keeps a fee, or a share of what exceeds its quote: what it paid the recipient is not the swap's output."""
    if call.ledger is not None:
        call.ledger.forget(recipient, token)


def known_of_hops(hops: tuple[Hop, ...], size: Size) -> tuple[Completeness, str]:
    """How much of a swap along shown pools is known."""
    if not all(hop.pool for hop in hops):
        return Completeness.PARTIAL, "a pool's fee is none of its factory's"
    unknown = [hop.pool.hex() for hop in hops if not (hop.token_in and hop.token_out)]
    if unknown:
        return Completeness.TOKENS_UNKNOWN, f"the tokens of 0x{unknown[0]} are not in the calldata"
    if isinstance(size, BalanceIn) and not size.sources and not size.held_wei:
        return Completeness.AMOUNT_UNKNOWN, "sells a balance that the call does not fix"
    return Completeness.EXACT, ""


def vault_path(
    call: Call, assets: tuple[bytes, ...], swaps: tuple[Any, ...], *, is_backwards: bool = False
) -> tuple[Hop, ...] | None:
    """The hops of a Balancer vault's batch in trade order, each selling all that the one before brought; None for no path.

    `swaps` are (poolId, assetInIndex, assetOutIndex, amount, userData), which stand from the last to the first `is_backwards`.
    """
    if not swaps:
        raise call.malformed("there are no pools")
    hops = [_vault_hop(call, assets, swap) for swap in (reversed(swaps) if is_backwards else swaps)]
    goes_on = all(hop.token_out == following.token_in for hop, following in pairwise(hops))
    return tuple(hops) if goes_on and not any(swap[3] for swap in swaps[1:]) else None


def _vault_hop(call: Call, assets: tuple[bytes, ...], swap: tuple[Any, ...]) -> Hop:
    call.charge_command()
    pool_id, index_in, index_out, _, _ = swap
    if max(index_in, index_out) >= len(assets):
        raise call.malformed("a pool's swap names an asset that is not there")
    return Hop("balancer_v2", "", pool_id, assets[index_in], assets[index_out], None)
