"""A block run against predictions that were made earlier: who moved the pools, and what block order says."""

from __future__ import annotations

import pytest
from msgspec import structs

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.block_run import BlockMoves, BlockRun, run_block
from mempool.feeds.frames import BlockFile, parse_block_file
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef
from mempool.model.outcome import Cause, Prediction, RevertGrade
from mempool.model.pool import PoolState
from mempool.resources import load_tables
from mempool.simulate import simulate_call
from tests.engine.blocks import EXACT_IN, TOKEN, BlockWriter, pair_of, router_call
from tests.grade.ledger import ETHER

SEEN_AT = BlockRef(97, "0x" + "97" * 32, "0x" + "96" * 32, 1_699_999_964)
PARENT = BlockRef(99, "0x" + "aa" * 32, "0x" + "98" * 32, 1_699_999_988)


@pytest.fixture(scope="module")
def tables() -> DecodeTables:
    return load_tables()


@pytest.fixture
def block(tables: DecodeTables) -> BlockWriter:
    return BlockWriter(pair_of(tables, tables.wrapped_native, TOKEN))


def swap(block: BlockWriter, tables: DecodeTables, amount: int, min_amount_out: int = 0, *, succeeded: bool = True) -> None:
    path = [tables.wrapped_native, TOKEN]
    if succeeded:
        block.ledger.swap(block.first, path[0], amount)
    block.add(router_call(EXACT_IN, amount, min_amount_out, path), succeeded=succeeded)


def parsed(block: BlockWriter) -> BlockFile:
    return parse_block_file(block.json())


def predict(block: BlockWriter, tables: DecodeTables, index: int, view: MarketView) -> dict[str, list[Prediction]]:
    transaction = parsed(block).block.transactions[index]
    call = decode_transaction(tables, transaction)
    assert call is not None
    results = simulate_call(call, view, view.block.timestamp).results
    return {transaction.hash: [Prediction(transaction.hash, each, result, 0) for each, result in enumerate(results)]}


def run(
    block: BlockWriter,
    tables: DecodeTables,
    predictions: dict[str, list[Prediction]] | None,
    earlier: tuple[BlockMoves, ...] = (),
    state: PoolState | None = None,
) -> BlockRun:
    return run_block(view_of(PARENT, [state or block.first]), parsed(block).block, tables, predictions, earlier)


def test_transactions_ahead_in_the_block_are_named_as_those_who_moved_the_pool(block: BlockWriter, tables: DecodeTables) -> None:
    swap(block, tables, ETHER)
    swap(block, tables, 2 * ETHER)
    predictions = predict(block, tables, 1, view_of(PARENT, [block.first]))
    (outcome,) = run(block, tables, predictions).outcomes
    assert (outcome.cause, outcome.error_in_block_order) == (Cause.MOVED_AHEAD, 0)
    assert outcome.moved_by == (parsed(block).block.transactions[0].hash,)
    assert outcome.error_as_predicted is not None
    assert outcome.error_as_predicted < 0


def test_blocks_since_the_prediction_are_searched_for_who_moved_the_pool(block: BlockWriter, tables: DecodeTables) -> None:
    swap(block, tables, 2 * ETHER)
    other_state = structs.replace(block.first, reserve0=block.first.reserve0 + ETHER)
    predictions = predict(block, tables, 0, view_of(SEEN_AT, [other_state]))
    earlier = tuple(BlockMoves(number, {block.first.address: (f"0x{number:064x}",)}) for number in (96, 97, 98, 99))
    (outcome,) = run(block, tables, predictions, earlier).outcomes
    assert (outcome.cause, outcome.moved_by) == (Cause.MOVED_AHEAD, (f"0x{98:064x}", f"0x{99:064x}"))


def test_only_predicted_transactions_are_graded(block: BlockWriter, tables: DecodeTables) -> None:
    swap(block, tables, ETHER)
    swap(block, tables, ETHER)
    assert run(block, tables, {}).outcomes == ()
    assert len(run(block, tables, None).outcomes) == 2


def test_revert_caused_by_those_ahead_is_missed_and_names_them(block: BlockWriter, tables: DecodeTables) -> None:
    wanted = block.first.swap_exact_in(tables.wrapped_native, ETHER).amount_out
    swap(block, tables, 5 * ETHER)
    swap(block, tables, ETHER, wanted, succeeded=False)
    (outcome,) = run(block, tables, predict(block, tables, 1, view_of(PARENT, [block.first]))).outcomes
    assert (outcome.revert, outcome.cause, outcome.mined_amount_out) == (RevertGrade.MISSED, Cause.MOVED_AHEAD, None)
    assert outcome.moved_by == (parsed(block).block.transactions[0].hash,)


def test_run_ends_on_the_state_that_the_block_leaves_and_lists_its_moves(block: BlockWriter, tables: DecodeTables) -> None:
    swap(block, tables, ETHER)
    swap(block, tables, ETHER, succeeded=False)
    swap(block, tables, 3 * ETHER)
    done = run(block, tables, None)
    assert done.after.pool(block.first.address) == block.ledger.pools[block.first.address]
    hashes = [transaction.hash for transaction in parsed(block).block.transactions]
    assert done.moves == BlockMoves(100, {block.first.address: (hashes[0], hashes[2])})
