"""Uniswap SwapRouter02: V2 and V3 swaps without own deadlines, where an amount in of 0 is the router's balance."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.pools import Path
from mempool.decode.routers.periphery import (
    add_v2,
    add_v3,
    multicall,
    multicall_until,
    name_sentinel,
    sweep_token,
    sweep_token_with_fee,
    unwrap_native,
    unwrap_native_with_fee,
)
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Size

_SENDER = bytes(19) + b"\x01"
_ROUTER = bytes(19) + b"\x02"
BALANCE_NAME = "CONTRACT_BALANCE (0)"


def exact_input_single(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactInputSingle((tokenIn, tokenOut, fee, recipient, amountIn, amountOutMinimum, sqrtPriceLimitX96))"""
    token_in, token_out, fee_pips, recipient, amount_in, min_amount_out, limit = arguments[0]
    path = call.router.factories["uniswap_v3"].single(token_in, token_out, fee_pips, call)
    _add_v3_exact_in(call, path, (amount_in, min_amount_out), recipient, limit)


def exact_input(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactInput((path, recipient, amountIn, amountOutMinimum))"""
    packed, recipient, amount_in, min_amount_out = arguments[0]
    path = call.router.factories["uniswap_v3"].packed_path(packed, call)
    _add_v3_exact_in(call, path, (amount_in, min_amount_out), recipient, 0)


def exact_output_single(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactOutputSingle((tokenIn, tokenOut, fee, recipient, amountOut, amountInMaximum, sqrtPriceLimitX96))"""
    token_in, token_out, fee_pips, recipient, amount_out, max_amount_in, limit = arguments[0]
    path = call.router.factories["uniswap_v3"].single(token_in, token_out, fee_pips, call)
    add_v3(call, path, ExactOut(amount_out, max_amount_in), resolved(call, recipient), limit)


def exact_output(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactOutput((path, recipient, amountOut, amountInMaximum)), the path from the token out backwards"""
    packed, recipient, amount_out, max_amount_in = arguments[0]
    path = call.router.factories["uniswap_v3"].packed_path_reversed(packed, call)
    add_v3(call, path, ExactOut(amount_out, max_amount_in), resolved(call, recipient), 0)


def swap_exact_tokens(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactTokensForTokens(amountIn, amountOutMin, path, to); swaps what the first pair received"""
    amount_in, min_amount_out, tokens, recipient = arguments
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    size = exact_or_balance(call, hops[0].token_in, amount_in, min_amount_out)
    add_v2(call, hops, size, resolved(call, recipient))
    if not amount_in:
        name_sentinel(call, BALANCE_NAME)


def swap_for_exact_tokens(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapTokensForExactTokens(amountOut, amountInMax, path, to); pays what the computed input gives"""
    amount_out, max_amount_in, tokens, recipient = arguments
    hops = call.router.factories["uniswap_v2"].token_path(tokens, call)
    add_v2(call, hops, ExactOut(amount_out, max_amount_in, pays_forward=True), resolved(call, recipient))


def wrap_native(call: Call, arguments: tuple[Any, ...]) -> None:
    """wrapETH(value)"""
    call.books().credit(call.contract, call.router.wrapped_native, Holding(arguments[0]))


def pull(call: Call, arguments: tuple[Any, ...]) -> None:
    """pull(token, value): from the sender to the router"""
    token, amount = arguments
    call.books().credit(call.contract, token, Holding(amount))


def call_position_manager(call: Call, _arguments: tuple[Any, ...]) -> None:
    """callPositionManager(data), mint(params), increaseLiquidity(params): no swap, but any balance may have moved"""
    call.books().forget_all()


def resolved(call: Call, recipient: bytes) -> bytes:
    """The recipient with 1 for the sender and 2 for the router."""
    if recipient == _SENDER:
        return call.sender
    return call.contract if recipient == _ROUTER else recipient


def exact_or_balance(call: Call, token_in: bytes, amount_in: int, min_amount_out: int) -> Size:
    """The size of an exact-in swap, where an amount of 0 is the router's balance."""
    if amount_in:
        return ExactIn(amount_in, min_amount_out)
    return call.sell_balance(call.contract, token_in, min_amount_out)


def _add_v3_exact_in(call: Call, path: Path, amounts: tuple[int, int], recipient: bytes, limit: int) -> None:
    size = exact_or_balance(call, path.hops[0].token_in, *amounts)
    add_v3(call, path, size, resolved(call, recipient), limit)
    if not amounts[0]:
        name_sentinel(call, BALANCE_NAME)


SWAP_ROUTER02 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2", "uniswap_v3"}),
    functions={
        "exactInputSingle": exact_input_single,
        "exactInput": exact_input,
        "exactOutputSingle": exact_output_single,
        "exactOutput": exact_output,
        "swapExactTokensForTokens": swap_exact_tokens,
        "swapTokensForExactTokens": swap_for_exact_tokens,
        "multicall(bytes[])": multicall,
        "multicall(bytes32,bytes[])": multicall,
        "multicall(uint256,bytes[])": multicall_until,
        "unwrapWETH9": unwrap_native,
        "unwrapWETH9WithFee": unwrap_native_with_fee,
        "sweepToken": sweep_token,
        "sweepTokenWithFee": sweep_token_with_fee,
        "wrapETH": wrap_native,
        "pull": pull,
        "callPositionManager": call_position_manager,
        "mint": call_position_manager,
        "increaseLiquidity": call_position_manager,
    },
)
