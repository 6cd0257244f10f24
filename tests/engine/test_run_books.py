"""A run that follows order books alone: its rows, what it says of its exchanges, and the same rows from its capture."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mempool.engine.books_capture import books_of
from mempool.engine.books_live import BooksOptions
from mempool.engine.desk import DeskOptions
from mempool.engine.replay import replay_capture
from mempool.engine.run import LiveRun, RunOptions, Status
from mempool.errors import StoreError, UsageError
from mempool.resources import load_tables
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.server import ExchangeServer, exchange_server

FEES = {"kraken": 400, "coinbase": 300, "bybit": 100}
ENDED = "to_ns > from_ns"
TABLES = ("quotes", "best_quotes", "book_gaps", "arbitrages")
FULL = Path("/dev/full")
SECONDS = 300.0
"""Far more than anything here takes; a test that reaches it has failed."""


class Run:
    """A live run of three simulated exchanges, with its last status and all that it said."""

    def __init__(self, server: ExchangeServer, folder: Path, record: Path | None = None) -> None:
        self.db, self.capture = folder / "run.sqlite", record or folder / "run.capture.gz"
        self.said: list[str] = []
        self.status: Status | None = None
        books = BooksOptions(venues=tuple(FEES), server=f"ws://127.0.0.1:{server.port}", fees=FEES, with_all_legs=True)
        options = RunOptions(
            endpoints=(), tables=load_tables(), database=self.db, record=self.capture, books=books, desk=DeskOptions(FEES)
        )
        self.live = LiveRun(options, self.show, self.said.append)

    def show(self, status: Status) -> None:
        self.status = status

    def counted(self, table: str, condition: str = "1") -> int:
        return len(rows(self.db, table, condition)) if self.db.exists() else 0

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.05)

    @property
    def all_priced(self) -> bool:
        return self.status is not None and self.status.books is not None and self.status.books[0] == self.status.books[1]


def rows(db: Path, table: str, condition: str = "1") -> list[dict[str, Any]]:
    with closing(sqlite3.connect(db)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table} WHERE {condition} ORDER BY id")]
        except sqlite3.OperationalError:
            return []  # not created yet


async def test_books_of_a_run_are_sampled_their_gaps_stored_and_its_capture_gives_the_same_rows(tmp_path: Path) -> None:
    async with exchange_server(*FEES, seed=3) as server:
        run = Run(server, tmp_path)
        task = asyncio.create_task(run.live.run())
        await run.until(lambda: run.all_priced)
        server.cut("bybit")
        async with asyncio.timeout(SECONDS):
            while not run.counted("book_gaps", f"{ENDED} AND venue = 'kraken' AND symbol = 'ETH/USD' AND kind = 'mismatch'"):
                # One lost frame may have changed only levels that no checksum is made of.
                server.injectors["kraken"].add(Fault(FaultKind.DROP, symbol="ETH/USD"))
                await asyncio.sleep(1.0)
        await run.until(lambda: run.counted("book_gaps", f"{ENDED} AND venue = 'bybit' AND kind = 'down'") > 0)
        await run.until(lambda: run.counted("arbitrages") > 2 and run.counted("quotes") > 20)
        run.live.stop.set()
        tally = await task
    assert run.said[0].startswith("listening to kraken, coinbase, bybit; rows go to ")
    kinds = {(row["venue"], row["symbol"], row["kind"]) for row in rows(run.db, "book_gaps", ENDED)}
    assert kinds >= {("kraken", "ETH/USD", "mismatch"), ("bybit", "ETHUSDT", "down")}
    assert tally.counters.book_gaps == run.counted("book_gaps", "to_ns IS NULL OR to_ns > from_ns")
    replayed = tmp_path / "replayed.sqlite"
    again = await asyncio.to_thread(replay_capture, run.capture, replayed)
    assert again.tally.counters == tally.counters
    for table in TABLES:
        assert rows(replayed, table) == rows(run.db, table), table
        assert rows(replayed, table)


async def test_exchange_that_cannot_be_reached_is_told_of_once_and_ends_nothing(tmp_path: Path) -> None:
    async with exchange_server("kraken", seed=3) as server:
        run = Run(server, tmp_path)  # the server has none of the others
        task = asyncio.create_task(run.live.run())
        await run.until(lambda: run.counted("quotes") > 2 and len(run.said) >= 3)
        await asyncio.sleep(1.2)
        run.live.stop.set()
        await task
    told = [line for line in run.said if "trying again" in line]
    assert sorted(line.split(":")[0] for line in told) == ["bybit", "coinbase"]


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
async def test_capture_that_finds_the_disk_full_is_told_of_while_the_run_goes_on_and_fails_its_end(tmp_path: Path) -> None:
    async with exchange_server("kraken", seed=3) as server:
        run = Run(server, tmp_path, FULL)
        task = asyncio.create_task(run.live.run())
        await run.until(lambda: run.counted("quotes") > 2 and any("cannot be written on" in line for line in run.said))
        run.live.stop.set()
        with pytest.raises(StoreError, match="/dev/full is not complete"):
            await task
    assert "/dev/full cannot be written on: No space left on device; the run goes on without it" in run.said


@pytest.mark.parametrize(
    ("books", "words"),
    [
        (BooksOptions(venues=("mtgox",)), "known are"),
        (BooksOptions(pairs=("nothing",)), "is not a symbol"),
        (BooksOptions(server="kraken.com"), "'kraken.com' is no address"),
    ],
)
def test_wrong_books_are_refused_before_anything_is_opened(books: BooksOptions, words: str, tmp_path: Path) -> None:
    options = RunOptions(endpoints=(), tables=load_tables(), database=tmp_path / "x.sqlite", books=books)
    with pytest.raises(UsageError, match=words):
        LiveRun(options, lambda _: None, lambda _: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "about",
    [{}, {"exchanges": "mtgox", "pairs": "ETH/USD"}, {"exchanges": "kraken", "pairs": "ETH/USD", "taker_fee_pips": "a=b"}],
)
def test_header_without_books_that_are_known_gives_none(about: dict[str, str]) -> None:
    assert books_of(about) is None
