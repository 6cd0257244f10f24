"""A run that follows all five exchanges through every kind of fault: no traceback, bounded memory, and a capture that replays."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from mempool.exchanges import EXCHANGES
from scripts._exchanges.faults import FaultKind
from tests.e2e.exchanges import simulated_exchanges
from tests.e2e.program import LiveProgram, integrity, rows
from tests.e2e.replayed import assert_same_rows, replayed

SECONDS = 30.0
MOST_KB = 400_000
"""Of memory at any time: a frame that is too large, 32 MiB of it at each of five venues, is not to be kept."""


def resident_kb(program: LiveProgram, line: str) -> int:
    """`VmRSS` now, `VmHWM` at the most."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", Path(f"/proc/{program.pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def priced_venues(program: LiveProgram, since_ns: int) -> set[str]:
    return {venue for (venue,) in program.rows("SELECT DISTINCT venue FROM quotes WHERE recv_ns >= ?", since_ns)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FaultKind)
def test_run_outlives_faults_of_all_venues_and_its_capture_gives_its_rows(kind: FaultKind, tmp_path: Path) -> None:
    struck = [f"{venue}:{kind}:{at + place}:2" for at in (4, 14) for place, venue in enumerate(EXCHANGES)]
    faults = [text for each in struck for text in ("--fault", each)]
    capture = tmp_path / "run.capture.gz"
    with (
        simulated_exchanges("--seed", "3", *faults, seconds=300) as server,
        LiveProgram([], tmp_path, "--exchange", "all", "--server", server, "--record", str(capture)) as program,
    ):
        program.wait_until("a quote of each", lambda: priced_venues(program, 0) == set(EXCHANGES))
        time.sleep(SECONDS)
        now_ns = time.time_ns()
        program.wait_until("a quote of each again", lambda: priced_venues(program, now_ns) == set(EXCHANGES))
        most_kb = resident_kb(program, "VmHWM")
        ended = program.stop()
    assert (ended.code, "Traceback" in ended.stderr) == (130, False), ended.stderr
    assert most_kb < MOST_KB
    assert integrity(program.db) == "ok"
    again, db = replayed(capture, tmp_path)
    assert (again.code, "Traceback" in again.stderr) == (0, False), again.stderr
    assert_same_rows(db, program.db)
    assert rows(program.db, "SELECT count(*) FROM quotes")[0][0] > SECONDS
