"""What 1inch's routers do without public pools: an executor's program, makers' signed orders, and Clipper's signed quotes."""

from __future__ import annotations

from typing import Any

from mempool.decode.call import Call
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver
from mempool.model.swap import Completeness, ExactIn, ExactOut, Hop, Size, SwapIntent

UNLIMITED = (1 << 256) - 1
_MAKER_AMOUNT = 1 << 255
_RFQ_AMOUNT_BITS = (1 << 248) - 1
_THRESHOLD_BITS = (1 << 255) - 1
_V4_THRESHOLD_BITS = (1 << 185) - 1
_HAS_TARGET = 1 << 251
_ADDRESS_BITS = (1 << 160) - 1
_PARTIAL_FILL = 1
Tokens = tuple[bytes, bytes]


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(executor, (srcToken, dstToken, srcReceiver, dstReceiver, amount, minReturn, flags[, permit]), …)"""
    token_in, token_out, _, recipient, amount, minimum, flags = arguments[1][:7]
    if not minimum:
        raise call.malformed("the minimum is 0")
    pay_in(call, plain_token(token_in), amount)
    reason = "the executor's program hides the pools"
    if flags & _PARTIAL_FILL:
        reason += ", and may sell less for a part of the minimum"
    add_hidden(call, (token_in, token_out), ExactIn(amount, minimum), receiver(call, recipient), reason)


def add_clipper(call: Call, exchange: bytes, tokens: Tokens, size: Size, recipient: bytes) -> None:
    """Note a swap at Clipper; `exchange` is empty where the router has it built in."""
    hop = Hop("clipper", "", exchange, plain_token(tokens[0]), plain_token(tokens[1]), None)
    _add(call, hop, size, recipient, "Clipper's price stands in a quote that it signs")


def add_order(call: Call, tokens: Tokens, size: Size, recipient: bytes) -> None:
    """Note what a taker gives and gets; `tokens` are the taker's and the maker's asset."""
    hop = Hop("limit_order", "", b"", *tokens, None)
    _add(call, hop, size, recipient, "fills a maker's order, not a pool")


def rfq_size(call: Call, order: tuple[Any, ...], making: int, taking: int) -> Size:
    """What an order of a fixed price asks of its taker; with both amounts 0 all of it is filled.

    The maker's part is rounded down and the taker's up (LimitOrderProtocol's AmountCalculator).
    """
    order_making, order_taking = order[5], order[6]
    if making > order_making or taking > order_taking:
        raise call.malformed("the order is smaller than what is asked of it")
    if max(making * order_taking, taking * order_making) > UNLIMITED:
        raise call.malformed("the order's amounts overflow")
    if making:
        return ExactIn(-(-making * order_taking // order_making), making)
    if not taking:
        return ExactIn(order_taking, order_making)
    return ExactIn(taking, taking * order_making // order_taking)


def flagged_rfq_size(call: Call, order: tuple[Any, ...], flags_and_amount: int) -> Size:
    """The same by one word: bit 255 says that its lower 248 bits are the maker's amount."""
    amount = flags_and_amount & _RFQ_AMOUNT_BITS
    is_making = bool(flags_and_amount & _MAKER_AMOUNT)
    return rfq_size(call, order, amount if is_making else 0, 0 if is_making else amount)


def fill_rfq(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOrderRFQ[Compact](order, signature…, flagsAndAmount)"""
    order, flags_and_amount = arguments[0], arguments[-1]
    add_order(call, (order[2], order[1]), flagged_rfq_size(call, order, flags_and_amount), call.sender)


def fill_rfq_to(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOrderRFQTo[WithPermit](order, signature, flagsAndAmount, target, …)"""
    order, _, flags_and_amount, target = arguments[:4]
    add_order(call, (order[2], order[1]), flagged_rfq_size(call, order, flags_and_amount), target)


def fill_order(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOrder(order, signature, interaction, makingAmount, takingAmount, skipPermitAndThresholdAmount)"""
    _fill_v3_order(call, arguments, call.sender)


def fill_order_to(call: Call, arguments: tuple[Any, ...]) -> None:
    """fillOrderTo[WithPermit](order, signature, interaction, makingAmount, takingAmount, skipPermitAnd…, target, …)"""
    _fill_v3_order(call, arguments, arguments[6])


def fill_v4_order(call: Call, arguments: tuple[Any, ...]) -> None:
    """fill[Contract]Order(order, signature…, amount, takerTraits)"""
    _fill_v4_order(call, arguments[0], arguments[-2], arguments[-1], call.sender)


def fill_v4_order_args(call: Call, arguments: tuple[Any, ...]) -> None:
    """fill[Contract]OrderArgs(order, signature…, amount, takerTraits, args); `args` begin with the target, if there is one"""
    traits, args = arguments[-2:]
    has_target = bool(traits & _HAS_TARGET)
    if has_target and len(args) < 20:
        raise call.malformed("the arguments are shorter than the target")
    _fill_v4_order(call, arguments[0], arguments[-3], traits, args[:20] if has_target else call.sender)


def _fill_v3_order(call: Call, arguments: tuple[Any, ...], recipient: bytes) -> None:
    order, _, _, making, taking, threshold = arguments[:6]
    if bool(making) == bool(taking):
        raise call.malformed("one of the two amounts must be 0")
    threshold &= _THRESHOLD_BITS
    size = ExactOut(making, threshold) if making else ExactIn(taking, threshold)
    add_order(call, (order[2], order[1]), size, recipient)


def _fill_v4_order(call: Call, order: tuple[int, ...], amount: int, traits: int, recipient: bytes) -> None:
    """Limit Order Protocol v4: a threshold of 0 is none."""
    threshold = traits & _V4_THRESHOLD_BITS
    size = ExactOut(amount, threshold or UNLIMITED) if traits & _MAKER_AMOUNT else ExactIn(amount, threshold)
    maker_asset, taker_asset = ((order[index] & _ADDRESS_BITS).to_bytes(20) for index in (3, 4))
    add_order(call, (taker_asset, maker_asset), size, recipient)


def _add(call: Call, hop: Hop, size: Size, recipient: bytes, reason: str) -> None:
    if isinstance(size, ExactIn):
        pay_in(call, hop.token_in, size.amount_in)
    elif call.ledger is not None:
        call.ledger.forget(call.sender, hop.token_in)
    router, function, scopes = call.router.name, call.function, call.revert_scopes
    word = Completeness.PARTIAL
    call.add(SwapIntent(router, function, (hop,), size, recipient, call.deadline, 0, scopes, completeness=word, reason=reason))
