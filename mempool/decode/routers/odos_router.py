"""Odos' routers V2 and V3: tokens, amounts and minimums, packed or not; an executor's program hides the pools."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, pay_in, receiver
from mempool.decode.tables import Handler, RouterKind
from mempool.model.swap import BalanceIn, ExactIn

_HIDDEN = "the executor's program hides the pools"
_FROM_LIST = "a token stands in the contract's own list of addresses"
_SLIPPAGE_UNIT = 0xFFFFFF


class Leg(Struct, frozen=True):
    """A token and an amount that is paid in, or the least that must come out. An empty token stands in the contract's list."""

    token: bytes
    amount: int
    receiver: bytes = NATIVE


class Packed(Struct):
    """Reads the routers' packed calldata. Past its end the EVM reads zeros, which nobody means: that counts as malformed."""

    call: Call
    data: bytes
    position: int = 4

    def number(self, width: int) -> int:
        """An unsigned number of `width` bytes."""
        end = self.position + width
        if end > len(self.data):
            raise self.call.malformed("the calldata ends inside its arguments")
        value = int.from_bytes(self.data[self.position : end])
        self.position = end
        return value

    def amount(self) -> int:
        """A number behind one byte that counts its bytes: a shift by a negative amount leaves nothing of more than 32."""
        width = self.number(1)
        value = self.number(width)
        return value if width <= 32 else 0

    def address(self) -> bytes:
        """Two bytes: 0 for the native coin or nobody, 1 for an address that follows, others for one that the contract keeps."""
        index = self.number(2)
        if index == 1:
            return self.number(20).to_bytes(20)
        return b"" if index else NATIVE


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(tokenInfo, pathDefinition, executor, …)"""
    token_in, amount, _, token_out, quote, minimum, recipient = arguments[0]
    if minimum > quote:
        raise call.malformed("the minimum is greater than the quote")
    _add(call, Leg(token_in, amount), Leg(token_out, minimum, recipient), _HIDDEN)


def swap_with_permit(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapPermit2(permit2, tokenInfo, pathDefinition, executor, …)"""
    swap(call, arguments[1:])


def swap_packed(call: Call, _arguments: tuple[Any, ...]) -> None:
    """swapCompact(): tokens, amount, quote, tolerated slippage in parts of 2^24 - 1, and the three addresses"""
    packed = _unpack(call)
    token_in, token_out = packed.address(), packed.address()
    amount, quote, slippage = packed.amount(), packed.amount(), packed.number(3)
    packed.address()
    packed.address()
    recipient = packed.address()
    _add(call, Leg(token_in, amount), Leg(token_out, _less_slippage(quote, slippage), recipient), _HIDDEN)


def swap_many_for_value(call: Call, arguments: tuple[Any, ...]) -> None:
    """V2's swapMulti(inputs, outputs, valueOutMin, …): one minimum of all outputs together, each by its weight"""
    inputs, outputs, least_value = arguments[:3]
    if not least_value:
        raise call.malformed("the minimum is 0")
    legs_out = [Leg(token, _alone(outputs, least_value, weight), recipient) for token, weight, recipient in outputs]
    _add_many(call, [Leg(*leg) for leg in inputs], legs_out)


def swap_many(call: Call, arguments: tuple[Any, ...]) -> None:
    """V3's swapMulti(inputs, outputs, …), each output with its own minimum"""
    inputs, outputs = arguments[:2]
    legs_out = [Leg(token, minimum, recipient) for token, _, minimum, recipient in outputs]
    _add_many(call, [Leg(*leg) for leg in inputs], legs_out)


def swap_many_for_value_with_permit(call: Call, arguments: tuple[Any, ...]) -> None:
    """V2's swapMultiPermit2(permit2, inputs, outputs, valueOutMin, …)"""
    swap_many_for_value(call, arguments[1:])


def swap_many_with_permit(call: Call, arguments: tuple[Any, ...]) -> None:
    """V3's swapMultiPermit2(permit2, inputs, outputs, …)"""
    swap_many(call, arguments[1:])


