"""The live line of `mempool run`: one row whatever the terminal's width, and what matters most stands first."""

from __future__ import annotations

import pytest

from mempool.cli.run import status_text
from mempool.cli.status_line import fitting
from mempool.engine.counters import Counters
from mempool.engine.run import Status

COUNTERS = Counters(
    seen=1_200, backfilled=4, swaps=96, simulated=95, graded=80, opportunities=7, malformed_messages=2, store_dropped=1
)


def status(trouble: str = "", head: int | None = 19_932_703) -> Status:
    return Status(COUNTERS, 1, head, 4.2, None, trouble)


def test_line_shows_what_was_seen_and_how_old_the_head_is() -> None:
    shown = "seen 1,204  swaps 96  simulated 95  waiting 1  dropped 3  head 19,932,703, 4 s ago  graded 80  findings 7"
    assert status_text(status()) == shown
    assert "no head yet" in status_text(status(head=None))


def test_trouble_stands_first_and_brings_no_control_characters() -> None:
    assert status_text(status("disk\x1b[31m full")).startswith("NOT STORING: disk\ufffd[31m full  seen ")


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_line_never_wraps(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = fitting(status_text(status()))
    assert len(shown) < columns
    assert shown.endswith("…") == (columns < 200)
