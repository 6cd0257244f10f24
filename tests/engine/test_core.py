"""The engine step by step: what each message makes it report, wait for and ask."""

from __future__ import annotations

import msgspec
import pytest
from eth_abi.abi import encode
from msgspec.structs import replace

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.core import EngineOptions
from mempool.engine.recent_blocks import Followed
from mempool.errors import TicksUnknown
from mempool.model.opportunity import Bound, OpportunityKind
from mempool.model.outcome import Cause, RevertGrade
from mempool.model.record import (
    OpportunityFound,
    OutcomeGraded,
    PredictionMade,
    PredictionMissed,
    Reorged,
    SourceSeen,
    TransactionDecoded,
    TransactionSeen,
    TransactionState,
    TransactionStatus,
)
from mempool.model.swap import Completeness, SwapIntent
from mempool.model.transaction import PendingTransaction
from mempool.resources import load_tables
from mempool.simulate import CallResult
from tests.engine.blocks import TOKEN
from tests.engine.world import World, ref
from tests.grade.ledger import ETHER


@pytest.fixture(scope="module")
def tables() -> DecodeTables:
    return load_tables()


@pytest.fixture
def world(tables: DecodeTables) -> World:
    return World(tables)


def statuses(world: World) -> list[tuple[str, TransactionStatus]]:
    return [(state.transaction_hash, state.status) for state in world.of(TransactionState)]


