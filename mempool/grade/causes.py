"""Why a hop came out otherwise than simulated, proven from the transaction's own logs by the pool's exact maths."""

from __future__ import annotations

from msgspec import Struct, structs

from mempool.errors import StateUnknown, SwapImpossible
from mempool.grade.mined_swaps import MinedSwap
from mempool.model.outcome import Cause
from mempool.model.pool import PoolState
from mempool.model.swap import Hop, HopResult

FEE_STEPS_PIPS = (100, 1)
"""Fees are looked for in whole basis points first, then in pips."""
CLEAR_OF_NEIGHBOURS = 1_000
"""A fee counts as found when the next fee on either side misses by this much, so that chance hits it once in a thousand."""


class HopCase(Struct, frozen=True, gc=False):
    """A hop that was mined and, unless a pool was expected to revert, simulated on the block's earlier results.

    `sent` is what the sender, the router or the pool before sent to this pool (None where its log is missing);
    `fixed_out` says that the call fixed the amount out and the pool's maths gave the amount in; `upstream_differs` that the
    hop which this one takes its amount from was itself explained.
    """

    hop: Hop
    simulated: HopResult | None
    mined: MinedSwap
    sent: int | None
    fixed_out: bool
    upstream_differs: bool
    sqrt_price_limit_x96: int = 0


def cause_of(case: HopCase) -> Cause:
    """The cause: `exact` only when the amounts agree, `unexplained` when no other is proven.

    Every cause but `other_fee` needs the pool's maths to be exact on what it received, in the state it then had; what is
    left to differ is its input or its state, and the logs show which.
    """
    mined = case.mined
    if _as_simulated(case):
        return Cause.EXACT
    if mined.before is None:
        return Cause.UNEXPLAINED
    if not _maths_hold(mined.before, case):
        return Cause.UNEXPLAINED if fee_that_fits(case) is None else Cause.OTHER_FEE
    received_less = case.sent is not None and mined.amounts(case.hop)[0] < case.sent
    if received_less and case.simulated is not None and _maths_hold(case.simulated.before, case):
        return Cause.FEE_ON_TRANSFER
    if mined.disturbed:
        return Cause.MOVED_INSIDE_TRANSACTION
    if received_less:
        return Cause.FEE_ON_TRANSFER
    return Cause.UPSTREAM if case.upstream_differs else Cause.UNEXPLAINED


def fee_that_fits(case: HopCase) -> int | None:
    """The one fee in pips with which the maths give the mined amounts, or None; found by bisection."""
    state = case.mined.before
    if state is None:
        return None
    for step in FEE_STEPS_PIPS:
        fee = _bisect_fee(state, case, step)
        if fee is not None:
            return fee
    return None


def agrees(mined: tuple[int, int], simulated: HopResult, *, fixed_out: bool) -> bool:
    """Whether `(amount_in, amount_out)` as mined are those simulated.

    A pair logs as received whatever it holds above its reserves, so a surplus that lay in it before adds to the amount in;
    where the amount in was given and the amount out is right, nothing was predicted wrongly.
    """
    amount_in, amount_out = mined
    surplus = amount_in - simulated.amount_in
    return amount_out == simulated.amount_out and (surplus == 0 or (surplus > 0 and not fixed_out))


def _as_simulated(case: HopCase) -> bool:
    return case.simulated is not None and agrees(case.mined.amounts(case.hop), case.simulated, fixed_out=case.fixed_out)


def _maths_hold(state: PoolState, case: HopCase) -> bool:
    given, result = _given_and_result(case)
    return _computed(state, case, given) == result


def _given_and_result(case: HopCase) -> tuple[int, int]:
    amount_in, amount_out = case.mined.amounts(case.hop)
    return (amount_out, amount_in) if case.fixed_out else (amount_in, amount_out)


def _computed(state: PoolState, case: HopCase, given: int) -> int | None:
    """What the pool takes for `given` out, or pays for `given` in; None where it would revert or its state is not known."""
    token_in, limit = case.hop.token_in, case.sqrt_price_limit_x96
    try:
        if case.fixed_out:
            return state.swap_exact_out(token_in, given, limit).amount_in
        return state.swap_exact_in(token_in, given, limit).amount_out
    except (SwapImpossible, StateUnknown):
        return None


def _bisect_fee(state: PoolState, case: HopCase, step: int) -> int | None:
    given, result = _given_and_result(case)

    def computed(steps: int) -> int | None:
        return _computed(with_fee(state, steps * step), case, given)

    def pool_keeps_too_little(steps: int) -> bool:
        amount = computed(steps)
        return amount is not None and (amount < result if case.fixed_out else amount > result)

    low, high = 0, 1_000_000 // step - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if pool_keeps_too_little(middle) else (low, middle)
    if computed(low) != result:
        return None
    neighbours = [computed(steps) for steps in (low - 1, low + 1) if steps >= 0]
    clear = all(amount is None or abs(amount - result) >= CLEAR_OF_NEIGHBOURS for amount in neighbours)
    return low * step if clear else None


def with_fee(state: PoolState, fee_pips: int) -> PoolState:
    """The same pool charging another fee; every family's state is a struct with its fee."""
    if not isinstance(state, Struct):
        raise TypeError(f"{type(state).__name__} is no struct")
    return structs.replace(state, fee_pips=fee_pips)
