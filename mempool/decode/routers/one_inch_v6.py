"""1inch Aggregation Router v6: one to three pools of V2, V3 or Curve in words of a new layout, executors, Clipper, and orders."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.routers.aggregators import pay_in, plain_token
from mempool.decode.routers.one_inch_orders import add_clipper, fill_v4_order, fill_v4_order_args, swap
from mempool.decode.routers.one_inch_v4 import Arguments
from mempool.decode.routers.pool_words import NamedPool, add_pools, address_in, part_in
from mempool.decode.tables import RouterKind
from mempool.model.swap import ExactIn

_PROTOCOL_SHIFT = 253
_V2, _V3, _CURVE = range(3)
_UNWRAP = 1 << 252
_ZERO_FOR_ONE = 1 << 247
_USUAL_PART = 997_000_000
"""What is priced of a pair's input where the word does not say."""
_CURVE_WITHDRAWS = 1 << 246
_FROM_COIN_SHIFT, _TO_COIN_SHIFT = 192, 208
_COINS, _UNDERLYING = frozenset({4, 8}), frozenset({12, 16})
"""Where the selectors of `coins` and of `underlying_coins`, for an int128 and a uint256, stand in the router's constant."""


def unoswap(call: Call, arguments: Arguments) -> None:
    """unoswap[2|3](token, amount, minReturn, dex, …)"""
    _swap(call, call.sender, *arguments)


def unoswap_to(call: Call, arguments: Arguments) -> None:
    """unoswapTo[2|3](to, token, amount, minReturn, dex, …)"""
    to, *others = arguments
    _swap(call, address_in(to), *others)


def eth_unoswap(call: Call, arguments: Arguments) -> None:
    """ethUnoswap[2|3](minReturn, dex, …), selling the value sent"""
    _swap_native(call, call.sender, *arguments)


def eth_unoswap_to(call: Call, arguments: Arguments) -> None:
    """ethUnoswapTo[2|3](to, minReturn, dex, …)"""
    to, *others = arguments
    _swap_native(call, address_in(to), *others)


def clipper_swap(call: Call, arguments: Arguments) -> None:
    """clipperSwap(clipperExchange, srcToken, dstToken, inputAmount, outputAmount, goodUntil, r, vs)"""
    clipper_swap_to(call, (arguments[0], call.sender, *arguments[1:]))


def clipper_swap_to(call: Call, arguments: Arguments) -> None:
    """clipperSwapTo(clipperExchange, recipient, srcToken, dstToken, inputAmount, outputAmount, goodUntil, r, vs)"""
    exchange, recipient, source, token_out, amount, amount_out = arguments[:6]
    add_clipper(call, exchange, (address_in(source), token_out), ExactIn(amount, amount_out), recipient)


def permit_and_call(call: Call, arguments: Arguments) -> None:
    """permitAndCall(permit, action): an approval, whether it holds or not, then a call of the router to itself for the sender"""
    permit, action = arguments
    if len(permit) < 20:
        raise call.malformed("the permit is shorter than its token")
    call.run_nested(action)


def _swap(call: Call, recipient: bytes, token: int, amount: int, minimum: int, *words: int) -> None:
    token_in = address_in(token)
    pay_in(call, token_in, amount)
    _add(call, words, token_in, ExactIn(amount, minimum), recipient)


def _swap_native(call: Call, recipient: bytes, minimum: int, *words: int) -> None:
    _add(call, words, call.router.wrapped_native, ExactIn(call.value_wei, minimum), recipient)


def _add(call: Call, words: Sequence[int], token_in: bytes, size: ExactIn, recipient: bytes) -> None:
    """The last pool's word alone says whether the output is unwrapped."""
    last = words[-1]
    unwraps = bool(last & _UNWRAP) or (last >> _PROTOCOL_SHIFT == _CURVE and bool(last & _CURVE_WITHDRAWS))
    add_pools(call, [_pool(call, word) for word in words], token_in, (size, recipient), unwraps=unwraps)


def _pool(call: Call, word: int) -> NamedPool:
    protocol, pool = word >> _PROTOCOL_SHIFT, address_in(word)
    if protocol == _V2:
        return NamedPool("uniswap_v2", pool, bool(word & _ZERO_FOR_ONE), part_in(word) or _USUAL_PART)
    if protocol == _V3:
        return NamedPool("uniswap_v3", pool, bool(word & _ZERO_FOR_ONE))
    if protocol == _CURVE:
        coins = _coin(call, pool, word >> _FROM_COIN_SHIFT), _coin(call, pool, word >> _TO_COIN_SHIFT)
        return NamedPool("curve", pool, coins=coins)
    raise call.malformed(f"there is no protocol {protocol}")


def _coin(call: Call, pool: bytes, place: int) -> bytes:
    """A listed pool's coin by the list (8 bits) and the index in it (8 bits) that a word names; empty where it is not known."""
    selector, index = place & 0xFF, place >> 8 & 0xFF
    listed = call.tables.listed_pools.get(pool)
    if listed is None:
        return b""
    coins = listed.coins if selector in _COINS else listed.underlying if selector in _UNDERLYING else ()
    return plain_token(coins[index]) if index < len(coins) else b""


ONE_INCH_V6 = RouterKind(
    padding=Padding.CHECKED,
    pools=frozenset(),
    functions={
        "swap": swap,
        **{f"unoswap{count}": unoswap for count in ("", "2", "3")},
        **{f"unoswapTo{count}": unoswap_to for count in ("", "2", "3")},
        **{f"ethUnoswap{count}": eth_unoswap for count in ("", "2", "3")},
        **{f"ethUnoswapTo{count}": eth_unoswap_to for count in ("", "2", "3")},
        "clipperSwap": clipper_swap,
        "clipperSwapTo": clipper_swap_to,
        "fillOrder": fill_v4_order,
        "fillOrderArgs": fill_v4_order_args,
        "fillContractOrder": fill_v4_order,
        "fillContractOrderArgs": fill_v4_order_args,
        "permitAndCall": permit_and_call,
    },
)