def swap_many_packed_for_value(call: Call, _arguments: tuple[Any, ...]) -> None:
    """V2's swapMultiCompact(): counts, executor, least value, inputs, outputs with their weights"""
    packed = _unpack(call)
    count_in, count_out = packed.number(1), packed.number(1)
    packed.address()
    least_value = packed.amount()
    if not least_value:
        raise call.malformed("the minimum is 0")
    inputs = [Leg(packed.address(), packed.amount(), packed.address()) for _ in range(count_in)]
    outputs = [(packed.address(), packed.amount(), packed.address()) for _ in range(count_out)]
    legs_out = [Leg(token, _alone(outputs, least_value, weight), recipient) for token, weight, recipient in outputs]
    _add_many(call, inputs, legs_out)


def swap_many_packed(call: Call, _arguments: tuple[Any, ...]) -> None:
    """V3's swapMultiCompact(): counts, executor, tolerated slippage, inputs, outputs with their quotes"""
    packed = _unpack(call)
    count_in, count_out = packed.number(1), packed.number(1)
    packed.address()
    slippage = packed.number(3)
    inputs = [Leg(packed.address(), packed.amount(), packed.address()) for _ in range(count_in)]
    quotes = [Leg(packed.address(), packed.amount(), packed.address()) for _ in range(count_out)]
    _add_many(call, inputs, [Leg(leg.token, _less_slippage(leg.amount, slippage), leg.receiver) for leg in quotes])


def then_hook(handler: Handler) -> Handler:
    """The same function with a contract of the sender's choice called at its end."""

    def handle(call: Call, arguments: tuple[Any, ...]) -> None:
        handler(call, arguments)
        call.note_opaque("executeOdosHook")

    return handle


def _unpack(call: Call) -> Packed:
    """The calldata behind the selector, all of which belongs to the arguments that no ABI names."""
    if call.depth == 0:
        call.extra_bytes = 0
    return Packed(call, call.data)


def _less_slippage(quote: int, slippage: int) -> int:
    return quote * (_SLIPPAGE_UNIT - slippage) % (1 << 256) // _SLIPPAGE_UNIT


def _alone(outputs: Any, least_value: int, weight: int) -> int:
    """The least of an output that is the only one; several can make up for each other."""
    return -(-least_value // weight) if len(outputs) == 1 and weight else 0


def _add_many(call: Call, inputs: list[Leg], outputs: list[Leg]) -> None:
    """One program turns all inputs into all outputs; the first of each stand for them."""
    if not inputs or not outputs:
        call.note_opaque(call.function)
        return
    if len(inputs) == len(outputs) == 1:
        _add(call, inputs[0], outputs[0], _HIDDEN)
        return
    reason = f"the first of {len(inputs)} tokens in and {len(outputs)} out; {_HIDDEN}"
    for leg in inputs[1:]:
        pay_in(call, leg.token, leg.amount)
    _add(call, inputs[0], outputs[0], reason, needs_minimum=False)


def _add(call: Call, leg_in: Leg, leg_out: Leg, reason: str, *, needs_minimum: bool = True) -> None:
    """An amount of 0 is the value sent, or the sender's whole balance."""
    if needs_minimum and not leg_out.amount:
        raise call.malformed("the minimum is 0")
    amount = leg_in.amount or (call.value_wei if leg_in.token == NATIVE else 0)
    pay_in(call, leg_in.token, amount)
    size = ExactIn(amount, leg_out.amount) if amount else BalanceIn(0, (), leg_out.amount)
    reasons = [reason, *([] if leg_in.token and leg_out.token else [_FROM_LIST])]
    reasons += [] if amount else ["sells the sender's balance"]
    # An address out of the list stays empty, as a receiver too: nobody else's balance is touched.
    recipient = receiver(call, leg_out.receiver)
    add_hidden(call, (leg_in.token, leg_out.token), size, recipient, "; ".join(reasons))


_SINGLE = {"swapCompact": swap_packed, "swap": swap, "swapPermit2": swap_with_permit}

ODOS_ROUTER_V2 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        **_SINGLE,
        "swapMultiCompact": swap_many_packed_for_value,
        "swapMulti": swap_many_for_value,
        "swapMultiPermit2": swap_many_for_value_with_permit,
    },
)
ODOS_ROUTER_V3 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        **_SINGLE,
        "swapWithHook": then_hook(swap),
        "swapPermit2WithHook": then_hook(swap_with_permit),
        "swapMultiCompact": swap_many_packed,
        "swapMulti": swap_many,
        "swapMultiPermit2": swap_many_with_permit,
        "swapMultiWithHook": then_hook(swap_many),
        "swapMultiPermit2WithHook": then_hook(swap_many_with_permit),
    },
)
