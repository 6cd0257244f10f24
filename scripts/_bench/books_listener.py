"""Follows the venues of `books_server` as the program does, and notes when each consolidated quote was there.

`python -m scripts._bench.books_listener URL PAIR VENUE ...` prints a line when every book is priced; the next line that it reads
ends it, with a line of JSON: the processor seconds in between, and `[[venue, event_ns, recv_ns, done_ns], ...]`, of
each quote of the pair's books the venue's stamp, and by the monotonic clock when its frame was received and when the best quote
over all venues had been computed with it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from mempool.cli.event_loop import event_loop_run
from mempool.engine.books_live import BooksOptions, LiveBooks
from mempool.feeds.venue import News
from mempool.model.book import Quote

PRICED_SECONDS = 30.0

Heard = tuple[str, int, int, int]


class Listener:
    """Takes the events of the books as the program's own views do."""

    def __init__(self, url: str, pair: str, venues: Sequence[str]) -> None:
        self.heard: list[Heard] = []
        self.books = LiveBooks(BooksOptions(venues=venues, pairs=(pair,), server=url), self.hear)
        self._best = self.books.markets[0].best
        self._of_pair = set(self.books.markets[0].books)
        self._ahead_ns = time.time_ns() - time.monotonic_ns()

    def hear(self, name: str, event: News) -> None:
        if isinstance(event, Quote) and event.instrument in self._of_pair:
            self._best.quote(event.recv_ns)
            self.heard.append((name, event.event_ns, event.recv_ns - self._ahead_ns, time.monotonic_ns()))

    @property
    def is_priced(self) -> bool:
        return all(row.quote is not None for row in self.books.rows.values())


async def main(url: str, pair: str, venues: Sequence[str]) -> None:
    listener = Listener(url, pair, venues)
    running = asyncio.create_task(listener.books.run())
    async with asyncio.timeout(PRICED_SECONDS):
        while not listener.is_priced:
            await asyncio.wait([running], timeout=0.05)
            if running.done():
                running.result()
    began = time.process_time()
    print("priced", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    seconds = time.process_time() - began
    listener.books.freeze()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    print(json.dumps([seconds, listener.heard]), flush=True)


if __name__ == "__main__":
    event_loop_run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
