"""Reads a junit report and fails on a skipped test whose reason is not on the short list of expected ones."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

EXPECTED_REASONS = ("long run: give --slow", "needs the right to mount a small disk")


def main(report: str) -> int:
    suites = ET.fromstring(Path(report).read_text())
    tests = sum(1 for _ in suites.iter("testcase"))
    skips = list(skipped(suites))
    unexpected = [(name, reason) for name, reason in skips if not reason.endswith(EXPECTED_REASONS)]
    for name, reason in unexpected:
        print(f"skip that was not expected: {name}: {reason}")
    print(f"skips: {tests} tests, {len(skips)} skipped, {len(unexpected)} of them unexpectedly")
    return 1 if unexpected or not tests else 0


def skipped(suites: ET.Element) -> Iterator[tuple[str, str]]:
    for case in suites.iter("testcase"):
        for mark in case.iter("skipped"):
            yield f"{case.get('classname')}.{case.get('name')}", mark.get("message") or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
