"""Pool states as real curves, made once for all that look at the same state."""

from __future__ import annotations

from mempool.amm import curve_of
from mempool.amm.curve import Curve
from mempool.market import MarketView
from mempool.model.pool import PoolState


class Curves:
    """Those of the view's own pools, without its overlay, are kept with the view; they grow as they are used."""

    def __init__(self, view: MarketView) -> None:
        self._pools = view.pools
        self._unmoved: dict[tuple[bytes, bytes], Curve] = view.memo.setdefault("curves", {})
        self._moved: dict[tuple[int, bytes], tuple[PoolState, Curve]] = {}

    def of(self, state: PoolState, token_in: bytes) -> Curve:
        """The state as a curve for sales of `token_in`."""
        if self._pools.get(state.address) is not state:
            return self._of_moved(state, token_in)
        hop = state.address, token_in
        curve = self._unmoved.get(hop)
        if curve is None:
            curve = self._unmoved[hop] = curve_of(state, token_in)
        return curve

    def _of_moved(self, state: PoolState, token_in: bytes) -> Curve:
        made = self._moved.get((id(state), token_in))
        if made is None:
            # The state is kept beside its curve, so that its id stays its own.
            made = self._moved[id(state), token_in] = state, curve_of(state, token_in)
        return made[1]
