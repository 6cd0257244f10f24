"""Holds what was decoded against the swap logs of the mined transaction: every hop to its log, every log to what asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from mempool.grade.swap_logs import SwapLog, swap_logs
from mempool.grade.swap_topics import TRANSFER_TOPIC
from mempool.model.block import Log
from mempool.model.swap import Completeness, DecodedCall, ExactOut, Hop, SwapIntent

PATH_KNOWN = frozenset({Completeness.EXACT, Completeness.AMOUNT_UNKNOWN, Completeness.TOKENS_UNKNOWN})
"""What is said of intents whose pools the call shows."""
LAST_HOP_FIRST = frozenset({"balancer_v2", "balancer_v3", "uniswap_v4"})
"""Protocols that carry out an exact output from its last hop to its first, one whole swap after the other.

Each hop's output is only known once the hop after it has been reckoned: Balancer V2's `batchSwap` takes its steps in that order,
Balancer V3's BatchRouter and V4Router go through their paths from the end, and each swap is logged as it is made. A V3 router
begins at the last pool too, but that pool is paid inside its callback, by the pool before, and logs after it: its logs stand
in trade order. So do those of V2 pairs, whose amounts are reckoned before the first of them moves.
"""


class LogAccount(Struct, frozen=True):
    """Figures of one successful transaction, or of several together.

    An intent is true where its hops are found among the swap logs in the order in which they are carried out, same pools and
    directions, each log for one hop. One that may fail and left no trace counts as `intents_undone`. A log that no hop asked
    for is `inside_a_transfer` where the token itself had just paid the pool, `of_a_hidden_part` where the call has a part whose
    pools it does not show, else `unexplained`.
    """

    intents: int = 0
    intents_true: int = 0
    intents_undone: int = 0
    intents_false: int = 0
    logs: int = 0
    logs_asked_for: int = 0
    logs_inside_a_transfer: int = 0
    logs_of_a_hidden_part: int = 0
    logs_unexplained: int = 0


def account_for_logs(call: DecodedCall, logs: Sequence[Log]) -> LogAccount:
    """`logs` are those of the receipt of the call's transaction, which succeeded."""
    swaps = swap_logs(logs)
    known = [intent for intent in call.intents if intent.completeness in PATH_KNOWN]
    is_hidden = call.completeness not in PATH_KNOWN
    inside = {swap.index for swap in swaps if _is_inside_a_transfer(swap, swaps, logs)}
    taken: set[int] = set()
    verdicts = [_follow(intent, swaps, taken, inside) for intent in known]
    left = {swap.index for swap in swaps} - taken
    rest = len(left - inside)
    return LogAccount(
        intents=len(known),
        intents_true=verdicts.count("true"),
        intents_undone=verdicts.count("undone"),
        intents_false=verdicts.count("false"),
        logs=len(swaps),
        logs_asked_for=len(swaps) - len(left),
        logs_inside_a_transfer=len(left & inside),
        logs_of_a_hidden_part=rest if is_hidden else 0,
        logs_unexplained=0 if is_hidden else rest,
    )


def _follow(intent: SwapIntent, swaps: Sequence[SwapLog], taken: set[int], inside: set[int]) -> str:
    """Take the logs of the intent's hops, of those `inside` a token's transfer only where there are no others."""
    chosen = _find(intent, swaps, taken | inside) or _find(intent, swaps, taken)
    if chosen is None:
        return "undone" if intent.allow_revert else "false"
    taken.update(chosen)
    return "true"


def _find(intent: SwapIntent, swaps: Sequence[SwapLog], not_these: set[int]) -> list[int] | None:
    """For each hop the first log after that of the hop before; None where one has none."""
    chosen: list[int] = []
    for hop in _as_carried_out(intent):
        index = _next(hop, swaps, not_these, after=chosen[-1] if chosen else -1)
        if index is None:
            return None
        chosen.append(index)
    return chosen


def _as_carried_out(intent: SwapIntent) -> Sequence[Hop]:
    backwards = isinstance(intent.size, ExactOut) and all(hop.protocol in LAST_HOP_FIRST for hop in intent.hops)
    return intent.hops[::-1] if backwards else intent.hops


def _next(hop: Hop, swaps: Sequence[SwapLog], not_these: set[int], *, after: int) -> int | None:
    free = (swap.index for swap in swaps if swap.index > after and swap.index not in not_these and swap.goes_along(hop))
    return next(free, None)


def _is_inside_a_transfer(swap: SwapLog, swaps: Sequence[SwapLog], logs: Sequence[Log]) -> bool:
    """Whether a token sold its fees: what the pool was paid last before the swap came from the token's own contract, or from
    one that took a part of the same token, as its fee, elsewhere in the transaction."""
    before = max((other.index for other in swaps if other.pool == swap.pool and other.index < swap.index), default=-1)
    payments = [log for log in logs[before + 1 : swap.index] if _is_transfer(log) and _receiver(log) == swap.pool]
    if not payments:
        return False
    payment = payments[-1]
    token, payer = payment.address, _payer(payment)
    return payer == token or any(
        log.address == token and _is_transfer(log) and _receiver(log) == payer != _payer(log) for log in logs[swap.index :]
    )


def _is_transfer(log: Log) -> bool:
    return len(log.topics) == 3 and log.topics[0] == TRANSFER_TOPIC


def _payer(log: Log) -> bytes:
    return log.topics[1][12:]


def _receiver(log: Log) -> bytes:
    return log.topics[2][12:]
