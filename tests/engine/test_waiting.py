"""The waiting table releases a transaction when its last pool has arrived, and is bounded."""

from __future__ import annotations

from mempool.engine.waiting import PoolWaits


def test_transaction_is_released_by_the_last_of_its_pools() -> None:
    waits = PoolWaits()
    waits.add("tx", [b"p", b"q"])
    assert waits.arrived(b"p") == []
    assert waits.arrived(b"q") == ["tx"]
    assert len(waits) == 0


def test_transactions_are_released_in_the_order_in_which_they_came() -> None:
    waits = PoolWaits()
    for name in ("c", "a", "b"):
        waits.add(name, [b"p"])
    assert waits.arrived(b"p") == ["c", "a", "b"]


def test_oldest_is_dropped_and_counted_beyond_the_capacity() -> None:
    waits = PoolWaits(capacity=2)
    for name in ("a", "b", "c"):
        waits.add(name, [b"p"])
    assert (len(waits), waits.dropped) == (2, 1)
    assert waits.arrived(b"p") == ["b", "c"]


def test_forgotten_transaction_is_not_released() -> None:
    waits = PoolWaits()
    waits.add("a", [b"p"])
    waits.add("b", [b"p"])
    waits.forget("a")
    waits.forget("unknown")
    assert waits.arrived(b"p") == ["b"]
    assert waits.arrived(b"p") == []
