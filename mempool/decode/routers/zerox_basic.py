"""0x Settler's BASIC: a call of any contract, whose calldata gets the amount that a share of the balance is by then."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.zerox_parts import normal_token
from mempool.decode.routers.zerox_settlement import Settlement, sell, share_of
from mempool.model.swap import ALL, BalanceIn, ExactIn

_TRANSFER = bytes.fromhex("a9059cbb")
_DEPOSIT = bytes.fromhex("d0e30db0")
_WITHDRAW = bytes.fromhex("2e1a7d4d")
_NOBODY = bytes(20)
_UNKNOWN_AMOUNT = int.from_bytes(b"0x Settler")
"""Stands in the calldata for an amount that only a simulation knows, so that the swap which sells it is found."""
_PAYMENTS = {bytes.fromhex("e8017952"): "depositErc20"}
"""Functions that take the tokens away and swap nothing: Relay's depository."""


def basic(call: Call, arguments: tuple[Any, ...]) -> None:
    """BASIC(sellToken, share, pool, offset, data): the amount is written into the data at `offset`; the zero token sells none"""
    settlement, (sell_token, share, to, offset, data) = arguments
    token = normal_token(sell_token)
    if sell_token == _NOBODY:
        call.call_contract(to, data)
        return
    if not data:
        _pay(call, settlement, (token, share), to)
        return
    if offset + 32 > len(data):
        raise call.malformed("the amount lies beyond the calldata that gets it")
    selector = data[:4]
    if to == call.router.wrapped_native and selector in (_DEPOSIT, _WITHDRAW):
        _wrap(call, settlement, (token, share), is_deposit=selector == _DEPOSIT)
    elif to == token and selector == _TRANSFER:
        _pay(call, settlement, (token, share), data[16:36])
    elif selector in _PAYMENTS:
        call.note(_PAYMENTS[selector])
        _pay(call, settlement, (token, share), to)
    else:
        _call(call, settlement, (token, share), (to, offset, data))


def _pay(call: Call, settlement: Settlement, sold: tuple[bytes, int], to: bytes) -> None:
    """A share of a token goes to somebody, such as a fee; what they have then is known where it is all."""
    token, share = sold
    take = share_of(settlement, share)
    if take is ALL:
        call.books().credit(to, token, call.books().take_all(call.contract, token))
    else:
        call.books().take(call.contract, token, take)


def _wrap(call: Call, settlement: Settlement, sold: tuple[bytes, int], *, is_deposit: bool) -> None:
    """A share of the native coin becomes the wrapped one, or back."""
    token, share = sold
    before, after = (NATIVE, call.router.wrapped_native) if is_deposit else (call.router.wrapped_native, NATIVE)
    if token != before:
        raise call.malformed("what is sold is not what is wrapped")
    books, contract = call.books(), call.contract
    if share_of(settlement, share) is ALL:
        books.credit(contract, after, books.take_all(contract, before))
        return
    size = sell(call, settlement, before, share, 0)
    if size.sources or not size.held_wei:
        books.forget(contract, after)
    else:
        books.credit(contract, after, Holding(size.amount_in(0)))


def _call(call: Call, settlement: Settlement, sold: tuple[bytes, int], target: tuple[bytes, int, bytes]) -> None:
    """Follow the call; a swap in it that sells the amount sells the share."""
    token, share = sold
    to, offset, data = target
    size = sell(call, settlement, token, share, 0)
    is_known = not size.sources and size.held_wei > 0
    amount = size.amount_in(0) if is_known else _UNKNOWN_AMOUNT
    written = call.kept(b"".join((data[:offset], amount.to_bytes(32), data[offset + 32 :])))
    first = len(call.intents)
    call.call_contract(to, written, amount if token == NATIVE else 0)
    if not is_known:
        _sell_share(call, first, size)


def _sell_share(call: Call, first: int, size: BalanceIn) -> None:
    for index in range(first, len(call.intents)):
        asked = call.intents[index].size
        if isinstance(asked, ExactIn) and asked.amount_in == _UNKNOWN_AMOUNT:
            sized = replace(size, min_amount_out=asked.min_amount_out)
            call.intents[index] = replace(call.intents[index], size=sized)
