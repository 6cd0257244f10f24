"""Curve pools called directly: coins by their numbers, which the chain's listed pools turn into tokens."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.payments import EXACT, add_paid, pay_out_native, swap_intent
from mempool.decode.tables import RouterKind
from mempool.model.swap import Completeness, ExactIn, Hop, SwapIntent

_ETH = b"\xee" * 20
_MAX_COINS = 8


def coin_of(address: bytes) -> bytes:
    """A coin as Curve writes it, with 0xEeee… for the native one."""
    return NATIVE if address == _ETH else address


def exchange(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange(i, j, dx, minDy[, useEth][, receiver]): hops name the pool's own coins

    With useEth a pool of the wrapped native token takes and pays the native coin for it.
    """
    listed = call.tables.listed_pools.get(call.contract)
    intent = _intent(call, arguments, () if listed is None else listed.coins)
    add_paid(call, call.sender, intent)
    if any(option is True for option in arguments[4:]):
        pay_out_native(call, intent.recipient)


def exchange_underlying(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange_underlying(i, j, dx, minDy[, receiver]): by the numbers of the coins behind the pool's own

    A crypto pool has none behind: there the function differs in taking and paying the native coin for the wrapped one.
    """
    listed = call.tables.listed_pools.get(call.contract)
    intent = _intent(call, arguments, () if listed is None else listed.underlying or listed.coins)
    add_paid(call, call.sender, intent)
    if listed is not None and not listed.underlying:
        pay_out_native(call, intent.recipient)


def exchange_received(call: Call, arguments: tuple[Any, ...]) -> None:
    """exchange_received(i, j, dx, minDy[, receiver]): the pool was paid dx before"""
    listed = call.tables.listed_pools.get(call.contract)
    add_paid(call, call.contract, _intent(call, arguments, () if listed is None else listed.coins))


def _intent(call: Call, arguments: tuple[Any, ...], coins: tuple[bytes, ...]) -> SwapIntent:
    sold, bought, amount_in, min_amount_out, *options = arguments
    recipient = options[-1] if options and isinstance(options[-1], bytes) else call.sender
    count = len(coins) or _MAX_COINS
    if sold == bought or not (0 <= sold < count and 0 <= bought < count):
        raise call.malformed(f"the pool has no swap of coin {sold} for coin {bought}")
    tokens, known = (b"", b""), (Completeness.TOKENS_UNKNOWN, f"coin {sold} for coin {bought} of a pool that is not listed")
    if coins:
        tokens, known = (coins[sold], coins[bought]), EXACT
    hop = Hop("curve", "", call.contract, *tokens, None)
    return swap_intent(call, (hop,), ExactIn(amount_in, min_amount_out), recipient, known)


CURVE_POOL = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "exchange": exchange,
        "exchange_underlying": exchange_underlying,
        "exchange_received": exchange_received,
    },
)
