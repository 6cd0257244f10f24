"""What is put is stored once, in order, and outlives locks, full disks and restarts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from mempool.errors import StoreError
from mempool.model.opportunity import OpportunityKind
from mempool.model.outcome import Cause
from mempool.model.record import (
    Gap,
    PredictionMissed,
    Record,
    Reorged,
    RunCounters,
    RunEnd,
    SourceSeen,
    TokenSeen,
    TransactionDecoded,
    TransactionState,
    TransactionStatus,
)
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut, Hop, Size
from mempool.store import database as store_database
from mempool.store.restored import open_transactions
from mempool.store.writer import Store, StoreOptions
from tests.store.examples import (
    FAST,
    FOREIGN,
    LISTED,
    PAIR,
    START_NS,
    block,
    exposed,
    graded,
    hash_of,
    intent,
    predicted,
    rows,
    run_start,
    seen,
    store_records,
    swap_records,
)

_INTENT_COLUMNS = """router, function, protocols, path, token_in, token_out, hops, size, amount, limit_amount, balance_sources,
    recipient, deadline, revert_scopes, completeness, reason"""


def included(number: int, on: int = 101, fork: str = "") -> TransactionState:
    mined = block(on, fork)
    return TransactionState(hash_of(number), TransactionStatus.INCLUDED, mined.number, mined.hash, 3, succeeded=True)


async def test_a_swap_is_stored_with_all_that_is_known_about_it(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, [*LISTED, *swap_records([1]), included(1)])
    swap = rows(path, "SELECT hash, amount_in, symbol_in, symbol_out, protocols, exposed_eth, state, at FROM swaps")
    assert swap == [(hash_of(1), 12.4, "WETH", "USDC", "uniswap_v2", 0.03, "included", "2023-11-14T22:13:21.001Z")]
    impact, without_fee = rows(path, "SELECT impact_with_fee, impact_without_fee FROM predictions")[0]
    assert 0.0042 < impact < 0.0043
    assert 0.0012 < without_fee < 0.0013
    amount_out = str(predicted(1).prediction.result.amount_out)
    assert rows(path, "SELECT amount_out_exact, mined_amount_out_exact, error_as_predicted FROM grades") == [
        (amount_out, amount_out, "0")
    ]
    after = rows(path, "SELECT after ->> 'reserve0' FROM hops")
    assert after == [str(10_000 * 10**18 + 12_400_000_000_000_000_000)]
    assert rows(path, "PRAGMA foreign_key_check") == []


async def test_a_transaction_that_is_sent_again_stays_one_row(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    vanished = TransactionState(hash_of(1), TransactionStatus.VANISHED, reason="not seen for 10 minutes")
    await store_records(
        path, [*swap_records([1]), vanished, seen(1, source="node-b"), SourceSeen(hash_of(1), "node-c", START_NS)]
    )
    await store_records(path, [*swap_records([1]), predicted(1, on=block(102))])
    assert rows(path, "SELECT state, state_reason, first_source FROM transactions") == [("pending", "", "node-a")]
    assert rows(path, "SELECT source FROM sightings") == ["node-a", "node-b", "node-c"]
    assert rows(path, "SELECT count(*) FROM intents") == [1]
    assert rows(path, "SELECT block_number FROM predictions") == [100, 102]
    assert rows(path, "SELECT count(*) FROM opportunities") == [1]


async def test_late_gossip_does_not_make_a_mined_transaction_pending(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, [seen(1), included(1), seen(1)])
    assert rows(path, "SELECT state, block_number, transaction_index, succeeded FROM transactions") == [("included", 101, 3, 1)]


async def test_a_reorg_marks_what_hung_on_the_block_and_a_new_grade_is_a_new_row(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, [*swap_records([1]), included(1), Reorged(block(101).hash), Reorged(block(100).hash)])
    assert rows(path, "SELECT state, block_number FROM transactions") == [("pending", None)]
    assert rows(path, "SELECT status FROM opportunities") == ["reorged"]
    assert rows(path, "SELECT exposed_eth FROM swaps") == [None]
    await store_records(path, [included(1, fork="c"), graded(1, error=-7, cause=Cause.MOVED_AHEAD, on=block(101, "c"))])
    assert rows(path, "SELECT reorged, error_as_predicted FROM outcomes") == [(1, "0"), (0, "-7")]


@pytest.mark.parametrize("batch_records", [1, 7, 250])
async def test_rows_do_not_depend_on_where_batches_are_cut(tmp_path: Path, batch_records: int) -> None:
    records = [
        *LISTED,
        *swap_records(range(1, 20)),
        included(3),
        Reorged(block(101).hash),
        *swap_records(range(15, 30)),
        included(3),
    ]
    for name, size in (("one", 1_000), ("other", batch_records)):
        options = msgspec.structs.replace(FAST, batch_records=size)
        await store_records(tmp_path / name, records, options)
    assert dump(tmp_path / "one") == dump(tmp_path / "other")


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize(
    "size", [ExactIn(2**256 - 1, 0), ExactOut(5, 2**255, pays_forward=True), BalanceIn(10**18, (0, 2), 3), BalanceIn(0, (), 0)]
)
async def test_an_intent_comes_back_from_its_row_as_it_was(tmp_path: Path, size: Size) -> None:
    path = tmp_path / "mempool.sqlite"
    wanted = intent(size)
    await store_records(path, [seen(1, wanted), predicted(1, wanted), seen(2), included(2)])
    (transaction,) = open_transactions(path)
    assert transaction.intents == (wanted,)
    (prediction,) = transaction.predictions
    made = predicted(1, wanted).prediction
    assert (prediction.result.amount_out, prediction.result.block) == (made.result.amount_out, made.result.block)
    assert prediction.result.hops[0].impact == made.result.hops[0].impact
    assert prediction.result.intent == wanted


async def test_what_is_learnt_later_of_a_call_takes_the_place_of_what_was_stored(tmp_path: Path) -> None:
    unknown = msgspec.structs.replace(intent(), hops=(Hop("uniswap_v2_unlisted", "", PAIR, b"", b"", None, zero_for_one=True),))
    unknown = msgspec.structs.replace(unknown, completeness=Completeness.TOKENS_UNKNOWN, reason="the pair's tokens are not known")
    first = seen(1, unknown)
    call = msgspec.structs.replace(first.decoded, completeness=Completeness.TOKENS_UNKNOWN, reason=unknown.reason)
    records: list[Record] = [
        *(msgspec.structs.replace(first, decoded=call), PredictionMissed(hash_of(1), 0, "not yet"), seen(2)),
        *(TransactionDecoded(hash_of(1), seen(1).decoded), predicted(1), graded(1)),
    ]
    for name, batch_records in (("one", 1_000), ("other", 1)):
        await store_records(tmp_path / name, records, msgspec.structs.replace(FAST, batch_records=batch_records))
    assert dump(tmp_path / "one") == dump(tmp_path / "other")
    path = tmp_path / "one"
    assert (
        rows(path, "SELECT completeness, reason, commands FROM transactions") == [("exact", "", '["swapExactETHForTokens"]')] * 2
    )
    assert rows(path, "SELECT id, transaction_id, intent_index FROM intents") == [(1, 1, 0), (2, 2, 0)]
    first_row, second_row = rows(path, f"SELECT {_INTENT_COLUMNS} FROM intents ORDER BY id")
    assert first_row == second_row
    assert rows(path, "SELECT hash, state FROM swaps") == [(hash_of(1), "pending")]
    (one, _) = open_transactions(path)
    assert one.intents == (intent(),)


async def test_a_run_that_was_killed_is_marked_unclean_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, swap_records([1, 2]), end=RunEnd.SIGNAL)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET ended = NULL, ended_ns = NULL")
    await store_records(path, [RunCounters({"seen": 5, "dropped": 0})])
    assert rows(path, "SELECT ended FROM runs") == ["unclean", "clean"]
    assert rows(path, "SELECT ended_ns = heard_until_ns FROM runs WHERE id = 1") == [1]
    assert rows(path, "SELECT counters FROM runs WHERE id = 2") == ['{"dropped":0,"seen":5}']


async def test_foreign_text_and_numbers_beyond_sqlite_are_stored_without_error(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    evil: list[str | bytes] = ["a\0b", "\ud800", b"\xff" * 32, b"MKR" + bytes(29), "", "\x1b[2J"]
    transaction = msgspec.structs.replace(seen(1).transaction, nonce=2**64 - 1, gas_limit=2**256 - 1, value_wei=2**256 - 1)
    records: list[Record] = [
        msgspec.structs.replace(seen(1), transaction=transaction),
        PredictionMissed(hash_of(1), 0, "pool \ud800 \0 \x1b]8;;x\x07"),
        *(TokenSeen(bytes([n]) * 20, symbol, n) for n, symbol in enumerate(evil)),
        TokenSeen(FOREIGN, "A" * 1_000_000, 255),
        TokenSeen(b"\x77" * 20, "B", 2**300),
        TokenSeen(b"\x78" * 20, "C", None),
    ]
    await store_records(path, records)
    assert rows(path, "SELECT nonce, gas_limit, value_wei FROM transactions") == [(2**63 - 1, 2**63 - 1, str(2**256 - 1))]
    assert rows(path, "SELECT length(symbol) = length(CAST(symbol AS BLOB)) FROM tokens WHERE symbol = 'MKR'") == [1]
    assert rows(path, "SELECT symbol FROM tokens LIMIT 6") == ["a�b", "�", "�" * 32, "MKR", "", "�[2J"]
    assert rows(path, "SELECT decimals FROM tokens WHERE symbol IN ('B', 'C') OR symbol LIKE 'AAA%'") == [None, None, None]


async def test_a_token_that_names_itself_after_a_listed_one_does_not_replace_it(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    usdc = LISTED[1]
    await store_records(
        path, [usdc, TokenSeen(usdc.address, "EVIL", 0), TokenSeen(FOREIGN, "USDC", 6), TokenSeen(FOREIGN, "USDC2", 6)]
    )
    assert rows(path, "SELECT symbol, decimals, listed FROM tokens") == [("USDC", 6, 1), ("USDC2", 6, 0)]


async def test_a_record_that_cannot_be_stored_does_not_take_its_batch_along(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), FAST)
    evil = msgspec.structs.replace(exposed(2, kind=OpportunityKind.BACKRUN), profit_eth="much")
    for record in (*swap_records([1, 2]), evil, *swap_records([3])):
        store.put(record)
    await store.flush()
    assert store.refused == 1
    await store.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT count(*) FROM opportunities") == [3]


async def test_more_than_the_queue_holds_is_dropped_counted_and_left_as_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), msgspec.structs.replace(FAST, queue_records=10))
    taken = [store.put(seen(number)) for number in range(1, 26)]
    assert (sum(taken), store.dropped, store.waiting) == (10, 15, 10)
    await store.flush()
    await store.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT count(*) FROM transactions") == [10]
    assert rows(path, "SELECT source, reason, from_ns, to_ns FROM gaps") == [
        ("store", "15 records dropped: more came than the disk could take", START_NS + 11 * 10**9, START_NS + 25 * 10**9)
    ]


async def test_a_locked_database_is_waited_for_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mempool.store.database.BUSY_SECONDS", 0.1)
    path = tmp_path / "mempool.sqlite"
    said: list[str] = []
    store = await Store.open(path, run_start(), FAST, said.append)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        for record in swap_records(range(1, 100)):
            store.put(record)
        await until(lambda: "is locked by another program" in store.trouble)
        with pytest.raises(StoreError, match="locked"):
            await store.flush()
        holder.execute("COMMIT")
    await store.close(RunEnd.CLEAN, START_NS)
    assert len(said) == 2
    assert rows(path, "SELECT count(*) FROM outcomes") == [99]


async def until(holds: Callable[[], bool]) -> None:
    """A test that waits in vain fails by `TimeoutError`."""
    async with asyncio.timeout(180):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@pytest.fixture
def page_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot grow beyond 110 pages, with SQLite's own error for a full disk."""
    connect = store_database._connect

    async def limited(path: Path) -> object:
        connection = await connect(path)
        await connection.execute_fetchall("PRAGMA max_page_count = 110")
        return connection

    monkeypatch.setattr(store_database, "_connect", limited)


