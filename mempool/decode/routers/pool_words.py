"""Pools that aggregators pack into words: an address below, and above it the direction, the fee and whether to unwrap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_shown
from mempool.model.swap import Hop, Size

ONE = 1_000_000_000
"""What the part of an input that a V2 pair prices is a fraction of."""
REVERSE = 1 << 255
"""The pair's token1 is sold, not its token0."""
UNWRAP_AFTER_V2 = 1 << 254
UNWRAP_AFTER_V3 = 1 << 253
MAX_POOLS = 256
"""More than a transaction's gas pays for: a pair's swap takes some 60,000 of at most 2^24 (EIP-7825)."""
_ADDRESS_BITS = (1 << 160) - 1
_PART_BITS = (1 << 32) - 1


class NamedPool(Struct, frozen=True, gc=False):
    """One pool of a path. `part_of_one` is what the caller prices of a V2 pair's input, in parts of `ONE`.

    `coins` are the token in and out where the word itself tells them, and empty where only the pool knows them.
    """

    kind: str
    address: bytes
    zero_for_one: bool | None = None
    part_of_one: int = 0
    coins: tuple[bytes, bytes] = (b"", b"")


def address_in(word: int) -> bytes:
    """The lower 20 bytes."""
    return (word & _ADDRESS_BITS).to_bytes(20)


def part_in(word: int) -> int:
    """The 32 bits above the address."""
    return word >> 160 & _PART_BITS


def v2_pool(word: int) -> NamedPool:
    """A pair as 1inch v4 and v5 and OKX name it."""
    return NamedPool("uniswap_v2", address_in(word), not word & REVERSE, part_in(word))


def v3_pool(word: int) -> NamedPool:
    """A V3 pool as 1inch v4 and v5 and OKX name it."""
    return NamedPool("uniswap_v3", address_in(word), not word & REVERSE)


def add_v2_words(call: Call, words: Sequence[int], token_in: bytes, size: Size, recipient: bytes) -> None:
    """Note a swap along pairs. None of them is asked what it received: each is taken to get what the one before gave."""
    unwraps = bool(words[-1] & UNWRAP_AFTER_V2)
    add_pools(call, [v2_pool(word) for word in words[: MAX_POOLS + 1]], token_in, (size, recipient), unwraps=unwraps)


def add_v3_words(call: Call, words: Sequence[int], token_in: bytes, size: Size, recipient: bytes) -> None:
    """Note a swap along V3 pools; `token_in` is empty where the call does not say it."""
    unwraps = bool(words[-1] & UNWRAP_AFTER_V3)
    add_pools(call, [v3_pool(word) for word in words[: MAX_POOLS + 1]], token_in, (size, recipient), unwraps=unwraps)


def add_pools(call: Call, pools: Sequence[NamedPool], token_in: bytes, terms: tuple[Size, bytes], *, unwraps: bool) -> None:
    """Note a swap along pools by its size and recipient; with `unwraps` the output is wrapped native and paid out as native."""
    hops = hops_through(call, pools, token_in, call.router.wrapped_native if unwraps else b"")
    add_shown(call, hops, *terms, pays_native=unwraps)


def hops_through(call: Call, pools: Sequence[NamedPool], token_in: bytes, token_out: bytes) -> tuple[Hop, ...]:
    """The hops in trade order, each end being empty where it is not known.

    A pool that is found tells its neighbours' tokens: looked through from the front and, for what is left, from the back.
    """
    if len(pools) > MAX_POOLS:
        raise call.refused(f"has more than {MAX_POOLS} pools")
    tokens = [token_in, *[b""] * (len(pools) - 1), token_out]
    _look_through(call, pools, tokens, range(len(pools)))
    if not all(tokens):
        _look_through(call, pools, tokens, reversed(range(len(pools))))
    return tuple(_hop(call, pool, (tokens[index], tokens[index + 1])) for index, pool in enumerate(pools))


def _look_through(call: Call, pools: Sequence[NamedPool], tokens: list[bytes], order: Iterable[int]) -> None:
    """Fill in the tokens that pools are found to have."""
    wrapped = call.router.wrapped_native
    for index in order:
        hop = _hop(call, pools[index], (tokens[index], tokens[index + 1]))
        for place, token in ((index, hop.token_in), (index + 1, hop.token_out)):
            tokens[place] = tokens[place] or (wrapped if token == NATIVE else token)


def _hop(call: Call, pool: NamedPool, tokens: tuple[bytes, bytes]) -> Hop:
    if pool.zero_for_one is None:
        return Hop(pool.kind, "", pool.address, pool.coins[0] or tokens[0], pool.coins[1] or tokens[1], None)
    hop = call.pool_hop(pool.kind, pool.address, tokens, zero_for_one=pool.zero_for_one)
    if not hop.kind and pool.kind == "uniswap_v3":
        # The pool alone decides what it is paid in, whatever the call says of tokens.
        known = call.pool_hop(pool.kind, pool.address, (b"", b""), zero_for_one=pool.zero_for_one)
        return known if known.kind else hop
    if hop.fee_pips is not None and pool.kind == "uniswap_v2" and 1000 * hop.fee_pips != ONE - pool.part_of_one:
        # By another fee than the pair's own the router asks for less than the pair would give: not what is simulated.
        return replace(hop, kind="")
    return hop
