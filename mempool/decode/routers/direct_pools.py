"""Pools called directly, without a router: Uniswap V2 pairs, V3 pools and V4's manager, Balancer V1 pools and V3's Vault."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.payments import EXACT, Known, add_paid, swap_intent
from mempool.decode.routers.universal_v4_swaps import DYNAMIC_FEE, PROTOCOL, pool_id
from mempool.decode.tables import RouterKind
from mempool.model.swap import Completeness, ExactIn, ExactOut, Hop, Size

_UNLIMITED = (1 << 256) - 1
# The bounds of a V3 pool's price, which TickMath gives its outermost ticks.
_MIN_SQRT_PRICE_X96 = 4_295_128_739
_MAX_SQRT_PRICE_X96 = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342


def swap_pair(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(amount0Out, amount1Out, to, data): what it pays out; it was paid before, or is paid inside when there is data"""
    amount0_out, amount1_out, recipient, _ = arguments
    if not amount0_out and not amount1_out:
        raise call.malformed("the pair pays out nothing")
    if amount0_out and amount1_out:
        _add_loan(call, amount1_out, recipient)
        return
    hop = call.pool_hop("uniswap_v2", call.contract, (_token_paid(call), b""), zero_for_one=bool(amount1_out))
    known = _known_of(hop, "the pair's tokens are not known; its input is what it was paid before")
    size = ExactOut(amount0_out or amount1_out, _UNLIMITED)
    add_paid(call, call.contract, swap_intent(call, (hop,), size, recipient, known))


def swap_v3_pool(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(recipient, zeroForOne, amountSpecified, sqrtPriceLimitX96, data): exact in above 0, exact out below"""
    recipient, zero_for_one, amount, limit, _ = arguments
    if not amount:
        raise call.malformed("the amount is 0")
    if not _MIN_SQRT_PRICE_X96 < limit < _MAX_SQRT_PRICE_X96:
        raise call.malformed("the price limit is out of bounds")
    size: Size = ExactIn(amount, 0) if amount > 0 else ExactOut(-amount, _UNLIMITED)
    hop = call.pool_hop("uniswap_v3", call.contract, (b"", b""), zero_for_one=zero_for_one)
    intent = swap_intent(call, (hop,), size, recipient, _known_of(hop, "the pool's tokens are not known"))
    add_paid(call, call.sender, replace(intent, sqrt_price_limit_x96=limit))


def swap_v1_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountIn(tokenIn, tokenAmountIn, tokenOut, minAmountOut, maxPrice)"""
    token_in, amount_in, token_out, min_amount_out, _ = arguments
    _add_v1(call, (token_in, token_out), ExactIn(amount_in, min_amount_out))


def swap_v1_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapExactAmountOut(tokenIn, maxAmountIn, tokenOut, tokenAmountOut, maxPrice)"""
    token_in, max_amount_in, token_out, amount_out, _ = arguments
    _add_v1(call, (token_in, token_out), ExactOut(amount_out, max_amount_in))


def swap_v4(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap((currency0, currency1, fee, tickSpacing, hooks), (zeroForOne, amountSpecified, sqrtPriceLimitX96), hookData)

    Exact in below 0, exact out above, the other way round than a V3 pool. What comes out is a credit of the sender.
    """
    key, (zero_for_one, amount, limit), _ = arguments
    if not amount:
        raise call.malformed("the amount is 0")
    currency0, currency1, fee, tick_spacing, hooks = key
    tokens = (currency0, currency1) if zero_for_one else (currency1, currency0)
    call.charge_hashes(1)
    hop = Hop(PROTOCOL, "", pool_id(key), *tokens, None if fee == DYNAMIC_FEE else fee, tick_spacing, hooks)
    size: Size = ExactIn(-amount, 0) if amount < 0 else ExactOut(amount, _UNLIMITED)
    call.add(replace(swap_intent(call, (hop,), size, call.sender), sqrt_price_limit_x96=limit))


def swap_balancer_v3(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap((kind, pool, tokenIn, tokenOut, amountGivenRaw, limitRaw, userData)); what comes out is a credit of the sender"""
    kind, pool, token_in, token_out, amount, limit, _ = arguments[0]
    if kind > 1:
        raise call.malformed(f"there is no kind {kind} of a swap")
    size: Size = ExactOut(amount, limit) if kind else ExactIn(amount, limit)
    call.add(swap_intent(call, (Hop("balancer_v3", "", pool, token_in, token_out, None),), size, call.sender))


def unlock(call: Call, _arguments: tuple[Any, ...]) -> None:
    """unlock(data): what then runs is up to the contract that called, which gets the data back"""
    call.opaque += (call.function,)
    call.books().forget_all()


def _token_paid(call: Call) -> bytes:
    """The one token that the call itself has paid to the contract at hand; empty where it is none or several."""
    ledger = call.ledger
    if ledger is None:
        return b""
    ledger.balance(call.contract, NATIVE)  # which reckons up what is written down so far
    paid = [token for (holder, token), held in ledger.holdings.items() if holder == call.contract and not held.is_empty]
    return paid[0] if len(paid) == 1 else b""


def _known_of(hop: Hop, reason: str) -> Known:
    return EXACT if hop.token_in and hop.token_out else (Completeness.TOKENS_UNKNOWN, reason)


def _add_loan(call: Call, amount1_out: int, recipient: bytes) -> None:
    hop = call.pool_hop("uniswap_v2", call.contract, (b"", b""))
    known = (Completeness.PARTIAL, "the pair pays out both its tokens, as for a flash loan")
    add_paid(call, call.contract, swap_intent(call, (hop,), ExactOut(amount1_out, _UNLIMITED), recipient, known))


def _add_v1(call: Call, tokens: tuple[bytes, bytes], size: Size) -> None:
    if tokens[0] == tokens[1]:
        raise call.malformed("a swap has the same token on both sides")
    hop = Hop("balancer_v1", "", call.contract, *tokens, None)
    add_paid(call, call.sender, swap_intent(call, (hop,), size, call.sender))


UNISWAP_V2_PAIR = RouterKind(padding=Padding.MASKED, pools=frozenset(), functions={"swap": swap_pair})
UNISWAP_V3_POOL = RouterKind(padding=Padding.MASKED, pools=frozenset(), functions={"swap": swap_v3_pool})
UNISWAP_V4_POOL_MANAGER = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"swap": swap_v4, "unlock": unlock})
BALANCER_V1_POOL = RouterKind(
    padding=Padding.MASKED,
    pools=frozenset(),
    functions={"swapExactAmountIn": swap_v1_exact_in, "swapExactAmountOut": swap_v1_exact_out},
)
BALANCER_V3_VAULT = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"swap": swap_balancer_v3, "unlock": unlock})
