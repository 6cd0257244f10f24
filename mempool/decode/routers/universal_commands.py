"""The Universal Router's commands: swaps, and what moves balances between them; 2^255 is a balance.

From V2.1.1 on a swap may carry a minimum price for each of its hops: a limit of its own, which no intent carries and simulation
does not hold a swap to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.periphery import add_v2, add_v3, name_sentinel
from mempool.decode.routers.swap_router02 import resolved
from mempool.model.swap import ExactIn, ExactOut, Size, Take

BALANCE = 1 << 255
ALREADY_PAID = 0
_BALANCE_NAME = "CONTRACT_BALANCE"
_SENTINELS = {BALANCE: _BALANCE_NAME, ALREADY_PAID: "what the pair was already paid (0)"}
_BIPS = 10_000
_FULL_PRECISION = 10**18


def v3_swap_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountIn, amountOutMin, path, payerIsUser[, minHopPriceX36])"""
    recipient, amount_in, min_amount_out, packed, payer_is_user = arguments[:5]
    path = call.router.factories["uniswap_v3"].packed_path(packed, call)
    token_in = path.hops[0].token_in
    if len(arguments) > 5:
        _check_hop_prices(call, arguments[5], len(path.hops))
    size: Size
    if amount_in == BALANCE:
        size = call.sell_balance(call.contract, token_in, min_amount_out)
    else:
        size = ExactIn(amount_in, min_amount_out)
        if not payer_is_user:
            call.books().change(call.contract, token_in, -amount_in)
    add_v3(call, path, size, resolved(call, recipient), 0)
    if amount_in == BALANCE:
        name_sentinel(call, _BALANCE_NAME)


def v3_swap_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountOut, amountInMax, path, payerIsUser[, minHopPriceX36]), the path from the token out backwards"""
    recipient, amount_out, max_amount_in, packed, payer_is_user = arguments[:5]
    path = call.router.factories["uniswap_v3"].packed_path_reversed(packed, call)
    if len(arguments) > 5:
        _check_hop_prices(call, arguments[5], len(path.hops))
    _forget_unless_user_pays(call, path.hops[0].token_in, payer_is_user=payer_is_user)
    add_v3(call, path, ExactOut(amount_out, max_amount_in), resolved(call, recipient), 0)


def v2_swap_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountIn, amountOutMin, path, payerIsUser[, minHopPriceX36]); 0 means that the first pair was paid before"""
    recipient, amount_in, min_amount_out, tokens, payer_is_user = arguments[:5]
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    token_in = hops[0].token_in
    if len(arguments) > 5:
        _check_hop_prices(call, arguments[5], len(hops))
    size: Size
    if amount_in in _SENTINELS:
        holder = hops[0].pool if amount_in == ALREADY_PAID else call.contract
        size = call.sell_balance(holder, token_in, min_amount_out)
    else:
        size = ExactIn(amount_in, min_amount_out)
        if not payer_is_user:
            call.books().change(call.contract, token_in, -amount_in)
    add_v2(call, hops, size, resolved(call, recipient))
    if amount_in in _SENTINELS:
        name_sentinel(call, _SENTINELS[amount_in])


def v2_swap_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountOut, amountInMax, path, payerIsUser[, minHopPriceX36]); pays what the computed input gives"""
    recipient, amount_out, max_amount_in, tokens, payer_is_user = arguments[:5]
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    if len(arguments) > 5:
        _check_hop_prices(call, arguments[5], len(hops))
    _forget_unless_user_pays(call, hops[0].token_in, payer_is_user=payer_is_user)
    add_v2(call, hops, ExactOut(amount_out, max_amount_in, pays_forward=True), resolved(call, recipient))


def permit2_transfer_from(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, amount): from the sender"""
    token, recipient, amount = arguments
    call.books().credit(resolved(call, recipient), token, Holding(amount))


def permit2_transfer_from_to_stated(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, amount) of V1: from the sender, where 1 and 2 are addresses like any other"""
    token, recipient, amount = arguments
    call.books().credit(recipient, token, Holding(amount))


def permit2_transfer_from_batch(call: Call, arguments: tuple[Any, ...]) -> None:
    """((from, to, amount, token)[]): from the sender, to stated addresses"""
    for _, recipient, amount, token in arguments[0]:
        call.books().credit(recipient, token, Holding(amount))


def sweep(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, amountMin): all that the router has"""
    token, recipient, minimum = arguments
    _move_all(call, token, (token, resolved(call, recipient)), minimum)


def unwrap_weth(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountMin): all of the router's wrapped native"""
    recipient, minimum = arguments
    _move_all(call, call.router.wrapped_native, (NATIVE, resolved(call, recipient)), minimum)


def wrap_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amount): the balance is the value sent and what was unwrapped to the router before"""
    recipient, amount = arguments
    _pay(call, (NATIVE, call.router.wrapped_native), resolved(call, recipient), amount)


def transfer(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, value): from the router"""
    token, recipient, amount = arguments
    if token == NATIVE and amount == BALANCE:
        raise call.malformed("pays 2^255 wei of the native coin, of which no balance is taken")
    _pay(call, (token, token), resolved(call, recipient), amount)


def pay_portion(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, bips): a share of the router's balance, rounded down; a minimum checked later is raised by it"""
    _pay_share(call, arguments, _BIPS)


def pay_portion_full_precision(call: Call, arguments: tuple[Any, ...]) -> None:
    """(token, recipient, portion): the same in parts of 10^18"""
    _pay_share(call, arguments, _FULL_PRECISION)


def _pay_share(call: Call, arguments: tuple[Any, ...], whole: int) -> None:
    token, recipient, share = arguments
    to = resolved(call, recipient)
    if share > whole:
        raise call.malformed(f"a portion of {share} in {whole} is more than all")
    if to != call.contract:
        call.books().take(call.contract, token, Take(0, share, whole))
        call.books().forget(to, token)


def _check_hop_prices(call: Call, prices: Sequence[int], hops: int) -> None:
    """A minimum price for each hop, or none at all."""
    if prices and len(prices) != hops:
        raise call.malformed(f"{hops} hops have {len(prices)} minimum prices")


def _forget_unless_user_pays(call: Call, token_in: bytes, *, payer_is_user: bool) -> None:
    if not payer_is_user:
        call.books().forget(call.contract, token_in)


def _move_all(call: Call, token: bytes, to: tuple[bytes, bytes], minimum: int) -> None:
    """Hand the router's balance of `token` on as (token, recipient), checking that it is at least `minimum`."""
    ledger = call.books()
    held = ledger.take_all(call.contract, token)
    call.require(held, minimum)
    token_after, recipient = to
    ledger.credit(recipient, token_after, held)


def _pay(call: Call, tokens: tuple[bytes, bytes], recipient: bytes, amount: int) -> None:
    """Move an amount of the router's, or all of it, from being the first token to being the second."""
    ledger = call.books()
    before, after = tokens
    if amount == BALANCE:
        ledger.credit(recipient, after, ledger.take_all(call.contract, before))
    else:
        ledger.changes += ((call.contract, before, -amount), (recipient, after, amount))
