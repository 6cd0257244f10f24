"""Uniswap V2 Router02 and its forks: a path of tokens, exact in or out, paid in tokens or in the native coin."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.tables import Handler, RouterKind
from mempool.model.swap import ExactIn, ExactOut, SwapIntent

Tokens = tuple[bytes, ...]


def swap_exact_in(call: Call, arguments: list[Any]) -> None:
    """swapExactTokensForTokens(amountIn, amountOutMin, path, to, deadline)"""
    amount_in, min_amount_out, tokens, recipient, deadline = arguments
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    call.add(SwapIntent(call.router.name, call.function, hops, ExactIn(amount_in, min_amount_out), recipient, deadline))


def swap_exact_out(call: Call, arguments: list[Any]) -> None:
    """swapTokensForExactTokens(amountOut, amountInMax, path, to, deadline)"""
    amount_out, max_amount_in, tokens, recipient, deadline = arguments
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    call.add(SwapIntent(call.router.name, call.function, hops, ExactOut(amount_out, max_amount_in), recipient, deadline))


def swap_exact_in_measured(call: Call, arguments: list[Any]) -> None:
    """swapExactTokensForTokensSupportingFeeOnTransferTokens(amountIn, amountOutMin, path, to, deadline)"""
    amount_in, min_amount_out, tokens, recipient, deadline = arguments
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    size = ExactIn(amount_in, min_amount_out)
    call.add(SwapIntent(call.router.name, call.function, hops, size, recipient, deadline, measures_received=True))


def paid_in_native(handler: Handler) -> Handler:
    """The same function where the value sent is the first amount: `(amount, path, to, deadline)`."""

    def with_value(call: Call, arguments: list[Any]) -> None:
        amount, tokens, recipient, deadline = arguments
        if tokens and tokens[0] != call.router.wrapped_native:
            raise call.malformed("the path does not begin with the wrapped native token")
        amounts = (amount, call.value_wei) if handler is swap_exact_out else (call.value_wei, amount)
        handler(call, [*amounts, tokens, recipient, deadline])

    return with_value


def paid_out_in_native(handler: Handler) -> Handler:
    """The same function where the last token is unwrapped for the recipient."""

    def unwrapping(call: Call, arguments: list[Any]) -> None:
        tokens: Tokens = arguments[2]
        if tokens and tokens[-1] != call.router.wrapped_native:
            raise call.malformed("the path does not end with the wrapped native token")
        handler(call, arguments)

    return unwrapping


UNISWAP_V2_ROUTER = RouterKind(
    padding=Padding.MASKED,
    pools=frozenset({"uniswap_v2"}),
    functions={
        "swapExactTokensForTokens": swap_exact_in,
        "swapTokensForExactTokens": swap_exact_out,
        "swapExactETHForTokens": paid_in_native(swap_exact_in),
        "swapTokensForExactETH": paid_out_in_native(swap_exact_out),
        "swapExactTokensForETH": paid_out_in_native(swap_exact_in),
        "swapETHForExactTokens": paid_in_native(swap_exact_out),
        "swapExactTokensForTokensSupportingFeeOnTransferTokens": swap_exact_in_measured,
        "swapExactETHForTokensSupportingFeeOnTransferTokens": paid_in_native(swap_exact_in_measured),
        "swapExactTokensForETHSupportingFeeOnTransferTokens": paid_out_in_native(swap_exact_in_measured),
    },
)
