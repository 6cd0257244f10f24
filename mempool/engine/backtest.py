"""Plays block files as pending streams and counts how the predictions came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field, to_builtins
from msgspec.structs import astuple, replace

from mempool.decode import DecodeTables, decode_transaction
from mempool.decode.found_pools import FoundPools, unnamed_pools
from mempool.engine.block_file import pair_tokens, pool_states, read_block_file
from mempool.engine.block_run import CallRun, run_block
from mempool.feeds.frames import BlockFile
from mempool.grade.log_account import PATH_KNOWN, LogAccount, account_for_logs
from mempool.grade.swap_topics import is_swap_transaction
from mempool.market import MarketView, view_of
from mempool.model.block import BlockRef, MinedBlock, Receipt
from mempool.model.outcome import Cause, RevertGrade
from mempool.model.pool import PoolIdentity
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction

SCHEMA = "mempool.backtest/1"


def _no_reverts() -> dict[str, int]:
    return {RevertGrade.RIGHT.value: 0, RevertGrade.MISSED.value: 0, RevertGrade.FALSE_ALARM.value: 0}


class Counts(Struct):
    """The figures of one block, or of several together.

    `calls` are all transactions that the tables know, by their completeness. `swap_transactions` succeeded and logged one of the
    events in `grade.swap_topics`. Each is `decoded` (the path of every swap that it asks for is known), `partial` (some part is
    hidden), `opaque` (a call that the tables know to swap, with all of it out of sight) or `missed` (`missed_by` says why,
    `missed_calls` what was called). `logs` holds the intents of the first two against the swap logs. Hops are those of the
    intents that successful transactions carried out: an intent that was allowed to fail and left no log does not count, nor do
    calls that reverted, which count in `reverts` only. `hops_without_state` could not be simulated because a pool, a tick or an
    amount was not known, `hops_without_maths` because a pool of the path is of a family that is not simulated. `reverts` are over
    the calls that were simulated as a whole or came after their deadline: predicted to revert and did (`right`), not predicted
    and did (`missed`), predicted and did not (`false_alarm`). A block without `pre_state` has none.
    """

    transactions: int = 0
    swap_transactions: int = 0
    decoded: int = 0
    partial: int = 0
    opaque: int = 0
    missed: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    partial_by: dict[str, int] = field(default_factory=dict)
    opaque_by: dict[str, int] = field(default_factory=dict)
    missed_by: dict[str, int] = field(default_factory=dict)
    missed_calls: dict[str, int] = field(default_factory=dict)
    """By `address selector`, in hex."""
    logs: LogAccount = LogAccount()
    hops_decoded: int = 0
    hops_simulated: int = 0
    hops_without_state: int = 0
    hops_without_maths: int = 0
    hops_exact: int = 0
    hops_explained: int = 0
    hops_unexplained: int = 0
    explained_by: dict[str, int] = field(default_factory=dict)
    reverts: dict[str, int] = field(default_factory=_no_reverts)


class FileCounts(Struct, frozen=True):
    """One file's figures."""

    file: str
    block: int
    counts: Counts


def backtest_file(path: Path, tables: DecodeTables) -> FileCounts:
    """Reads and plays one file. Raises `UsageError` where it cannot be opened, `BadData` for what is in it."""
    block_file = read_block_file(path)
    return FileCounts(str(path), block_file.block.ref.number, count_block(block_file, tables))


def count_block(block_file: BlockFile, tables: DecodeTables) -> Counts:
    """Plays the block's transactions as pending, in block order, over the state before it."""
    block, tables = block_file.block, with_named_pools(block_file, tables)
    run = run_block(view_before(block_file, tables), block, tables)
    calls = {call.transaction.hash: call for call in run.calls}
    counts = Counts(transactions=len(block.transactions))
    for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
        call = calls.get(transaction.hash)
        if is_swap_transaction(receipt):
            _count_swap(counts, transaction, receipt, None if call is None else call.call)
        if call is not None:
            _increment(counts.calls, call.call.completeness.value)
            _count_call(counts, call, has_state=block_file.pre_state is not None)
    return counts


def with_named_pools(block_file: BlockFile, tables: DecodeTables) -> DecodeTables:
    """The tables with the pairs that calls name by their address alone, as far as the file knows their tokens and a listed
    factory proves them. What is found for one file is not known for the next."""
    tables = replace(tables, found_pools=FoundPools(tables.factories, tuple(tables.tokens)))
    accounts = block_file.pre_state or {}
    for transaction in block_file.block.transactions:
        call = decode_transaction(tables, transaction)
        for pool in () if call is None else unnamed_pools(call):
            tokens = pair_tokens(accounts.get(pool))
            if tokens is not None:
                tables.found_pools.learn(pool, tokens)
    return tables


