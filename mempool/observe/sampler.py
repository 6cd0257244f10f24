"""Samples this process's own stack while a function runs: for where no other process may look inside.

A Python signal handler, or a thread reading `sys._current_frames`, sees the stack only where the interpreter stops to look: at a
loop's end or a call. A function without either is then never seen. `faulthandler` writes the stack from the C handler, wherever
the signal falls, so its dumps are the samples.
"""

from __future__ import annotations

import faulthandler
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PurePath

from mempool.errors import MempoolError
from mempool.observe.stacks import Stack

PACKAGE_PARENT = PurePath(__file__).parents[2]
_FRAME = re.compile(r'  File "(.*)", line (\d+|\?\?\?) in (.*)')


def sample(work: Callable[[], object], rate_hz: int = 500) -> Counter[Stack]:
    """Run `work` on the main thread and take its stack `rate_hz` times a second of processor time, at most 100 frames deep.

    The kernel's tick may be coarser than the rate asked for. What called `sample` is left out. Raises `MempoolError` where the
    system has no profiling timer.
    """
    if not hasattr(faulthandler, "register"):
        raise MempoolError("this system has no profiling timer: install py-spy (pip install 'mempool[profile]')")
    with tempfile.TemporaryFile("w+", encoding="ascii") as dumps:
        faulthandler.register(signal.SIGPROF, file=dumps, all_threads=False)
        signal.setitimer(signal.ITIMER_PROF, 1 / rate_hz, 1 / rate_hz)
        try:
            work()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.unregister(signal.SIGPROF)
        dumps.seek(0)
        return read_dumps(dumps, sample.__code__.co_filename)


def read_dumps(lines: Iterable[str], caller_file: str) -> Counter[Stack]:
    """Folds faulthandler's dumps (most recent call first), up to where the file of the caller stands in them."""
    stacks: Counter[Stack] = Counter()
    frames: list[str] = []
    outside = True
    for line in lines:
        found = _FRAME.match(line)
        if found is None:
            stacks[tuple(reversed(frames))] += bool(frames)
            frames, outside = [], False
        elif found[1] == caller_file and found[3] == "sample":
            outside = True
        elif not outside:
            frames.append(f"{found[3]} ({short_file(found[1])}:{found[2]})")
    stacks[tuple(reversed(frames))] += bool(frames)
    return +stacks


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
    for base in (PACKAGE_PARENT, *map(PurePath, sys.path)):
        if base != PurePath() and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.name
