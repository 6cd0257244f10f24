"""What order books give is stored as it was: quotes, gaps, findings and near misses, and what becomes of them later."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mempool.model.arbitrage import Rejection
from mempool.model.consolidated import Market
from mempool.model.record import BestSampled, BookGap, QuoteSampled, Record, Reorged, RunEnd
from mempool.store.columns import quotient
from mempool.store.writer import Store
from tests.store.book_examples import (
    BOOKS_FIRST,
    CROSS,
    KRAKEN,
    MS,
    POOL_FIRST,
    ROUND,
    best_of,
    book_records,
    ended,
    found,
    gap,
    near_miss,
    opened_by,
    quoted,
)
from tests.store.examples import (
    FAST,
    LISTED,
    PAIR,
    SECOND_NS,
    START_NS,
    USDC,
    WETH,
    block,
    hash_of,
    predicted,
    rows,
    run_start,
    seen,
    store_records,
    swap_records,
)
from tests.store.test_writer import dump


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mempool.sqlite"


async def test_a_quote_is_stored_as_the_venue_wrote_it(path: Path) -> None:
    without_event = QuoteSampled(replace(quoted(2).quote, event_ns=0))
    await store_records(path, [quoted(1), without_event])
    assert rows(path, "SELECT run_id, venue, symbol, pair, proof, recv FROM quotes LIMIT 1") == [
        (1, "kraken", "ETH/USD", "ETH/USD", "verified", "2023-11-14T22:13:21.000Z")
    ]
    assert rows(path, "SELECT bid, bid_size, ask, ask_size FROM quotes LIMIT 1") == [
        ("2510.25", "0.15000000", "2510.26", "0.40000001")
    ]
    assert rows(path, "SELECT bid_approx, bid_size_approx, ask_approx, ask_size_approx FROM quotes LIMIT 1") == [
        (2510.25, 0.15, 2510.26, 0.40000001)
    ]
    assert rows(path, "SELECT recv_ns - event_ns FROM quotes") == [30 * MS, None]


async def test_the_best_over_the_venues_says_whose_it_is_and_who_is_left_out(path: Path) -> None:
    empty = replace(best_of(2).best, bid=None, ask=None, parts=(), market=Market.EMPTY)
    await store_records(path, [best_of(1), BestSampled(empty)])
    columns = "pair, bid, bid_size, bid_venues, ask, ask_size, ask_venues, market, oldest_age_ns, after_fees"
    assert rows(path, f"SELECT {columns} FROM best_quotes") == [
        ("ETH/USD", "2510.25", "0.30000000", "kraken, coinbase", "2510.26", "0.40000001", "kraken", "open", SECOND_NS, 0),
        ("ETH/USD", None, None, "", None, None, "", "empty", 0, 0),
    ]
    (left_out, _) = rows(path, "SELECT left_out FROM best_quotes")
    assert json.loads(left_out) == [{"venue": "binance", "symbol": "ETHUSDC", "reason": "connection refused"}]


async def test_a_finding_between_books_is_stored_with_its_trades(path: Path) -> None:
    await store_records(path, [found(7)])
    columns = "run_id, number, prediction_id, kind, status, rejection, note, money, gross_profit, net_profit, may_be_more"
    assert rows(path, f"SELECT {columns} FROM arbitrages") == [
        (1, 7, None, "cross_exchange", "open", "", "", "USD", "5.5", "3.21", 0)
    ]
    columns = "route, net_profit_approx, profit_usd, oldest_age_ns, lived_ns, found"
    assert rows(path, f"SELECT {columns} FROM arbitrages") == [
        ("buy ETH/USD coinbase > sell ETH/USD kraken", 3.21, 3.21, 200 * MS, 420 * MS, "2023-11-14T22:13:27.000Z")
    ]
    assert rows(path, "SELECT ended, pool, gas_units, block_number FROM arbitrages") == [(None, None, None, None)]
    (legs,) = rows(path, "SELECT legs FROM arbitrages")
    assert json.loads(legs)[1] == {
        "venue": "kraken",
        "symbol": "ETH/USD",
        "trade": "sell",
        "asset_in": "ETH",
        "asset_out": "USD",
        "amount_in": "0.52",
        "amount_out": "1303.21",
        "worst_price": "2510.25",
        "age_ms": 80.0,
    }


async def test_a_finding_between_a_pool_and_books_hangs_on_its_swap(path: Path) -> None:
    await store_records(path, [*LISTED, *swap_records([1, 2]), opened_by(1, 1), opened_by(2, 2, BOOKS_FIRST)])
    columns = "hash, kind, arbitrage, status, pool, protocol, block_number, block_hash, gas_units, gas_price_wei"
    pool = f"0x{PAIR.hex()}"
    assert rows(path, f"SELECT {columns} FROM book_findings") == [
        (hash_of(number), "cex_dex", "cex_dex", "open", pool, "uniswap_v2", 100, block(100).hash, 180_000, "31000000000")
        for number in (1, 2)
    ]
    exact = "net_profit_exact, standing_profit_exact, gas_cost_exact, standing_profit, gas_cost"
    assert rows(path, f"SELECT {exact} FROM book_findings LIMIT 1") == [
        ("12.3", "0.333333333333333333", "2.000000000000000001", 1 / 3, 2.0)
    ]
    assert rows(path, "SELECT route FROM arbitrages") == [
        "buy in 0x4444…4444 > sell ETH/USD kraken > sell ETH/USD coinbase > buy USDC/USD kraken",
        "sell USDC/USD kraken > buy ETH/USD kraken > sell in 0x4444…4444",
    ]
    pool_legs = [json.loads(legs)[-position] for position, legs in enumerate(rows(path, "SELECT legs FROM arbitrages"))]
    assert pool_legs == [
        {
            "pool": pool,
            "token_in": f"0x{token_in.hex()}",
            "token_out": f"0x{token_out.hex()}",
            "amount_in": amount_in,
            "amount_out": amount_out,
        }
        for token_in, token_out, amount_in, amount_out in (
            (USDC, WETH, "3800000000", "1520000000000000000"),
            (WETH, USDC, "1520000000000000000", "3814300000"),
        )
    ]
    assert rows(path, "PRAGMA foreign_key_check") == []


async def test_what_gas_costs_may_not_be_known(path: Path) -> None:
    unpriced = replace(POOL_FIRST, net_profit=None, gas_cost=None)
    await store_records(path, [*swap_records([1]), opened_by(1, 1, unpriced)])
    assert rows(path, "SELECT net_profit, net_profit_approx, gas_cost FROM arbitrages") == [(None, None, None)]


async def test_what_a_swap_opens_that_is_not_stored_is_passed_over(path: Path) -> None:
    await store_records(path, [opened_by(1, 1), seen(2), opened_by(2, 2), found(3)])
    assert rows(path, "SELECT number FROM arbitrages") == [3]


async def test_a_near_miss_carries_its_reason(path: Path) -> None:
    await store_records(path, [found(1, near_miss()), found(2, near_miss(ROUND, Rejection.STALE))])
    assert rows(path, "SELECT kind, arbitrage, rejection, note, net_profit FROM book_findings") == [
        ("near_miss", kind, word, "the fees are more than the 5.5 USD between the prices", -0.125)
        for kind, word in (("cross_exchange", "fees"), ("triangular", "stale"))
    ]


async def test_a_finding_that_is_seen_again_takes_the_place_of_its_row_and_keeps_when_it_was_found(path: Path) -> None:
    better = replace(CROSS, net_profit=Fraction(9), lived_ns=800 * MS)
    await store_records(path, [found(1, near_miss()), found(2), found(1, better, after_ns=380 * MS)])
    await store_records(path, [found(1, near_miss())])
    columns = "run_id, number, rejection, note, net_profit, lived_ns, as_of_ns - found_ns"
    assert rows(path, f"SELECT {columns} FROM arbitrages WHERE number = 1") == [
        (1, 1, "", "", "9", 800 * MS, 380 * MS),
        (2, 1, "fees", "the fees are more than the 5.5 USD between the prices", "-0.125", 420 * MS, 0),
    ]


async def test_a_gap_between_books_that_closes_is_marked_with_how_long_it_lived(path: Path) -> None:
    await store_records(path, [found(1), found(2), ended(1), ended(9)])
    assert rows(path, "SELECT number, status, lived_ns, ended FROM arbitrages") == [
        (1, "ended", 900 * MS, "2023-11-14T22:13:21.900Z"),
        (2, "open", 420 * MS, None),
    ]


async def test_an_end_concerns_its_own_run_alone(path: Path) -> None:
    await store_records(path, [found(1)])
    await store_records(path, [found(1), ended(1)])
    assert rows(path, "SELECT run_id, status FROM arbitrages") == [(1, "open"), (2, "ended")]


async def test_a_block_that_leaves_the_chain_marks_what_was_found_on_it(path: Path) -> None:
    records = [*swap_records([1]), opened_by(1, 1), found(2), Reorged(block(100).hash), ended(1), ended(2)]
    await store_records(path, records)
    assert rows(path, "SELECT number, status FROM arbitrages") == [(1, "reorged"), (2, "ended")]
    await store_records(path, [predicted(1, on=block(100, "c")), opened_by(1, 1)])
    assert rows(path, "SELECT status, block_hash FROM book_findings WHERE kind = 'cex_dex'") == [
        ("reorged", block(100).hash),
        ("open", block(100, "c").hash),
    ]


async def test_a_gap_is_one_row_whose_end_is_told_later(path: Path) -> None:
    lost = BookGap(4, "okx", "", "down", "connection \x1b[31m lost", START_NS, None)
    await store_records(path, [gap(1, None), gap(2, 0), gap(3, None), lost, gap(1, 350 * MS)])
    assert rows(path, "SELECT number, venue, symbol, kind, reason, to_ns - from_ns, began FROM book_gaps") == [
        (1, "kraken", "ETH/USD", "mismatch", "checksum 1, computed 2", 350 * MS, "2023-11-14T22:13:21.000Z"),
        (2, "kraken", "ETH/USD", "mismatch", "checksum 1, computed 2", 0, "2023-11-14T22:13:22.000Z"),
        (3, "kraken", "ETH/USD", "mismatch", "checksum 1, computed 2", None, "2023-11-14T22:13:23.000Z"),
        (4, "okx", "", "down", "connection �[31m lost", None, "2023-11-14T22:13:20.000Z"),
    ]


async def test_what_was_heard_of_books_counts_for_how_far_a_run_heard(path: Path) -> None:
    records: list[Record] = [quoted(9), best_of(9), found(9), gap(9, 0), ended(9, 0)]
    for run, record in enumerate(records, start=1):
        await store_records(path, [record])
        assert rows(path, f"SELECT heard_until_ns - {START_NS} FROM runs WHERE id = {run}") == [9 * SECOND_NS]


@pytest.mark.parametrize("batch_records", [1, 3, 7])
async def test_rows_do_not_depend_on_where_batches_are_cut(tmp_path: Path, batch_records: int) -> None:
    records: list[Record] = [
        *(ended(99), *swap_records([1]), opened_by(1, 1), *swap_records([2]), found(3), *book_records()),
        *(ended(1), opened_by(2, 10), found(11), ended(10), found(11, near_miss()), ended(11), Reorged(block(100).hash)),
        *(predicted(2, on=block(101, "c")), opened_by(2, 12), ended(12), gap(7, None), found(13), gap(7, 5), *swap_records([3])),
    ]
    for name, size in (("one", 1_000), ("other", batch_records)):
        await store_records(tmp_path / name, records, replace(FAST, batch_records=size))
    assert dump(tmp_path / "one") == dump(tmp_path / "other")
    assert rows(tmp_path / "one", "SELECT number FROM arbitrages ORDER BY id") == [1, 3, 2, 4, 10, 11, 12, 13]
    assert rows(tmp_path / "one", "SELECT number FROM arbitrages WHERE status = 'open' ORDER BY id") == [3, 4, 13]


async def test_keep_deletes_old_rows_of_every_table(path: Path) -> None:
    old: list[Record] = [*swap_records([1]), opened_by(1, 1), *book_records(), gap(8, None)]
    store = await Store.open(path, run_start(), replace(FAST, keep_ns=100 * SECOND_NS))
    for record in (*old, quoted(200), best_of(200), found(200), gap(200, 0)):
        store.put(record)
    await store.flush()
    await store.close(RunEnd.CLEAN, START_NS)
    for table in ("quotes", "best_quotes", "arbitrages"):
        assert rows(path, f"SELECT count(*) FROM {table}") == [1]
    assert rows(path, "SELECT count(*) FROM transactions") == [0]
    assert rows(path, "SELECT number FROM book_gaps") == [8, 200], "a gap that lasts is not old"


async def test_a_venues_words_are_stored_as_text_that_can_be_printed(path: Path) -> None:
    evil = "\x1b]8;;x\x07 \u202e \ud800 \0 " + "a" * 1_000
    instrument = replace(KRAKEN, symbol=evil, base=evil)
    best = replace(best_of(1).best, left_out=tuple(replace(each, reason=evil) for each in best_of(1).best.left_out))
    cycle = replace(near_miss(), note=evil, trades=tuple(replace(each, instrument=instrument) for each in CROSS.trades))
    await store_records(path, [quoted(1, instrument), BestSampled(best), found(1, cycle), gap(1, None, instrument, evil)])
    for table in ("quotes", "best_quotes", "arbitrages", "book_gaps"):
        (row,) = rows(path, f"SELECT * FROM {table}")
        texts = [value for value in row if isinstance(value, str)]
        assert all(text.isprintable() and len(text) < 2_000 for text in texts)
        assert any("�" in text for text in texts)


@given(st.integers(-(10**40), 10**40), st.integers(0, 45), st.integers(0, 45))
def test_a_number_that_ends_within_36_decimals_is_exact_else_rounded_down(numerator: int, twos: int, fives: int) -> None:
    value = Fraction(numerator, 2**twos * 5**fives)
    text, approx = quotient(value)
    assert text is not None
    assert approx == float(value)
    if (value * 10**36).denominator == 1:
        assert Fraction(text) == value
    else:
        assert 0 <= value - Fraction(text) < Fraction(1, 10**18)


@given(st.fractions())
def test_a_number_that_does_not_end_is_rounded_down(value: Fraction) -> None:
    text, _ = quotient(value)
    assert text is not None
    assert 0 <= value - Fraction(text) < Fraction(1, 10**18)