def view_before(block_file: BlockFile, tables: DecodeTables) -> MarketView:
    """The pools that the block's calls name, in the state before its first transaction; none without `pre_state`."""
    block = block_file.block
    states = pool_states(block_file.pre_state or {}, _pools_named(block, tables))
    return view_of(_parent(block.ref), states)


def total(each: Iterable[Counts]) -> Counts:
    """The figures of several blocks together."""
    together = Counts()
    for counts in each:
        for name in Counts.__struct_fields__:
            so_far, more = getattr(together, name), getattr(counts, name)
            setattr(together, name, _added(so_far, more))
    return together


def report(files: Sequence[FileCounts]) -> dict[str, object]:
    """The result as `--json` prints it."""
    return {
        "schema": SCHEMA,
        "files": [{"file": each.file, "block": each.block, **to_builtins(each.counts)} for each in files],
        "total": to_builtins(total(each.counts for each in files)),
    }


def _pools_named(block: MinedBlock, tables: DecodeTables) -> Iterable[PoolIdentity]:
    calls = (decode_transaction(tables, transaction) for transaction in block.transactions)
    return {identity for call in calls if call is not None for identity in call.pools.values()}


def _parent(ref: BlockRef) -> BlockRef:
    """The block before: of its own data only the hash is known, and that only where the file has it."""
    return BlockRef(ref.number - 1, ref.parent_hash, "", 0)


def _count_swap(counts: Counts, transaction: PendingTransaction, receipt: Receipt, call: DecodedCall | None) -> None:
    counts.swap_transactions += 1
    word = None if call is None else call.completeness
    if call is not None and word in PATH_KNOWN:
        counts.decoded += 1
    elif call is not None and word is Completeness.PARTIAL:
        counts.partial += 1
        _increment(counts.partial_by, call.reason)
    elif call is not None and word is Completeness.OPAQUE:
        counts.opaque += 1
        _increment(counts.opaque_by, call.reason)
    else:
        counts.missed += 1
        _increment(counts.missed_by, _why_missed(transaction, call))
        _increment(counts.missed_calls, f"0x{(transaction.to or b'').hex()} 0x{transaction.calldata[:4].hex()}")
    if call is not None and call.intents:
        counts.logs = _added(counts.logs, account_for_logs(call, receipt.logs))


def _why_missed(transaction: PendingTransaction, call: DecodedCall | None) -> str:
    if call is not None:
        return call.completeness.value
    return "contract_creation" if transaction.to is None else "not_a_listed_router"


def _count_call(counts: Counts, run: CallRun, *, has_state: bool) -> None:
    if has_state and run.graded.revert is not RevertGrade.NONE:
        _increment(counts.reverts, run.graded.revert.value)
    if run.receipt.succeeded:
        _count_hops(counts, run)


def _count_hops(counts: Counts, run: CallRun) -> None:
    for intent, result, executed in zip(run.call.intents, run.results, run.graded.executed, strict=True):
        if not executed:
            continue
        counts.hops_decoded += len(intent.hops)
        if result is not None:
            counts.hops_simulated += len(intent.hops)
        elif all(hop.kind for hop in intent.hops):
            counts.hops_without_state += len(intent.hops)
        else:
            counts.hops_without_maths += len(intent.hops)
    for outcome in run.graded.outcomes:
        if run.graded.executed[outcome.intent_index]:
            _count_cause(counts, outcome.cause)


def _count_cause(counts: Counts, cause: Cause) -> None:
    if cause is Cause.EXACT:
        counts.hops_exact += 1
    elif cause is Cause.UNEXPLAINED:
        counts.hops_unexplained += 1
    else:
        counts.hops_explained += 1
        _increment(counts.explained_by, cause.value)


def _increment(table: dict[str, int], key: str) -> None:
    table[key] = table.get(key, 0) + 1


def _added(first: Any, second: Any) -> Any:
    """The sum of two figures, of two tables key by key, or of two structs field by field."""
    if isinstance(first, int):
        return first + second
    if isinstance(first, dict):
        return {key: first.get(key, 0) + second.get(key, 0) for key in dict.fromkeys([*first, *second])}
    return type(first)(*(_added(one, other) for one, other in zip(astuple(first), astuple(second), strict=True)))