async def test_a_full_disk_stops_writing_says_so_once_and_recovers(tmp_path: Path, page_limit: None) -> None:
    path = tmp_path / "mempool.sqlite"
    said: list[str] = []
    store = await Store.open(path, run_start(), FAST, said.append)
    for record in swap_records(range(1, 200)):
        assert store.put(record)
    await until(lambda: "disk is full" in store.trouble)
    await asyncio.sleep(10 * FAST.retry_seconds)
    assert "disk is full" in store.trouble
    assert len(said) == 1
    assert rows(path, "PRAGMA integrity_check") == ["ok"]
    await store._database._connection.execute_fetchall("PRAGMA max_page_count = 100000")
    await until(lambda: (store.trouble, store.waiting) == ("", 0))
    assert said[1:] == ["storing again"]
    await store.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT count(*) FROM outcomes") == [199]


async def test_a_full_disk_makes_room_by_deleting_what_is_older_than_keep(tmp_path: Path, page_limit: None) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), msgspec.structs.replace(FAST, keep_ns=20 * 10**9, batch_records=40))
    for number in range(1, 300):
        for record in swap_records([number]):
            assert store.put(record)
        await asyncio.sleep(0.003)
    await store.close(RunEnd.CLEAN, START_NS)
    assert store.dropped == 0
    assert rows(path, "SELECT max(nonce) FROM transactions") == [299]
    assert 20 <= rows(path, "SELECT count(*) FROM transactions")[0] < 299


