"""OKX DexRouter: swaps along V2 pairs or V3 pools that words name, and routes through adapters.

A commission may stand behind the arguments. From the token in it is taken on top of the stated amount; from the token out, of
what the swap brought, before the minimum is checked: the pools must then give a little more than the minimum says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, pay_in, plain_token, receiver, wrapped_token
from mempool.decode.routers.okx_routes import Payout, add_route, batch_nodes, graph_nodes, require_together
from mempool.decode.routers.one_inch_v4 import check_value
from mempool.decode.routers.pool_words import REVERSE, add_v2_words, add_v3_words, address_in
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn

Arguments = tuple[Any, ...]
Amounts = tuple[int, int]

_TOKEN0_IS_TAXED, _TOKEN1_IS_TAXED = 1 << 252, 1 << 253
"""Flags of a pair's word: it is asked what it received of the token, if that is the one sold."""


def unxswap(call: Call, arguments: Arguments) -> None:
    """unxswapByOrderId(srcToken, amount, minReturn, pools), the token's upper bits being the order's number"""
    token_in, amount, minimum, pools = arguments
    _swap_pairs(call, call.sender, address_in(token_in), (amount, minimum), pools)


def unxswap_to(call: Call, arguments: Arguments) -> None:
    """unxswapTo(srcToken, amount, minReturn, receiver, pools)"""
    token_in, amount, minimum, recipient, pools = arguments
    _swap_pairs(call, receiver(call, recipient), address_in(token_in), (amount, minimum), pools)


def unxswap_for_request(call: Call, arguments: Arguments) -> None:
    """unxswapToWithBaseRequest(orderId, receiver, baseRequest, pools)"""
    _, recipient, (token_in, _, amount, minimum, deadline), pools = arguments
    call.hold_to(deadline)
    _swap_pairs(call, receiver(call, recipient), address_in(token_in), (amount, minimum), pools)


def swap_v3(call: Call, arguments: Arguments) -> None:
    """uniswapV3SwapTo(receiver, amount, minReturn, pools), the receiver's upper bits being the order's number"""
    recipient, amount, minimum, pools = arguments
    _swap_v3_pools(call, address_in(recipient), b"", (amount, minimum), pools)


def swap_v3_with_permit(call: Call, arguments: Arguments) -> None:
    """uniswapV3SwapToWithPermit(receiver, srcToken, amount, minReturn, pools, permit)"""
    recipient, token_in, amount, minimum, pools, _ = arguments
    _swap_v3_pools(call, address_in(recipient), token_in, (amount, minimum), pools)


def swap_v3_for_request(call: Call, arguments: Arguments) -> None:
    """uniswapV3SwapToWithBaseRequest(orderId, receiver, baseRequest, pools)"""
    _, recipient, (token_in, _, amount, minimum, deadline), pools = arguments
    call.hold_to(deadline)
    _swap_v3_pools(call, recipient, wrapped_token(call, address_in(token_in)), (amount, minimum), pools)


def smart_swap(call: Call, arguments: Arguments) -> None:
    """smartSwapByOrderId(orderId, baseRequest, batchesAmount, batches, extraData)"""
    _, request, amounts, batches, _ = arguments
    _swap_batches(call, call.sender, request, amounts, batches)


def smart_swap_to(call: Call, arguments: Arguments) -> None:
    """smartSwapTo(orderId, receiver, baseRequest, batchesAmount, batches, extraData)"""
    _, recipient, request, amounts, batches, _ = arguments
    _swap_batches(call, receiver(call, recipient), request, amounts, batches)


def smart_swap_by_invest(call: Call, arguments: Arguments) -> None:
    """smartSwapByInvest[WithRefund](baseRequest, batchesAmount, batches, extraData, to, …): all that the router has of the token,
    the batches' amounts in proportion"""
    (token_in, token_out, _, minimum, deadline), _, _, _, recipient = arguments[:5]
    call.hold_to(deadline)
    token_in = address_in(token_in)
    size = call.sell_balance(call.contract, token_in, minimum)
    reason = "sells the router's balance along a route that is not looked into"
    add_hidden(call, (token_in, token_out), size, recipient, reason)


def dag_swap(call: Call, arguments: Arguments) -> None:
    """dagSwapByOrderId(orderId, baseRequest, paths)"""
    _, request, paths = arguments
    _swap_graph(call, call.sender, request, paths)


def dag_swap_to(call: Call, arguments: Arguments) -> None:
    """dagSwapTo(orderId, receiver, baseRequest, paths)"""
    _, recipient, request, paths = arguments
    _swap_graph(call, receiver(call, recipient), request, paths)


def _swap_pairs(call: Call, recipient: bytes, token_in: bytes, amounts: Amounts, words: Sequence[bytes]) -> None:
    if not words:
        raise call.malformed("there are no pools")
    token_in = plain_token(token_in)
    if token_in != NATIVE:
        check_value(call, 0)
    pay_in(call, token_in, amounts[0])
    numbers = [int.from_bytes(word) for word in words]
    add_v2_words(call, numbers, wrapped_token(call, token_in), ExactIn(*amounts), recipient)
    if any(word & (_TOKEN1_IS_TAXED if word & REVERSE else _TOKEN0_IS_TAXED) for word in numbers):
        call.intents[-1] = replace(call.intents[-1], measures_received=True)


def _swap_v3_pools(call: Call, recipient: bytes, token_in: bytes, amounts: Amounts, words: Sequence[int]) -> None:
    if not words:
        raise call.malformed("there are no pools")
    token_in = call.router.wrapped_native if call.value_wei else token_in
    add_v3_words(call, words, token_in, ExactIn(*amounts), receiver(call, recipient))


def _swap_batches(
    call: Call, recipient: bytes, request: Arguments, amounts: Sequence[int], batches: Sequence[Sequence[Arguments]]
) -> None:
    token_in, token_out, amount, minimum, deadline = request
    if len(amounts) != len(batches) or not batches or sum(amounts) > amount:
        raise call.malformed("the batches' amounts are not those of the batches")
    call.hold_to(deadline)
    pay_in(call, plain_token(address_in(token_in)), amount)
    last: list[int] = []
    for batch, batch_amount in zip(batches, amounts, strict=True):
        last += add_route(call, batch_nodes(call, batch), batch_amount, Payout(token_out, recipient))
    require_together(call, last, minimum)


def _swap_graph(call: Call, recipient: bytes, request: Arguments, paths: Sequence[Arguments]) -> None:
    token_in, token_out, amount, minimum, deadline = request
    call.hold_to(deadline)
    pay_in(call, plain_token(address_in(token_in)), amount)
    last = add_route(call, graph_nodes(call, paths), amount, Payout(token_out, recipient))
    require_together(call, last, minimum)


OKX_DEX_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "unxswapByOrderId": unxswap,
        "unxswapTo": unxswap_to,
        "unxswapToWithBaseRequest": unxswap_for_request,
        "uniswapV3SwapTo": swap_v3,
        "uniswapV3SwapToWithPermit": swap_v3_with_permit,
        "uniswapV3SwapToWithBaseRequest": swap_v3_for_request,
        "smartSwapByOrderId": smart_swap,
        "smartSwapTo": smart_swap_to,
        "smartSwapByInvest": smart_swap_by_invest,
        "smartSwapByInvestWithRefund": smart_swap_by_invest,
        "dagSwapByOrderId": dag_swap,
        "dagSwapTo": dag_swap_to,
    },
)
