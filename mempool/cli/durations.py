"""Durations as people write them on a command line: `90s`, `15m`, `12h`, `7d`."""

from __future__ import annotations

import re

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
