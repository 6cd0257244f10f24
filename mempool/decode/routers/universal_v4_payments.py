"""The payments of V4_SWAP: what settles and takes what its swaps left open, and what moves the router's own balances."""

from __future__ import annotations

from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.swap_router02 import resolved
from mempool.decode.routers.universal_commands import BALANCE
from mempool.decode.routers.universal_v4_swaps import OPEN_DELTA, Arguments, Unlock, debt_of
from mempool.model.swap import ExactOut, Take

_BIPS = 10_000


def settle(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, amount, payerIsUser); the native coin is always paid by the router"""
    currency, amount, payer_is_user = arguments
    router_pays = not payer_is_user or currency == NATIVE
    if amount == OPEN_DELTA:
        _settle_debt(unlock, currency, router_pays=router_pays)
        return
    unlock.sole_debts.pop(currency, None)
    if amount == BALANCE:
        _settle_balance(unlock, currency, router_pays=router_pays)
        return
    unlock.owe(currency, Holding(amount))
    if router_pays:
        unlock.call.books().take(unlock.call.contract, currency, Take(amount))


def settle_all(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, maxAmount): all that is owed, by the sender"""
    currency, maximum = arguments
    swap = unlock.sole_debts.get(currency)
    debt = _settle_debt(unlock, currency, router_pays=currency == NATIVE)
    if debt is not None and debt > maximum:
        raise unlock.call.malformed(f"SETTLE_ALL pays at most {maximum}, and {debt} is owed")
    if swap is not None:
        _limit(unlock.call, swap, maximum)


def settle_pair(unlock: Unlock, arguments: Arguments) -> None:
    """(currency0, currency1): all that is owed of both, by the sender"""
    for currency in arguments:
        _settle_debt(unlock, currency, router_pays=currency == NATIVE)


def take(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, recipient, amount)"""
    currency, recipient, amount = arguments
    to = resolved(unlock.call, recipient)
    if amount == OPEN_DELTA:
        _hand_over(unlock, currency, to)
        return
    unlock.deliver(unlock.delta(currency).sources, to)
    unlock.take(currency, Take(amount))
    unlock.call.books().credit(to, currency, Holding(amount))


def take_all(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, minAmount): all that is owed to the router, to the sender"""
    currency, minimum = arguments
    held = _hand_over(unlock, currency, unlock.call.sender)
    debt = debt_of(held)
    if debt is not None and -debt < minimum:
        raise unlock.call.malformed(f"TAKE_ALL asks for at least {minimum}, and {max(-debt, 0)} is owed")
    unlock.call.require(held, minimum)


def take_portion(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, recipient, bips): a share of what is owed to the router, rounded down"""
    currency, recipient, bips = arguments
    call = unlock.call
    if bips > _BIPS:
        raise call.malformed(f"a portion of {bips} bips is more than all")
    unlock.take(currency, Take(0, bips, _BIPS))
    if resolved(call, recipient) == call.contract:
        call.books().forget(call.contract, currency)


def take_pair(unlock: Unlock, arguments: Arguments) -> None:
    """(currency0, currency1, recipient): all that is owed of both"""
    *currencies, recipient = arguments
    for currency in currencies:
        _hand_over(unlock, currency, resolved(unlock.call, recipient))


def clear_or_take(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, amountMax): all to the sender, unless it is little enough to be left"""
    _hand_over(unlock, arguments[0], unlock.call.sender)


def close_currency(unlock: Unlock, arguments: Arguments) -> None:
    """(currency): pays what is owed, or takes what is owed to the router"""
    (currency,) = arguments
    debt = debt_of(unlock.delta(currency))
    if debt is None or debt < 0:
        _hand_over(unlock, currency, unlock.call.sender)
    else:
        _settle_debt(unlock, currency, router_pays=currency == NATIVE)


def sweep(unlock: Unlock, arguments: Arguments) -> None:
    """(currency, recipient): all that the router has"""
    currency, recipient = arguments
    books = unlock.call.books()
    books.credit(resolved(unlock.call, recipient), currency, books.take_all(unlock.call.contract, currency))


def wrap(unlock: Unlock, arguments: Arguments) -> None:
    """(amount): of the router's native coin; OPEN_DELTA is what is owed of the wrapped one"""
    _exchange(unlock, arguments[0], NATIVE, unlock.call.router.wrapped_native)


def unwrap(unlock: Unlock, arguments: Arguments) -> None:
    """(amount): of the router's wrapped coin; OPEN_DELTA is what is owed of the native one"""
    _exchange(unlock, arguments[0], unlock.call.router.wrapped_native, NATIVE)


def move_liquidity(unlock: Unlock, _arguments: Arguments) -> None:
    """No swap, but what is open and what the router holds afterwards is not known."""
    unlock.deltas.forget_all()
    unlock.call.books().forget_all()


def _settle_balance(unlock: Unlock, currency: bytes, *, router_pays: bool) -> None:
    """Pay as much as the router has."""
    books, router = unlock.call.books(), unlock.call.contract
    held = books.take_all(router, currency) if router_pays else books.balance(router, currency)
    if held.is_empty:
        unlock.forget(currency)
    else:
        unlock.owe(currency, held)


def _settle_debt(unlock: Unlock, currency: bytes, *, router_pays: bool) -> int | None:
    """Pay all that is owed, and say how much that is."""
    unlock.sole_debts.pop(currency, None)
    debt = debt_of(unlock.close(currency))
    if debt is not None and debt < 0:
        raise unlock.call.malformed("settles a currency that the router is owed")
    if router_pays:
        _take_from_router(unlock.call, currency, debt)
    return debt


def _take_from_router(call: Call, currency: bytes, amount: int | None) -> None:
    if amount is None:
        call.books().forget(call.contract, currency)
    elif amount:
        call.books().take(call.contract, currency, Take(amount))


def _hand_over(unlock: Unlock, currency: bytes, to: bytes) -> Holding:
    held = unlock.close(currency)
    unlock.deliver(held.sources, to)
    unlock.call.books().credit(to, currency, held)
    return held


def _limit(call: Call, index: int, max_amount_in: int) -> None:
    intent = call.intents[index]
    if isinstance(intent.size, ExactOut) and intent.size.max_amount_in > max_amount_in:
        call.intents[index] = replace(intent, size=replace(intent.size, max_amount_in=max_amount_in))


def _exchange(unlock: Unlock, amount: int, before: bytes, after: bytes) -> None:
    """Turn an amount of the router's from being the one to being the other."""
    books, router = unlock.call.books(), unlock.call.contract
    if amount == BALANCE:
        books.credit(router, after, books.take_all(router, before))
        return
    wanted = debt_of(unlock.delta(after)) if amount == OPEN_DELTA else amount
    _take_from_router(unlock.call, before, wanted)
    if wanted is None:
        books.forget(router, after)
    else:
        books.credit(router, after, Holding(wanted))
