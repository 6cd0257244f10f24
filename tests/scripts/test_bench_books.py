"""The benchmark of order books drives handlers through recordings and prints what they took; no peer is installed for it."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from scripts._bench.books import LOCKS, measure, recorded
from scripts._bench.books_frames import Recording, binance_diffs, kraken
from scripts._bench.books_worker import Frame, Mempool, in_v1, quotes, times
from scripts._bench.environment import HERE
from scripts._bench.figures import OURS, Options, Section, Tail, as_json, show
from tests.exchanges.dialects import Binance, Dialect, Kraken

UPDATES = 30


@pytest.fixture(name="frames")
def frames_fixture(tmp_path: Path) -> Path:
    """A folder of recordings as the real ones are named, of made-up books."""
    write(tmp_path / "kraken_btcusd_depth25.txt.gz", play(Kraken(), "BTC/USD"))
    venue = Binance()
    frames = play(venue, "BTCUSDT")
    snapshot, first, *rest = frames
    write(tmp_path / "binance_btcusdt_20240808.txt.gz", [first, snapshot, *rest, venue.best_quote("BTCUSDT")])
    return tmp_path


def play(venue: Dialect, symbol: str) -> list[bytes]:
    """A snapshot and the updates after it: the best bid is 99.5, and goes and comes back by turns."""
    venue.books[symbol].change([("99.5", "1.5"), ("99.4", "2.5")], [("100.5", "1.5"), ("100.6", "2.5")])
    updates = (("99.5", "0" if number % 2 else "1.5") for number in range(UPDATES))
    return [venue.snapshot(symbol), *(venue.update(symbol, [change], [("100.6", "3.5")]) for change in updates)]


def write(path: Path, frames: list[bytes]) -> None:
    path.write_bytes(gzip.compress(b"".join(b"%d %s\n" % (number + 1, frame) for number, frame in enumerate(frames))))


def handler(recording: Recording) -> Mempool:
    return Mempool(json.loads(json.dumps(recording.for_worker())))


def test_our_handler_gives_the_best_prices_after_every_frame_of_a_venue_with_checksums(frames: Path) -> None:
    found = asyncio.run(quotes(handler(kraken(frames))))
    assert found == [(99.4 if number % 2 else 99.5, 100.5) for number in range(UPDATES)]


def test_our_handler_takes_the_recorded_snapshot_before_the_first_timed_frame(frames: Path) -> None:
    found = asyncio.run(quotes(handler(binance_diffs(frames))))
    assert found == [(99.4 if number % 2 else 99.5, 100.5) for number in range(1, UPDATES)]


def test_times_are_those_of_the_timed_frames(frames: Path) -> None:
    seconds, spent = asyncio.run(times(handler(kraken(frames))))
    assert seconds > 0
    assert len(spent) == kraken(frames).timed == UPDATES
    assert all(nanoseconds > 0 for nanoseconds in spent)


def test_frames_in_the_older_protocol_have_the_same_numbers() -> None:
    levels = '"bids":[{"price":63381.0,"qty":0.00005100}],"asks":[{"price":63390.1,"qty":0.00000000}]'
    text = f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD",{levels},"checksum":7,"timestamp":""}}]}}'
    (frame,) = in_v1([Frame(1, True, text), Frame(2, False, '{"channel":"heartbeat"}')], "XBT/USD", 25)
    _, body, channel, pair = json.loads(frame.content)
    assert [level[:2] for level in body["b"]] == [["63381.0", "0.00005100"]]
    assert [level[:2] for level in body["a"]] == [["63390.1", "0.00000000"]]
    assert (body["c"], channel, pair, frame.recv_ns) == ("7", "book-25", "XBT/USD", 1)


def test_table_shows_the_tail_of_every_row(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sections = measure(Options(quick=True, frames=frames))
    rows = {row.work: row for section in sections for row in section.rows}
    assert {"Kraken, CRC32 checked", "Binance diff", "Binance diff or bookTicker"} <= set(rows)
    assert 0 < rows["Binance diff"].tails[OURS].p50 <= rows["Binance diff"].tails[OURS].max
    show(sections, {})
    printed = capsys.readouterr().out
    assert "p99.9" in printed
    assert "Kraken, CRC32 checked" in printed
    assert "peers are not measured with --quick" in printed
    assert "p999 below 1000: " in printed
    for work in ("received", "sent"):
        tail = rows[f"{work} -> best over all venues"].tails[OURS]
        assert 0 < tail.p50 <= tail.p99 <= tail.max
    rows_read = json.loads(json.dumps(as_json(sections, {})))["rows"]
    (kraken_row,) = [row for row in rows_read if row["work"].startswith("Kraken")]
    assert set(kraken_row["microseconds"][OURS]) == {"p50", "p99", "p999", "max"}


def test_absent_recordings_are_said_to_be(tmp_path: Path) -> None:
    section: Section = recorded(Options(quick=True, frames=tmp_path / "none"))
    assert not section.rows
    assert "not beside the checkout" in section.notes[0]


def test_figures_are_the_medians_of_the_rounds() -> None:
    calm, disturbed = [1_000] * 999 + [9_000], [50_000] * 1_000
    assert Tail.of([calm, disturbed, calm]) == Tail(p50=1, p99=1, p999=9, max=9)


@pytest.mark.parametrize("name", sorted(set(LOCKS.values())))
def test_locks_of_the_peers_pin_and_hash_and_name_no_address(name: str) -> None:
    lines = (HERE / f"{name}.lock").read_text().splitlines()
    assert any(line.startswith(f"{name}==") for line in lines)
    assert all("==" in line for line in lines if not line.startswith(" "))
    assert sum("--hash=sha256:" in line for line in lines) >= sum("==" in line for line in lines)
    assert not any("://" in line or "--index" in line for line in lines)


@pytest.mark.shared
def test_our_handler_proves_every_real_frame(shared_data: Path) -> None:
    side = handler(kraken(shared_data / "exchanges"))
    found = asyncio.run(quotes(side))
    assert len(found) == 2_051
    assert all(bid < ask for bid, ask in found)
