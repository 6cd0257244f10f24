"""1inch Aggregation Routers v3 and v4: swaps along V2 pairs or V3 pools that words name, executors, Clipper, and RFQ orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import pay_in
from mempool.decode.routers.one_inch_orders import add_clipper, add_order, rfq_size, swap
from mempool.decode.routers.pool_words import add_v2_words, add_v3_words
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn

Arguments = tuple[Any, ...]


def unoswap(call: Call, arguments: Arguments) -> None:
    """unoswap[WithPermit](srcToken, amount, minReturn, pools, …)"""
    token_in, amount, minimum, pools = arguments[:4]
    swap_pairs(call, call.sender, token_in, (amount, minimum), [int.from_bytes(word) for word in pools])


def discounted_swap(call: Call, arguments: Arguments) -> None:
    """discountedSwap(caller, desc, data): the router calls its own `swap`, and only notes it where that fails"""
    call.attempt(lambda: swap(call, arguments))


def swap_v3(call: Call, arguments: Arguments) -> None:
    """uniswapV3Swap(amount, minReturn, pools)"""
    amount, minimum, pools = arguments
    swap_v3_pools(call, call.sender, b"", (amount, minimum), pools)


def swap_v3_to(call: Call, arguments: Arguments) -> None:
    """uniswapV3SwapTo(recipient, amount, minReturn, pools)"""
    recipient, amount, minimum, pools = arguments
    swap_v3_pools(call, recipient, b"", (amount, minimum), pools)


def swap_v3_with_permit(call: Call, arguments: Arguments) -> None:
    """uniswapV3SwapToWithPermit(recipient, srcToken, amount, minReturn, pools, permit)"""
    recipient, token_in, amount, minimum, pools, _ = arguments
    swap_v3_pools(call, recipient, token_in, (amount, minimum), pools)


def clipper_swap(call: Call, arguments: Arguments) -> None:
    """clipperSwap(srcToken, dstToken, amount, minReturn)"""
    clipper_swap_to(call, (call.sender, *arguments))


def clipper_swap_to(call: Call, arguments: Arguments) -> None:
    """clipperSwapTo[WithPermit](recipient, srcToken, dstToken, amount, minReturn, …)"""
    recipient, token_in, token_out, amount, minimum = arguments[:5]
    add_clipper(call, b"", (token_in, token_out), ExactIn(amount, minimum), recipient)


def fill_rfq(call: Call, arguments: Arguments) -> None:
    """fillOrderRFQ(order, signature, makingAmount, takingAmount)"""
    fill_rfq_to(call, (*arguments, call.sender))


def fill_rfq_to(call: Call, arguments: Arguments) -> None:
    """fillOrderRFQTo[WithPermit](order, signature, makingAmount, takingAmount, target, …)"""
    order, _, making, taking, target = arguments[:5]
    if making and taking:
        raise call.malformed("one of the two amounts must be 0")
    add_order(call, (order[2], order[1]), rfq_size(call, order, making, taking), target)


def swap_pairs(call: Call, recipient: bytes, token_in: bytes, amounts: tuple[int, int], words: Sequence[int]) -> None:
    """A swap of an amount for a minimum along V2 pairs; the token 0 is the native coin, sent along and wrapped."""
    if not words:
        # What follows the empty array is read as a pair's word.
        call.note_opaque("unoswap without pools")
        return
    pays_native = token_in == NATIVE
    check_value(call, amounts[0] if pays_native else 0)
    pay_in(call, token_in, amounts[0])
    add_v2_words(call, words, call.router.wrapped_native if pays_native else token_in, ExactIn(*amounts), recipient)


def swap_v3_pools(call: Call, recipient: bytes, token_in: bytes, amounts: tuple[int, int], words: Sequence[int]) -> None:
    """A swap of an amount for a minimum along V3 pools; what is sent along is wrapped."""
    if not words:
        raise call.malformed("there are no pools")
    if call.value_wei:
        check_value(call, amounts[0])
        token_in = call.router.wrapped_native
    add_v3_words(call, words, token_in, ExactIn(*amounts), recipient)


def check_value(call: Call, expected: int) -> None:
    """The router takes no other value. Inside other calls the value that these send is theirs to know."""
    if call.depth == 0 and call.value_wei != expected:
        raise call.malformed("the value sent is not the amount")


Handler = Callable[[Call, Arguments], None]
COMMON: dict[str, Handler] = {
    "swap": swap,
    "uniswapV3Swap": swap_v3,
    "uniswapV3SwapTo": swap_v3_to,
    "uniswapV3SwapToWithPermit": swap_v3_with_permit,
}
"""What the router of v5 has too."""

ONE_INCH_V3 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"swap": swap, "discountedSwap": discounted_swap, "unoswap": unoswap, "unoswapWithPermit": unoswap},
)

ONE_INCH_V4 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        **COMMON,
        "unoswap": unoswap,
        "unoswapWithPermit": unoswap,
        "clipperSwap": clipper_swap,
        "clipperSwapTo": clipper_swap_to,
        "clipperSwapToWithPermit": clipper_swap_to,
        "fillOrderRFQ": fill_rfq,
        "fillOrderRFQTo": fill_rfq_to,
        "fillOrderRFQToWithPermit": fill_rfq_to,
    },
)
