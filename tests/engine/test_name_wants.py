"""Pools are asked for their tokens once, and only so many."""

from __future__ import annotations

from mempool.engine.name_wants import MAX_OF_A_CALL, MAX_OPEN, NameWants

POOL, OTHER = b"\x01" * 20, b"\x02" * 20


def pools(count: int, first: int = 0) -> list[bytes]:
    return [number.to_bytes(20) for number in range(first, first + count)]


def test_open_request_is_not_made_again_but_is_on_its_way() -> None:
    wants = NameWants()
    assert (wants.ask([POOL]), wants.ask([POOL, OTHER])) == ([POOL], [POOL, OTHER])
    assert (wants.take(), wants.take()) == ([POOL, OTHER], [])


def test_pool_that_was_asked_in_vain_is_not_asked_again_and_one_without_an_answer_is() -> None:
    wants = NameWants()
    wants.ask([POOL, OTHER])
    wants.take()
    wants.in_vain(POOL)
    wants.answered(OTHER)
    assert wants.ask([POOL, OTHER]) == [OTHER]
    assert wants.take() == [OTHER]


def test_call_of_too_many_pools_and_requests_beyond_the_bound_are_not_asked() -> None:
    wants = NameWants()
    assert wants.ask(pools(MAX_OF_A_CALL + 1)) == []
    for first in range(0, MAX_OPEN, MAX_OF_A_CALL):
        assert wants.ask(pools(MAX_OF_A_CALL, first))
    assert wants.ask([POOL]) == []
    assert len(wants.take()) == MAX_OPEN
