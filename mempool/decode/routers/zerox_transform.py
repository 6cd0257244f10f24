"""0x ExchangeProxy's transformERC20: transformers that wrap, fill a quote, take fees and pay out, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from mempool.abi import Padding, arguments_reader, read_arguments
from mempool.abi.types import parse_type
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.periphery import add_v3
from mempool.decode.routers.zerox_bridges import bridge_path
from mempool.decode.routers.zerox_parts import RFQ, add_hidden, normal_token
from mempool.errors import MalformedCalldata
from mempool.model.swap import ALL, BalanceIn, ExactIn, Size, Take

_ALL = (1 << 256) - 1
_FRACTION = 1 << 255
_WHOLE = 10**18
_WORD = 32


class Transform(Struct, frozen=True):
    """What the transformers together sell for what. They work on a wallet of the contract, which stands here for it."""

    token_in: bytes
    token_out: bytes
    size: Size
    minimum: int
    recipient: bytes


Step = Callable[[Call, Transform], None]


def transform_erc20(call: Call, arguments: tuple[Any, ...]) -> None:
    """transformERC20(inputToken, outputToken, inputTokenAmount, minOutputTokenAmount, transformations)

    The largest amount is the value sent, or else all that the sender has.
    """
    token_in, token_out, amount, minimum, transformations = arguments
    token_in, token_out = normal_token(token_in), normal_token(token_out)
    if amount == _ALL and token_in == NATIVE:
        amount = call.value_wei
    if token_in == NATIVE and call.value_wei < amount:
        raise call.malformed("the value sent is less than the amount to sell")
    size = BalanceIn(0, (), minimum) if amount == _ALL else ExactIn(amount, minimum)
    call.books().credit(call.contract, NATIVE, Holding(call.value_wei))
    transform(call, Transform(token_in, token_out, size, minimum, call.sender), [data for _, data in transformations])


def read_transformations(call: Call, data: bytes) -> list[bytes]:
    """The data of each transformer from `(uint32 deploymentNonce, bytes data)[]`."""
    (transformations,) = read_arguments(_TRANSFORMATIONS, data, 0, call)
    return [each for _, each in transformations]


def transform(call: Call, job: Transform, transformers: Iterable[bytes]) -> None:
    """Follow the transformers; where one is not understood, the whole is a swap whose pools are hidden."""
    call.enter(call.size)
    steps = [_step(call, data) for data in transformers]
    known = [step for step in steps if step is not None]
    if len(known) < len(steps) or not steps:
        add_hidden(call, "", (job.token_in, job.token_out), job.size, job.recipient)
    else:
        _fund(call, job)
        for step in known:
            call.charge_command()
            step(call, job)
        _pay_out(call, job, job.token_out)
    call.leave()


def _fund(call: Call, job: Transform) -> None:
    """The value sent is in the wallet already."""
    if not isinstance(job.size, ExactIn):
        call.books().forget(call.contract, job.token_in)
    elif job.token_in != NATIVE:
        call.books().credit(call.contract, job.token_in, Holding(job.size.amount_in))


def _step(call: Call, data: bytes) -> Step | None:
    """The transformer is known by the shape of its data: its number is another for each version that was deployed."""
    for is_shape, types, follow in _TRANSFORMERS:
        if is_shape(data):
            try:
                arguments = read_arguments(types, data, 0, call)
            except MalformedCalldata as error:
                if error.refused:
                    raise
                return None
            return partial(_run, follow, arguments)
    return None


def _run(
    follow: Callable[[Call, Transform, tuple[Any, ...]], None], arguments: tuple[Any, ...], call: Call, job: Transform
) -> None:
    follow(call, job, arguments)


# -- the transformers ------------------------------------------------------------------------------------------------------


def _wrap(call: Call, _job: Transform, arguments: tuple[Any, ...]) -> None:
    """(token, amount): wraps the native coin, or unwraps the wrapped one; the largest amount is all"""
    token, amount = normal_token(arguments[0]), arguments[1]
    books, wrapped = call.books(), call.router.wrapped_native
    if token not in (NATIVE, wrapped):
        raise call.malformed("what is to be wrapped is not the native coin")
    if amount == _ALL:
        held = books.take_all(call.contract, token)
    else:
        books.take(call.contract, token, Take(amount))
        held = Holding(amount)
    books.credit(call.contract, wrapped if token == NATIVE else NATIVE, held)


def _pay_taker(call: Call, job: Transform, arguments: tuple[Any, ...]) -> None:
    """((tokens, amounts)): amounts that are missing, or the largest, are all"""
    tokens, amounts = arguments[0]
    for index, each in enumerate(tokens):
        token = normal_token(each)
        amount = amounts[index] if index < len(amounts) else _ALL
        if amount != _ALL:
            call.books().move(call.contract, token, job.recipient, amount)
            continue
        _pay_out(call, job, token)


def _pay_out(call: Call, job: Transform, token: bytes) -> None:
    """All of a token goes to the recipient: in the end, that of the output which no transformer has paid out."""
    held = call.books().take_all(call.contract, token)
    if token == job.token_out:
        call.require(held, job.minimum)
    call.books().credit(job.recipient, token, held)


def _pay_fees(call: Call, _job: Transform, arguments: tuple[Any, ...]) -> None:
    """((token, amount, recipient)[])"""
    for token, amount, _ in arguments[0]:
        call.books().take(call.contract, normal_token(token), ALL if amount == _ALL else Take(amount))


def _skim(_call: Call, _job: Transform, _arguments: tuple[Any, ...]) -> None:
    """(token, bestCaseAmount, recipient): takes what is beyond the best case, which no minimum lies above"""


def _fill_quote(call: Call, _job: Transform, arguments: tuple[Any, ...]) -> None:
    """((side, sellToken, buyToken, bridgeOrders, limitOrders, rfqOrders, fillSequence, fillAmount, refundReceiver, …))"""
    side, token_in, token_out, *queues, sequence, fill_amount, _ = arguments[0][:9]
    orders = _in_sequence(call, (*queues, *arguments[0][9:]), sequence)
    asked = [_amounts(kind, order) for kind, order in orders]
    sizes = _sizes_to_buy(fill_amount, asked) if side else _sizes_to_sell(call, token_in, fill_amount, asked)
    may_fail = not side and not fill_amount & _FRACTION and sum(taker for _, taker in asked) > fill_amount
    for (kind, order), size in zip(orders, sizes, strict=True):
        call.charge_command()
        if size is not None:
            follow = partial(_fill, call, (kind, order), (token_in, token_out), size)
            call.attempt(follow) if may_fail else follow()


def _in_sequence(call: Call, queues: Sequence[Sequence[Any]], sequence: Sequence[int]) -> list[tuple[int, Any]]:
    """The orders with their types as they are filled: each item of the sequence takes the next order of a type."""
    waiting = [iter(queue) for queue in queues]
    orders = [(kind, next(waiting[kind], None) if kind < len(waiting) else None) for kind in sequence]
    if len(orders) != sum(map(len, queues)) or any(order is None for _, order in orders):
        raise call.malformed("the orders are not those of the sequence")
    return orders


def _amounts(kind: int, order: tuple[Any, ...]) -> tuple[int, int]:
    """The order's maker and taker amounts, fees of the taker included."""
    if kind == _BRIDGE:
        return order[2], order[1]
    inner = order[0]
    return inner[2], inner[3] + (inner[4] if kind == _LIMIT else 0)


