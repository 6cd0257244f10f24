"""Pools that a call names by their address alone: which factory's they are, and of which tokens, proven by CREATE2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mempool.abi import MAX_HASHES
from mempool.decode.create2 import SALTS, address_of_salted
from mempool.decode.pools import PoolFactory, keep
from mempool.model.keccak import keccak256
from mempool.model.swap import DecodedCall, Hop

MAX_TRIED = 12
"""Listed tokens that are tried, in the order of the chain's file, which begins with those that most pools are made of."""
HASHES_LEFT_FOR_PATHS = 240
"""Of a call's hashes, looking for pools leaves so many alone: a pool that is not found costs a hop's name, a path that is not
worked out the whole call. Paths of real calls have been seen to take 6."""
_UNLISTED = frozenset(f"{kind}_unlisted" for kind in SALTS)


class FoundPool(Struct, frozen=True, gc=False):
    """A pool of a listed factory: its family, and the hops through it by `zero_for_one`."""

    kind: str
    forward: Hop
    back: Hop


class PoolFamily(Struct, frozen=True):
    """The listed factories of one kind, each with each of its fees.

    Factories hash the same salt for the same fee, if the fee is in it at all, so that it is hashed once for all of them.
    """

    pools: tuple[tuple[PoolFactory, int], ...]
    hashes_of_a_pair: int
    """What it takes to try two tokens."""


class FoundPools(Struct, frozen=True):
    """The listed factories and tokens, and what was found with them so far, by the pool's address."""

    factories: Mapping[str, PoolFactory]
    tokens: Sequence[bytes]
    """The listed tokens, with which a pool of one known token is tried."""
    by_address: dict[bytes, FoundPool] = {}
    not_found: dict[tuple[str, bytes, bytes, bytes], None] = {}
    """`(family, pool, token, other token)` that were tried in vain; the other token is empty where none was known."""
    families: dict[str, PoolFamily] = {}
    """By kind, each made when it is first looked through."""

    def hop(self, kind: str, pool: bytes, tokens: tuple[bytes, bytes], *, zero_for_one: bool | None = None) -> Hop:
        """The hop through a pool of the family `kind` at an address, in trade order, as far as it is known without a search.

        `tokens` are the token in and the token out, each empty where the call does not say. `zero_for_one` is the direction,
        where it does. A pool that is not found comes out with the tokens given, without a fee, and as `<kind>_unlisted`.
        """
        found = self.by_address.get(pool)
        if found is not None and found.kind == kind:
            hop = _directed(found, tokens, zero_for_one=zero_for_one)
            if hop is not None:
                return hop
        return Hop(f"{kind}_unlisted", "", pool, *tokens, None, zero_for_one=zero_for_one)

    def needs_search(self, kind: str, pool: bytes, tokens: tuple[bytes, bytes]) -> bool:
        """Whether `search` has something to try that it has not tried before."""
        return pool not in self.by_address and any(tokens) and (kind, pool, *tokens) not in self.not_found

    def search(self, kind: str, pool: bytes, tokens: tuple[bytes, bytes], most_hashes: int = MAX_HASHES) -> int:
        """Try the two tokens, or the one that is known with the listed ones, at every factory of the family.

        Gives what it cost: a hash for each pool that is tried and one for each salt, up to `MAX_TRIED` tokens and `most_hashes`.
        """
        known = tokens[0] or tokens[1]
        others = tokens[1:] if all(tokens) else self.tokens
        cost, spent = self._family(kind).hashes_of_a_pair, 0
        for other_token in others[:MAX_TRIED]:
            if spent + cost > most_hashes:
                # Not in vain: another call may get further.
                return spent
            spent += cost
            found = self._of_factories(kind, pool, known, other_token)
            if found is not None:
                keep(self.by_address, pool, found)
                return spent
        keep(self.not_found, (kind, pool, *tokens), None)
        return spent

    def learn(self, pool: bytes, tokens: tuple[bytes, bytes]) -> bool:
        """Try the two tokens that a pool says are its own; False, with nothing learnt, where no listed factory has it so."""
        for kind in SALTS:
            found = self._of_factories(kind, pool, *tokens)
            if found is not None:
                keep(self.by_address, pool, found)
                return True
        return False

    def recall(self, hop: Hop) -> None:
        """Keep the pool of a hop as it was found, which an earlier run has stored; nothing where that was no listed factory's."""
        factory = self.factories.get(hop.protocol)
        if factory is None or not hop.kind or hop.pool in self.by_address:
            return
        found = _both_ways(factory, (hop.token_in, hop.token_out), hop.fee_pips or 0)
        if found.forward.pool == hop.pool:
            keep(self.by_address, hop.pool, found)

    def _family(self, kind: str) -> PoolFamily:
        family = self.families.get(kind)
        if family is None:
            factories = [factory for factory in self.factories.values() if factory.kind == kind]
            pools = tuple((each, fee_pips) for each in factories for fee_pips in each.tick_spacings or (each.fee_pips,))
            salts = {factory.salt(bytes(20), bytes(20), fee_pips) for factory, fee_pips in pools}
            self.families[kind] = family = PoolFamily(pools, len(salts) + len(pools))
        return family

    def _of_factories(self, kind: str, pool: bytes, token: bytes, other_token: bytes) -> FoundPool | None:
        if token == other_token:
            return None
        token0, token1 = sorted((token, other_token))
        hashed_salts: dict[bytes, bytes] = {}
        for factory, fee_pips in self._family(kind).pools:
            salt = factory.salt(token0, token1, fee_pips)
            hashed_salt = hashed_salts.get(salt) or hashed_salts.setdefault(salt, keccak256(salt))
            if address_of_salted(factory.address, factory.init_code_hash, hashed_salt) == pool:
                return _both_ways(factory, (token, other_token), fee_pips)
        return None


def unnamed_pools(call: DecodedCall) -> dict[bytes, None]:
    """The pools of a call that may be a listed factory's, and that their two tokens would tell; in the call's order."""
    return {hop.pool: None for intent in call.intents for hop in intent.hops if not hop.kind and _lacks_tokens(hop)}


def _both_ways(factory: PoolFactory, tokens: tuple[bytes, bytes], fee_pips: int) -> FoundPool:
    token0, token1 = sorted(tokens)
    return FoundPool(factory.kind, factory.hop(token0, token1, fee_pips), factory.hop(token1, token0, fee_pips))


def _lacks_tokens(hop: Hop) -> bool:
    """Whether a token is missing, while something tells the direction."""
    if hop.protocol not in _UNLISTED or (hop.token_in and hop.token_out):
        return False
    return hop.zero_for_one is not None or bool(hop.token_in or hop.token_out)


def _directed(found: FoundPool, tokens: tuple[bytes, bytes], *, zero_for_one: bool | None) -> Hop | None:
    """The hop in trade order; None where the pool's tokens are not those of the call, or nothing tells the direction."""
    fitting = [
        hop
        for hop, is_forward in ((found.forward, True), (found.back, False))
        if zero_for_one in (None, is_forward) and tokens[0] in (b"", hop.token_in) and tokens[1] in (b"", hop.token_out)
    ]
    return fitting[0] if len(fitting) == 1 else None
