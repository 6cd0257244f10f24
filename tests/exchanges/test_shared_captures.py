"""On the venues' real frames every checksum, number and best quote agrees with the rebuilt book."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from mempool.books.order_book import OrderBook
from mempool.exchanges import EXCHANGES, Exchange
from mempool.exchanges.events import Fault
from mempool.exchanges.kraken import Checksum
from mempool.model.book import BookUpdate, Connection, Proof, Quote
from tests.exchanges.recorded import play, recorded_frames

pytestmark = pytest.mark.shared


@pytest.fixture
def captures(shared_data: Path) -> Path:
    return shared_data / "exchanges"


def test_all_checksums_of_kraken_hold(captures: Path) -> None:
    session, events = play(EXCHANGES["kraken"], recorded_frames(captures / "kraken_btcusd_depth25.txt.gz"))
    assert (session.counts.verified, session.counts.mismatches) == (2_052, 0)
    assert not [event for event in events if isinstance(event, Fault)]
    assert len(session.keepers["BTC/USD"].book.bids.levels) == 25


def test_book_of_kraken_that_is_not_truncated_fails_the_checksums(captures: Path) -> None:
    untruncated = msgspec.structs.replace(EXCHANGES["kraken"], snapshot_depth=None)
    frames = list(recorded_frames(captures / "kraken_btcusd_depth25.txt.gz"))
    session, _ = play(untruncated, frames)
    assert session.counts.mismatches == 1
    assert not session.state("BTC/USD").is_priced
    assert mismatches_without_resync(untruncated, frames) == 1_832


def mismatches_without_resync(exchange: Exchange, frames: list[tuple[int, bytes]]) -> int:
    """How many checksums fail if the book is kept whatever they say."""
    book = OrderBook()
    verify = Checksum(book)
    updates = [update for _, frame in frames for update in exchange.parse(frame) if isinstance(update, BookUpdate)]
    failed = 0
    for update in updates:
        if update.decimals is not None:
            book.update_floats(update.bids, update.asks, update.decimals)
        else:
            (book.load if update.is_snapshot else book.update)(update.bids, update.asks)
        failed += not verify(update)
    return failed


def test_book_of_binance_has_the_best_quotes_that_the_venue_sent(captures: Path) -> None:
    session, events = play(EXCHANGES["binance"], recorded_frames(captures / "binance_btcusdt_20240808.txt.gz"))
    counts = session.counts
    assert counts.comparisons >= 3_448
    assert counts.matches >= 3_446
    assert (counts.gaps, counts.malformed, counts.duplicates, counts.crossings) == (0, 0, 0, 0)
    assert not [event for event in events if isinstance(event, Fault)]
    assert session.clock.offset_ns is not None
    assert -1_300_000_000 < session.clock.offset_ns < -1_200_000_000


def test_snapshot_of_coinbase_has_its_asks_and_no_gap_at_the_subscriptions_frame(captures: Path) -> None:
    frames = list(recorded_frames(captures / "coinbase_btcusd.jsonl"))
    session, _ = play(EXCHANGES["coinbase"], frames[:1])
    assert len(session.keepers["BTC-USD"].book.asks.levels) == 15
    session, events = play(EXCHANGES["coinbase"], frames)
    assert (session.counts.frames, session.counts.gaps, session.counts.malformed) == (12, 0, 0)
    last = [event for event in events if isinstance(event, Quote)][-1]
    assert (last.bid, last.ask) == (Decimal("78856.05"), Decimal("78856.06"))


def test_coinbase_without_its_subscriptions_frame_has_a_gap(captures: Path) -> None:
    frames = [each for each in recorded_frames(captures / "coinbase_btcusd.jsonl") if b'"subscriptions"' not in each[1][:40]]
    session, _ = play(EXCHANGES["coinbase"], frames)
    assert session.counts.gaps == 1
    assert session.quote("BTC-USD") is None


def test_chain_of_bybit_holds(captures: Path) -> None:
    session, _ = play(EXCHANGES["bybit"], recorded_frames(captures / "bybit_btcusdt.jsonl"))
    assert (session.counts.gaps, session.counts.verified) == (0, 9)
    assert session.quote("BTCUSDT") is not None


def test_updates_of_okx_without_a_snapshot_never_sync(captures: Path) -> None:
    session, _ = play(EXCHANGES["okx"], recorded_frames(captures / "okx_btcusdt_updates.jsonl"))
    state = session.state("BTC-USDT")
    assert not session.keepers["BTC-USDT"].has_synced
    assert (state.connection, state.proof) != (Connection.LIVE, Proof.VERIFIED)
    assert state.reason == "no snapshot has come"
