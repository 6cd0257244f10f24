"""Writes swaps into the database of the first argument until it is killed or told to end; says what is committed."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from pathlib import Path

from mempool.model.record import RunEnd
from mempool.store.writer import Store, StoreOptions
from tests.store.examples import START_NS, run_start, swap_records


async def write(path: Path, first: int) -> None:
    store = await Store.open(path, run_start(), StoreOptions(reserve_bytes=0))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    accepted = 0
    for number in itertools.count(first):
        if stop.is_set():
            break
        accepted += all(store.put(record) for record in swap_records([number]))
        if number % 20 == 0:
            if number % 100 == 0:
                await store.flush()
                say(f"committed {accepted}")
            await asyncio.sleep(0.002)
    await store.close(RunEnd.SIGNAL, START_NS)
    say(f"accepted {accepted}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
