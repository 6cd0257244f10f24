"""Which mined swap belongs to which hop of a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mempool.grade.mined_swaps import MinedSwap
from mempool.model.swap import Hop, SwapIntent

Matched = tuple[MinedSwap | None, ...]
"""One entry a hop; None where the hop left no log."""
_Lane = tuple[bytes, bytes]
"""A pool and the token that goes in."""


def match_hops(
    intents: Sequence[SwapIntent], doubtful: Sequence[bool], swaps: Sequence[MinedSwap], payers: frozenset[bytes]
) -> tuple[Matched | None, ...]:
    """The swaps of each intent of a transaction that succeeded, or None for an intent that was allowed to fail and did.

    Hops of one pool and direction take that lane's swaps in order. `payers` are those who pay for a call's hops: the sender,
    the router and the pools of the path. A lane may hold more swaps than hops asked for (a taxed token sells its fee inside
    its own `transfer`, before the router's swap): those that somebody else paid for are passed over, then the earlier ones.
    `doubtful` intents are predicted to fail: of the scopes that may, theirs are the last to be given logs. Hops through pools
    whose maths is not known have no logs here, and take none.
    """
    lanes = _lanes(intents, swaps)
    wanted = _executed(intents, doubtful, lanes)
    demand = Counter(_lane(hop) for index in wanted for hop in intents[index].hops)
    chosen = {lane: iter(_choose(lanes[lane], count, payers)) for lane, count in demand.items()}
    return tuple(
        tuple(next(chosen[_lane(hop)], None) for hop in intent.hops) if index in wanted else None
        for index, intent in enumerate(intents)
    )


def _lane(hop: Hop) -> _Lane:
    return hop.pool, hop.token_in


def _lanes(intents: Sequence[SwapIntent], swaps: Sequence[MinedSwap]) -> dict[_Lane, list[MinedSwap]]:
    hops = {_lane(hop): hop for intent in intents for hop in intent.hops}
    return {lane: [swap for swap in swaps if swap.goes_along(hop)] for lane, hop in hops.items()}


def _executed(intents: Sequence[SwapIntent], doubtful: Sequence[bool], lanes: dict[_Lane, list[MinedSwap]]) -> set[int]:
    """Every intent that must succeed, and of the scopes that may fail those for all of whose hops logs are left."""
    wanted = {index for index, intent in enumerate(intents) if not intent.allow_revert}
    left = Counter({lane: len(swaps) for lane, swaps in lanes.items()})
    left.subtract(_lane(hop) for index in wanted for hop in intents[index].hops if hop.kind)
    scopes: dict[int, list[int]] = {}
    for index, intent in enumerate(intents):
        if intent.allow_revert:
            scopes.setdefault(intent.revert_scopes[-1], []).append(index)
    for members in sorted(scopes.values(), key=lambda members: any(doubtful[index] for index in members)):
        needed = Counter(_lane(hop) for index in members for hop in intents[index].hops if hop.kind)
        if all(left[lane] >= count for lane, count in needed.items()):
            left.subtract(needed)
            wanted.update(members)
    return wanted


def _choose(swaps: list[MinedSwap], count: int, payers: frozenset[bytes]) -> list[MinedSwap]:
    own = [swap for swap in swaps if swap.payers & payers]
    candidates = own if len(own) >= count else swaps
    return candidates[max(0, len(candidates) - count) :]
