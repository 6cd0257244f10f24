"""Pool requests are made once, widen on demand, and do not ask again for what is absent at the same block."""

from __future__ import annotations

from mempool.engine.pool_wants import MAX_ABSENT, PoolWants, siblings
from mempool.model.pool import PoolIdentity
from mempool.resources import load_tables
from tests.engine.world import ref

POOL = PoolIdentity("uniswap_v3", b"\xaa" * 20, b"\x01" * 20, b"\x02" * 20, 500, 10)


def test_open_request_is_not_made_twice() -> None:
    wants = PoolWants(4, 16)
    wants.ask([POOL], ref(1))
    wants.ask([POOL], ref(2))
    assert [(request.block, request.identities) for request in wants.take()] == [(ref(1), (POOL,))]
    assert wants.take() == []


def test_absent_pool_is_asked_for_again_only_at_another_block() -> None:
    wants = PoolWants(4, 16)
    wants.ask([POOL], ref(1))
    wants.take()
    wants.absent(POOL.address, ref(1))
    wants.ask([POOL], ref(1))
    assert wants.take() == []
    wants.ask([POOL], ref(2))
    assert len(wants.take()) == 1


def test_pool_that_nobody_needs_is_asked_for_once_only() -> None:
    wants = PoolWants(4, 16)
    wants.ask_once([POOL], ref(1))
    wants.take()
    wants.absent(POOL.address, ref(1))
    wants.ask_once([POOL], ref(2))
    assert wants.take() == []


def test_of_pools_that_do_not_exist_only_the_latest_are_remembered() -> None:
    wants = PoolWants(4, 16)
    for number in range(3 * MAX_ABSENT):
        pool = PoolIdentity("uniswap_v2", number.to_bytes(20), POOL.token0, POOL.token1, 3_000, 0)
        wants.ask_once([pool], ref(1))
        wants.take()
        wants.absent(pool.address, ref(1))
    assert sum(len(each) for each in vars(wants).values() if isinstance(each, dict | set | list)) <= MAX_ABSENT


def test_widening_doubles_the_words_up_to_the_most() -> None:
    wants = PoolWants(4, 10)
    assert wants.widen(POOL.address)
    wants.ask([POOL], ref(1))
    assert [request.words_each_side for request in wants.take()] == [8]
    assert wants.widen(POOL.address)
    assert not wants.widen(POOL.address)
    wants.answered(POOL.address)
    wants.ask([POOL], ref(1))
    assert [request.words_each_side for request in wants.take()] == [10]


def test_siblings_are_every_pool_that_the_factories_can_have_of_two_tokens() -> None:
    tables = load_tables()
    found = siblings(tables, tables.usd_pool.token0, tables.usd_pool.token1)
    assert tables.usd_pool in found
    assert {identity.kind for identity in found} == {"uniswap_v2", "uniswap_v3"}
    assert len({identity.address for identity in found}) == len(found)
