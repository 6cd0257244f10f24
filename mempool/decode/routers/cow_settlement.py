"""CoW Protocol's GPv2Settlement: users' orders at common prices, and the solver's interactions that trade for them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.routers.aggregators import add_hidden, add_shown, plain_token, vault_path
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Size, Take

_BUYS, _PARTIALLY = 1, 2
_SIGNED_BY_ADDRESS = 0x40
"""Set in the flags of the two signing schemes whose signature begins with the owner's address."""
_UINT256_MAX = (1 << 256) - 1
_NOBODY = bytes(20)
Trade = tuple[Any, ...]


class Execution(Struct, frozen=True):
    """What a settlement does for one order: what it takes from its owner, fee included, and what it pays."""

    token_in: bytes
    token_out: bytes
    taken: int
    paid: int
    recipient: bytes
    """Empty where only the signature's recovery tells the owner."""
    buys: bool

    @property
    def size(self) -> Size:
        return ExactOut(self.paid, self.taken) if self.buys else ExactIn(self.taken, self.paid)

    @property
    def text(self) -> str:
        return f"order: {self.taken} of 0x{self.token_in.hex()} for {self.paid} of 0x{self.token_out.hex()}"


def settle(call: Call, arguments: tuple[Any, ...]) -> None:
    """settle(tokens, clearingPrices, trades, interactions): those before the orders are taken, those in between, those after"""
    tokens, prices, trades, (before, between, after) = arguments
    if len(tokens) != len(prices):
        raise call.malformed(f"{len(tokens)} tokens have {len(prices)} prices")
    executions = [_execution(call, (tokens, prices), trade) for trade in trades]
    books, known = call.books(), len(call.intents)
    _interact(call, before)
    for execution in executions:
        call.note(execution.text)
        books.credit(call.contract, execution.token_in, Holding(execution.taken))
    _interact(call, between)
    for execution in executions:
        books.take(call.contract, execution.token_out, Take(execution.paid))
        books.credit(execution.recipient, execution.token_out, Holding(execution.paid))
    _interact(call, after)
    if len(call.intents) == known:
        for execution in executions:
            tokens_traded = execution.token_in, execution.token_out
            add_hidden(call, tokens_traded, execution.size, execution.recipient, "no interaction shows the order's pools")


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(swaps, tokens, trade): one order by way of the Balancer vault, bought from the last pool backwards"""
    swaps, tokens, trade = arguments
    token_in, token_out = _tokens(call, tokens, trade)
    *_, receiver, sell_amount, buy_amount, valid_to, _, _, flags, limit, signature = trade
    size: Size = ExactOut(buy_amount, limit) if flags & _BUYS else ExactIn(sell_amount, limit)
    call.hold_to(valid_to)
    recipient = _recipient(receiver, flags, signature)
    hops = vault_path(call, tokens, swaps, is_backwards=bool(flags & _BUYS))
    if hops is not None and (hops[0].token_in, hops[-1].token_out) == (token_in, token_out):
        add_shown(call, hops, size, recipient)
    else:
        add_hidden(call, (token_in, token_out), size, recipient, "the pools are no single path")


def _interact(call: Call, interactions: tuple[tuple[bytes, int, bytes], ...]) -> None:
    for target, value_wei, data in interactions:
        call.call_contract(target, data, value_wei)


def _execution(call: Call, market: tuple[tuple[bytes, ...], tuple[int, ...]], trade: Trade) -> Execution:
    """As GPv2Settlement.computeTradeExecution: a sale's proceeds are rounded up, what a purchase takes is rounded down."""
    tokens, prices = market
    sell_index, buy_index, receiver, sell_amount, buy_amount, _, _, fee, flags, executed, signature = trade
    token_in, token_out = _tokens(call, tokens, trade)
    sell_price, buy_price = prices[sell_index], prices[buy_index]
    if _product(call, sell_amount, sell_price) < _product(call, buy_amount, buy_price):
        raise call.malformed("an order's limit price is not respected")
    whole = buy_amount if flags & _BUYS else sell_amount
    if flags & _PARTIALLY:
        fee = _product(call, fee, executed) // _divisor(call, whole)
    else:
        executed = whole
    if flags & _BUYS:
        taken, paid = _product(call, executed, buy_price) // _divisor(call, sell_price), executed
    else:
        taken, paid = executed, -(-_product(call, executed, sell_price) // _divisor(call, buy_price))
    recipient = _recipient(receiver, flags, signature)
    return Execution(token_in, token_out, taken + fee, paid, recipient, bool(flags & _BUYS))


def _tokens(call: Call, tokens: tuple[bytes, ...], trade: Trade) -> tuple[bytes, bytes]:
    sell_index, buy_index = trade[:2]
    if max(sell_index, buy_index) >= len(tokens):
        raise call.malformed("an order names a token that is not there")
    return tokens[sell_index], plain_token(tokens[buy_index])


def _recipient(receiver: bytes, flags: int, signature: bytes) -> bytes:
    """The receiver, or the owner where there is none and the signature names it."""
    if receiver != _NOBODY:
        return receiver
    return signature[:20] if flags & _SIGNED_BY_ADDRESS else b""


def _product(call: Call, factor: int, other_factor: int) -> int:
    product = factor * other_factor
    if product > _UINT256_MAX:
        raise call.malformed("an order's amount at its price exceeds 256 bits")
    return product


def _divisor(call: Call, number: int) -> int:
    if not number:
        raise call.malformed("an order is divided by a price or an amount of 0")
    return number


COW_SETTLEMENT = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"settle": settle, "swap": swap})
