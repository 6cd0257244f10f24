"""Velora's (formerly ParaSwap's) Augustus v6: direct swaps along pools that the calldata packs, and executors that hide theirs.

Fees are paid out of what a swap brought, after its minimum was checked.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.routers.aggregators import (
    NATIVE_ALIAS,
    add_hidden,
    add_shown,
    keep_share,
    pay_in,
    plain_token,
    receiver,
    wrapped_token,
)
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn, ExactOut, Hop, Size

Tokens = tuple[bytes, bytes]
SizeOf = Callable[[int, int], Size]
"""`(fromAmount, toAmount) -> size`: an amount and a minimum, or a maximum and an amount."""

BALANCER_VAULT = bytes.fromhex("ba12222222228d8ba445958a75a0704d566bf2c8")
"""An immutable of the contract, and the same on every chain."""
_V2_POOL_BYTES, _V3_POOL_BYTES = 64, 96
_ADDRESS_BITS = (1 << 160) - 1
_WRAP, _UNWRAP = 1, 2
_FACTORY_ZAP = 2


def exact_in(from_amount: int, to_amount: int) -> Size:
    return ExactIn(from_amount, to_amount)


def exact_out(from_amount: int, to_amount: int) -> Size:
    return ExactOut(to_amount, from_amount)


def swap_by_executor(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountIn[Pro](executor, swapData, partnerAndFee, permit, executorData)"""
    _add_executed(call, arguments[1], exact_in)


