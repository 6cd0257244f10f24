"""The pending pool keeps one entry a hash and says how each transaction leaves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mempool.model.transaction import PendingTransaction
from mempool.pending import PendingPool, SightingKind


def transaction(name: str, sender: int = 1, nonce: int = 0, fee: int = 10, source: str = "node-1") -> PendingTransaction:
    return PendingTransaction(
        hash=name,
        sender=sender.to_bytes(20, "big"),
        to=None,
        nonce=nonce,
        value_wei=0,
        gas_limit=21_000,
        max_fee_per_gas_wei=fee,
        max_priority_fee_per_gas_wei=1,
        calldata=b"",
        recv_ns=1,
        source=source,
    )


def test_second_sighting_of_a_hash_is_repeated() -> None:
    pool = PendingPool()
    assert pool.apply(transaction("a")).kind is SightingKind.NEW
    assert pool.apply(transaction("a", source="node-2")).kind is SightingKind.REPEATED
    assert len(pool) == 1


def test_higher_bid_on_the_same_nonce_replaces() -> None:
    pool = PendingPool()
    pool.apply(transaction("a", fee=10))
    assert pool.apply(transaction("b", fee=11)).replaced == "a"
    assert "a" not in pool
    assert "b" in pool


def test_lower_bid_on_the_same_nonce_takes_no_place() -> None:
    pool = PendingPool()
    pool.apply(transaction("a", fee=10))
    sighting = pool.apply(transaction("b", fee=9))
    assert sighting.underpriced
    assert "a" in pool
    assert "b" not in pool


def test_mined_rival_of_the_same_nonce_makes_the_waiting_one_depart() -> None:
    pool = PendingPool()
    pool.apply(transaction("a"))
    (departure,) = pool.include([transaction("b")])
    assert (departure.transaction.hash, departure.replaced_by) == ("a", "b")
    assert len(pool) == 0


def test_mined_transaction_leaves_without_a_departure() -> None:
    pool = PendingPool()
    pool.apply(transaction("a"))
    assert pool.include([transaction("a")]) == []
    assert len(pool) == 0


def test_orphaned_transaction_is_restored_unless_its_nonce_is_taken() -> None:
    pool = PendingPool()
    first, second = transaction("a", nonce=1), transaction("b", nonce=2)
    for tx in (first, second):
        pool.apply(tx)
    pool.include([first, second])
    pool.apply(transaction("c", nonce=2))
    assert pool.restore(first) is None
    assert pool.restore(second) == "c"
    assert "a" in pool
    assert "b" not in pool


def test_vanished_transaction_that_is_announced_again_has_returned() -> None:
    pool = PendingPool()
    pool.apply(transaction("a", nonce=1))
    pool.apply(transaction("b", nonce=2, source="node-2"))
    (departure,) = pool.vanish_all_but(frozenset(), "node-1", "gone")
    assert (departure.transaction.hash, departure.reason) == ("a", "gone")
    assert pool.apply(transaction("a", nonce=1)).kind is SightingKind.RETURNED


def test_oldest_makes_room_beyond_the_capacity() -> None:
    pool = PendingPool(capacity=2)
    evicted = [pool.apply(transaction(name, nonce=nonce)).evicted for nonce, name in enumerate("abc")]
    assert (evicted, len(pool), "a" in pool) == ([None, None, "a"], 2, False)


@given(st.lists(st.tuples(st.sampled_from(["apply", "include", "vanish", "restore"]), st.integers(0, 5), st.integers(0, 3))))
def test_nonce_index_and_entries_always_agree(script: list[tuple[str, int, int]]) -> None:
    pool = PendingPool(capacity=4)
    for action, nonce, fee in script:
        tx = transaction(f"{nonce}/{fee}", nonce=nonce, fee=fee)
        match action:
            case "apply":
                pool.apply(tx)
            case "include":
                pool.include([tx])
            case "vanish":
                pool.vanish_all_but(frozenset({tx.hash}), "node-1", "gone")
            case _:
                pool.restore(tx)
        waiting = [pool.get(f"{n}/{f}") for n in range(6) for f in range(4)]
        assert sum(tx is not None for tx in waiting) == len(pool) <= 4
        nonces = [tx.nonce for tx in waiting if tx]
        assert len(nonces) == len(set(nonces))
