"""Scans of simulated exchanges and of what was recorded of them: the same findings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from mempool.engine.books_live import BooksOptions
from mempool.engine.desk import DeskOptions
from mempool.engine.scan import Finding, live_scan, scan_capture
from mempool.errors import CaptureError
from mempool.feeds.capture import CaptureWriter
from mempool.model.arbitrage import ArbitrageKind
from mempool.model.record import ArbitrageEnded, ArbitrageFound
from scripts._exchanges.listings import LISTINGS
from scripts._exchanges.server import exchange_server

FREE = {"kraken": 0, "bybit": 0}
SECONDS = 120.0
"""Far more than it takes; a test that reaches it has failed."""


async def test_scan_tells_of_gaps_and_their_ends_and_the_capture_of_the_same_ones(tmp_path: Path) -> None:
    path = tmp_path / "books.capture.gz"
    told: list[Finding] = []
    apart = {
        venue: [replace(each, offset_bps=offset if each.base == "ETH" else 0.0, sway_bps=0.0) for each in LISTINGS[venue]]
        for venue, offset in (("kraken", 0.0), ("bybit", 30.0))
    }
    async with exchange_server(*FREE, seed=5, listings=apart) as server:
        options = BooksOptions(venues=tuple(FREE), server=f"ws://127.0.0.1:{server.port}", record=path)
        books, scan = live_scan(options, DeskOptions(FREE), told.append)
        task = asyncio.create_task(books.run())
        async with asyncio.timeout(SECONDS):
            while scan.counters.arbitrages < 1:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.05)
        books.freeze()
        before_the_end = list(told)
        scan.desk.end(scan.desk.now_ns)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    found = [each for each in told if isinstance(each, ArbitrageFound) and each.arbitrage.rejection is None]
    assert {each.arbitrage.kind for each in found} == {ArbitrageKind.CROSS_EXCHANGE}
    assert {each.number for each in found} <= {each.number for each in told if isinstance(each, ArbitrageEnded)}
    again: list[Finding] = []
    scan_capture(path, FREE, DeskOptions({}), again.append)
    assert again[: len(before_the_end)] == before_the_end


def test_own_fee_takes_the_place_of_the_recorded_one(tmp_path: Path) -> None:
    path = tmp_path / "books.capture"
    about = {"exchanges": "kraken bybit", "pairs": "ETH/USD", "taker_fee_pips": "kraken=4000", "kraken": "ETH/USD"}
    CaptureWriter(str(path), chain_id=0, started_ns=1, about=about).close()
    scan = scan_capture(path, {"kraken": 1, "bybit": 2}, DeskOptions({"bybit": 7}), lambda _: None)
    assert scan.desk.terms.fees == {"kraken": 4000, "bybit": 7}


def test_capture_without_books_is_refused_with_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "node.capture"
    CaptureWriter(str(path), chain_id=1, started_ns=1, about={"sources": "node-1"}).close()
    with pytest.raises(CaptureError, match="holds no order books: record with `books --record` or `run --exchange`"):
        scan_capture(path, FREE, DeskOptions({}), lambda _: None)
