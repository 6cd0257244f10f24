"""What `mempool profile` runs: the decoder, the simulation or a whole replay, over a capture or a block file; or order books."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.backtest import count_block, view_before
from mempool.engine.block_file import read_block_file
from mempool.engine.block_run import run_block
from mempool.engine.books_capture import passes_over_books
from mempool.engine.core import Engine
from mempool.engine.listener import Listener
from mempool.engine.replay import replay_capture
from mempool.engine.run import targets_of
from mempool.engine.turns import ReplayTurns
from mempool.errors import BadData, CaptureError
from mempool.feeds.capture import CaptureReader, Heard
from mempool.feeds.chain_reads import ChainReads
from mempool.feeds.connection import first_end
from mempool.feeds.frames import BlockFile, parse_transaction
from mempool.feeds.replay import ReplayFeed, ReplayOptions
from mempool.market import MarketView, view_of
from mempool.model.record import PredictionMade, Record
from mempool.model.swap import BalanceIn, SwapIntent, SwapResult
from mempool.model.transaction import PendingTransaction
from mempool.observe.books_workload import books_work
from mempool.observe.sampler import repeat_for
from mempool.resources import load_tables
from mempool.simulate import simulate

BOOKS = "books"
Work = Callable[[], object]


class Step(Struct, frozen=True):
    """One intent and the pools that it was simulated on."""

    intent: SwapIntent
    view: MarketView
    timestamp: int


class _Params(Struct):
    result: Raw


class _Notification(Struct):
    params: _Params


_NOTIFICATION = msgspec.json.Decoder(_Notification)


def workload(kind: str, path: Path) -> Work:
    """One round of the work over a file, all reading done beforehand (but for a replay, which reads as it goes).

    Raises `UsageError` where the file cannot be opened, `BadData` where it is neither a capture nor a block file, or where it
    holds nothing for this work. The books' is a recording of an exchange's frames.
    """
    if kind == BOOKS:
        return books_work(path)
    tables = load_tables()
    if is_capture(path):
        return _capture_work(kind, path, tables)
    return _block_work(kind, _block_file(path), path, tables)


def is_capture(path: Path) -> bool:
    try:
        CaptureReader(str(path)).close()
    except CaptureError:
        return False
    return True


def _block_file(path: Path) -> BlockFile:
    try:
        return read_block_file(path)
    except BadData as problem:
        raise BadData(f"{problem}; it is no capture either") from problem


def _capture_work(kind: str, path: Path, tables: DecodeTables) -> Work:
    if kind == "decode":
        return _decode_all(list(_heard_transactions(path)), path, tables)
    if kind == "simulate":
        records = asyncio.run(_records(path, tables))
        return _simulate_all([record.prediction.result for record in records if isinstance(record, PredictionMade)], path)
    return lambda: _replay_once(path)


def _block_work(kind: str, block_file: BlockFile, path: Path, tables: DecodeTables) -> Work:
    if kind == "decode":
        return _decode_all(block_file.block.transactions, path, tables)
    if kind == "simulate":
        run = run_block(view_before(block_file, tables), block_file.block, tables)
        return _simulate_all([result for call in run.calls for result in call.results if result is not None], path)
    return lambda: count_block(block_file, tables)


def _decode_all(transactions: Iterable[PendingTransaction], path: Path, tables: DecodeTables) -> Work:
    ours = [transaction for transaction in transactions if decode_transaction(tables, transaction) is not None]
    if not ours:
        raise BadData(f"{path}: no transaction to a listed router with its calldata")

    def decode_round() -> None:
        for transaction in ours:
            decode_transaction(tables, transaction)

    return decode_round


def _simulate_all(results: Iterable[SwapResult], path: Path) -> Work:
    steps = list(_steps(results))
    if not steps:
        raise BadData(f"{path}: no swap could be simulated")

    def simulate_round() -> None:
        for step in steps:
            simulate(step.intent, step.view, step.timestamp)

    return simulate_round


def _steps(results: Iterable[SwapResult]) -> Iterator[Step]:
    """Intents that stand by themselves, each with the pools as they were before it."""
    for result in results:
        if result.hops and not isinstance(result.intent.size, BalanceIn):
            view = view_of(result.block, [hop.before for hop in reversed(result.hops)])
            yield Step(result.intent, view, result.block.timestamp)


def _heard_transactions(path: Path) -> Iterator[PendingTransaction]:
    """The full bodies that pending subscriptions showed."""
    with contextlib.closing(CaptureReader(str(path))) as reader:
        for entry in reader:
            if isinstance(entry, Heard) and b'"eth_subscription"' in entry.frame and b'"input"' in entry.frame:
                body = _NOTIFICATION.decode(entry.frame).params.result
                yield parse_transaction(bytes(body), entry.recv_ns, entry.source)


async def _records(path: Path, tables: DecodeTables) -> list[Record]:
    """What the engine reports over a capture."""
    records: list[Record] = []
    turns = ReplayTurns()
    listener = Listener(Engine(tables, records.append), records.append, turns)
    with contextlib.closing(CaptureReader(str(path))) as reader:
        feed = ReplayFeed(
            reader,
            listener.handle,
            turns.on_mark,
            ReplayOptions(targets_of(tables), others=passes_over_books(reader.header.about)),
        )
        with contextlib.suppress(_Ended):
            await first_end(listener.run(feed.request, ChainReads(feed.request)), _play(feed))
    return records


async def _play(feed: ReplayFeed) -> None:
    await feed.run()
    raise _Ended


class _Ended(Exception):
    """The capture has been played to its end."""


def _replay_once(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mempool-profile-") as folder:
        replay_capture(path, Path(folder) / "replay.sqlite")


def main(kind: str, path: str, seconds: str) -> None:
    """The process that py-spy looks into: `python -m mempool.observe.workloads KIND FILE SECONDS`."""
    repeat_for(float(seconds), workload(kind, Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:])
