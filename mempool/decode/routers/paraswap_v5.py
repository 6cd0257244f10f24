"""Velora's (then ParaSwap's) Augustus v5: pairs, direct swaps on one exchange, adapters' routes, and calls of others.

Its fees and its share of what comes out above the quote are paid out of the swap's outcome, after the minimum was checked, but
for a partner's fee on the token in, which lessens what is sold.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers import paraswap_v5_direct as direct
from mempool.decode.routers import paraswap_v5_pairs as pairs
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver
from mempool.decode.routers.paraswap_v5_paths import buy_by_adapter, mega_swap, multi_swap
from mempool.decode.routers.paraswap_v5_terms import Terms, settle
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Size

_TRANSFER_FROM = bytes.fromhex("23b872dd")
Tokens = tuple[bytes, bytes]


def simple_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """[protected]SimpleSwap(data): calls that the contract makes one after another, then the balance checked and paid out"""
    token_in, token_out, from_amount, to_amount, *_ = arguments[0]
    _hold_to_deadline(call, arguments[0])
    follow_calls(call, arguments[0], (token_in, token_out), ExactIn(from_amount, to_amount))


def simple_buy(call: Call, arguments: tuple[Any, ...]) -> None:
    """[protected]SimpleBuy(data)"""
    token_in, token_out, from_amount, to_amount, *_ = arguments[0]
    _hold_to_deadline(call, arguments[0])
    follow_calls(call, arguments[0], (token_in, token_out), ExactOut(to_amount, from_amount))


def _hold_to_deadline(call: Call, data: tuple[Any, ...]) -> None:
    *_, deadline, _ = data
    call.hold_to(deadline)


def follow_calls(call: Call, data: tuple[Any, ...], tokens: Tokens, size: Size) -> None:
    """`data` begins with what every simple swap states, from the tokens to the beneficiary."""
    _, _, from_amount, to_amount, _, callees, packed, starts, values, beneficiary, *_ = data
    if len(starts) != len(callees) + 1 or len(values) != len(callees):
        raise call.malformed("the calls, their starts and their values differ in number")
    if not to_amount:
        raise call.malformed("the amount to receive is 0")
    pay_in(call, plain_token(tokens[0]), from_amount)
    call.books().credit(call.contract, plain_token(tokens[0]), Holding(from_amount))
    known = len(call.intents)
    for callee, (start, end), value_wei in zip(callees, pairwise(starts), values, strict=True):
        if not start <= end <= len(packed):
            raise call.malformed("a call lies beyond the calls' data")
        if packed[start : start + 4] == _TRANSFER_FROM:
            raise call.malformed("transferFrom is not allowed")
        call.call_contract(callee, call.kept(packed[start:end]), value_wei)
    if len(call.intents) == known:
        add_hidden(call, tokens, size, receiver(call, beneficiary), "the calls show no swap")
        return
    settle(call, Terms(*tokens, from_amount, to_amount, receiver(call, beneficiary)))


def withdraw_all(call: Call, arguments: tuple[Any, ...]) -> None:
    """withdrawAllWETH(token), a call of the contract to itself"""
    books = call.books()
    books.credit(call.contract, NATIVE, books.take_all(call.contract, arguments[0]))


def fill_zerox(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnZeroXv2, swapOnZeroXv4 [WithPermit](fromToken, toToken, fromAmount, amountOutMin, exchange, payload)"""
    token_in, token_out, amount_in, min_amount_out = arguments[:4]
    _add_orders(call, (token_in, token_out), ExactIn(amount_in, min_amount_out))


def fill_order(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnAugustusRFQ[WithPermit](order, signature, wrapETH)"""
    _, _, token_out, token_in, _, _, amount_out, amount_in = arguments[0]
    _add_orders(call, (token_in, token_out), ExactIn(amount_in, amount_out))


def fill_orders(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnAugustusRFQTryBatchFill[WithPermit](orderInfos, wrapETH, fromAmount, toAmountMin)"""
    orders, _, amount_in, min_amount_out = arguments[:4]
    _add_orders(call, _traded(call, orders), ExactIn(amount_in, min_amount_out))


def buy_of_orders(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnAugustusRFQTryBatchFill[WithPermit](orderInfos, wrapETH, fromAmountMax, toAmount)"""
    orders, _, max_amount_in, amount_out = arguments[:4]
    _add_orders(call, _traded(call, orders), ExactOut(amount_out, max_amount_in))


def _traded(call: Call, orders: tuple[Any, ...]) -> Tokens:
    if not orders:
        raise call.malformed("there are no orders")
    _, _, token_out, token_in, *_ = orders[0][0]
    return token_in, token_out


def _add_orders(call: Call, tokens: Tokens, size: Size) -> None:
    add_hidden(call, tokens, size, call.sender, "fills makers' orders, not pools")


PARASWAP_V5 = RouterKind(
    # The pair functions' own compiler settings mask dirty words; all others revert on them.
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2"}),
    functions={
        "swapOnUniswap": pairs.swap_on_uniswap,
        "buyOnUniswap": pairs.buy_on_uniswap,
        "swapOnUniswapFork": pairs.swap_on_fork,
        "buyOnUniswapFork": pairs.buy_on_fork,
        "swapOnUniswapV2Fork": pairs.swap_on_packed_pairs,
        "swapOnUniswapV2ForkWithPermit": pairs.swap_on_packed_pairs,
        "buyOnUniswapV2Fork": pairs.buy_on_packed_pairs,
        "buyOnUniswapV2ForkWithPermit": pairs.buy_on_packed_pairs,
        "simpleSwap": simple_swap,
        "protectedSimpleSwap": simple_swap,
        "simpleBuy": simple_buy,
        "protectedSimpleBuy": simple_buy,
        "withdrawAllWETH": withdraw_all,
        "multiSwap": multi_swap,
        "protectedMultiSwap": multi_swap,
        "megaSwap": mega_swap,
        "protectedMegaSwap": mega_swap,
        "buy": buy_by_adapter,
        "directUniV3Swap": direct.v3_swap,
        "directUniV3Buy": direct.v3_buy,
        "directCurveV1Swap": direct.curve_v1,
        "directCurveV2Swap": direct.curve_v2,
        "directBalancerV2GivenInSwap": direct.balancer_in,
        "directBalancerV2GivenOutSwap": direct.balancer_out,
        "swapOnZeroXv2": fill_zerox,
        "swapOnZeroXv2WithPermit": fill_zerox,
        "swapOnZeroXv4": fill_zerox,
        "swapOnZeroXv4WithPermit": fill_zerox,
        "swapOnAugustusRFQ": fill_order,
        "swapOnAugustusRFQWithPermit": fill_order,
        "swapOnAugustusRFQTryBatchFill": fill_orders,
        "swapOnAugustusRFQTryBatchFillWithPermit": fill_orders,
        "buyOnAugustusRFQTryBatchFill": buy_of_orders,
        "buyOnAugustusRFQTryBatchFillWithPermit": buy_of_orders,
    },
)
