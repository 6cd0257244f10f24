"""What decoding an input costs: in calls of functions and in bytes, which are the same at each run, and in seconds."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

from mempool.abi import MAX_HASHES
from mempool.decode import DecodeTables
from mempool.model.keccak import keccak256
from tests.decode.fuzzing import Input, outcome

LIMIT_SECONDS = 0.02
MEGABYTE = 1 << 20
MOST_CALLS = 60_000
"""Of functions, Python's own and those written in C. One takes 80 to 220 ns on a machine that does nothing else, hashes and what
stands between calls included, so that these are at most 13 ms."""


class Counted(NamedTuple):
    """How many functions are called, and of them the one that hashes."""

    calls: int
    hashes: int


def counted(do: Callable[[], object]) -> Counted:
    calls = hashes = 0

    def profile(frame: Any, event: str, _function: Any) -> None:
        nonlocal calls, hashes
        if event in ("call", "c_call"):
            calls += 1
            hashes += event == "call" and frame.f_code is keccak256.__code__

    sys.setprofile(profile)
    try:
        do()
    finally:
        sys.setprofile(None)
    return Counted(calls, hashes)


def calls_made(do: Callable[[], object]) -> int:
    """How many functions are called."""
    return counted(do).calls


def peak_of(do: Callable[[], object]) -> int:
    """Bytes that are held at a time, beyond those that were held before."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def peak_bytes(given: Input) -> int:
    return peak_of(lambda: outcome(given))


def calls_of(given: Input) -> int:
    return calls_made(lambda: outcome(given))


def seconds(given: Input, turns: int = 5) -> float:
    """Of this process alone, the least of several turns on tables that know nothing yet."""
    best = float("inf")
    for _ in range(turns):
        forget(given.chain)
        start = time.process_time()
        outcome(given)
        best = min(best, time.process_time() - start)
    return best


def forget(of: DecodeTables) -> None:
    """Empty what the tables keep of earlier calls, so that the next one is as slow as the first."""
    of.found_pools.not_found.clear()
    for factory in of.factories.values():
        for kept in (factory.hops, factory.token_paths, factory.packed_paths, factory.reversed_paths, factory.single_paths):
            kept.clear()
    for router in of.routers.values():
        router.keyed_hops.clear()


def assert_cheap(given: Input, name: str = "") -> None:
    """As it is where nothing is known yet. What has to be made once in a process is made before."""
    about = (name, given.to.hex(), given.data[:4].hex(), len(given.data))
    outcome(given)
    forget(given.chain)
    made = counted(lambda: outcome(given))
    assert made.calls <= MOST_CALLS, about
    assert made.hashes <= MAX_HASHES, about
    forget(given.chain)
    assert peak_bytes(given) <= MEGABYTE, about
