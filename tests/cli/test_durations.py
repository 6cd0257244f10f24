"""Durations are a number and a unit, and nothing else."""

from __future__ import annotations

import pytest

from mempool.cli.durations import duration_ns, keep_ns
from mempool.errors import UsageError


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), (" 1d ", 86_400)])
def test_duration_is_read_to_the_nanosecond(text: str, seconds: int) -> None:
    assert duration_ns(text) == keep_ns(text) == seconds * 10**9


@pytest.mark.parametrize("text", ["7", "d", "-1d", "1.5h", "7 d", "7days", "10000000000s"])
def test_other_text_is_no_duration(text: str) -> None:
    assert duration_ns(text) is None
    with pytest.raises(UsageError, match="--keep"):
        keep_ns(text)


def test_nothing_keeps_all_and_no_time_is_refused() -> None:
    assert keep_ns("") is None
    with pytest.raises(UsageError, match="--keep"):
        keep_ns("0d")
