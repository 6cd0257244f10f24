"""Balancer V3's Router and Batch Router: single swaps, and paths through pools, buffers of wrapped tokens and liquidity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.payments import EXACT, Known, add_paid, pay_out_native, swap_intent
from mempool.decode.routers.periphery import multicall
from mempool.decode.tables import RouterKind
from mempool.model.swap import Completeness, ExactIn, ExactOut, Hop, Size

_PROTOCOL = "balancer_v3"
_BUFFER = "balancer_v3_buffer"
_LIQUIDITY = "balancer_v3_liquidity"
_REASONS = {
    _BUFFER: "a step wraps or unwraps in a buffer, which is no swap of a pool",
    _LIQUIDITY: "a step adds or removes liquidity, which is no swap of a pool",
}
Path = tuple[bytes, tuple[tuple[bytes, bytes, bool], ...], int, int]
"""`(tokenIn, (pool, tokenOut, isBuffer)[], first amount, second amount)`"""


def swap_single_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapSingleTokenExactIn(pool, tokenIn, tokenOut, exactAmountIn, minAmountOut, deadline, wethIsEth, userData)"""
    pool, token_in, token_out, amount_in, min_amount_out, deadline, weth_is_eth, _ = arguments
    hop = Hop(_PROTOCOL, "", pool, token_in, token_out, None)
    _add_all(call, [((hop,), ExactIn(amount_in, min_amount_out))], deadline, weth_is_eth=weth_is_eth)


def swap_single_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapSingleTokenExactOut(pool, tokenIn, tokenOut, exactAmountOut, maxAmountIn, deadline, wethIsEth, userData)"""
    pool, token_in, token_out, amount_out, max_amount_in, deadline, weth_is_eth, _ = arguments
    hop = Hop(_PROTOCOL, "", pool, token_in, token_out, None)
    _add_all(call, [((hop,), ExactOut(amount_out, max_amount_in))], deadline, weth_is_eth=weth_is_eth)


def swap_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactIn((tokenIn, steps, exactAmountIn, minAmountOut)[], deadline, wethIsEth, userData)"""
    paths, deadline, weth_is_eth, _ = arguments
    swaps = [(_hops(call, path), ExactIn(path[2], path[3])) for path in paths]
    _add_all(call, swaps, deadline, weth_is_eth=weth_is_eth)


def swap_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactOut((tokenIn, steps, maxAmountIn, exactAmountOut)[], deadline, wethIsEth, userData), the steps in trade order"""
    paths, deadline, weth_is_eth, _ = arguments
    swaps = [(_hops(call, path), ExactOut(path[3], path[2])) for path in paths]
    _add_all(call, swaps, deadline, weth_is_eth=weth_is_eth)


def _hops(call: Call, path: Path) -> tuple[Hop, ...]:
    call.charge_command()
    token_in, steps = path[:2]
    if not steps:
        raise call.malformed("a path has no step")
    hops = []
    for pool, token_out, is_buffer in steps:
        protocol = _BUFFER if is_buffer else _LIQUIDITY if pool in (token_in, token_out) else _PROTOCOL
        hops.append(Hop(protocol, "", pool, token_in, token_out, None))
        token_in = token_out
    return tuple(hops)


def _known_of(hops: tuple[Hop, ...]) -> Known:
    reason = next((_REASONS[hop.protocol] for hop in hops if hop.protocol in _REASONS), "")
    return (Completeness.PARTIAL, reason) if reason else EXACT


def _add_all(call: Call, swaps: Sequence[tuple[tuple[Hop, ...], Size]], deadline: int, *, weth_is_eth: bool) -> None:
    """Note swaps that the sender pays for and receives from, but for paths that only wrap."""
    around = call.deadline
    call.hold_to(deadline)
    for hops, size in swaps:
        if any(hop.protocol != _BUFFER for hop in hops):
            add_paid(call, call.sender, swap_intent(call, hops, size, call.sender, _known_of(hops)))
            if weth_is_eth and hops[-1].token_out == call.router.wrapped_native:
                pay_out_native(call, call.sender)
    call.deadline = around


_CALLS = {"permitBatchAndCall": multicall, "multicall": multicall}
BALANCER_V3_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "swapSingleTokenExactIn": swap_single_exact_in,
        "swapSingleTokenExactOut": swap_single_exact_out,
        **_CALLS,
    },
)
BALANCER_V3_BATCH_ROUTER = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={"swapExactIn": swap_exact_in, "swapExactOut": swap_exact_out, **_CALLS},
)
