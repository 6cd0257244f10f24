"""Durations are a number and a unit, and nothing else."""

from __future__ import annotations

import pytest

from mempool.cli.durations import duration_ns, keep_ns, lasted_text, since_ns
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


def test_since_takes_an_age_or_a_time() -> None:
    assert since_ns("", 10**18) == 0
    assert since_ns("10s", 10**18) == 10**18 - 10 * 10**9
    assert since_ns("2001-09-09T01:46:40+00:00", 0) == 10**18
    with pytest.raises(UsageError, match="'yesterday' is neither an age such as 10m nor a time such as 2026-01-31T12:00"):
        since_ns("yesterday", 0)


@pytest.mark.parametrize(
    ("lasted_ns", "text"),
    [
        (0, "0 ms"),
        (400_000, "0.4 ms"),
        (999_400_000, "999 ms"),
        (999_600_000, "1.0 s"),
        (99_900_000_000, "99.9 s"),
        (900 * 10**9, "15 min"),
        (30 * 3_600 * 10**9, "30.0 h"),
    ],
)
def test_what_has_gone_by_is_told_in_two_or_three_digits(lasted_ns: int, text: str) -> None:
    assert lasted_text(lasted_ns) == text
