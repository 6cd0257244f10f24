"""Durations as people write them on a command line: `90s`, `15m`, `12h`, `7d`; and as they read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mempool.errors import UsageError

NANOSECONDS = {"s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
_DURATION = re.compile(r"(\d{1,9})([smhd])")


def duration_ns(text: str) -> int | None:
    """Nanoseconds in a duration, or None for any other text."""
    found = _DURATION.fullmatch(text.strip())
    return int(found[1]) * NANOSECONDS[found[2]] if found else None


def keep_ns(text: str) -> int | None:
    """The value of `--keep`; None where it is empty, which keeps all. Raises `UsageError`."""
    found = duration_ns(text)
    if text and not found:
        raise UsageError(f"--keep: {text!r} is no duration: write a number and s, m, h or d, such as 7d")
    return found


def since_ns(text: str, now_ns: int) -> int:
    """Nanoseconds since the epoch of an age or a time, the value of `--since`; 0 where it is empty.

    A time without a zone is local. Raises `UsageError`.
    """
    if not text:
        return 0
    age_ns = duration_ns(text)
    if age_ns is not None:
        return now_ns - age_ns
    try:
        return round(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 10**9
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"--since: {text!r} is neither an age such as 10m nor a time such as 2026-01-31T12:00") from None


def lasted_text(lasted_ns: int) -> str:
    """`0.4 ms`, `250 ms`, `12.0 s`, `15 min`, `30.5 h`: two or three digits are enough of what has gone by."""
    seconds = lasted_ns / 1e9
    if seconds < 0.9995:
        return f"{seconds * 1_000:.3g} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
