"""0x ExchangeProxy's multiplex: an amount split over several sources, or sold along several of them, each nested in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from msgspec import Struct

from mempool.abi import Padding, Read, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.periphery import add_v3
from mempool.decode.routers.zerox_parts import RFQ, add_hidden, order_out, v2_path
from mempool.decode.routers.zerox_transform import Transform, read_transformations, transform
from mempool.model.swap import BalanceIn, ExactIn, Size, Take

_FRACTION = 1 << 255
"""This bit marks an amount as parts of 10^18 of the whole."""
_WHOLE = 10**18


class Trade(Struct, frozen=True):
    """What a part of a multiplex sells for what, and who receives it."""

    token_in: bytes
    token_out: bytes
    size: Size
    recipient: bytes


Sell = Callable[[Call, bytes, Trade], None]
"""Takes a subcall's data and what it is to trade."""


def batch_sell_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexBatchSellEthForToken(outputToken, calls, minBuyAmount): the value sent is sold"""
    token_out, parts, minimum = arguments
    _batch(call, (call.router.wrapped_native, token_out, call.value_wei, call.sender), parts, minimum)


def batch_sell_for_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexBatchSellTokenForEth(inputToken, calls, sellAmount, minBuyAmount)"""
    token_in, parts, amount, minimum = arguments
    _batch(call, (token_in, call.router.wrapped_native, amount, call.contract), parts, minimum)
    _pay_sender(call)


