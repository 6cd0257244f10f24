"""A scripted node on a loop in a thread of its own, for tests whose program runs in another process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.fakes.node import ScriptedNode, scripted_node


class ThreadedNode:
    """What a test may do to it from its own thread."""

    def __init__(self, inner: ScriptedNode, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def port(self) -> int:
        return self._inner.port

    @property
    def methods(self) -> list[str]:
        """Every method that has arrived, in order."""
        return self._inner.methods

    def tell(self, kind: str, result: Any) -> None:
        """Notify the subscribers of `kind`."""
        self._loop.call_soon_threadsafe(self._inner.notify, kind, result)


@contextmanager
def threaded_node(prepare: Callable[[ScriptedNode], None] = lambda _: None) -> Iterator[ThreadedNode]:
    """Runs until the end of the `with`; then no method may have arrived that is not on the list of read-only ones."""
    loop, ready, nodes = asyncio.new_event_loop(), threading.Event(), list[ThreadedNode]()
    done, failures = asyncio.Event(), list[BaseException]()

    async def serve() -> None:
        async with scripted_node() as inner:
            prepare(inner)
            nodes.append(ThreadedNode(inner, loop))
            ready.set()
            await done.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except AssertionError as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        yield nodes[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
    assert failures == []
