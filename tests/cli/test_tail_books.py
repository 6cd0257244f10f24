"""`mempool tail` about order books: findings, near misses, and every time without a price, without a flood of lines."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from mempool.cli.tail_lines import Lines
from mempool.model.arbitrage import Rejection
from mempool.model.consolidated import Trade
from mempool.model.record import LabelSeen, Record, Reorged, RunEnd
from mempool.store.events import KINDS, EventFilter, EventReader
from mempool.store.writer import Store
from tests.cli.test_tail import shown
from tests.store.book_examples import (
    BINANCE,
    BOOKS_FIRST,
    CIRCLE,
    COINBASE,
    CROSS,
    MS,
    POOL_FIRST,
    ROUND,
    best_of,
    ended,
    found,
    gap,
    near_miss,
    opened_by,
    quoted,
    trade,
)
from tests.store.examples import (
    FAST,
    LISTED,
    PAIR,
    SECOND_NS,
    START_NS,
    block,
    database,
    hash_of,
    run_start,
    store_records,
    swap_records,
)

LABEL = LabelSeen("protocol", "uniswap_v2", "Uniswap V2")
RATED = replace(CROSS, trades=(*CROSS.trades, trade(CIRCLE, Trade.BUY, "1303.21", "1303", "1.0001")), money="USDC")

IN_POOL_FIRST = "buy 1.52 WETH in Uniswap V2 0x4444…4444, sell on kraken+coinbase through USDC/USD kraken"
IN_POOL_LAST = "buy on kraken through USDC/USD kraken, sell 1.52 WETH in Uniswap V2 0x4444…4444"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    records: list[Record] = [
        *(LABEL, *swap_records([1]), opened_by(1, 1), found(2), found(3, near_miss()), found(4, ROUND), ended(2)),
        *(opened_by(1, 5, replace(BOOKS_FIRST, rejection=Rejection.GAS, note="gas costs more")), quoted(6), best_of(6)),
    ]
    return database(tmp_path / "mempool.sqlite", records)


def test_findings_between_books_and_pools_read_as_people_write_them(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, path, "--kind", "cross_exchange,triangular,cex_dex")
    assert lines == [
        f"cex-dex  {IN_POOL_FIRST}: 12.3 USDC after fees and gas  $12.29  quotes 200 ms old  0x0000…0001",
        "cross exchange  0.52 ETH: buy coinbase, sell kraken: 3.21 USD after fees  lived 900 ms  quotes 200 ms old",
        (
            "triangular  kraken: 1,000 USD > 0.025 BTC > 0.4 ETH > 1,001 USD: at least 1 USD after fees"
            "  lived 0 ms  quotes 200 ms old"
        ),
    ]


def test_near_misses_are_shown_where_they_are_asked_for_with_their_reason(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, path, "--kind", "near_miss") == [
        f"near miss  cex-dex  {IN_POOL_LAST}: gas: gas costs more  0x0000…0001",
        f"near miss  cross exchange  0.52 ETH: buy coinbase, sell kraken: fees: {near_miss().note}",
    ]
    kinds = [json.loads(line)["kind"] for line in shown(capsys, path, "--json")]
    assert kinds == ["swap", "cex_dex", "outcome", "cross_exchange", "triangular"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (opened_by(1, 1, replace(POOL_FIRST, net_profit=None, gas_cost=None)), "kraken: 15.5 USDC before fees and gas  quotes"),
        (found(1, RATED), "sell kraken through USDC/USD kraken: 3.21 USDC after fees  $3.21  lived 420 ms  quotes 200 ms old"),
        (
            found(1, replace(CROSS, net_profit=Fraction(1, 300), may_be_more=True)),
            "kraken: at least 0.003333 USD after fees  lived",
        ),
    ],
)
def test_what_is_not_known_and_what_may_be_more_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: Record, words: str
) -> None:
    path = database(tmp_path / "mempool.sqlite", [*swap_records([1]), record])
    (line,) = shown(capsys, path, "--kind", "cex_dex,cross_exchange")
    assert words in line


def test_a_finding_on_a_block_that_left_the_chain_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [*swap_records([1]), opened_by(1, 1), Reorged(block(100).hash)]
    (line,) = shown(capsys, database(tmp_path / "mempool.sqlite", records), "--kind", "cex_dex")
    assert line.endswith("quotes 200 ms old  reorged  0x0000…0001")


def test_json_has_exact_amounts_and_every_trade(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (each,) = (json.loads(line) for line in shown(capsys, path, "--json", "--kind", "cex_dex"))
    assert (each["schema"], each["kind"], each["hash"], each["status"]) == ("mempool.tail/1", "cex_dex", hash_of(1), "open")
    assert (each["gross_profit"], each["net_profit"], each["gas_cost"]) == ("15.5", "12.3", "2.000000000000000001")
    assert (each["pool"], each["protocol"], each["lived_ms"], each["oldest_age_ms"]) == (f"0x{PAIR.hex()}", "uniswap_v2", 0, 200)
    assert [leg.get("venue", "pool") for leg in each["legs"]] == ["pool", "kraken", "coinbase", "kraken"]


def test_what_another_program_wrote_into_the_database_is_printed_as_text(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]8;;x\x07\u202e[red]"
    with closing(sqlite3.connect(path)) as connection, connection:
        legs = json.dumps([{"venue": evil, "symbol": evil, "trade": "buy", "asset_in": evil, "asset_out": evil}])
        connection.execute(
            "UPDATE arbitrages SET route = ?, kind = 'other', note = ?, rejection = ?, legs = ?", (evil, evil, evil, legs)
        )
    (row, *_) = shown(capsys, path, "--kind", "near_miss", "--json")
    assert json.loads(row)["legs"][0]["venue"] == "�]8;;x��[red]"
    assert all(line.isprintable() and "[red]" in line for line in shown(capsys, path, "--kind", "near_miss"))


@pytest.mark.parametrize(
    ("arguments", "kinds"),
    [
        (("--where", "money = 'USD'"), ["cross_exchange", "triangular"]),
        (("--where", "route LIKE '%coinbase%' AND net_profit > 3"), ["cex_dex", "cross_exchange"]),
        (("--where", "arbitrage = 'cex_dex' AND rejection = 'gas'", "--kind", "all"), ["near_miss"]),
        (("--where", "lived_ms > 500 AND oldest_age_ms < 1000"), ["cross_exchange"]),
        (("--where", f"pool = '0x{PAIR.hex()}' AND standing_profit < 0.34", "--kind", "cex_dex"), ["cex_dex"]),
        (("--min-profit", "0.001"), ["swap", "cex_dex", "cross_exchange"]),
        (("--where", f"hash = '{hash_of(1)}'"), ["swap", "cex_dex", "outcome"]),
        (("-n", "1"), ["triangular"]),
    ],
)
def test_filters(path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], kinds: list[str]) -> None:
    assert [json.loads(line)["kind"] for line in shown(capsys, path, "--json", *arguments)] == kinds


def test_a_time_without_a_price_is_printed_whatever_is_filtered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost: list[Record] = [gap(2, 350 * MS), gap(3, 0), gap(4, None, COINBASE, "connection lost"), gap(60, None, BINANCE)]
    path = database(tmp_path / "mempool.sqlite", [*swap_records([1]), *lost, *swap_records([65])])
    first, short, lasting, last = shown(capsys, path, "--kind", "swap")
    assert (first.split()[0], last.split()[0]) == ("12.4", "12.4")
    assert short.startswith("--- no price for 350 ms (")
    assert short.endswith("): kraken ETH/USD: checksum 1, computed 2 ---")
    assert lasting.startswith("--- no price since ")
    assert lasting.endswith(": coinbase ETH-USD: connection lost ---"), "older than ten seconds, unlike Binance's"


def test_a_book_that_comes_and_goes_does_not_bury_what_else_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [gap(number, 100 * MS, (BINANCE, COINBASE)[number % 2]) for number in range(2, 1_000)]
    path = database(tmp_path / "mempool.sqlite", [*swap_records([1]), *lost, *swap_records([1_000])])
    lines = shown(capsys, path, "--kind", "swap")
    assert [line.split()[0] for line in lines] == ["12.4", *["---"] * 21, "12.4"]
    assert lines[1].startswith("--- no price 978 times from ")
    assert lines[1].endswith(": 2 books: the table book_gaps has them ---")
    objects = [json.loads(line) for line in shown(capsys, path, "--kind", "swap", "--json")]
    assert [each.get("times", 1) for each in objects] == [1, 978, *[1] * 21]


def test_nothing_of_the_past_is_printed_where_no_lines_of_it_are_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database(tmp_path / "mempool.sqlite", [gap(2, 350 * MS), gap(3, None), *swap_records([65])])
    assert shown(capsys, path, "-n", "0") == []


def lines_of(reader: EventReader) -> list[str]:
    return [Lines(reader).line(row).plain.partition(" (")[0] for row in reader.newer()]


async def test_followed_gaps_are_told_when_they_have_lasted_and_when_they_end(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    await store_records(path, [gap(1, None)])
    store = await Store.open(path, run_start(), FAST)
    reader = EventReader(path, EventFilter(("swap",)))
    reader.latest(None)
    told = []
    for record in (gap(1, None), quoted(5), quoted(12), quoted(13), gap(14, None, COINBASE), gap(1, 15 * SECOND_NS)):
        store.put(record)
        await store.flush()
        told.append([line.partition(" since")[0] for line in lines_of(reader)])
    assert told == [[], [], ["--- no price"], [], [], ["--- no price for 15.0 s"]]
    store.put(gap(14, 20 * MS, COINBASE))
    store.put(gap(20, 30 * MS, COINBASE))
    store.put(gap(21, 0, COINBASE))
    await store.flush()
    assert lines_of(reader) == ["--- no price for 20 ms", "--- no price for 30 ms"]
    assert reader.newer() == []
    reader.close()
    await store.close(RunEnd.CLEAN, START_NS)


async def test_followed_finding_is_shown_once_however_often_it_is_seen_again(tmp_path: Path) -> None:
    path = tmp_path / "mempool.sqlite"
    store = await Store.open(path, run_start(), FAST)
    reader = EventReader(path, EventFilter(KINDS))
    seen: list[int] = []
    for record in (found(1), found(2), found(1, after_ns=MS), ended(1), found(3, near_miss()), ended(2)):
        store.put(record)
        await store.flush()
        seen += [row["id"] for row in reader.newer()]
    assert seen == [1, 2, 3]
    reader.close()
    await store.close(RunEnd.CLEAN, START_NS)


def test_a_gap_that_lasts_is_shown_however_old_it_is_unless_its_run_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database(tmp_path / "mempool.sqlite", [gap(1, None), quoted(60)])
    asyncio.run(store_records(path, [*LISTED, gap(80, None, COINBASE), quoted(99)], run=run_start(START_NS + 3_700 * SECOND_NS)))
    lasting, restart = shown(capsys, path, "--since", "2023-11-14T22:14:50+00:00")
    assert "coinbase ETH-USD" in lasting
    assert "the run before ended" in restart
