"""Call stacks and how often each was seen, in the folded form that flame graphs are drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mempool.errors import BadData

Stack = tuple[str, ...]
"""Frames from the outermost to the innermost, each `function (file:line)` or `function (file)`."""
IMPORTING = "<frozen importlib"


def parse_folded(text: str) -> Counter[Stack]:
    """Read `outer;inner 12` lines, as py-spy's raw format has them. Raises `BadData` on another line."""
    stacks: Counter[Stack] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        frames, space, count = line.rpartition(" ")
        if not space or not count.isdigit():
            raise BadData(f"folded stacks, line {number}: not `frames count`: {line[:80]}")
        stacks[tuple(frame.strip() for frame in frames.split(";"))] += int(count)
    return stacks


def below(stacks: Mapping[Stack, int], root: str) -> Counter[Stack]:
    """The stacks that pass through the function `root`, without what called it: start-up and tooling fall away.

    So does the loading of libraries, which a workload that runs for longer than a profile does only once.
    """
    found: Counter[Stack] = Counter()
    for stack, count in stacks.items():
        if any(IMPORTING in frame for frame in stack):
            continue
        for depth, frame in enumerate(stack):
            if frame.split(" (")[0] == root:
                found[stack[depth:]] += count
                break
    return found


def by_function(stacks: Mapping[Stack, int]) -> Counter[Stack]:
    """The same with frames of one function joined, whatever line it was on: `decode (mempool/decode/calls.py)`."""
    joined: Counter[Stack] = Counter()
    for stack, count in stacks.items():
        joined[tuple(_without_line(frame) for frame in stack)] += count
    return joined


def _without_line(frame: str) -> str:
    head, colon, line = frame.rpartition(":")
    return f"{head})" if colon and line.removesuffix(")").isdigit() else frame
