"""What the V3 periphery's routers have in common: notes of swaps, multicalls, and the payments that end one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.pools import Path
from mempool.model.swap import BalanceIn, Completeness, ExactIn, Hop, Size, SwapIntent

_KNOWN = (Completeness.EXACT, "")
_AS_SENT, _AS_RECEIVED = False, True
_MOST_FEE_BIPS = 100
_OPEN_BALANCE = (Completeness.AMOUNT_UNKNOWN, "sells a balance that the call does not fix")


def add_v3(call: Call, path: Path, size: Size, recipient: bytes, limit: int) -> None:
    """Note a swap along V3 pools; `limit` is the price limit of a single pool, or 0."""
    word, reason = _KNOWN if type(size) is ExactIn and not path.reason else known_of(path.reason, size)
    name, function, deadline = call.router.name, call.function, call.deadline
    call.add(SwapIntent(name, function, path.hops, size, recipient, deadline, limit, call.revert_scopes, _AS_SENT, word, reason))


def add_v2(call: Call, hops: tuple[Hop, ...], size: Size, recipient: bytes) -> None:
    """Note a swap along V2 pairs by a router that swaps what the pair received, whatever was sent."""
    word, reason = _KNOWN if type(size) is ExactIn else known_of("", size)
    name, function, deadline = call.router.name, call.function, call.deadline
    call.add(SwapIntent(name, function, hops, size, recipient, deadline, 0, call.revert_scopes, _AS_RECEIVED, word, reason))


def known_of(path_reason: str, size: Size) -> tuple[Completeness, str]:
    """How much of a swap is known: a fee that no pool can have leaves it partial, an open balance without its amount."""
    if path_reason:
        return Completeness.PARTIAL, path_reason
    if isinstance(size, BalanceIn) and not size.sources and not size.held_wei:
        return _OPEN_BALANCE
    return _KNOWN


def name_sentinel(call: Call, sentinel: str) -> None:
    """Say by what amount the last swap asks to sell a balance, where the call does not fix that balance."""
    intent = call.intents[-1]
    if intent.completeness is Completeness.AMOUNT_UNKNOWN:
        reason = f"sells {sentinel} of 0x{intent.token_in.hex()}, which the call does not fix"
        call.intents[-1] = replace(intent, reason=reason)


def multicall(call: Call, arguments: tuple[Any, ...]) -> None:
    """multicall([deadline or previousBlockhash,] data): calls of the router to itself, all or nothing."""
    call.books()
    for data in arguments[-1]:
        call.run_nested(data)


def multicall_until(call: Call, arguments: tuple[Any, ...]) -> None:
    """multicall(deadline, data): the earliest of the deadlines around a swap holds for it."""
    around = call.deadline
    call.hold_to(arguments[0])
    multicall(call, arguments)
    call.deadline = around


def unwrap_native(call: Call, arguments: tuple[Any, ...]) -> None:
    """unwrapWETH9(amountMinimum, …): all of the router's wrapped native."""
    pay_out(call, call.router.wrapped_native, arguments[0])


def unwrap_native_with_fee(call: Call, arguments: tuple[Any, ...]) -> None:
    """unwrapWETH9WithFee(amountMinimum, …, feeBips, feeRecipient): the minimum is checked before the fee."""
    _check_fee(call, arguments[-2])
    unwrap_native(call, arguments)


def sweep_token(call: Call, arguments: tuple[Any, ...]) -> None:
    """sweepToken(token, amountMinimum, …): all that the router has of the token."""
    token, minimum = arguments[:2]
    pay_out(call, token, minimum)


def sweep_token_with_fee(call: Call, arguments: tuple[Any, ...]) -> None:
    """sweepTokenWithFee(token, amountMinimum, …, feeBips, feeRecipient): the minimum is checked before the fee."""
    _check_fee(call, arguments[-2])
    sweep_token(call, arguments)


def pay_out(call: Call, token: bytes, minimum: int) -> Holding:
    """Empty the router's balance of a token, of which it must have `minimum`."""
    held = call.books().take_all(call.contract, token)
    call.require(held, minimum)
    return held


def _check_fee(call: Call, bips: int) -> None:
    if not 0 < bips <= _MOST_FEE_BIPS:
        raise call.malformed(f"a fee of {bips} bips is not from 1 to {_MOST_FEE_BIPS}")
