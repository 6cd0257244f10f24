"""Durations as people write them on a command line: `90s`, `15m`, `12h`, `7d`."""

from __future__ import annotations

import re

from mempool.errors import UsageError

NANOSECONDS = {"s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9}
_DURATION = re.compile(r"(\d{1,9})([smhd])")


def parse_duration_ns(text: str) -> int:
    """Nanoseconds in a duration. Raises `UsageError`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no duration: write a number and s, m, h or d, such as 7d")
    return int(found[1]) * NANOSECONDS[found[2]]
