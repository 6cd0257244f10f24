"""The causes of all hops of one intent, walked in the order in which each takes its amount from the one before."""

from __future__ import annotations

from collections.abc import Sequence

from mempool.grade.causes import HopCase, cause_of
from mempool.grade.matching import Matched
from mempool.model.outcome import Cause
from mempool.model.swap import BalanceIn, ExactIn, ExactOut, HopResult, SwapIntent, SwapResult

Causes = tuple[Cause, ...]
"""One a hop; empty for an intent that was not carried out, or whose state was not known."""


def causes_of_intents(
    intents: Sequence[SwapIntent], results: Sequence[SwapResult | None], matched: Sequence[Matched | None]
) -> list[Causes]:
    """The causes of each intent of a call, against its simulation in block order."""
    causes: list[Causes] = []
    for intent, result, swaps in zip(intents, results, matched, strict=True):
        if result is None or swaps is None:
            causes.append(())
            continue
        sent = _sent_first(intent, result, intents, matched)
        sources_differ = any(is_explained(causes[source][-1:]) for source in _sources(intent))
        causes.append(_causes_of_hops(result, swaps, sent, upstream_differs=sources_differ))
    return causes


def is_explained(causes: Causes) -> bool:
    """Whether all of them, and at least one, name a reason to differ."""
    return bool(causes) and not {Cause.EXACT, Cause.UNEXPLAINED} & set(causes)


def hop_result(result: SwapResult | None, hop_index: int) -> HopResult | None:
    """A hop as simulated; None behind a pool that was expected to revert."""
    return result.hops[hop_index] if result is not None and hop_index < len(result.hops) else None


def _causes_of_hops(result: SwapResult, swaps: Matched, sent: int | None, *, upstream_differs: bool) -> Causes:
    intent = result.intent
    fixed_out = fixes_out(intent)
    order = range(len(intent.hops))
    causes: dict[int, Cause] = {}
    for index in reversed(order) if fixed_out else order:
        mined = swaps[index]
        if mined is None:
            causes[index], upstream_differs = Cause.UNEXPLAINED, False
            continue
        case = HopCase(
            hop=intent.hops[index],
            simulated=hop_result(result, index),
            mined=mined,
            sent=sent if index == 0 else paid_by(swaps, intent, index - 1),
            fixed_out=fixed_out,
            upstream_differs=upstream_differs,
            sqrt_price_limit_x96=intent.sqrt_price_limit_x96,
        )
        causes[index] = cause_of(case)
        upstream_differs = is_explained((causes[index],))
    return tuple(causes[index] for index in order)


def fixes_out(intent: SwapIntent) -> bool:
    """Whether the path is walked backwards from the amount out; a router that then pays forward follows the amount in again."""
    return isinstance(intent.size, ExactOut) and not intent.size.pays_forward


def paid_by(swaps: Matched | None, intent: SwapIntent, hop_index: int) -> int | None:
    """What the hop's pool paid by its own log."""
    swap = swaps[hop_index] if swaps is not None else None
    return swap.amounts(intent.hops[hop_index])[1] if swap is not None else None


def _sent_first(
    intent: SwapIntent, result: SwapResult, intents: Sequence[SwapIntent], matched: Sequence[Matched | None]
) -> int | None:
    """What the sender or the router sent to the first pool: what the call says, or what its earlier intents were paid."""
    if intent.sqrt_price_limit_x96:
        return None  # The pool may rightly take less than the call offers.
    if isinstance(intent.size, ExactIn):
        return intent.size.amount_in
    if isinstance(intent.size, BalanceIn):
        paid = [paid_by(matched[source], intents[source], -1) for source in intent.size.sources]
        known = [amount for amount in paid if amount is not None]
        return intent.size.amount_in(sum(known)) if len(known) == len(paid) else None
    first = hop_result(result, 0)
    return first.amount_in if first is not None else None


def _sources(intent: SwapIntent) -> tuple[int, ...]:
    return intent.size.sources if isinstance(intent.size, BalanceIn) else ()
