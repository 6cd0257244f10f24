"""Augustus v5's swaps along V2 pairs: by a path of tokens, or by pools packed with their fee and direction."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.create2 import packed_pair_salt, pool_address
from mempool.decode.ledger import NATIVE
from mempool.decode.pools import HASHES_OF_A_POOL
from mempool.decode.routers.aggregators import add_shown, pay_in, plain_token, wrapped_token
from mempool.model.swap import ExactIn, ExactOut, Hop, Size

_V2 = "uniswap_v2"
_PAIR_FEE_PIPS = 3000
_FEE_OFFSET, _DIRECTION = 161, 1 << 160
_NOBODY = bytes(20)
Tokens = tuple[bytes, bytes]


def swap_on_uniswap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnUniswap(amountIn, amountOutMin, path), the native coin first or last in the path by its alias"""
    amount_in, min_amount_out, path = arguments
    _add_pairs(call, path, None, ExactIn(amount_in, min_amount_out))


def buy_on_uniswap(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnUniswap(amountInMax, amountOut, path)"""
    max_amount_in, amount_out, path = arguments
    _add_pairs(call, path, None, ExactOut(amount_out, max_amount_in))


def swap_on_fork(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnUniswapFork(factory, initCode, amountIn, amountOutMin, path), at Uniswap's fee"""
    factory, init_code_hash, amount_in, min_amount_out, path = arguments
    _add_pairs(call, path, (factory, init_code_hash), ExactIn(amount_in, min_amount_out))


def buy_on_fork(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnUniswapFork(factory, initCode, amountInMax, amountOut, path)"""
    factory, init_code_hash, max_amount_in, amount_out, path = arguments
    _add_pairs(call, path, (factory, init_code_hash), ExactOut(amount_out, max_amount_in))


def swap_on_packed_pairs(call: Call, arguments: tuple[Any, ...]) -> None:
    """swapOnUniswapV2Fork[WithPermit](tokenIn, amountIn, amountOutMin, weth, pools)"""
    token_in, amount_in, min_amount_out, wrapped, pools = arguments[:5]
    _add_packed_pairs(call, (token_in, wrapped), pools, ExactIn(amount_in, min_amount_out))


def buy_on_packed_pairs(call: Call, arguments: tuple[Any, ...]) -> None:
    """buyOnUniswapV2Fork[WithPermit](tokenIn, amountInMax, amountOut, weth, pools)"""
    token_in, max_amount_in, amount_out, wrapped, pools = arguments[:5]
    _add_packed_pairs(call, (token_in, wrapped), pools, ExactOut(amount_out, max_amount_in))


def packed_pairs(call: Call, tokens: Tokens, wrapped: bytes, pools: tuple[int, ...]) -> tuple[Hop, ...]:
    """The hops of pools packed as fee factor, direction and address; `wrapped` is paid first or unwrapped last, or is nobody.

    The tokens are the token in, and the last pool's token out where it is known, else empty. Where a pool is found, what it
    trades tells its neighbours' tokens. A fee other than the pool's own is not simulated.
    """
    if not pools:
        raise call.malformed("there are no pools")
    is_native = plain_token(tokens[0]) == NATIVE
    first = wrapped if is_native else tokens[0]
    last = tokens[1] if is_native or wrapped == _NOBODY else wrapped
    hops: list[Hop] = []
    for index, pool in enumerate(pools):
        call.charge_command()
        known = (hops[-1].token_out if hops else first, last if index == len(pools) - 1 else b"")
        hops.append(_packed_pair(call, pool, known))
    for index in range(len(pools) - 2, -1, -1):
        if not hops[index].token_out and hops[index + 1].token_in:
            hops[index] = _packed_pair(call, pools[index], (hops[index].token_in, hops[index + 1].token_in))
    return tuple(hops)


def _packed_pair(call: Call, pool: int, tokens: Tokens) -> Hop:
    address = (pool & (_DIRECTION - 1)).to_bytes(20)
    hop = call.pool_hop(_V2, address, tokens, zero_for_one=not pool & _DIRECTION)
    fee_pips = 100 * (10_000 - (pool >> _FEE_OFFSET))
    return hop if hop.fee_pips == fee_pips else replace(hop, kind="", fee_pips=max(fee_pips, 0))


def _add_packed_pairs(call: Call, tokens: Tokens, pools: tuple[int, ...], size: Size) -> None:
    token_in, wrapped = tokens
    hops = packed_pairs(call, (token_in, b""), wrapped, pools)
    is_native = plain_token(token_in) == NATIVE
    pay_in(call, plain_token(token_in), size.amount_in if isinstance(size, ExactIn) else 0)
    add_shown(call, hops, size, call.sender, pays_native=not is_native and wrapped != _NOBODY)


def _add_pairs(call: Call, path: tuple[bytes, ...], factory: tuple[bytes, bytes] | None, size: Size) -> None:
    if len(path) < 2:
        raise call.malformed("the path has fewer than two tokens")
    tokens = (wrapped_token(call, path[0]), *path[1:-1], wrapped_token(call, path[-1]))
    own = call.router.factories[_V2]
    if factory in (None, (own.address, own.init_code_hash)):
        hops = own.token_path(tokens, call)
    else:
        hops = tuple(_fork_hop(call, factory, pair) for pair in pairwise(tokens))
    pay_in(call, plain_token(path[0]), size.amount_in if isinstance(size, ExactIn) else 0)
    add_shown(call, hops, size, call.sender, pays_native=plain_token(path[-1]) == NATIVE)


def _fork_hop(call: Call, factory: tuple[bytes, bytes] | None, tokens: Tokens) -> Hop:
    """The pair of a factory that the call names, simulated where it is listed and has the fee that is reckoned with."""
    call.charge_command()
    for listed in call.tables.factories.values():
        if (listed.address, listed.init_code_hash) == factory and listed.fee_pips == _PAIR_FEE_PIPS:
            return listed.token_path(tokens, call)[0]
    if factory is None or tokens[0] == tokens[1]:
        raise call.malformed("a hop has the same token on both sides")
    call.charge_hashes(HASHES_OF_A_POOL)
    pool = pool_address(*factory, packed_pair_salt(min(tokens), max(tokens), 0))
    return Hop(f"{_V2}_unlisted", "", pool, *tokens, _PAIR_FEE_PIPS)
