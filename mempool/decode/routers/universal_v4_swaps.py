"""The swaps of V4_SWAP: pools by their key, and what each swap leaves open between the router and the pool manager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import Holding, Ledger
from mempool.decode.pools import keep
from mempool.decode.routers.payments import swap_intent
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut, Hop, Size, Take

PROTOCOL = "uniswap_v4"
OPEN_DELTA = 0
"""As an amount: all that is owed of the currency, by the side that the action is about."""
DYNAMIC_FEE = 0x800000
_OPEN = b""
"""Stands for the recipient of an output that is still open."""

Arguments = tuple[Any, ...]
Key = tuple[bytes, bytes, int, int, bytes]
"""`(currency0, currency1, fee, tickSpacing, hooks)` of a pool."""


class Unlock(Struct):
    """One V4_SWAP under way, with its deltas: what the pool manager owes the router of each currency, below zero what it is owed.

    `sole_debts` are the exact-out swaps whose unknown input is all that is open in a currency.
    """

    call: Call
    deltas: Ledger = field(default_factory=lambda: Ledger({}))
    sole_debts: dict[bytes, int] = {}
    callback: bytes = b""
    """The calldata that the pool manager calls the router with, where an action has had to be looked for in it."""

    def delta(self, currency: bytes) -> Holding:
        return self.deltas.balance(_OPEN, currency)

    def close(self, currency: bytes) -> Holding:
        """The delta, which is nothing afterwards."""
        return self.deltas.take_all(_OPEN, currency)

    def owe(self, currency: bytes, holding: Holding) -> None:
        """The pool manager owes the router so much more."""
        self.deltas.credit(_OPEN, currency, holding)

    def take(self, currency: bytes, take: Take) -> None:
        """What is taken before anything is owed to the router is a debt of its own."""
        if take.numerator or self.delta(currency).sources:
            self.deltas.take(_OPEN, currency, take)
        else:
            self.owe(currency, Holding(-take.wei))

    def forget(self, currency: bytes) -> None:
        self.deltas.forget(_OPEN, currency)

    def deliver(self, intents: Iterable[int], to: bytes) -> None:
        """The outputs of these swaps go to `to`, where they are still open."""
        noted = self.call.intents
        for index in intents:
            if noted[index].recipient == _OPEN:
                noted[index] = replace(noted[index], recipient=to)


def debt_of(delta: Holding) -> int | None:
    """What the router owes; below zero where it is owed. None where only a simulation knows."""
    return None if delta.sources or not delta.known else -delta.wei


def swap_exact_in_single(unlock: Unlock, arguments: Arguments) -> None:
    """((poolKey, zeroForOne, amountIn, amountOutMinimum, [minHopPriceX36,] hookData))"""
    key, zero_for_one, amount_in, min_amount_out = arguments[0][:4]
    _exact_in(unlock, _single(unlock.call, key, zero_for_one=zero_for_one), amount_in, min_amount_out)


def swap_exact_out_single(unlock: Unlock, arguments: Arguments) -> None:
    """((poolKey, zeroForOne, amountOut, amountInMaximum, [minHopPriceX36,] hookData))"""
    key, zero_for_one, amount_out, max_amount_in = arguments[0][:4]
    _exact_out(unlock, _single(unlock.call, key, zero_for_one=zero_for_one), amount_out, max_amount_in)


def swap_exact_in(unlock: Unlock, arguments: Arguments) -> None:
    """((currencyIn, path, [minHopPriceX36,] amountIn, amountOutMinimum)); each part of the path names the currency after it"""
    currency_in, steps, *prices, amount_in, min_amount_out = arguments[0]
    _check_path(unlock.call, steps, prices)
    if steps:
        hops = _along(unlock.call, [currency_in, *(step[0] for step in steps)], steps)
        _exact_in(unlock, hops, amount_in, min_amount_out)
    elif min_amount_out:
        raise unlock.call.malformed("an empty path brings nothing, and a minimum is asked for")


def swap_exact_out(unlock: Unlock, arguments: Arguments) -> None:
    """((currencyOut, path, [minHopPriceX36,] amountOut, amountInMaximum)); each part of the path names the currency before it"""
    currency_out, steps, *prices, amount_out, max_amount_in = arguments[0]
    _check_path(unlock.call, steps, prices)
    if steps:
        hops = _along(unlock.call, [*(step[0] for step in steps), currency_out], steps)
        _exact_out(unlock, hops, amount_out, max_amount_in)


def pool_id(key: Key) -> bytes:
    """The 32-byte id of a pool: the hash of its key, a word each."""
    currency0, currency1, fee, spacing, hooks = key
    words = (currency0.rjust(32, b"\0"), currency1.rjust(32, b"\0"), fee.to_bytes(32), spacing.to_bytes(32, signed=True))
    return keccak256(b"".join(words) + hooks.rjust(32, b"\0"))


def _check_path(call: Call, steps: Sequence[Arguments], prices: Sequence[Sequence[int]]) -> None:
    call.check_hops(len(steps))
    # The minimum price of each hop is a limit of its own, which simulation does not hold a swap to.
    if prices and len(prices[0]) not in (0, len(steps)):
        raise call.malformed(f"{len(steps)} hops have {len(prices[0])} minimum prices")


def _along(call: Call, currencies: Sequence[bytes], steps: Sequence[Arguments]) -> tuple[Hop, ...]:
    pairs = zip(currencies, currencies[1:], steps, strict=False)
    return tuple(_hop(call, (before, after), (fee, spacing, hooks)) for before, after, (_, fee, spacing, hooks, _) in pairs)


def _single(call: Call, key: Key, *, zero_for_one: bool) -> tuple[Hop, ...]:
    currency0, currency1, fee, spacing, hooks = key
    if currency0 >= currency1:
        raise call.malformed("the pool's currencies are not in order")
    tokens = (currency0, currency1) if zero_for_one else (currency1, currency0)
    return (_hop(call, tokens, (fee, spacing, hooks)),)


def _hop(call: Call, tokens: tuple[bytes, bytes], terms: tuple[int, int, bytes]) -> Hop:
    """The hop through the pool of two currencies with a fee, a tick spacing and hooks."""
    # Whether its id is known already or not: what a call may ask for does not depend on what came before it.
    call.charge_hashes(1)
    hops = call.router.keyed_hops
    hop = hops.get((tokens, terms))
    if hop is None:
        token_in, token_out = tokens
        if token_in == token_out:
            raise call.malformed("a hop has the same currency on both sides")
        fee, spacing, hooks = terms
        key = (min(tokens), max(tokens), fee, spacing, hooks)
        fee_pips = None if fee == DYNAMIC_FEE else fee
        hop = Hop(PROTOCOL, "", pool_id(key), token_in, token_out, fee_pips, spacing, hooks)
        keep(hops, (tokens, terms), hop)
    return hop


def _exact_in(unlock: Unlock, hops: tuple[Hop, ...], amount_in: int, min_amount_out: int) -> None:
    currency = hops[0].token_in
    if amount_in != OPEN_DELTA:
        unlock.owe(currency, Holding(-amount_in))
        _add(unlock, hops, ExactIn(amount_in, min_amount_out))
        return
    size = unlock.close(currency).size(min_amount_out)
    _add(unlock, hops, BalanceIn(0, (), min_amount_out) if size is None else size, unknown=b"" if size else currency)


def _exact_out(unlock: Unlock, hops: tuple[Hop, ...], amount_out: int, max_amount_in: int) -> None:
    currency_in, currency_out = hops[0].token_in, hops[-1].token_out
    is_open, unknown = amount_out == OPEN_DELTA, b""
    if is_open:
        amount_out = max(debt_of(unlock.close(currency_out)) or 0, 0)
        unknown = b"" if amount_out else currency_out
    unlock.sole_debts.pop(currency_in, None)
    if unlock.delta(currency_in).is_empty:
        unlock.sole_debts[currency_in] = len(unlock.call.intents)
    _add(unlock, hops, ExactOut(amount_out, max_amount_in), unknown=unknown)
    unlock.forget(currency_in)
    if is_open:
        unlock.close(currency_out)


def _add(unlock: Unlock, hops: tuple[Hop, ...], size: Size, *, unknown: bytes = b"") -> None:
    """Note a swap whose output is open; `unknown` is the currency whose open delta it trades where the call does not fix it."""
    call = unlock.call
    unlock.owe(hops[-1].token_out, Holding(0, (len(call.intents),)))
    known = Completeness.EXACT, ""
    if unknown:
        known = Completeness.AMOUNT_UNKNOWN, f"trades OPEN_DELTA of 0x{unknown.hex()}, which the call does not fix"
    call.add(swap_intent(call, hops, size, _OPEN, known))
