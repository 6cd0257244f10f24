"""1inch Aggregation Router v5: as v4, with a recipient for every swap, Clipper by its address, and limit orders."""

from __future__ import annotations

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.one_inch_orders import add_clipper, fill_order, fill_order_to, fill_rfq, fill_rfq_to
from mempool.decode.routers.one_inch_v4 import COMMON, Arguments, swap_pairs
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn


def unoswap(call: Call, arguments: Arguments) -> None:
    """unoswap(srcToken, amount, minReturn, pools)"""
    unoswap_to(call, (call.sender, *arguments))


def unoswap_to(call: Call, arguments: Arguments) -> None:
    """unoswapTo[WithPermit](recipient, srcToken, amount, minReturn, pools, …)"""
    recipient, token_in, amount, minimum, pools = arguments[:5]
    if amount >> 112:
        raise call.malformed("the amount exceeds 112 bits")
    swap_pairs(call, recipient, token_in, (amount, minimum), pools)


def clipper_swap(call: Call, arguments: Arguments) -> None:
    """clipperSwap(clipperExchange, srcToken, dstToken, inputAmount, outputAmount, goodUntil, r, vs)"""
    clipper_swap_to(call, (arguments[0], call.sender, *arguments[1:]))


def clipper_swap_to(call: Call, arguments: Arguments) -> None:
    """clipperSwapTo[WithPermit](clipperExchange, recipient, srcToken, dstToken, inputAmount, outputAmount, …)"""
    exchange, recipient, token_in, token_out, amount, amount_out = arguments[:6]
    add_clipper(call, exchange, (token_in, token_out), ExactIn(amount, amount_out), recipient)


ONE_INCH_V5 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        **COMMON,
        "unoswap": unoswap,
        "unoswapTo": unoswap_to,
        "unoswapToWithPermit": unoswap_to,
        "clipperSwap": clipper_swap,
        "clipperSwapTo": clipper_swap_to,
        "clipperSwapToWithPermit": clipper_swap_to,
        "fillOrder": fill_order,
        "fillOrderTo": fill_order_to,
        "fillOrderToWithPermit": fill_order_to,
        "fillOrderRFQ": fill_rfq,
        "fillOrderRFQCompact": fill_rfq,
        "fillOrderRFQTo": fill_rfq_to,
        "fillOrderRFQToWithPermit": fill_rfq_to,
    },
)
