"""Runs through a mined block transaction by transaction: simulates each call on what the earlier ones left, and grades it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from mempool.decode import DecodeTables, decode_transaction
from mempool.grade.outcomes import GradedCall, MinedCall, Movers, grade_call
from mempool.market import MarketView, apply_logs
from mempool.model.block import MinedBlock, Receipt
from mempool.model.outcome import Outcome, Prediction
from mempool.model.swap import DecodedCall, SwapResult
from mempool.model.transaction import PendingTransaction
from mempool.simulate import simulate_call


class BlockMoves(Struct, frozen=True, gc=False):
    """Which transactions of a block moved which pools of the view, in block order."""

    block_number: int
    movers: Movers


class CallRun(Struct, frozen=True):
    """One call to a listed router: `results` are its intents simulated in block order, None where state or amount was unknown."""

    transaction: PendingTransaction
    receipt: Receipt
    call: DecodedCall
    results: tuple[SwapResult | None, ...]
    graded: GradedCall


class BlockRun(Struct, frozen=True):
    """What a block did to the predictions; `after` is the view after its last transaction."""

    calls: tuple[CallRun, ...]
    moves: BlockMoves
    after: MarketView

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome for run in self.calls for outcome in run.graded.outcomes)


def run_block(
    view: MarketView,
    block: MinedBlock,
    tables: DecodeTables,
    predictions: Mapping[str, Sequence[Prediction]] | None = None,
    earlier: Sequence[BlockMoves] = (),
) -> BlockRun:
    """Simulates and grades the block's calls, each on `view` (the state of its parent) with all earlier mined results applied.

    With `predictions` (by transaction hash) only their transactions are graded, and `earlier` has the moves of the blocks
    since the oldest prediction's state. Without, every call to a listed router is, and block order itself is the prediction.
    """
    calls: list[CallRun] = []
    movers: dict[bytes, tuple[str, ...]] = {}
    for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
        call = decode_transaction(tables, transaction) if predictions is None or transaction.hash in predictions else None
        if call is not None:
            results = simulate_call(call, view, block.ref.timestamp).by_index
            mined = MinedCall(transaction, call, receipt, block.ref.number, results, view.pool)
            predicted = None if predictions is None else predictions[transaction.hash]
            calls.append(CallRun(transaction, receipt, call, results, _graded(mined, predicted, earlier, movers)))
        view = _apply(view, receipt, movers)
    return BlockRun(tuple(calls), BlockMoves(block.ref.number, movers), view)


def _graded(
    mined: MinedCall, predictions: Sequence[Prediction] | None, earlier: Sequence[BlockMoves], movers: Movers
) -> GradedCall:
    if predictions is None:
        return grade_call(mined, mined.results, movers)
    predicted: list[SwapResult | None] = [None] * len(mined.call.intents)
    for prediction in predictions:
        if prediction.intent_index < len(predicted):  # an earlier version may have read more of the call
            predicted[prediction.intent_index] = prediction.result
    seen_at = min((prediction.result.block.number for prediction in predictions), default=0)
    since = [moves.movers for moves in earlier if seen_at < moves.block_number < mined.block_number]
    return grade_call(mined, predicted, merged([*since, movers]))


def merged(each: Sequence[Movers]) -> Movers:
    """One table of movers, the earlier ones first."""
    together: dict[bytes, tuple[str, ...]] = {}
    for movers in each:
        for pool, hashes in movers.items():
            together[pool] = together.get(pool, ()) + hashes
    return together


def _apply(view: MarketView, receipt: Receipt, movers: dict[bytes, tuple[str, ...]]) -> MarketView:
    """The view after the transaction; whoever left a known pool in another state is noted as its mover."""
    after = apply_logs(view, receipt.logs)
    for address in {log.address for log in receipt.logs}:
        if after.pool(address) is not view.pool(address):
            movers[address] = (*movers.get(address, ()), receipt.transaction_hash)
    return after
