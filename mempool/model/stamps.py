"""Spans of time in nanoseconds, which all stamps are counted in."""

from __future__ import annotations

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
