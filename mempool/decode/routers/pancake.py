"""PancakeSwap's SmartRouter and its first Universal Router: Uniswap's, with PancakeSwap's factories and its stable pools.

A stable pool is told by its coins and by how many of them it has: which contract that is stands in a factory's storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.routers.payments import swap_intent
from mempool.decode.routers.swap_router02 import SWAP_ROUTER02, exact_or_balance, resolved
from mempool.decode.routers.universal_commands import ALREADY_PAID, BALANCE
from mempool.decode.routers.universal_router import UNIVERSAL_ROUTER, moves_balances
from mempool.decode.tables import RouterKind
from mempool.model.swap import Completeness, ExactIn, ExactOut, Hop, Size, Take

STABLE = "pancake_stable"
_COINS = (2, 3)
"""How many coins a stable pool may have."""


def exact_input_stable_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactInputStableSwap(path, flag, amountIn, amountOutMin, to), where an amount in of 0 is the router's balance"""
    path, flags, amount_in, min_amount_out, to = arguments
    hops = _stable_hops(call, path, flags)
    size = exact_or_balance(call, path[0], amount_in, min_amount_out)
    _add(call, hops, size, resolved(call, to))


def exact_output_stable_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """exactOutputStableSwap(path, flag, amountOut, amountInMax, to)"""
    path, flags, amount_out, max_amount_in, to = arguments
    _add(call, _stable_hops(call, path, flags), ExactOut(amount_out, max_amount_in), resolved(call, to))


def stable_swap_exact_in(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountIn, amountOutMin, path, flag, payerIsUser); 2^255 and 0, already paid, are the router's balance"""
    recipient, amount_in, min_amount_out, path, flags, payer_is_user = arguments
    hops = _stable_hops(call, path, flags)
    size: Size = ExactIn(amount_in, min_amount_out)
    if amount_in in (ALREADY_PAID, BALANCE):
        size = call.sell_balance(call.contract, path[0], min_amount_out)
    elif not payer_is_user:
        call.books().take(call.contract, path[0], Take(amount_in))
    _add(call, hops, size, resolved(call, recipient))


def stable_swap_exact_out(call: Call, arguments: tuple[Any, ...]) -> None:
    """(recipient, amountOut, amountInMax, path, flag, payerIsUser)"""
    recipient, amount_out, max_amount_in, path, flags, payer_is_user = arguments
    hops = _stable_hops(call, path, flags)
    if not payer_is_user:
        call.books().forget(call.contract, path[0])
    _add(call, hops, ExactOut(amount_out, max_amount_in), resolved(call, recipient))


def _stable_hops(call: Call, path: Sequence[bytes], flags: Sequence[int]) -> tuple[Hop, ...]:
    if len(path) < 2 or len(path) != len(flags) + 1:
        raise call.malformed(f"a path of {len(path)} coins has {len(flags)} stable pools")
    call.check_hops(len(flags))
    unknown = [str(flag) for flag in flags if flag not in _COINS]
    if unknown:
        raise call.malformed(f"no stable pool has {unknown[0]} coins")
    return tuple(Hop(STABLE, "", b"", coin_in, coin_out, None) for coin_in, coin_out in pairwise(path))


def _add(call: Call, hops: tuple[Hop, ...], size: Size, recipient: bytes) -> None:
    call.add(swap_intent(call, hops, size, recipient, (Completeness.PARTIAL, "the stable pools stand in a factory's storage")))


PANCAKE_SMART_ROUTER: RouterKind = replace(
    SWAP_ROUTER02,
    functions={
        **SWAP_ROUTER02.functions,
        "exactInputStableSwap": exact_input_stable_swap,
        "exactOutputStableSwap": exact_output_stable_swap,
    },
)
PANCAKE_UNIVERSAL_ROUTER: RouterKind = replace(
    UNIVERSAL_ROUTER,
    commands={
        **UNIVERSAL_ROUTER.commands,
        "STABLE_SWAP_EXACT_IN": stable_swap_exact_in,
        "STABLE_SWAP_EXACT_OUT": stable_swap_exact_out,
        # Purchases on PancakeSwap's market for NFTs, paid by the router in its native or wrapped coin.
        "PANCAKE_NFT_BNB": moves_balances,
        "PANCAKE_NFT_WBNB": moves_balances,
    },
)
