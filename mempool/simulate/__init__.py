"""What a call would do to the pools: `simulate` for one intent, `simulate_call` for all of a transaction's."""

from __future__ import annotations

from mempool.simulate.call import CallResult as CallResult
from mempool.simulate.call import simulate_call as simulate_call
from mempool.simulate.intent import simulate as simulate
