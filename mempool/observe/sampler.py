"""Samples this process's own stack while a function runs: for where no other process may look inside.

The kernel's profiling timer asks for a sample, and the interpreter gives it where it next looks around: at a call, the end of a C
call, or the end of a loop's round. So a sample falls up to that much later than the tick, and time in a few straight lines may
count for the function that called them. (`faulthandler` would write the stack on the spot, but crashed Python 3.11 when asked
for 200 a second.)
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from types import CodeType, FrameType

from mempool.errors import MempoolError
from mempool.observe.stacks import Stack

PACKAGE_PARENT = PurePath(__file__).parents[2]


def sample(work: Callable[[], object], rate_hz: int = 500) -> Counter[Stack]:
    """Run `work` on the main thread and take its stack `rate_hz` times a second of processor time.

    The kernel's tick may be coarser than the rate asked for. What called `sample` is left out. Raises `MempoolError` where the
    system has no profiling timer.
    """
    if not hasattr(signal, "setitimer"):
        raise MempoolError("this system has no profiling timer: install py-spy (pip install py-spy)")
    seen: Counter[tuple[CodeType, ...]] = Counter()

    def take(number: int, frame: FrameType | None) -> None:
        seen[_codes(frame)] += 1

    previous = signal.signal(signal.SIGPROF, take)
    signal.setitimer(signal.ITIMER_PROF, 1 / rate_hz, 1 / rate_hz)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
    stacks: Counter[Stack] = Counter()
    for codes, count in seen.items():
        stacks[tuple(map(_name, codes))] += count
    stacks.pop((), None)
    return stacks


def _codes(frame: FrameType | None) -> tuple[CodeType, ...]:
    """From the function that `sample` called to the innermost."""
    codes: list[CodeType] = []
    while frame is not None and frame.f_code is not sample.__code__:
        codes.append(frame.f_code)
        frame = frame.f_back
    return tuple(reversed(codes))


def _name(code: CodeType) -> str:
    return f"{code.co_qualname} ({short_file(code.co_filename)})"


def repeat_for(seconds: float, work: Callable[[], object]) -> int:
    """Run `work` over and over until the time is up, at least once; how often it ran."""
    until = time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < until:
        work()
        rounds += 1
    return rounds


def short_file(filename: str) -> str:
    """A file as it is imported: without the checkout, site-packages or the standard library before it."""
    path = PurePath(filename)
    bases = {base for base in (PACKAGE_PARENT, *map(PurePath, sys.path)) if base != PurePath() and path.is_relative_to(base)}
    return path.relative_to(max(bases, key=lambda base: len(base.parts))).as_posix() if bases else path.name