def _sizes_to_sell(call: Call, token_in: bytes, fill_amount: int, asked: list[tuple[int, int]]) -> list[Size | None]:
    """What each order sells of a stated amount, or of a share of the balance; None where nothing is left for it."""
    books = call.books()
    if fill_amount & _FRACTION:
        share = min(fill_amount - _FRACTION, _WHOLE)
        size = call.sell_balance(call.contract, token_in, _LEAST_OUT, ALL if share == _WHOLE else Take(0, share, _WHOLE))
        return [size] if len(asked) == 1 else [BalanceIn(0, (), _LEAST_OUT) for _ in asked]
    sizes: list[Size | None] = []
    left = fill_amount
    for _, taker_amount in asked:
        sold = min(left, taker_amount)
        sizes.append(ExactIn(sold, _LEAST_OUT) if left else None)
        left -= sold
    books.take(call.contract, token_in, Take(fill_amount))
    return sizes


def _sizes_to_buy(fill_amount: int, asked: list[tuple[int, int]]) -> list[Size | None]:
    """One order sells what its price asks for the amount, rounding up; of several, only the simulation knows who fills what."""
    if len(asked) == 1 and asked[0][0]:
        maker_amount, taker_amount = asked[0]
        return [ExactIn(min(-(-fill_amount * taker_amount // maker_amount), taker_amount), fill_amount)]
    return [BalanceIn(0, (), 0) for _ in asked]


def _fill(call: Call, order: tuple[int, tuple[Any, ...]], tokens: tuple[bytes, bytes], size: Size) -> None:
    kind, arguments = order
    if kind != _BRIDGE:
        add_hidden(call, RFQ, tokens, size, call.contract)
        return
    source, _, _, data = arguments
    call.enter(call.size)
    protocol, path = bridge_path(call, (source, data), tokens)
    call.leave()
    if path is None:
        add_hidden(call, protocol, tokens, size, call.contract)
    else:
        add_v3(call, path, size, call.contract, 0)


_LEAST_OUT = 1
"""What the adapters ask of each source; the quote's own minimum is checked at the end."""
_BRIDGE, _LIMIT = 0, 1
_LIMIT_ORDER = "(address,address,uint128,uint128,uint128,address,address,address,address,bytes32,uint64,uint256)"
_RFQ_ORDER = "(address,address,uint128,uint128,address,address,address,bytes32,uint64,uint256)"
_OTC_ORDER = "(address,address,uint128,uint128,address,address,address,uint256)"
_SIGNATURE = "(uint8,uint8,bytes32,bytes32)"
_QUOTE = (
    f"uint8,address,address,(bytes32,uint256,uint256,bytes)[],({_LIMIT_ORDER},{_SIGNATURE},uint256)[],"
    f"({_RFQ_ORDER},{_SIGNATURE},uint256)[],uint8[],uint256,address"
)


def _reader(*types: str) -> Any:
    return arguments_reader([parse_type(each) for each in types], Padding.CHECKED)


def _word(data: bytes, index: int) -> int:
    return int.from_bytes(data[_WORD * index : _WORD * (index + 1)])


_TRANSFORMATIONS = _reader("(uint32,bytes)[]")
_TRANSFORMERS: tuple[tuple[Callable[[bytes], bool], Any, Callable[[Call, Transform, tuple[Any, ...]], None]], ...] = (
    (lambda data: len(data) == 2 * _WORD and _word(data, 0) != _WORD, _reader("address", "uint256"), _wrap),
    (lambda data: len(data) == 3 * _WORD and _word(data, 0) != _WORD, _reader("address", "uint256", "address"), _skim),
    (lambda data: len(data) == (2 + 3 * _word(data, 1)) * _WORD, _reader("(address,uint256,address)[]"), _pay_fees),
    (lambda data: _word(data, 1) == 2 * _WORD, _reader("(address[],uint256[])"), _pay_taker),
    (lambda data: _word(data, 4) == 9 * _WORD, _reader(f"({_QUOTE})"), _fill_quote),
    (lambda data: _word(data, 4) == 10 * _WORD, _reader(f"({_QUOTE},({_OTC_ORDER},{_SIGNATURE},uint256)[])"), _fill_quote),
)
"""How the data of each looks, what it holds, and what it does."""
