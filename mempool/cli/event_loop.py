"""Where the commands that listen run: on uvloop where it exists, the program itself out of the garbage collector's sight."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def event_loop_run(main: Coroutine[Any, Any, Result]) -> Result:
    """What `main` returns; raises what it raises."""
    # A full collection looks at all that is loaded, some 40,000 objects that live as long as the program: 20 to 90 ms in which
    # every message waits. Frozen, they are passed over, and a collection takes as long as what came since.
    gc.collect()
    gc.freeze()
    try:
        return _runner()(main)
    finally:
        gc.unfreeze()


def _runner() -> Callable[[Coroutine[Any, Any, Result]], Result]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run