def batch_sell(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexBatchSellTokenForToken(inputToken, outputToken, calls, sellAmount, minBuyAmount)"""
    token_in, token_out, parts, amount, minimum = arguments
    _batch(call, (token_in, token_out, amount, call.sender), parts, minimum)


def multi_hop_sell_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexMultiHopSellEthForToken(tokens, calls, minBuyAmount): the value sent is sold"""
    tokens, parts, minimum = arguments
    if not tokens or tokens[0] != call.router.wrapped_native:
        raise call.malformed("the path does not begin with the wrapped native token")
    _multi_hop(call, (tokens, call.value_wei, call.sender), parts, minimum)


def multi_hop_sell_for_eth(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexMultiHopSellTokenForEth(tokens, calls, sellAmount, minBuyAmount)"""
    tokens, parts, amount, minimum = arguments
    if not tokens or tokens[-1] != call.router.wrapped_native:
        raise call.malformed("the path does not end with the wrapped native token")
    _multi_hop(call, (tokens, amount, call.contract), parts, minimum)
    _pay_sender(call)


def multi_hop_sell(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiplexMultiHopSellTokenForToken(tokens, calls, sellAmount, minBuyAmount)"""
    tokens, parts, amount, minimum = arguments
    _multi_hop(call, (tokens, amount, call.sender), parts, minimum)


MULTIPLEX = {
    "multiplexBatchSellEthForToken": batch_sell_eth,
    "multiplexBatchSellTokenForEth": batch_sell_for_eth,
    "multiplexBatchSellTokenForToken": batch_sell,
    "multiplexMultiHopSellEthForToken": multi_hop_sell_eth,
    "multiplexMultiHopSellTokenForEth": multi_hop_sell_for_eth,
    "multiplexMultiHopSellTokenForToken": multi_hop_sell,
}


def _batch(call: Call, trade: tuple[bytes, bytes, int, bytes], parts: Iterable[tuple[Any, ...]], minimum: int) -> None:
    token_in, token_out, amount, recipient = trade
    call.books()
    trade_of_all = Trade(token_in, token_out, ExactIn(amount, 0), recipient)
    brought = _nested(call, partial(_sell_in_parts, call, trade_of_all, parts))
    call.require(Holding(0, brought), minimum)


def _multi_hop(call: Call, trade: tuple[tuple[bytes, ...], int, bytes], parts: tuple[tuple[Any, ...], ...], minimum: int) -> None:
    tokens, amount, recipient = trade
    call.books()
    brought = _nested(call, partial(_sell_along, call, tokens, parts, (ExactIn(amount, 0), recipient)))
    call.require(Holding(0, brought), minimum)


def _pay_sender(call: Call) -> None:
    """What was brought to the contract goes to the sender as the native coin."""
    books = call.books()
    books.credit(call.sender, NATIVE, books.take_all(call.contract, call.router.wrapped_native))


def _sell_in_parts(call: Call, trade: Trade, parts: Iterable[tuple[Any, ...]]) -> tuple[int, ...]:
    """The parts one after another until all is sold; the numbers of the intents that bring the output.

    A part that fails is passed over, which the others make good only where they could sell more than is left.
    """
    parts = tuple(parts)
    sizes = _split(trade.size, [amount for _, amount, _ in parts])
    may_fail = _asks_for_more(trade.size, [amount for _, amount, _ in parts])
    brought: tuple[int, ...] = ()
    for (kind, _, data), size in zip(parts, sizes, strict=True):
        call.charge_command()
        if size is None:
            break
        part = Trade(trade.token_in, trade.token_out, size, trade.recipient)
        if kind == _MULTI_HOP_SELL:
            tokens, inner = _read(call, "nested_multi_hop", data)
            brought += _nested(call, partial(_sell_along, call, tokens, inner, (size, trade.recipient)))
            continue
        sell = _BATCH_SELLS.get(kind)
        if sell is None:
            raise call.malformed(f"a batch has no subcall {kind}")
        first = len(call.intents)
        if may_fail:
            call.attempt(partial(sell, call, data, part))
        else:
            sell(call, data, part)
        brought += _bringing(call, first, trade.token_out)
    return brought


def _sell_along(
    call: Call, tokens: tuple[bytes, ...], parts: tuple[tuple[Any, ...], ...], first: tuple[Size, bytes]
) -> tuple[int, ...]:
    """Sell each token for the next one; the numbers of the last intents. `first` is the size and who receives in the end."""
    size, recipient = first
    if len(tokens) != len(parts) + 1 or not parts:
        raise call.malformed(f"{len(tokens)} tokens have {len(parts)} calls between them")
    brought: tuple[int, ...] = ()
    for index, (kind, data) in enumerate(parts):
        call.charge_command()
        is_last = index == len(parts) - 1
        step = Trade(tokens[index], tokens[index + 1], size, recipient if is_last else call.contract)
        number = len(call.intents)
        if kind == _BATCH_SELL:
            (inner,) = _read(call, "nested_batch", data)
            brought = _nested(call, partial(_sell_in_parts, call, step, inner))
        else:
            sell = _HOP_SELLS.get(kind)
            if sell is None:
                raise call.malformed(f"a path has no subcall {kind}")
            sell(call, data, step)
            brought = _bringing(call, number, step.token_out)
        if not is_last:
            size = call.sell_balance(call.contract, tokens[index + 1], 0)
    return brought


def _bringing(call: Call, first: int, token: bytes) -> tuple[int, ...]:
    """The intents from number `first` on that bring the token."""
    return tuple(index for index in range(first, len(call.intents)) if call.intents[index].token_out == token)


def _nested(call: Call, sell: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    call.enter(call.size)
    brought = sell()
    call.leave()
    return brought


def _split(size: Size, amounts: list[int]) -> list[Size | None]:
    """What each part sells: a stated amount or its parts of the whole, at most what is left; None where nothing is left."""
    if isinstance(size, ExactIn):
        return _split_amount(size.amount_in, amounts)
    if isinstance(size, BalanceIn) and size.sources and not size.takes:
        return _split_balance(size, amounts)
    return [BalanceIn(0, (), 0) for _ in amounts]


def _split_amount(whole: int, amounts: list[int]) -> list[Size | None]:
    sizes: list[Size | None] = []
    left = whole
    for amount in amounts:
        asked = whole * min(amount - _FRACTION, _WHOLE) // _WHOLE if amount & _FRACTION else amount
        sold = min(asked, left)
        sizes.append(ExactIn(sold, 0) if left else None)
        left -= sold
    return sizes


def _split_balance(size: BalanceIn, amounts: list[int]) -> list[Size | None]:
    """Of a balance that is not known yet: parts of the whole, and all that a single part before leaves."""
    sizes: list[Size | None] = []
    for index, amount in enumerate(amounts):
        share = min(amount - _FRACTION, _WHOLE) if amount & _FRACTION else 0
        if share == _WHOLE and index == 0:
            sizes.append(size)
        elif share == _WHOLE and index == 1 and amounts[0] & _FRACTION:
            before = Take(0, amounts[0] - _FRACTION, _WHOLE)
            sizes.append(BalanceIn(size.held_wei, size.sources, 0, (before,)))
        elif 0 < share < _WHOLE:
            sizes.append(BalanceIn(size.held_wei, size.sources, 0, (), Take(0, share, _WHOLE)))
        else:
            sizes.append(BalanceIn(0, (), 0))
    return sizes


def _asks_for_more(size: Size, amounts: list[int]) -> bool:
    """Whether the parts together could sell more than there is, so that some of them may fail."""
    whole = size.amount_in if isinstance(size, ExactIn) else _WHOLE
    asked = sum(whole * min(each - _FRACTION, _WHOLE) // _WHOLE if each & _FRACTION else each for each in amounts)
    return asked > whole


def _sell_v2(call: Call, data: bytes, trade: Trade) -> None:
    """(tokens, isSushi)"""
    tokens, is_sushi = _read(call, "v2", data)
    if len(tokens) < 2 or (tokens[0], tokens[-1]) != (trade.token_in, trade.token_out):
        raise call.malformed("a path does not lead from the token sold to the token bought")
    path = v2_path(call, "sushi_v2" if is_sushi else "uniswap_v2", tokens)
    add_v3(call, path, trade.size, trade.recipient, 0)


def _sell_v3(call: Call, data: bytes, trade: Trade) -> None:
    """The packed path itself."""
    path = call.router.factories["uniswap_v3"].packed_path(data, call)
    add_v3(call, path, trade.size, trade.recipient, 0)


def _sell_to_provider(call: Call, data: bytes, trade: Trade) -> None:
    """(provider, auxiliaryData)"""
    _read(call, "provider", data)
    add_hidden(call, "zerox_liquidity_provider", (trade.token_in, trade.token_out), trade.size, trade.recipient)


def _sell_rfq(call: Call, data: bytes, trade: Trade) -> None:
    """(RfqOrder, signature)"""
    _fill(call, _read(call, "rfq", data)[0], trade, is_whole=False)


def _sell_otc(call: Call, data: bytes, trade: Trade) -> None:
    """(OtcOrder, signature)"""
    _fill(call, _read(call, "otc", data)[0], trade, is_whole=True)


def _sell_otc_hop(call: Call, data: bytes, trade: Trade) -> None:
    """(tokens, OtcOrder, signature)"""
    _fill(call, _read(call, "otc_hop", data)[1], trade, is_whole=True)


def _fill(call: Call, order: tuple[Any, ...], trade: Trade, *, is_whole: bool) -> None:
    if (order[1], order[0]) != (trade.token_in, trade.token_out):
        raise call.malformed("an order is not for the tokens sold and bought")
    size = trade.size
    if isinstance(size, ExactIn):
        amount_in = min(size.amount_in, order[3])
        size = ExactIn(amount_in, order_out(order, amount_in) if is_whole else 0)
    add_hidden(call, RFQ, (trade.token_in, trade.token_out), size, trade.recipient)


def _sell_transformed(call: Call, data: bytes, trade: Trade) -> None:
    """(Transformation[])"""
    steps = read_transformations(call, data)
    transform(call, Transform(trade.token_in, trade.token_out, trade.size, 0, trade.recipient), steps)


_BATCH_SELL, _MULTI_HOP_SELL = 7, 8
_BATCH_SELLS: dict[int, Sell] = {1: _sell_rfq, 2: _sell_otc, 3: _sell_v2, 4: _sell_v3, 5: _sell_to_provider, 6: _sell_transformed}
_HOP_SELLS: dict[int, Sell] = {2: _sell_otc_hop, 3: _sell_v2, 4: _sell_v3, 5: _sell_to_provider}


def _read(call: Call, name: str, data: bytes) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = read_arguments(_READERS[name], data, 0, call)
    return arguments


def _reader(*types: str) -> Read:
    return arguments_reader([parse_type(each) for each in types], Padding.CHECKED)


_RFQ_ORDER = "(address,address,uint128,uint128,address,address,address,bytes32,uint64,uint256)"
_OTC_ORDER = "(address,address,uint128,uint128,address,address,address,uint256)"
_SIGNATURE = "(uint8,uint8,bytes32,bytes32)"
_READERS = {
    "v2": _reader("address[]", "bool"),
    "provider": _reader("address", "bytes"),
    "rfq": _reader(_RFQ_ORDER, _SIGNATURE),
    "otc": _reader(_OTC_ORDER, _SIGNATURE),
    "otc_hop": _reader("address[]", _OTC_ORDER, _SIGNATURE),
    "nested_batch": _reader("(uint8,uint256,bytes)[]"),
    "nested_multi_hop": _reader("address[]", "(uint8,bytes)[]"),
}