async def test_closing_on_a_full_disk_says_how_much_is_lost_and_keeps_what_is_stored(tmp_path: Path, page_limit: None) -> None:
    path = tmp_path / "mempool.sqlite"
    options = StoreOptions(linger_seconds=0.005, batch_records=8, drain_seconds=0.5, reserve_bytes=0)
    store = await Store.open(path, run_start(), options)
    for record in swap_records(range(1, 400)):
        store.put(record)
    await until(lambda: "disk is full" in store.trouble)
    with pytest.raises(StoreError, match=r"records could not be written: .* the disk is full"):
        await store.close(RunEnd.SIGNAL, START_NS)
    assert rows(path, "PRAGMA integrity_check") == ["ok"]
    assert 0 < rows(path, "SELECT count(*) FROM transactions")[0] < 399


async def test_a_database_that_is_moved_away_is_not_written_until_it_is_back(tmp_path: Path) -> None:
    path, away = tmp_path / "mempool.sqlite", tmp_path / "away.sqlite"
    said: list[str] = []
    store = await Store.open(path, run_start(), FAST, said.append)
    path.rename(away)
    for record in swap_records(range(1, 20)):
        assert store.put(record)
    await until(lambda: "was removed or replaced" in store.trouble)
    away.rename(path)
    await until(lambda: (store.trouble, store.waiting) == ("", 0))
    assert len(said) == 2
    await store.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT count(*) FROM outcomes") == [19]


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_database_that_is_removed_while_it_is_written_is_told_and_fails_the_run(
    tmp_path: Path, *, replaced: bool
) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), msgspec.structs.replace(FAST, drain_seconds=0.5))
    for record in swap_records(range(1, 20)):
        store.put(record)
    await store.flush()
    path.unlink()
    if replaced:
        path.touch()
    store.put(seen(20))
    with pytest.raises(StoreError, match=r"1 records could not be written: .* was removed or replaced while"):
        await store.close(RunEnd.SIGNAL, START_NS)