def test_swap_on_a_known_pool_is_predicted_at_once_on_the_head(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    (made,) = world.of(PredictionMade)
    expected = world.pair.swap_exact_in(world.tables.wrapped_native, ETHER)
    assert made.prediction.result.amount_out == expected.amount_out
    assert (made.prediction.result.block, made.prediction.late_ns) == (ref(100), 0)
    assert [seen.transaction for seen in world.of(TransactionSeen)] == [swap]


def test_swap_on_an_unknown_pool_waits_and_its_prediction_says_how_late(world: World) -> None:
    world.mine(ref(100))
    world.engine.take_pool_requests()
    swap = world.announce(world.swap())
    assert world.of(PredictionMade) == []
    assert len(world.engine.waits) == 1
    (request,) = world.engine.take_pool_requests()
    assert [identity.address for identity in request.identities] == [world.pair.address]
    world.engine.now_ns = swap.recv_ns + 70_000_000
    world.engine.on_pools([world.pair], request.block)
    assert [made.prediction.late_ns for made in world.of(PredictionMade)] == [70_000_000]
    assert len(world.engine.waits) == 0


def test_snapshot_of_a_block_is_moved_on_by_the_logs_since(world: World) -> None:
    world.mine(ref(100))
    world.engine.take_pool_requests()
    world.announce(world.swap())
    (request,) = world.engine.take_pool_requests()
    world.mine(ref(101), [world.swap(5 * ETHER)])
    world.engine.on_pools([world.pair], request.block)
    (made,) = world.of(PredictionMade)
    moved = world.pair.swap_exact_in(world.tables.wrapped_native, 5 * ETHER).after
    assert made.prediction.result.amount_out == moved.swap_exact_in(world.tables.wrapped_native, ETHER).amount_out


def test_absent_pool_ends_the_wait_without_a_prediction(world: World) -> None:
    world.mine(ref(100))
    world.engine.take_pool_requests()
    world.announce(world.swap())
    (request,) = world.engine.take_pool_requests()
    world.engine.on_pools_absent([world.pair.address], request.block)
    assert (len(world.engine.waits), world.of(PredictionMade)) == (0, [])
    assert world.engine.counters.not_simulated == 1


def test_failed_read_is_asked_again_with_the_next_block(world: World) -> None:
    world.mine(ref(100))
    world.engine.take_pool_requests()
    world.announce(world.swap())
    (request,) = world.engine.take_pool_requests()
    world.engine.on_pools_failed([world.pair.address])
    world.mine(ref(101))
    asked = [identity.address for each in world.engine.take_pool_requests() for identity in each.identities]
    assert world.pair.address in asked
    assert request.block == ref(100)


def test_second_sighting_adds_a_source_and_no_second_row(world: World) -> None:
    world.begin()
    swap = world.swap()
    world.announce(swap)
    world.announce(world.swap(source="node-2", nonce=swap.nonce))
    other = type(swap)(**{**{name: getattr(swap, name) for name in swap.__struct_fields__}, "source": "node-2"})
    world.announce(other)
    assert len([seen for seen in world.of(TransactionSeen) if seen.transaction.hash == swap.hash]) == 1
    assert [(seen.transaction_hash, seen.source) for seen in world.of(SourceSeen)] == [(swap.hash, "node-2")]


def test_mined_swap_is_graded_and_the_pool_moves_on(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.mine(ref(101), [swap])
    (graded,) = world.of(OutcomeGraded)
    outcome = graded.outcome
    assert (outcome.cause, outcome.error_as_predicted, outcome.error_in_block_order) == (Cause.EXACT, 0, 0)
    assert statuses(world)[-1] == (swap.hash, TransactionStatus.INCLUDED)
    state = world.engine.market.view().pool(world.pair.address)
    assert state == world.pair.swap_exact_in(world.tables.wrapped_native, ETHER).after


def test_swap_behind_another_names_who_moved_the_pool(world: World) -> None:
    world.begin()
    ahead, behind = world.swap(3 * ETHER), world.announce(world.swap())
    world.mine(ref(101), [ahead, behind])
    (graded,) = world.of(OutcomeGraded)
    assert (graded.outcome.cause, graded.outcome.moved_by) == (Cause.MOVED_AHEAD, (ahead.hash,))
    assert graded.outcome.error_in_block_order == 0


def test_predicted_revert_that_reverts_is_right(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap(min_amount_out=10**30))
    world.mine(ref(101), [swap], failing=[swap.hash])
    assert [graded.outcome.revert for graded in world.of(OutcomeGraded)] == [RevertGrade.RIGHT]


def test_reorg_puts_the_mined_swap_back_and_grades_it_again(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.mine(ref(101), [swap])
    world.mine(ref(101, branch=1, parent_branch=0), [world.swap(7 * ETHER)])
    assert [reorged.block_hash for reorged in world.of(Reorged)] == [ref(101).hash]
    world.mine(ref(102, branch=1), [swap])
    first, second = (graded.outcome for graded in world.of(OutcomeGraded))
    assert (first.cause, second.cause, second.error_in_block_order) == (Cause.EXACT, Cause.MOVED_AHEAD, 0)


def test_same_head_again_changes_nothing(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.mine(ref(101), [swap])
    before = len(world.records)
    world.mine(ref(101), [swap])
    assert len(world.records) == before


def test_block_behind_a_gap_is_not_graded_and_the_pools_are_asked_for_anew(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.mine(ref(300), [swap])
    assert world.of(OutcomeGraded) == []
    assert statuses(world)[-1] == (swap.hash, TransactionStatus.INCLUDED)
    assert world.engine.take_pool_requests() != []


def test_swap_that_was_sent_and_mined_in_a_gap_has_its_row_but_no_prediction(world: World) -> None:
    world.begin()
    shown, unheard = world.announce(world.swap()), world.swap(nonce=9)
    foreign = foreign_call(world)
    world.engine.on_block_after_gap(world.block(ref(101), [shown, unheard, foreign]))
    assert [seen.transaction.hash for seen in world.of(TransactionSeen)] == [shown.hash, unheard.hash]
    assert statuses(world) == [(hash_, TransactionStatus.INCLUDED) for hash_ in (shown.hash, unheard.hash)]
    assert [missed.transaction_hash for missed in world.of(PredictionMissed)] == [unheard.hash]
    assert [graded.outcome.transaction_hash for graded in world.of(OutcomeGraded)] == [shown.hash]
    assert world.engine.counters.unheard == 1


def test_swap_that_a_block_of_a_gap_mined_in_place_of_a_pending_one_replaces_it(world: World) -> None:
    world.begin()
    shown, unheard = world.announce(world.swap(nonce=7, fee=20)), world.swap(nonce=7, fee=10)
    world.engine.on_block_after_gap(world.block(ref(101), [unheard]))
    assert dict(statuses(world)) == {shown.hash: TransactionStatus.REPLACED, unheard.hash: TransactionStatus.INCLUDED}


def test_swap_that_is_mined_while_it_waits_for_its_pool_says_that_no_prediction_comes(world: World) -> None:
    world.mine(ref(100))
    world.engine.take_pool_requests()
    swap = world.announce(world.swap())
    (request,) = world.engine.take_pool_requests()
    world.mine(ref(101), [swap])
    assert [missed.transaction_hash for missed in world.of(PredictionMissed)] == [swap.hash]
    world.engine.on_pools([world.pair], request.block)
    world.mine(ref(102), [])
    assert (world.of(PredictionMade), world.of(OutcomeGraded), world.engine.counters.not_simulated) == ([], [], 1)


def test_replacement_is_followed_in_place_of_the_replaced(world: World) -> None:
    world.begin()
    first = world.announce(world.swap(nonce=7, fee=10))
    second = world.announce(world.swap(nonce=7, fee=20))
    (state,) = world.of(TransactionState)
    assert (state.transaction_hash, state.status, state.replaced_by) == (first.hash, TransactionStatus.REPLACED, second.hash)


def test_replaced_swap_that_a_slower_node_shows_stays_replaced(world: World) -> None:
    world.begin()
    first = world.announce(world.swap(nonce=7, fee=10))
    second = world.announce(world.swap(nonce=7, fee=20))
    world.announce(msgspec.structs.replace(first, source="node-2"))
    (state,) = world.of(TransactionState)
    assert (state.transaction_hash, state.status, state.replaced_by) == (first.hash, TransactionStatus.REPLACED, second.hash)
    assert [(seen.transaction_hash, seen.source) for seen in world.of(SourceSeen)] == [(first.hash, "node-2")]


def test_replaced_swap_that_is_mined_after_all_is_graded(world: World) -> None:
    world.begin()
    first = world.announce(world.swap(nonce=7, fee=10))
    second = world.announce(world.swap(nonce=7, fee=20))
    world.mine(ref(101), [first])
    assert [graded.outcome.transaction_hash for graded in world.of(OutcomeGraded)] == [first.hash]
    assert statuses(world)[-1] == (second.hash, TransactionStatus.REPLACED)


def test_vanished_swap_that_is_sent_again_stays_one_row_and_is_graded(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.engine.on_pool_content(frozenset(), "node-1")
    world.announce(swap)
    world.mine(ref(101), [swap])
    assert [status for _, status in statuses(world)] == [
        TransactionStatus.VANISHED,
        TransactionStatus.PENDING,
        TransactionStatus.INCLUDED,
    ]
    assert len(world.of(TransactionSeen)) == 1
    assert [graded.outcome.cause for graded in world.of(OutcomeGraded)] == [Cause.EXACT]


def test_mined_swap_that_a_slow_node_announces_again_is_not_followed_again(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.mine(ref(101), [swap])
    world.announce(swap)
    assert len(world.engine.following) == 0
    assert world.engine.counters.repeated == 1


def test_oldest_swap_beyond_the_capacity_is_dropped_with_the_reason(tables: DecodeTables) -> None:
    world = World(tables, EngineOptions(pending_capacity=1))
    world.begin()
    first, _second = world.announce(world.swap()), world.announce(world.swap())
    (state,) = world.of(TransactionState)
    assert (state.transaction_hash, state.status) == (first.hash, TransactionStatus.DROPPED)
    assert len(world.engine.following) == 1


def test_orphaned_swap_whose_nonce_was_taken_since_is_replaced(world: World) -> None:
    world.begin()
    mined = world.announce(world.swap(nonce=7))
    world.mine(ref(101), [mined])
    rival = world.announce(world.swap(nonce=7, fee=20))
    world.mine(ref(101, branch=1, parent_branch=0))
    last = world.of(TransactionState)[-1]
    assert (last.transaction_hash, last.status, last.replaced_by) == (mined.hash, TransactionStatus.REPLACED, rival.hash)


def test_swap_without_a_limit_exposes_its_sender(world: World) -> None:
    world.begin()
    world.announce(world.swap(30 * ETHER))
    kinds = {found.opportunity.kind for found in world.of(OpportunityFound)}
    assert OpportunityKind.SANDWICH_EXPOSURE in kinds


def test_token_whose_transfer_brought_less_makes_later_findings_upper_bounds(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap(30 * ETHER))
    world.mine_taxed(ref(101), swap)
    assert [graded.outcome.cause for graded in world.of(OutcomeGraded)] == [Cause.FEE_ON_TRANSFER]
    before = len(world.of(OpportunityFound))
    world.announce(world.swap(30 * ETHER))
    first, later = world.of(OpportunityFound)[:before], world.of(OpportunityFound)[before:]
    assert {found.opportunity.bound for found in first} == {Bound.EXACT}
    assert {found.opportunity.bound for found in later} == {Bound.UPPER_BOUND}


def test_finding_below_the_minimum_is_counted_and_not_reported(tables: DecodeTables) -> None:
    world = World(tables, EngineOptions(min_profit_eth=1_000.0))
    world.begin()
    world.announce(world.swap(30 * ETHER))
    assert world.of(OpportunityFound) == []
    assert world.engine.counters.below_minimum > 0


def test_every_sighting_ends_in_one_count(world: World) -> None:
    world.begin()
    swap = world.announce(world.swap())
    world.announce(swap)
    short = type(swap)(**{**{n: getattr(swap, n) for n in swap.__struct_fields__}, "hash": "0x1", "calldata": swap.calldata[:40]})
    for each in (short, foreign_call(world)):
        world.announce(each)
    counters = world.engine.counters
    assert (counters.swaps, counters.repeated, counters.unreadable, counters.foreign) == (1, 1, 1, 1)


def test_swap_that_leaves_the_loaded_ticks_is_counted_as_state_unknown(world: World) -> None:
    world.begin()
    swap, view = world.swap(), world.engine.market.view()
    call = decode_transaction(world.tables, swap)
    assert call is not None
    unknown = CallResult((None,), ((0, TicksUnknown(world.pair.address, "tick bitmap word 9")),), "", view)
    world.engine._report(Followed(swap, call), unknown, view)
    assert (world.engine.counters.state_unknown, world.engine.counters.not_simulated) == (1, 1)


def test_unlisted_token_is_asked_for_once(world: World) -> None:
    world.begin()
    world.announce(world.swap())
    world.announce(world.swap())
    assert world.engine.take_token_requests() == [TOKEN]
    assert world.engine.take_token_requests() == []


def foreign_call(world: World) -> PendingTransaction:
    """To nobody who is listed, and of a function that no table knows."""
    swap = world.swap()
    return msgspec.structs.replace(swap, to=TOKEN, calldata=b"\xde\xad\xbe\xef" + swap.calldata[4:])


def intents(record: TransactionSeen | TransactionDecoded) -> tuple[SwapIntent, ...]:
    return record.decoded.intents


def test_pool_that_names_its_tokens_and_is_proven_is_simulated_and_graded(world: World) -> None:
    world.begin()
    call = world.announce(world.pair_call())
    (seen,) = world.of(TransactionSeen)
    assert (seen.decoded.completeness, world.of(PredictionMade)) == (Completeness.TOKENS_UNKNOWN, [])
    assert world.engine.take_name_requests() == [world.pair.address]
    world.engine.on_pool_tokens(world.pair.address, (world.pair.token0, world.pair.token1))
    (decoded,) = world.of(TransactionDecoded)
    assert (decoded.transaction_hash, decoded.decoded.completeness) == (call.hash, Completeness.EXACT)
    (intent,) = intents(decoded)
    assert (intent.token_in, intent.token_out) == (world.tables.wrapped_native, TOKEN)
    (made,) = world.of(PredictionMade)
    expected = world.pair.swap_exact_out(world.tables.wrapped_native, ETHER)
    assert (made.prediction.result.amount_in, made.prediction.result.amount_out) == (expected.amount_in, ETHER)
    assert world.engine.take_token_requests() == [TOKEN]
    assert (len(world.engine.name_waits), world.engine.counters.swaps) == (0, 1)
    world.mine(ref(101), [call])
    (graded,) = world.of(OutcomeGraded)
    assert (graded.outcome.transaction_hash, graded.outcome.cause, graded.outcome.error_as_predicted) == (
        *(call.hash, Cause.EXACT, 0),
    )


def test_pool_that_is_known_already_is_named_at_once(world: World) -> None:
    world.begin()
    world.announce(world.pair_call())
    world.engine.on_pool_tokens(world.pair.address, (world.pair.token1, world.pair.token0))
    world.announce(world.pair_call())
    assert [seen.decoded.completeness for seen in world.of(TransactionSeen)] == [
        Completeness.TOKENS_UNKNOWN,
        Completeness.EXACT,
    ]
    assert len(world.of(PredictionMade)) == 2


@pytest.mark.parametrize("tokens", [None, (TOKEN, b"\x77" * 20), (TOKEN, TOKEN)])
def test_pool_that_is_not_proven_stays_unknown_and_is_not_asked_again(world: World, tokens: tuple[bytes, bytes] | None) -> None:
    world.begin()
    world.announce(world.pair_call())
    assert world.engine.take_name_requests() == [world.pair.address]
    world.engine.on_pool_tokens(world.pair.address, tokens)
    world.announce(world.pair_call())
    assert (world.engine.take_name_requests(), len(world.engine.name_waits)) == ([], 0)
    assert (world.of(TransactionDecoded), world.of(PredictionMade)) == ([], [])
    reason = f"pool 0x{world.pair.address.hex()}: the maths of uniswap_v2_unlisted is not known"
    assert [missed.reason for missed in world.of(PredictionMissed)] == [reason] * 2


def test_pool_is_asked_once_however_many_calls_wait_for_it(world: World) -> None:
    world.begin()
    calls = [world.announce(world.pair_call()) for _ in range(3)]
    assert world.engine.take_name_requests() == [world.pair.address]
    world.engine.on_pool_tokens(world.pair.address, (world.pair.token0, world.pair.token1))
    assert [made.prediction.transaction_hash for made in world.of(PredictionMade)] == [call.hash for call in calls]


def test_node_that_does_not_answer_for_a_pool_is_asked_again_with_the_next_block(world: World) -> None:
    world.begin()
    world.announce(world.pair_call())
    world.engine.take_name_requests()
    world.engine.on_pool_tokens_failed(world.pair.address)
    assert (world.engine.take_name_requests(), len(world.engine.name_waits)) == ([], 1)
    world.mine(ref(101))
    assert world.engine.take_name_requests() == [world.pair.address]


def test_call_that_is_mined_before_its_pool_is_named_says_that_no_prediction_comes(world: World) -> None:
    world.begin()
    call = world.announce(world.pair_call())
    world.mine(ref(101), [call])
    assert [missed.transaction_hash for missed in world.of(PredictionMissed)] == [call.hash]
    world.engine.on_pool_tokens(world.pair.address, (world.pair.token0, world.pair.token1))
    assert (world.of(TransactionDecoded), len(world.engine.name_waits)) == ([], 0)


def test_engines_of_one_process_learn_each_for_itself(tables: DecodeTables) -> None:
    one, other = World(tables), World(tables)
    for world in (one, other):
        world.begin()
        world.announce(world.pair_call())
    one.engine.on_pool_tokens(one.pair.address, (one.pair.token0, one.pair.token1))
    assert one.pair.address in one.engine.tables.found_pools.by_address
    assert not other.engine.tables.found_pools.by_address
    assert not tables.found_pools.by_address


def test_named_pool_of_an_earlier_run_is_known_to_the_next(tables: DecodeTables) -> None:
    first, later = World(tables), World(tables)
    first.begin()
    call = first.announce(first.pair_call())
    first.engine.on_pool_tokens(first.pair.address, (first.pair.token0, first.pair.token1))
    (decoded,) = first.of(TransactionDecoded)
    later.engine.restore([Followed(msgspec.structs.replace(call, to=None, calldata=b""), decoded.decoded)])
    later.begin()
    assert len(later.of(PredictionMade)) == 1
    later.mine(ref(101), [call])
    assert [graded.outcome.transaction_hash for graded in later.of(OutcomeGraded)] == [call.hash]


def test_call_of_an_account_is_followed_only_where_a_known_swap_stands_in_it(world: World) -> None:
    swap = world.swap()
    account, stranger = b"\x77" * 20, b"\x66" * 20
    for number, (target, data) in enumerate(((swap.to, swap.calldata), (stranger, b"\x01\x02\x03\x04"))):
        arguments = encode(["address", "uint256", "bytes"], [target, 0, data])
        execute = replace(swap, to=account, calldata=bytes.fromhex("b61d27f6") + arguments, hash=f"0x{number + 900:064x}")
        world.announce(execute)
    assert [seen.transaction.hash for seen in world.of(TransactionSeen)] == [f"0x{900:064x}"]
    assert (world.engine.counters.swaps, world.engine.counters.not_a_swap) == (1, 1)


def test_nothing_is_found_on_the_word_of_a_contract_that_is_not_listed(world: World) -> None:
    world.begin()
    swap = world.swap(100 * ETHER)
    arguments = encode(["address", "uint256", "bytes"], [swap.to, 0, swap.calldata])
    execute = replace(swap, to=b"\x77" * 20, calldata=bytes.fromhex("b61d27f6") + arguments, hash=f"0x{901:064x}", nonce=901)
    for transaction in (execute, swap):
        world.announce(transaction)
    assert {made.prediction.transaction_hash for made in world.of(PredictionMade)} == {execute.hash, swap.hash}
    assert {found.transaction_hash for found in world.of(OpportunityFound)} == {swap.hash}
