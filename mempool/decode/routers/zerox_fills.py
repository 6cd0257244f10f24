"""0x Settler's fills: swaps inside one lock of a vault, packed one after another, each of a share of what is at hand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from mempool.decode.call import Call
from mempool.decode.ledger import Holding
from mempool.decode.routers.universal_v4_swaps import DYNAMIC_FEE, pool_id
from mempool.decode.routers.zerox_parts import normal_token
from mempool.decode.routers.zerox_settlement import Settlement, add_swap, share_of
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, ExactIn, Hop, Size

_MAX_FILLS = 64
_TOKEN_BYTES = 20
_LENGTH_BYTES = 3
HopOf = Callable[[bytes, bytes, bytes], Hop]
"""`(what names the pool, token in, token out) -> hop`"""


class Layout(Struct, frozen=True):
    """How one fill stands: its share, a price limit of `limit_bytes`, a byte that says which tokens follow, what names the pool
    in `pool_bytes`, and data for the pool behind a length of three bytes, where it `has_data`.

    The bits of `share` that are not in `share_mask` are flags; those of `wraps` make it a wrap, without a pool.
    """

    pool_bytes: int
    hop_of: HopOf
    limit_bytes: int = 0
    has_data: bool = True
    share_bytes: int = 2
    share_mask: int = 0xFFFFFF
    wraps: int = 0


class Fill(Struct, frozen=True):
    """One swap; `share` is of what is at hand of its token in."""

    share: int
    hop: Hop
    limit: int


def fills_of(packed: bytes, token: bytes, layouts: Sequence[Layout]) -> list[Fill] | None:
    """The fills of a token sold, by the first layout that fits to the last byte; None where none does."""
    for layout in layouts:
        parts = _read_all(packed, token, layout)
        if parts:
            return [_fill(part, layout) for part in parts]
    return None


def add_fills(call: Call, settlement: Settlement, fills: Sequence[Fill], size: Size, output: tuple[bytes, int]) -> None:
    """Note the fills, which begin with `size` of the first token. `output` is who receives the last token, and how much at least.

    What the contract holds of the tokens inside the lock plays no part in there.
    """
    recipient, minimum = output
    books, contract = call.books(), call.contract
    token_in, token_out = fills[0].hop.token_in, fills[-1].hop.token_out
    tokens = dict.fromkeys(token for fill in fills for token in (fill.hop.token_in, fill.hop.token_out))
    aside = [(token, books.take_all(contract, token)) for token in tokens]
    _bring(call, token_in, size)
    first = len(call.intents)
    for index, fill in enumerate(fills):
        call.charge_command()
        call.charge_hashes(1)
        hop = fill.hop
        is_sold_on = hop.token_out in [later.hop.token_in for later in fills[index + 1 :]]
        to = recipient if hop.token_out == token_out and not is_sold_on else contract
        is_whole = len(fills) == 1 and fill.share >= settlement.basis
        taken = size if is_whole else call.sell_balance(contract, hop.token_in, 0, share_of(settlement, fill.share))
        add_swap(call, (hop,), taken, to, fill.limit)
    books.take_all(contract, token_in)
    for token, held in aside:
        books.credit(contract, token, held)
    brought = tuple(index for index in range(first, len(call.intents)) if call.intents[index].token_out == token_out)
    call.require(Holding(0, brought), minimum)


def _bring(call: Call, token: bytes, size: Size) -> None:
    if isinstance(size, ExactIn):
        call.books().credit(call.contract, token, Holding(size.amount_in))
    elif isinstance(size, BalanceIn) and size.sources and not size.takes and size.share.denominator == size.share.numerator:
        call.books().credit(call.contract, token, Holding(size.held_wei, size.sources))
    elif isinstance(size, BalanceIn) and not size.sources and size.held_wei:
        call.books().credit(call.contract, token, Holding(size.amount_in(0)))
    else:
        call.books().forget(call.contract, token)


class _Part(NamedTuple):
    """One fill as it is packed; without what names a pool it is a wrap."""

    share: int
    limit: int
    token_in: bytes
    token_out: bytes
    pool: bytes


def _fill(part: _Part, layout: Layout) -> Fill:
    tokens = (part.token_in, part.token_out)
    hop = layout.hop_of(part.pool, *tokens) if part.pool else _wrap(*tokens)
    limit = price_limit(part.limit, *tokens) if layout.limit_bytes == _PRICE_BYTES else 0
    return Fill(part.share & layout.share_mask, hop, limit)


def _read_all(packed: bytes, token: bytes, layout: Layout) -> list[_Part] | None:
    parts: list[_Part] = []
    place, tokens = 0, (token, b"")
    while place < len(packed):
        read = _read(packed, place, tokens, layout)
        if read is None or len(parts) == _MAX_FILLS:
            return None
        place, part = read
        tokens = (part.token_in, part.token_out)
        parts.append(part)
    return parts


def _read(packed: bytes, place: int, tokens: tuple[bytes, bytes], layout: Layout) -> tuple[int, _Part] | None:
    """The fill at `place` and where the next one stands. `tokens` are those of the fill before."""
    share = int.from_bytes(packed[place : place + layout.share_bytes])
    place += layout.share_bytes
    is_wrap = bool(share & layout.wraps)
    limit = int.from_bytes(packed[place : place + layout.limit_bytes])
    place += layout.limit_bytes
    kind = packed[place] if place < len(packed) else len(_TOKENS_READ)
    if kind >= len(_TOKENS_READ):
        return None
    place += 1
    token_in, token_out = tokens if kind < _SELL_BOUGHT else (tokens[1], b"")
    if kind == _BOTH:
        token_in = normal_token(packed[place : place + _TOKEN_BYTES])
    if kind:
        place += _TOKEN_BYTES * _TOKENS_READ[kind]
        token_out = normal_token(packed[place - _TOKEN_BYTES : place])
    pool = b"" if is_wrap else packed[place : place + layout.pool_bytes]
    place += len(pool)
    if layout.has_data and not is_wrap:
        place += _LENGTH_BYTES + int.from_bytes(packed[place : place + _LENGTH_BYTES])
    is_cut = place > len(packed) or len(pool) < (0 if is_wrap else layout.pool_bytes)
    if is_cut or not token_in or not token_out or token_in == token_out:
        return None
    return place, _Part(share, limit, token_in, token_out, pool)


_TOKENS_READ = (0, 1, 1, 2)
"""Tokens that follow the byte: those of the fill before, another bought, what was bought sold on, or both new."""
_SELL_BOUGHT, _BOTH = 2, 3
_NO_LIMITS = {True: 4295128740, False: 1461446703485210103287273052203988822378723970341}
"""The lowest and highest price that a V3 pool takes as a limit; by whether the first token is sold."""


def price_limit(limit: int, token_in: bytes, token_out: bytes) -> int:
    """The limit, or 0 where it is the last price that the pool has anyway."""
    return 0 if limit == _NO_LIMITS[token_in < token_out] else limit


def _v4_hop(pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    """(fee, tickSpacing, hooks)"""
    fee, spacing, hooks = int.from_bytes(pool[:3]), int.from_bytes(pool[3:6], signed=True), pool[6:]
    key = (min(token_in, token_out), max(token_in, token_out), fee, spacing, hooks)
    fee_pips = None if fee == DYNAMIC_FEE else fee
    return Hop("uniswap_v4", "", pool_id(key), token_in, token_out, fee_pips, spacing, hooks)


def _balancer_hop(pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    return Hop("balancer_v3", "", pool, token_in, token_out, None)


def _wrap(token_in: bytes, token_out: bytes) -> Hop:
    """The vault wraps or unwraps an ERC-4626 token."""
    return Hop("balancer_v3_buffer", "", b"", token_in, token_out, None)


def _infinity_hop(pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    """(hooks, manager, fee, parameters); the pool's id needs the manager's address, which the byte stands for."""
    return Hop("pancake_infinity", "", b"", token_in, token_out, int.from_bytes(pool[21:24]), hooks=pool[:20])


def _ekubo_hop(pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    """The pool's configuration: its id is the hash of the two tokens and this, a word each."""
    words = b"".join(token.rjust(32, b"\0") for token in sorted((token_in, token_out)))
    return Hop("ekubo", "", keccak256(words + pool), token_in, token_out, None)


_PRICE_BYTES = 20
UNISWAP_V4 = tuple(
    Layout(26, _v4_hop, limit_bytes=limit_bytes, share_bytes=share_bytes)
    for share_bytes in (2, 3)
    for limit_bytes in (_PRICE_BYTES, 0)
)
BALANCER_V3 = (
    Layout(20, _balancer_hop, share_mask=0x3FFF, wraps=0xC000),
    Layout(20, _balancer_hop, share_bytes=3, share_mask=0x3FFFFF, wraps=0xC00000),
)
PANCAKE_INFINITY = tuple(
    Layout(56, _infinity_hop, limit_bytes=limit_bytes, share_bytes=share_bytes)
    for share_bytes in (2, 3)
    for limit_bytes in (_PRICE_BYTES, 0)
)
EKUBO = tuple(
    Layout(32, _ekubo_hop, limit_bytes=12, has_data=False, share_bytes=share_bytes, share_mask=mask)
    for share_bytes, mask in ((2, 0x7FFF), (3, 0x7FFFFF))
)
