"""A simulated venue plays a recording to its clients: the same books as at the recorder, with the same faults at hand."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import websockets

from mempool.errors import BadData, UsageError
from mempool.exchanges import EXCHANGES
from mempool.exchanges.session import ExchangeSession
from mempool.feeds.frame_file import read_frames
from mempool.model.book import Instrument
from scripts._exchanges.faults import Fault, FaultKind
from scripts._exchanges.line import Played, played
from scripts._exchanges.listings import LISTINGS
from scripts._exchanges.recording import UNSTAMPED_NS, Recording, read_recording
from scripts._exchanges.server import exchange_server
from tests.conftest import ROOT, WAIT_SECONDS
from tests.fakes.exchange_play import is_equal
from tests.scripts.test_exchanges import VENUES, follow

FRAMES = 150
FASTER = 10


def written(path: Path, frames: Sequence[Played]) -> Path:
    path.write_bytes(b"".join(b"%d %b\n" % (each.recv_ns // FASTER, each.frame) for each in frames))
    return path


async def heard(venue: str, recording: Recording, instrument: Instrument, *faults: Fault) -> ExchangeSession:
    """A session that has listened until the venue ended the connection."""
    session = ExchangeSession(EXCHANGES[venue], [instrument])
    async with exchange_server(venue, listings={venue: recording}, faults={venue: faults}) as server:
        with pytest.raises(websockets.ConnectionClosed):
            async with asyncio.timeout(WAIT_SECONDS):
                await follow(server, venue, session)
    return session


@pytest.mark.parametrize("venue", VENUES)
async def test_client_of_a_recording_has_the_recorders_book_at_its_end(venue: str, tmp_path: Path) -> None:
    frames = list(played(venue, 6, FRAMES))
    recording = read_recording(venue, written(tmp_path / "frames.txt", frames))
    listing = LISTINGS[venue][0]
    session = await heard(venue, recording, Instrument(venue, listing.symbol, listing.base, listing.quote))
    quote = session.quote(listing.symbol)
    assert quote is not None
    assert is_equal(quote, frames[-1].truths[listing.symbol])
    assert (session.counts.gaps, session.counts.mismatches, session.counts.malformed) == (0, 0, 0)


async def test_recorded_message_is_lost_where_it_is_asked_for(tmp_path: Path) -> None:
    recording = read_recording("okx", written(tmp_path / "frames.txt", list(played("okx", 6, FRAMES))))
    session = await heard("okx", recording, EXCHANGES["okx"].instrument("ETH-USDT"), Fault(FaultKind.DROP, 60))
    assert session.counts.gaps > 0


def test_times_are_the_recorders_and_even_where_it_has_none(tmp_path: Path) -> None:
    path = tmp_path / "frames.txt"
    path.write_bytes(b'5000 {"a":1}\n7000 {"b":2}\n6000 {"c":3}\n{"d":4}\n\n{"e":5}\n')
    assert [at for at, _ in read_recording("kraken", path).frames] == [
        0,
        2000,
        2000,
        2000 + UNSTAMPED_NS,
        2000 + 2 * UNSTAMPED_NS,
    ]


def test_file_that_is_missing_or_empty_is_told() -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_recording("okx", Path("/nowhere/frames.txt"))
    with pytest.raises(BadData, match="there is no frame in it"):
        read_recording("okx", Path("/dev/null"))


@pytest.mark.parametrize("text", ["mtgox:frames.txt", "okx", "okx:/nowhere/frames.txt"])
def test_recording_that_cannot_be_played_is_a_usage_error(text: str) -> None:
    command = (sys.executable, "-m", "scripts._exchanges", "--play", text)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "argument --play: " in done.stderr


@pytest.mark.shared
async def test_all_checksums_of_a_real_recording_are_verified_over_a_socket(shared_data: Path, tmp_path: Path) -> None:
    real = shared_data / "exchanges" / "kraken_btcusd_depth25.txt.gz"
    frames = [Played(stamp_ns, frame, {}) for stamp_ns, frame in read_frames(real, 2**20)]
    recording = read_recording("kraken", written(tmp_path / "frames.txt", frames))
    session = await heard("kraken", recording, EXCHANGES["kraken"].instrument("BTC/USD"))
    assert (session.counts.verified, session.counts.mismatches) == (2052, 0)
