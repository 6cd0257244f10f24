"""ParaSwap's Augustus v4: pairs by a path of tokens, calls of others, and routes of adapters, which stay hidden.

Its fee and its half of what comes out above the quote are paid out of the swap's outcome, after the minimum was checked.
"""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers import paraswap_v5, paraswap_v5_pairs
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn


def swap_on_uniswap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnUniswap(amountIn, amountOutMin, path, referrer)"""
    paraswap_v5_pairs.swap_on_uniswap(call, arguments[:-1])


def buy_on_uniswap(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnUniswap(amountInMax, amountOut, path, referrer)"""
    paraswap_v5_pairs.buy_on_uniswap(call, arguments[:-1])


def swap_on_fork(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnUniswapFork(factory, initCode, amountIn, amountOutMin, path, referrer)"""
    paraswap_v5_pairs.swap_on_fork(call, arguments[:-1])


def buy_on_fork(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnUniswapFork(factory, initCode, amountInMax, amountOut, path, referrer)"""
    paraswap_v5_pairs.buy_on_fork(call, arguments[:-1])


def simple_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """simpleSwap(…), which v5 takes in one struct, with a deadline"""
    token_in, token_out, from_amount, to_amount, *_ = arguments
    paraswap_v5.follow_calls(call, arguments, (token_in, token_out), ExactIn(from_amount, to_amount))


def multi_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """multiSwap(data): one path"""
    _add_hidden_routes(call, arguments[0], arguments[0][-1])


def mega_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """megaSwap(data): paths side by side"""
    paths = arguments[0][-1]
    _add_hidden_routes(call, arguments[0], paths[0][1] if paths else ())


def _add_hidden_routes(call: Call, data: tuple[Any, ...], path: tuple[Any, ...]) -> None:
    token_in, amount, minimum, _, beneficiary, *_ = data
    if not path:
        raise call.malformed("there is no path")
    if not minimum:
        raise call.malformed("the amount to receive is 0")
    pay_in(call, plain_token(token_in), amount)
    tokens = token_in, path[-1][0]
    add_hidden(call, tokens, ExactIn(amount, minimum), receiver(call, beneficiary), "the adapters' routes are not known")


PARASWAP_V4 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2"}),
    functions={
        "swapOnUniswap": swap_on_uniswap,
        "buyOnUniswap": buy_on_uniswap,
        "swapOnUniswapFork": swap_on_fork,
        "buyOnUniswapFork": buy_on_fork,
        "simpleSwap": simple_swap,
        "multiSwap": multi_swap,
        "megaSwap": mega_swap,
        "withdrawAllWETH": paraswap_v5.withdraw_all,
    },
)
