"""The market against a fresh sync: whatever blocks and reorgs come, a pool that it knows stands as the chain's logs make it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.amm.uniswap_v2 import SYNC_TOPIC
from mempool.amm.uniswap_v3 import MINT_TOPIC
from mempool.market import Market, apply_logs, view_of
from mempool.model.block import BlockRef, Log
from mempool.model.pool import PoolState
from tests.amm.pools import TOKEN0, TOKEN1, TOKEN2, v2_pool, v3_pool

PAIR = v2_pool(1000, 2000)
OTHER_PAIR = v2_pool(5, 6, address=b"\xab" * 20)
POOL = v3_pool([(-600, 600, 10**6)])


def block(number: int, parent: BlockRef | None = None, branch: str = "") -> BlockRef:
    """A block whose hash tells its ancestry, so that equal hashes are equal histories."""
    parent_hash = parent.hash if parent else f"before {number}"
    return BlockRef(number, f"{parent_hash}/{number}{branch}", parent_hash, 12 * number)


def sync(reserve0: int, reserve1: int, address: bytes = PAIR.address) -> Log:
    return Log(address, (SYNC_TOPIC,), reserve0.to_bytes(32) + reserve1.to_bytes(32))


def mint(amount: int, lower: int, upper: int) -> Log:
    edges = tuple(tick.to_bytes(32, signed=True) for tick in (lower, upper))
    return Log(POOL.address, (MINT_TOPIC, bytes(32), *edges), bytes(32) + amount.to_bytes(32) + bytes(64))


def synced(*states: PoolState) -> tuple[Market, BlockRef]:
    market, first = Market(), block(1)
    market.apply_block(first, [])
    assert all(market.add_snapshot(state, first.hash) for state in states)
    return market, first


def test_logs_of_a_block_move_the_pools_and_name_them() -> None:
    market, first = synced(PAIR, OTHER_PAIR)
    second = block(2, first)
    change = market.apply_block(second, [sync(7, 8), sync(9, 10), Log(b"\1" * 20, (), b"")])
    assert (change.block, change.changed, change.orphaned, change.lost_chain) == (second, (PAIR.address,), (), False)
    assert market.view().pool(PAIR.address) == v2_pool(9, 10)
    assert market.view().pool(OTHER_PAIR.address) is OTHER_PAIR


def test_reorg_of_equal_height_rolls_back_and_names_the_orphan() -> None:
    market, first = synced(PAIR)
    orphan, winner = block(2, first, "a"), block(2, first, "b")
    market.apply_block(orphan, [sync(7, 8)])
    change = market.apply_block(winner, [])
    assert change.orphaned == (orphan.hash,)
    assert change.changed == (PAIR.address,)
    assert market.head == winner
    assert market.view().pool(PAIR.address) == PAIR


def test_known_head_again_changes_nothing_and_a_head_that_goes_back_rolls_back() -> None:
    market, first = synced(PAIR)
    second = block(2, first)
    market.apply_block(second, [sync(7, 8)])
    assert market.apply_block(second, [sync(7, 8)]).changed == ()
    assert market.apply_block(first, []).orphaned == (second.hash,)
    assert market.view().pool(PAIR.address) == PAIR


def test_rewinding_makes_a_kept_block_the_head_and_leaves_all_alone_for_another() -> None:
    market, first = synced(PAIR)
    second = block(2, first)
    market.apply_block(second, [sync(7, 8)])
    assert market.rewind_to("never seen") is None
    assert [market.keeps(known) for known in ("never seen", first.hash, second.hash)] == [False, True, True]
    assert market.head == second
    assert market.rewind_to(second.hash) == ()
    assert market.rewind_to(first.hash) == (second.hash,)
    assert market.view().pool(PAIR.address) == PAIR


def test_gap_forgets_all_pools_and_says_so() -> None:
    market, first = synced(PAIR)
    change = market.apply_block(block(3, block(2, first)), [])
    assert change.lost_chain
    assert change.forgotten == (PAIR.address,)
    assert change.orphaned == ()
    assert market.view().pool(PAIR.address) is None
    assert market.view().pools_with(TOKEN0) == ()


def test_block_that_claims_a_wrong_height_is_no_successor() -> None:
    market, first = synced(PAIR)
    liar = BlockRef(9, "liar", first.hash, 0)
    assert market.apply_block(liar, []).lost_chain


@pytest.mark.parametrize(("length", "lost"), [(64, False), (65, True)])
def test_reorg_as_deep_as_the_depth_is_rolled_back_and_a_deeper_one_starts_over(length: int, lost: bool) -> None:
    market, first = synced(PAIR)
    head = first
    for number in range(2, 2 + length):
        head = block(number, head)
        market.apply_block(head, [sync(number, number)])
    change = market.apply_block(block(2, first, "b"), [])
    assert (change.lost_chain, len(change.orphaned)) == (lost, 64 if not lost else 65)
    assert market.view().pool(PAIR.address) == (None if lost else PAIR)


def test_snapshot_of_an_earlier_block_is_moved_on_by_the_logs_kept_since() -> None:
    market = Market()
    first = block(1)
    second = block(2, first)
    market.apply_block(first, [])
    market.apply_block(second, [sync(7, 8)])
    assert market.add_snapshot(PAIR, first.hash)
    assert market.view().pool(PAIR.address) == v2_pool(7, 8)
    assert not market.add_snapshot(OTHER_PAIR, "a block that we never saw")
    assert market.view().pool(OTHER_PAIR.address) is None


def test_rollback_behind_a_snapshot_forgets_the_pool_only_if_it_had_moved() -> None:
    market = Market()
    first = block(1)
    second = block(2, first)
    market.apply_block(first, [])
    market.apply_block(second, [sync(1000, 2000)])
    assert market.add_snapshot(PAIR, second.hash)
    assert market.add_snapshot(OTHER_PAIR, second.hash)
    change = market.apply_block(block(2, first, "b"), [])
    assert change.forgotten == (PAIR.address,)
    assert market.view().pool(OTHER_PAIR.address) == OTHER_PAIR


def test_new_snapshot_replaces_what_was_known_and_its_history() -> None:
    market, first = synced(POOL)
    second = block(2, first)
    market.apply_block(second, [mint(5, -60, 60)])
    wider = v3_pool([(-600, 600, 10**6), (-60, 60, 5)])
    assert market.add_snapshot(wider, second.hash)
    assert market.view().pool(POOL.address) == wider
    assert market.view().pools_with(TOKEN0) == (POOL.address,)
    assert market.apply_block(block(2, first, "b"), []).forgotten == (POOL.address,)


def test_view_keeps_its_block_while_the_market_moves_on() -> None:
    market, first = synced(PAIR)
    view = market.view()
    market.apply_block(block(2, first), [sync(7, 8)])
    market.forget(PAIR.address)
    market.forget(PAIR.address)
    assert (view.block, view.pool(PAIR.address)) == (first, PAIR)


def test_market_without_a_block_has_no_view() -> None:
    assert Market().head is None
    with pytest.raises(LookupError):
        Market().view()


def test_overlay_lies_over_the_view_and_leaves_it_alone() -> None:
    view = view_of(block(1), [PAIR, OTHER_PAIR])
    moved = view.overlay({PAIR.address: v2_pool(1, 2)})
    twice = moved.overlay({OTHER_PAIR.address: OTHER_PAIR})
    assert twice.pool(PAIR.address) == v2_pool(1, 2)
    assert view.pool(PAIR.address) is PAIR
    assert view.overlay({}) is view


def test_logs_run_through_a_view_in_order() -> None:
    view = view_of(block(1), [PAIR])
    after = apply_logs(view, [sync(1, 2), sync(3, 4), sync(5, 6, OTHER_PAIR.address)])
    assert after.pool(PAIR.address) == v2_pool(3, 4)
    assert after.pool(OTHER_PAIR.address) is None
    assert apply_logs(view, []) is view


def test_indexes_find_pools_by_token_and_by_pair_in_any_order() -> None:
    view = view_of(block(1), [PAIR, OTHER_PAIR])
    assert view.pools_with(TOKEN1) == (PAIR.address, OTHER_PAIR.address)
    assert view.pools_between(TOKEN1, TOKEN0) == view.pools_between(TOKEN0, TOKEN1) == (PAIR.address, OTHER_PAIR.address)
    assert view.pools_with(TOKEN2) == view.pools_between(TOKEN0, TOKEN2) == ()


def test_pool_that_is_read_anew_comes_last_and_the_others_keep_their_order() -> None:
    market, first = synced(PAIR, OTHER_PAIR, POOL)
    assert market.add_snapshot(v2_pool(3, 4), first.hash)
    view = market.view()
    assert view.pools_with(TOKEN0) == (OTHER_PAIR.address, POOL.address, PAIR.address)
    assert view.pools_between(TOKEN0, TOKEN1) == (OTHER_PAIR.address, POOL.address, PAIR.address)
    market.forget(POOL.address)
    assert market.view().pools_with(TOKEN1) == (OTHER_PAIR.address, PAIR.address)


class Chain:
    """A tree of blocks with the true state of every pool after each."""

    def __init__(self) -> None:
        first = block(1)
        self.line = [first]
        self.truth: dict[str, dict[bytes, PoolState]] = {first.hash: {pool.address: pool for pool in (PAIR, OTHER_PAIR, POOL)}}
        self.branches = 0

    def extend(self, back: int, logs: Iterable[Log]) -> BlockRef:
        """A new block on the one that lies `back` behind the head."""
        del self.line[max(1, len(self.line) - back) :]
        self.branches += 1
        parent = self.line[-1]
        child = block(parent.number + 1, parent, f"-{self.branches}")
        self.truth[child.hash] = dict(apply_logs(view_of(parent, self.truth[parent.hash].values()), logs).changes)
        self.truth[child.hash] = self.truth[parent.hash] | self.truth[child.hash]
        self.line.append(child)
        return child


LOGS = st.one_of(
    st.builds(sync, st.integers(1, 99), st.integers(1, 99), st.sampled_from([PAIR.address, OTHER_PAIR.address])),
    st.builds(mint, st.integers(1, 9), st.sampled_from([-120, -60]), st.sampled_from([60, 120])),
)
STEPS = st.one_of(
    st.tuples(st.just("block"), st.integers(0, 6), st.lists(LOGS, max_size=3)),
    st.tuples(st.just("snapshot"), st.integers(0, 6), st.sampled_from([PAIR.address, OTHER_PAIR.address, POOL.address])),
    st.tuples(st.just("back"), st.integers(0, 3), st.none()),
    st.tuples(st.just("forget"), st.just(0), st.sampled_from([PAIR.address, POOL.address])),
)


def play(steps: list[tuple[str, int, object]], depth: int) -> None:
    """Run a script on a market, comparing every pool that it knows with the truth after each step."""
    chain, market = Chain(), Market(depth)
    market.apply_block(chain.line[0], [])
    known: set[bytes] = set()
    for step, back, detail in steps:
        target = chain.line[max(0, len(chain.line) - 1 - back)]
        if step == "block":
            assert isinstance(detail, list)
            change = market.apply_block(chain.extend(back, detail), detail)
            known -= set(change.forgotten)
        elif step == "back":
            del chain.line[chain.line.index(target) + 1 :]
            known -= set(market.apply_block(target, []).forgotten)
        elif step == "snapshot":
            assert isinstance(detail, bytes)
            if market.add_snapshot(chain.truth[target.hash][detail], target.hash):
                known.add(detail)
        else:
            assert isinstance(detail, bytes)
            market.forget(detail)
            known.discard(detail)
        view = market.view()
        assert view.block == chain.line[-1]
        assert {pool: view.pool(pool) for pool in known} == {pool: chain.truth[view.block.hash][pool] for pool in known}
        assert set(view.pools) == known == set(view.pools_with(TOKEN0))


@given(st.lists(STEPS, max_size=30), st.sampled_from([2, 64]))
@settings(max_examples=100, deadline=None)
def test_state_equals_a_fresh_sync_after_any_script_of_blocks_and_reorgs(
    steps: list[tuple[str, int, object]], depth: int
) -> None:
    play(steps, depth)


@pytest.mark.slow
@given(st.lists(STEPS, max_size=60), st.sampled_from([2, 5, 64]))
@settings(max_examples=2000, deadline=None)
def test_state_equals_a_fresh_sync_in_two_thousand_scripts(steps: list[tuple[str, int, object]], depth: int) -> None:
    play(steps, depth)
