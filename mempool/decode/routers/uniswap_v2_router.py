"""Uniswap V2 Router02 and its forks, listed or not: a path of tokens, exact in or out, paid in tokens or in the native coin."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.pools import check_pairs
from mempool.decode.tables import DecodeTables, Handler, QuickCall, RouterKind, RouterTable
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut, Hop, Step, SwapIntent

Arguments = tuple[Any, ...]
IntentOf = Callable[[str, str, tuple[Hop, ...], Arguments], SwapIntent]
"""`(router, function, hops, arguments) -> intent`; the arguments are two amounts, the path, the recipient and the deadline."""

_KIND = "uniswap_v2"
# A look-up on an enum costs as much as a whole struct before Python 3.12.
_EXACT = Completeness.EXACT


class Swap(Struct, frozen=True):
    """One of the nine functions. Those that are paid in the native coin lack the amount that the value sent stands for."""

    intent_of: IntentOf
    pays_native: bool = False
    receives_native: bool = False


def exact_in(router: str, function: str, hops: tuple[Hop, ...], arguments: Arguments) -> SwapIntent:
    """(amountIn, amountOutMin, path, to, deadline)"""
    amount_in, min_amount_out, _, recipient, deadline = arguments
    return SwapIntent(router, function, hops, ExactIn(amount_in, min_amount_out), recipient, deadline)


def exact_in_measured(router: str, function: str, hops: tuple[Hop, ...], arguments: Arguments) -> SwapIntent:
    """(amountIn, amountOutMin, path, to, deadline), where the pairs swap what they received"""
    amount_in, min_amount_out, _, recipient, deadline = arguments
    size = ExactIn(amount_in, min_amount_out)
    return SwapIntent(router, function, hops, size, recipient, deadline, measures_received=True)


def exact_out(router: str, function: str, hops: tuple[Hop, ...], arguments: Arguments) -> SwapIntent:
    """(amountOut, amountInMax, path, to, deadline)"""
    amount_out, max_amount_in, _, recipient, deadline = arguments
    return SwapIntent(router, function, hops, ExactOut(amount_out, max_amount_in), recipient, deadline)


def handler_of(swap: Swap) -> Handler:
    """The full reading of a function, which says what is wrong with a path."""
    return _handler(swap, lambda call, tokens: call.router.factories[_KIND].token_path(tokens, call))


def fork_handler_of(swap: Swap) -> Handler:
    """The same for a router of which only the function is known: its path has tokens, and no pairs."""
    return _handler(swap, _hops_of_no_factory)


def _hops_of_no_factory(call: Call, tokens: tuple[bytes, ...]) -> tuple[Hop, ...]:
    if len(tokens) < 2:
        raise call.malformed("the path has fewer than two tokens")
    check_pairs(tokens, call)
    return tuple(Hop(f"{_KIND}_unlisted", "", b"", token_in, token_out, None) for token_in, token_out in pairwise(tokens))


def _handler(swap: Swap, hops_of: Callable[[Call, tuple[bytes, ...]], tuple[Hop, ...]]) -> Handler:
    def handle(call: Call, arguments: Arguments) -> None:
        hops = hops_of(call, arguments[-3])
        if swap.pays_native and hops[0].token_in != call.router.wrapped_native:
            raise call.malformed("the path does not begin with the wrapped native token")
        if swap.receives_native and hops[-1].token_out != call.router.wrapped_native:
            raise call.malformed("the path does not end with the wrapped native token")
        intent = swap.intent_of(call.router.name, call.function, hops, _with_value(swap, arguments, call.value_wei))
        if not hops[0].pool:
            intent = replace(intent, completeness=Completeness.PARTIAL, reason="the factory of the router's pairs is not known")
        call.add(replace(intent, revert_scopes=call.revert_scopes) if call.revert_scopes else intent)

    return handle


def quick_swap_of(swap: Swap) -> Callable[[RouterTable, bytes], QuickCall]:
    """The same for the usual layout and paths that were met before, which is nearly every call."""

    def bind(router: RouterTable, selector: bytes) -> QuickCall:
        function, plain = router.entries[selector].name, router.entries[selector].plain
        known_paths = router.factories[_KIND].token_paths
        name, wrapped, intent_of = router.name, router.wrapped_native, swap.intent_of
        pays_native, receives_native = swap.pays_native, swap.receives_native
        steps = (Step(0, name, function, 0),)

        def quick_swap(_tables: DecodeTables, calldata: bytes, value_wei: int, _sender: bytes) -> DecodedCall | None:
            read_plain = plain.get(len(calldata))
            arguments = None if read_plain is None else read_plain(calldata, 4, None)
            hops = None if arguments is None else known_paths.get(arguments[-3])
            if arguments is None or hops is None or (receives_native and hops[-1].token_out != wrapped):
                return None
            if pays_native:
                if hops[0].token_in != wrapped:
                    return None
                arguments = _with_value(swap, arguments, value_wei)
            return DecodedCall(name, selector, _EXACT, (intent_of(name, function, hops, arguments),), steps)

        return quick_swap

    return bind


def _with_value(swap: Swap, arguments: Arguments, value_wei: int) -> Arguments:
    if not swap.pays_native:
        return arguments
    amount, *others = arguments
    return (amount, value_wei, *others) if swap.intent_of is exact_out else (value_wei, amount, *others)


_SWAPS = {
    "swapExactTokensForTokens": Swap(exact_in),
    "swapTokensForExactTokens": Swap(exact_out),
    "swapExactETHForTokens": Swap(exact_in, pays_native=True),
    "swapTokensForExactETH": Swap(exact_out, receives_native=True),
    "swapExactTokensForETH": Swap(exact_in, receives_native=True),
    "swapETHForExactTokens": Swap(exact_out, pays_native=True),
    "swapExactTokensForTokensSupportingFeeOnTransferTokens": Swap(exact_in_measured),
    "swapExactETHForTokensSupportingFeeOnTransferTokens": Swap(exact_in_measured, pays_native=True),
    "swapExactTokensForETHSupportingFeeOnTransferTokens": Swap(exact_in_measured, receives_native=True),
}

UNISWAP_V2_ROUTER = RouterKind(
    padding=Padding.MASKED,
    pools=frozenset({_KIND}),
    functions={name: handler_of(swap) for name, swap in _SWAPS.items()},
    quick={name: quick_swap_of(swap) for name, swap in _SWAPS.items()},
)

UNISWAP_V2_FORK = RouterKind(
    padding=Padding.MASKED, pools=frozenset(), functions={name: fork_handler_of(swap) for name, swap in _SWAPS.items()}
)
