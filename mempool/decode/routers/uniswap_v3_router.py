"""Uniswap V3 SwapRouter: amounts are always stated; a zero recipient is the router, for an unwrap or a sweep to follow."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.periphery import (
    add_v3,
    multicall,
    sweep_token,
    sweep_token_with_fee,
    unwrap_native,
    unwrap_native_with_fee,
)
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut

_NOBODY = bytes(20)


def exact_input_single(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactInputSingle((tokenIn, tokenOut, fee, recipient, deadline, amountIn, amountOutMinimum, sqrtPriceLimitX96))"""
    token_in, token_out, fee_pips, recipient, deadline, amount_in, min_amount_out, limit = arguments[0]
    path = call.router.factories["uniswap_v3"].single(token_in, token_out, fee_pips, call)
    call.deadline = deadline
    add_v3(call, path, ExactIn(amount_in, min_amount_out), _recipient(call, recipient), limit)


def exact_output_single(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactOutputSingle((tokenIn, tokenOut, fee, recipient, deadline, amountOut, amountInMaximum, sqrtPriceLimitX96))"""
    token_in, token_out, fee_pips, recipient, deadline, amount_out, max_amount_in, limit = arguments[0]
    path = call.router.factories["uniswap_v3"].single(token_in, token_out, fee_pips, call)
    call.deadline = deadline
    add_v3(call, path, ExactOut(amount_out, max_amount_in), _recipient(call, recipient), limit)


def exact_input(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactInput((path, recipient, deadline, amountIn, amountOutMinimum))"""
    packed, recipient, deadline, amount_in, min_amount_out = arguments[0]
    path = call.router.factories["uniswap_v3"].packed_path(packed, call)
    call.deadline = deadline
    add_v3(call, path, ExactIn(amount_in, min_amount_out), _recipient(call, recipient), 0)


def exact_output(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactOutput((path, recipient, deadline, amountOut, amountInMaximum)), the path from the token out backwards"""
    packed, recipient, deadline, amount_out, max_amount_in = arguments[0]
    path = call.router.factories["uniswap_v3"].packed_path_reversed(packed, call)
    call.deadline = deadline
    add_v3(call, path, ExactOut(amount_out, max_amount_in), _recipient(call, recipient), 0)


def _recipient(call: Call, recipient: bytes) -> bytes:
    return call.contract if recipient == _NOBODY else recipient


UNISWAP_V3_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v3"}),
    functions={
        "exactInputSingle": exact_input_single,
        "exactOutputSingle": exact_output_single,
        "exactInput": exact_input,
        "exactOutput": exact_output,
        "multicall": multicall,
        "unwrapWETH9": unwrap_native,
        "unwrapWETH9WithFee": unwrap_native_with_fee,
        "sweepToken": sweep_token,
        "sweepTokenWithFee": sweep_token_with_fee,
    },
)
