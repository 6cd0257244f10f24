"""What a session has counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Of all that one session heard. `frames` are all of them, `updates` those of books without the snapshots."""

    frames: int = 0
    updates: int = 0
    snapshots: int = 0
    verified: int = 0
    """Messages that the venue's own checksum or numbering proved, snapshots too."""
    mismatches: int = 0
    """Messages whose checksum the book did not have."""
    gaps: int = 0
    resyncs: int = 0
    """Times that a book was lost and a new snapshot asked for; the first one does not count, nor does asking again for one."""
    malformed: int = 0
    duplicates: int = 0
    """Messages that said nothing new: sent twice, or overtaken by a later one."""
    crossings: int = 0
    clock_jumps: int = 0
    """Times that our receive clock went back, or the venue's went ahead at once."""
    comparisons: int = 0
    matches: int = 0
    """Of those comparisons with the venue's own best quote in which the book had the same."""
    reasons: Counter[str] = field(default_factory=Counter)
    """All that was wrong, by kind and reason in words."""