def buy_by_executor(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountOut[Pro](executor, swapData, partnerAndFee, permit, executorData)"""
    _add_executed(call, arguments[1], exact_out)


def swap_on_v2(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOnUniswapV2(uniData, partnerAndFee, permit); each pair's output is computed, not measured"""
    _add_v2(call, arguments[0], exact_in)


def buy_on_v2(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountOutOnUniswapV2(uniData, partnerAndFee, permit), the pools in trade order"""
    _add_v2(call, arguments[0], exact_out)


def swap_on_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOnUniswapV3(uniData, partnerAndFee, permit)"""
    _, token_out, from_amount, to_amount, _, _, beneficiary, packed = arguments[0]
    hops = _v3_hops(call, packed)
    _add_along(call, hops, token_out, _checked(call, from_amount, to_amount, exact_in), beneficiary)


def buy_on_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountOutOnUniswapV3(uniData, partnerAndFee, permit), the pools from the token out backwards"""
    _, token_out, from_amount, to_amount, _, _, beneficiary, packed = arguments[0]
    if len(packed) % _V3_POOL_BYTES:
        raise call.malformed("the pools are not whole")
    hops = _v3_hops(call, packed)[::-1]
    _add_along(call, hops, token_out, _checked(call, from_amount, to_amount, exact_out), beneficiary)


def swap_on_curve_v1(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOnCurveV1(curveV1Data, partnerAndFee, permit)"""
    flags, _, token_in, token_out, from_amount, to_amount, _, _, beneficiary = arguments[0]
    pool = (flags & _ADDRESS_BITS).to_bytes(20)
    _add_curve(call, (flags, pool), (token_in, token_out), (from_amount, to_amount), beneficiary)


def swap_on_curve_v2(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOnCurveV2(curveV2Data, partnerAndFee, permit); by way of a factory's zap the pool is named apart"""
    flags, _, _, pool, token_in, token_out, from_amount, to_amount, _, _, beneficiary = arguments[0]
    if flags >> 163 & 3 != _FACTORY_ZAP:
        pool = (flags & _ADDRESS_BITS).to_bytes(20)
    _add_curve(call, (flags, pool), (token_in, token_out), (from_amount, to_amount), beneficiary)


def swap_on_balancer(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOnBalancerV2(balancerData, partnerAndFee, permit, data), the data being a call of the vault"""
    _follow_vault(call, arguments, exact_in)


def buy_on_balancer(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountOutOnBalancerV2(balancerData, partnerAndFee, permit, data)"""
    _follow_vault(call, arguments, exact_out)


def swap_on_maker(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountInOutOnMakerPSM(makerPSMData, permit); bit 254 of the last field says which way"""
    token_in, token_out, from_amount, to_amount, _, _, exchange, _, _, flags = arguments[0]
    size = _checked(call, from_amount, to_amount, exact_out if flags >> 254 & 1 else exact_in)
    pay_in(call, token_in, from_amount)
    hop = Hop("maker_psm", "", exchange, token_in, token_out, None)
    add_shown(call, (hop,), size, receiver(call, (flags & _ADDRESS_BITS).to_bytes(20)))


def fill_orders(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnAugustusRFQTryBatchFill(data, orders, permit): makers' signed orders, no pools; bit 3 says which way"""
    (from_amount, to_amount, flags, _, beneficiary), orders, _ = arguments
    if not orders:
        raise call.malformed("there are no orders")
    _, _, token_out, token_in, *_ = orders[0][0]
    size = _checked(call, from_amount, to_amount, exact_out if flags >> 3 & 1 else exact_in)
    add_hidden(call, (token_in, token_out), size, receiver(call, beneficiary), "fills makers' orders, not pools")


def _checked(call: Call, from_amount: int, to_amount: int, size_of: SizeOf) -> Size:
    if not to_amount:
        raise call.malformed("the amount to receive is 0")
    return size_of(from_amount, to_amount)


def _add_executed(call: Call, swap_data: tuple[Any, ...], size_of: SizeOf) -> None:
    token_in, token_out, from_amount, to_amount, _, _, beneficiary = swap_data
    size, recipient = _checked(call, from_amount, to_amount, size_of), receiver(call, beneficiary)
    pay_in(call, plain_token(token_in), from_amount)
    add_hidden(call, (token_in, token_out), size, recipient, "the executor's program hides the pools")
    keep_share(call, recipient, plain_token(token_out))


def _add_v2(call: Call, data: tuple[Any, ...], size_of: SizeOf) -> None:
    token_in, token_out, from_amount, to_amount, _, _, beneficiary, packed = data
    hops = _v2_hops(call, packed)
    if hops[0].token_in != wrapped_token(call, token_in):
        raise call.malformed("the pools do not begin with the token in")
    pay_in(call, plain_token(token_in), from_amount)
    _add_along(call, hops, token_out, _checked(call, from_amount, to_amount, size_of), beneficiary)


def _v2_hops(call: Call, packed: bytes) -> tuple[Hop, ...]:
    """Pools of 64 bytes: both tokens in order, and in the last bit whether the first of them is sold."""
    tokens: list[bytes] = []
    for start in range(0, len(packed) - _V2_POOL_BYTES + 1, _V2_POOL_BYTES):
        pair = packed[start : start + 20], packed[start + 20 : start + 40]
        _join(call, tokens, pair, is_forward=bool(packed[start + 63] & 1))
    if not tokens:
        raise call.malformed("there are no pools")
    return call.router.factories["uniswap_v2"].token_path(tuple(tokens), call)


def _v3_hops(call: Call, packed: bytes) -> tuple[Hop, ...]:
    """Pools of 96 bytes, as they stand: token0, token1 and the fee, and in the first bit whether token0 is sold."""
    factory = call.router.factories["uniswap_v3"]
    hops: list[Hop] = []
    for start in range(0, len(packed) - _V3_POOL_BYTES + 1, _V3_POOL_BYTES):
        call.charge_command()
        token0, token1 = packed[start + 12 : start + 32], packed[start + 44 : start + 64]
        if any(packed[start + 1 : start + 12]) or any(packed[start + 32 : start + 44]) or token0 >= token1:
            raise call.malformed("a pool's tokens are not two addresses in order")
        tokens = (token0, token1) if packed[start] & 0x80 else (token1, token0)
        hops.append(factory.hop(*tokens, int.from_bytes(packed[start + 64 : start + 96])))
    if not hops:
        raise call.malformed("there are no pools")
    return tuple(hops)


def _join(call: Call, tokens: list[bytes], pair: Tokens, *, is_forward: bool) -> None:
    """Add a pool's token out to the path, which its token in must end."""
    call.charge_command()
    if pair[0] >= pair[1]:
        raise call.malformed("a pool's tokens are not two addresses in order")
    token_in, token_out = pair if is_forward else pair[::-1]
    if not tokens:
        tokens.append(token_in)
    elif tokens[-1] != token_in:
        raise call.malformed("the pools are not a path")
    tokens.append(token_out)


def _add_along(call: Call, hops: tuple[Hop, ...], token_out: bytes, size: Size, beneficiary: bytes) -> None:
    if any(hop.token_out != following.token_in for hop, following in pairwise(hops)):
        raise call.malformed("the pools are not a path")
    if hops[-1].token_out != wrapped_token(call, token_out):
        raise call.malformed("the pools do not end with the token out")
    recipient = receiver(call, beneficiary)
    add_shown(call, hops, size, recipient, pays_native=token_out == NATIVE_ALIAS)
    keep_share(call, recipient, plain_token(token_out))


def _add_curve(call: Call, target: tuple[int, bytes], tokens: Tokens, amounts: tuple[int, int], beneficiary: bytes) -> None:
    """Bits 161 and 162 of the flags say whether the pool takes or gives the wrapped token for the native coin."""
    flags, pool = target
    wrapping = flags >> 161 & 3
    size = _checked(call, *amounts, exact_in)
    pay_in(call, plain_token(tokens[0]), amounts[0])
    token_in = wrapped_token(call, tokens[0]) if wrapping == _WRAP else plain_token(tokens[0])
    token_out = wrapped_token(call, tokens[1]) if wrapping == _UNWRAP else plain_token(tokens[1])
    hop = Hop("curve", "", pool, token_in, token_out, None)
    recipient = receiver(call, beneficiary)
    add_shown(call, (hop,), size, recipient, pays_native=wrapping == _UNWRAP)
    keep_share(call, recipient, plain_token(tokens[1]))


def _follow_vault(call: Call, arguments: tuple[Any, ...], size_of: SizeOf) -> None:
    """The vault's call pays out of, and into, the router, which then checks its balance."""
    (from_amount, to_amount, _, _, flags), _, _, data = arguments
    size = _checked(call, from_amount, to_amount, size_of)
    tokens = _vault_tokens(call, data, is_exact_out=size_of is exact_out)
    recipient = receiver(call, (flags & _ADDRESS_BITS).to_bytes(20))
    if call.tables.contract(BALANCER_VAULT, data[:4]) is None:
        add_hidden(call, tokens, size, recipient, "the vault that holds the pools is not listed")
        return
    books = call.books()
    pay_in(call, tokens[0], from_amount)
    books.credit(call.contract, tokens[0], Holding(from_amount))
    call.call_contract(BALANCER_VAULT, data, call.value_wei)
    held = books.take_all(call.contract, tokens[1])
    call.require(held, to_amount)
    keep_share(call, recipient, tokens[1])


def _vault_tokens(call: Call, data: bytes, *, is_exact_out: bool) -> Tokens:
    """The tokens as the router reads them: of a single swap its own, of a batch the first and the last asset."""
    selector, words = data[:4], data[4:]
    if selector == bytes.fromhex("52bbbe29"):
        return words[300:320], words[332:352]
    if selector != bytes.fromhex("945bcec9"):
        raise call.malformed("is no swap of the Balancer vault")
    start = int.from_bytes(words[64:96])
    count = int.from_bytes(words[start : start + 32])
    first, last = words[start + 44 : start + 64], words[start + 32 * count + 12 : start + 32 * count + 32]
    if len(words) < 32 or len(first) < 20 or len(last) < 20 or not count:
        raise call.malformed("the calldata ends inside its arguments")
    return (last, first) if is_exact_out else (first, last)


PARASWAP_V6 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset({"uniswap_v2", "uniswap_v3"}),
    functions={
        "swapExactAmountIn": swap_by_executor,
        "swapExactAmountInPro": swap_by_executor,
        "swapExactAmountOut": buy_by_executor,
        "swapExactAmountOutPro": buy_by_executor,
        "swapExactAmountInOnUniswapV2": swap_on_v2,
        "swapExactAmountOutOnUniswapV2": buy_on_v2,
        "swapExactAmountInOnUniswapV3": swap_on_v3,
        "swapExactAmountOutOnUniswapV3": buy_on_v3,
        "swapExactAmountInOnCurveV1": swap_on_curve_v1,
        "swapExactAmountInOnCurveV2": swap_on_curve_v2,
        "swapExactAmountInOnBalancerV2": swap_on_balancer,
        "swapExactAmountOutOnBalancerV2": buy_on_balancer,
        "swapExactAmountInOutOnMakerPSM": swap_on_maker,
        "swapOnAugustusRFQTryBatchFill": fill_orders,
    },
)