async def test_keep_deletes_what_is_older_than_that_and_all_that_hangs_on_it(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, swap_records(range(1, 600)))
    store = await Store.open(path, run_start(), msgspec.structs.replace(FAST, keep_ns=100 * 10**9))
    for number in (700, 701):
        for record in swap_records([number]):
            store.put(record)
        await store.flush()
    await store.close(RunEnd.CLEAN, START_NS)
    assert rows(path, "SELECT min(first_seen_ns) FROM transactions") == [START_NS + 700 * 10**9]
    for table in ("intents", "predictions", "hops", "outcomes", "opportunities", "sightings"):
        assert rows(path, f"SELECT count(*) FROM {table}") == [2]


async def test_a_gap_in_what_was_heard_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, [Gap("node-a", START_NS, START_NS + 5, "connection lost", backfilled=12)])
    assert rows(path, "SELECT run_id, source, to_ns - from_ns, reason, backfilled FROM gaps") == [
        (1, "node-a", 5, "connection lost", 12)
    ]


async def test_everything_about_a_transaction_that_is_not_stored_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(
        path, [included(1), predicted(1), exposed(1, kind=OpportunityKind.BACKRUN), graded(1), SourceSeen(hash_of(1), "b", 1)]
    )
    assert rows(path, "SELECT (SELECT count(*) FROM transactions) + (SELECT count(*) FROM outcomes)") == [0]


async def test_an_idle_store_folds_its_wal_into_the_database(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), msgspec.structs.replace(FAST, idle_seconds=0.05))
    for record in swap_records(range(50)):
        store.put(record)
    await until(lambda: store.waiting == 0 and (tmp_path / "mempool.sqlite-wal").stat().st_size == 0)
    await store.close(RunEnd.CLEAN, START_NS)
    assert not (tmp_path / "mempool.sqlite-wal").exists()
