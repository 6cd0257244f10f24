"""The Universal Router's V4_SWAP: a list of actions inside one unlock of the pool manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mempool.abi import blobs, read_or_find
from mempool.decode.call import Call
from mempool.decode.routers import universal_v4_payments as payments
from mempool.decode.routers import universal_v4_swaps as swaps
from mempool.decode.routers.universal_v4_swaps import Arguments, Unlock
from mempool.decode.tables import Action

_LENGTH_MASK = 0xFFFFFFFF
_UNLOCK_CALLBACK = bytes.fromhex("91dd7346") + (32).to_bytes(32)
"""`unlockCallback(bytes)` up to the length of the bytes."""


def v4_swap(call: Call, arguments: Arguments) -> None:
    """(actions, params), as one piece of calldata"""
    (data,) = arguments
    codes, places = lists_of(call, data)
    if len(codes) != len(places):
        raise call.malformed(f"{len(codes)} actions have {len(places)} parameters")
    unlock, first_intent = Unlock(call), len(call.intents)
    call.enter(call.size)
    for code, (start, length) in zip(codes, places, strict=True):
        _run_action(unlock, code, data, (start, length))
    call.leave()
    unlock.deliver(range(first_intent, len(call.intents)), call.contract)


def lists_of(call: Call, data: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """`(bytes, bytes[])`: the first, and of each item of the second where it begins and how many bytes it has.

    v4-periphery's CalldataDecoder takes the one layout that encoders produce and reverts on every other; of the two lists'
    lengths it reads 32 bits.
    """
    count = _word(data, 64) & _LENGTH_MASK
    params_at = 96 + (count + 31 & ~31 & _LENGTH_MASK)
    items = _word(data, params_at) & _LENGTH_MASK
    first = params_at + 32
    end = first + 32 * items
    if _word(data, 0) != 64 or _word(data, 32) != params_at or end > len(data):
        raise call.malformed("the lists are not laid out as the router takes them")
    call.charge_items(items)
    places = []
    for place in range(first, first + 32 * items, 32):
        length = _word(data, end)
        if _word(data, place) != end - first or end + 32 + length > len(data):
            raise call.malformed("an item is not laid out as the router takes it")
        places.append((end + 32, length))
        end += 32 + (length + 31 & ~31)
    if end > len(data):
        raise call.malformed("the last item is cut")
    return data[96 : 96 + count], places


def _word(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 32].ljust(32, b"\0"))


def _run_action(unlock: Unlock, code: int, data: bytes, place: tuple[int, int]) -> None:
    """Read the parameters where they stand: behind an offset they may go on anywhere in the calldata, as for the router."""
    call = unlock.call
    call.charge_command()
    action = call.router.actions.get(code)
    if action is None:
        call.note_opaque(f"action 0x{code:02x}")
        unlock.deltas.forget_all()
        return
    call.note(action.name)
    start, length = place
    if length < action.min_bytes:
        raise call.malformed(f"{action.name} has {length} bytes of parameters, fewer than {action.min_bytes}")
    call.function = action.name
    _ACTIONS[action.name](unlock, _parameters(unlock, action, data, start))


def _parameters(unlock: Unlock, action: Action, data: bytes, start: int) -> Arguments:
    """What is not laid out as usual is looked for as the router does, in the call that the pool manager makes of it."""

    def around() -> tuple[bytes, int, int]:
        if not unlock.callback:
            unlock.callback = unlock.call.kept(_UNLOCK_CALLBACK + blobs([data]))
        return unlock.callback, len(_UNLOCK_CALLBACK) + 32 + start, 0

    arguments: Arguments = read_or_find((action.read, action.in_place), data, start, unlock.call, around)
    return arguments


_ACTIONS: Mapping[str, Callable[[Unlock, Arguments], None]] = {
    "INCREASE_LIQUIDITY": payments.move_liquidity,
    "DECREASE_LIQUIDITY": payments.move_liquidity,
    "MINT_POSITION": payments.move_liquidity,
    "BURN_POSITION": payments.move_liquidity,
    "INCREASE_LIQUIDITY_FROM_DELTAS": payments.move_liquidity,
    "MINT_POSITION_FROM_DELTAS": payments.move_liquidity,
    "SWAP_EXACT_IN_SINGLE": swaps.swap_exact_in_single,
    "SWAP_EXACT_IN": swaps.swap_exact_in,
    "SWAP_EXACT_OUT_SINGLE": swaps.swap_exact_out_single,
    "SWAP_EXACT_OUT": swaps.swap_exact_out,
    "DONATE": payments.move_liquidity,
    "SETTLE": payments.settle,
    "SETTLE_ALL": payments.settle_all,
    "SETTLE_PAIR": payments.settle_pair,
    "TAKE": payments.take,
    "TAKE_ALL": payments.take_all,
    "TAKE_PORTION": payments.take_portion,
    "TAKE_PAIR": payments.take_pair,
    "CLOSE_CURRENCY": payments.close_currency,
    "CLEAR_OR_TAKE": payments.clear_or_take,
    "SWEEP": payments.sweep,
    "WRAP": payments.wrap,
    "UNWRAP": payments.unwrap,
    "MINT_6909": payments.move_liquidity,
    "BURN_6909": payments.move_liquidity,
}
"""By the names of v4-periphery's `Actions`. V4Router, which the Universal Router is made of, runs the swaps, SETTLE, SETTLE_ALL,
TAKE, TAKE_ALL and TAKE_PORTION; those of the position manager are read all the same, for routers that take them."""

ACTIONS = frozenset(_ACTIONS)
