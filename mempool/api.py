"""The library surface: `from mempool import decode, simulate, replay`. All else in the package may change without notice.

Libraries that only one of them needs are imported when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mempool.model.block import BlockRef
from mempool.model.swap import DecodedCall

if TYPE_CHECKING:
    from mempool.decode import DecodeTables
    from mempool.engine.replay import ReplaySummary
    from mempool.simulate import CallResult

NOBODY = bytes(20)


def decode(to: str | bytes, calldata: str | bytes, value_wei: int = 0, sender: str | bytes = NOBODY) -> DecodedCall | None:
    """The swaps that a call asks for; None where `to` is no router of the Ethereum tables.

    Addresses and calldata are bytes or hex text. Without a sender a swap that pays its sender is addressed to nobody.
    Raises `mempool.errors.MalformedCalldata` where the router would revert on the calldata.
    """
    from mempool.decode import decode as decode_call

    return decode_call(_tables(), _bytes(to), _bytes(calldata), value_wei, _bytes(sender))


def simulate(call: DecodedCall, storage: Mapping[str, Mapping[int, int]], timestamp: int, block_number: int = 0) -> CallResult:
    """What a call's swaps do to the pools they trade on, and what they pay, to the wei.

    `storage` holds each pool's slots by its address in hex, as `eth_getStorageAt` gives them: slot 8 of a V2 pair; slots 0, 4 and
    those of `ticks` and `tickBitmap` of a V3 pool. A slot that is absent is unknown, not zero: the result's `unknown` names the
    swaps that could not be simulated, and what was missing. Deadlines are held against `timestamp` (unix seconds).
    """
    from mempool.engine.block_file import pool_states
    from mempool.feeds.frames import Account
    from mempool.market import view_of
    from mempool.simulate import simulate_call

    accounts = {_bytes(address): Account(storage=dict(slots)) for address, slots in storage.items()}
    pools = pool_states(accounts, set(call.pools.values()))
    return simulate_call(call, view_of(BlockRef(block_number, "", "", timestamp), pools), timestamp)


def replay(path: str | Path, db: str | Path) -> ReplaySummary:
    """Play a capture into a SQLite file and say what was found; the same rows as the run that recorded it.

    Raises, of `mempool.errors`, `UsageError` where the capture cannot be opened, `CaptureError` where it cannot be read on,
    `StoreError` where the database cannot be written.
    """
    from mempool.engine.replay import replay_capture

    return replay_capture(Path(path), Path(db))


@cache
def _tables() -> DecodeTables:
    from mempool.resources import load_tables

    return load_tables()


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(value.removeprefix("0x"))
