"""Records of a small invented market, and ways to put them into a database."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mempool.amm.uniswap_v2 import V2Pool
from mempool.model.block import BlockRef
from mempool.model.opportunity import Bound, Leg, Opportunity, OpportunityKind
from mempool.model.outcome import Cause, Outcome, Prediction, RevertGrade
from mempool.model.price import PriceImpact
from mempool.model.record import (
    OpportunityFound,
    OutcomeGraded,
    PredictionMade,
    Record,
    RunEnd,
    RunStart,
    TokenSeen,
    TransactionSeen,
)
from mempool.model.swap import Completeness, DecodedCall, ExactIn, Hop, HopResult, Size, Step, SwapIntent, SwapResult
from mempool.model.transaction import PendingTransaction
from mempool.store.writer import Store, StoreOptions

WETH, USDC, FOREIGN = (bytes([byte]) * 20 for byte in (0x11, 0x22, 0x33))
PAIR = bytes([0x44]) * 20
SENDER = bytes([0x55]) * 20
ROUTER = bytes([0x66]) * 20
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 10**9
FAST = StoreOptions(linger_seconds=0.005, retry_seconds=0.05, drain_seconds=60, reserve_bytes=0)
"""Without long waits, but for the end: the disk of a test's machine may be slow."""
LISTED = (
    TokenSeen(WETH, "WETH", 18, listed=True, wraps="ETH"),
    TokenSeen(USDC, "USDC", 6, listed=True),
)


def run_start(started_ns: int = START_NS) -> RunStart:
    return RunStart(started_ns, "0.1.0", 1, ("node-a",))


def hash_of(number: int) -> str:
    return f"0x{number:064x}"


def block(number: int, fork: str = "") -> BlockRef:
    return BlockRef(number, f"0x{fork or 'b'}{number:063x}", f"0x{fork or 'b'}{number - 1:063x}", 1_700_000_000 + 12 * number, 7)


SELL = ExactIn(12_400_000_000_000_000_000, 30_000_000_000)


def intent(size: Size = SELL, token_out: bytes = USDC) -> SwapIntent:
    hop = Hop("uniswap_v2", "uniswap_v2", PAIR, WETH, token_out, 3000)
    return SwapIntent(
        "uniswap_v2_router_02", "swapExactETHForTokens", (hop,), size, SENDER, deadline=2**256 - 1, revert_scopes=(0, 3)
    )


def seen(number: int, wanted: SwapIntent | None = None, source: str = "node-a") -> TransactionSeen:
    wanted = wanted or intent()
    transaction = PendingTransaction(
        hash=hash_of(number),
        sender=SENDER,
        to=ROUTER,
        nonce=number,
        value_wei=12_400_000_000_000_000_000,
        gas_limit=200_000,
        max_fee_per_gas_wei=30_000_000_000,
        max_priority_fee_per_gas_wei=1_000_000_000,
        calldata=b"\x7f\xf3\x6a\xb5",
        recv_ns=START_NS + number * SECOND_NS,
        source=source,
    )
    steps = (Step(0, "uniswap_v2_router_02", "swapExactETHForTokens", 0),)
    call = DecodedCall("uniswap_v2_router_02", b"\x7f\xf3\x6a\xb5", Completeness.EXACT, (wanted,), steps)
    return TransactionSeen(transaction, call)


def predicted(number: int, wanted: SwapIntent | None = None, on: BlockRef | None = None) -> PredictionMade:
    wanted = wanted or intent()
    hop = wanted.hops[0]
    before = V2Pool(PAIR, WETH, hop.token_out, 3000, 10_000 * 10**18, 25_000_000 * 10**6)
    amount_in = 12_400_000_000_000_000_000
    swapped = before.swap_exact_in(WETH, amount_in)
    impact = PriceImpact(amount_in, swapped.amount_out, 25_000_000 * 10**6, 10_000 * 10**18, 3000)
    hops = (HopResult(hop, amount_in, swapped.amount_out, impact, before, swapped.after),)
    result = SwapResult(wanted, hops, amount_in, swapped.amount_out, "", on or block(100))
    return PredictionMade(Prediction(hash_of(number), 0, result, START_NS + number * SECOND_NS + 1_000_000, 0))


def exposed(number: int, profit_eth: float = 0.03, kind: OpportunityKind = OpportunityKind.SANDWICH_EXPOSURE) -> OpportunityFound:
    profit = round(profit_eth * 10**18)
    legs = (Leg(PAIR, WETH, USDC, 5 * 10**18, 12_000 * 10**6), Leg(PAIR, USDC, WETH, 12_000 * 10**6, 5 * 10**18 + profit))
    found = Opportunity(kind, Bound.EXACT, WETH, profit, profit - 10**15, legs, 180_000, 31_000_000_000, 100)
    return OpportunityFound(hash_of(number), 0, found, profit_eth, profit_eth * 2_500, START_NS + number * SECOND_NS + 2_000_000)


def graded(number: int, error: int | None = 0, cause: Cause = Cause.EXACT, **fields: Any) -> OutcomeGraded:
    amount_out = predicted(number).prediction.result.amount_out
    outcome = Outcome(
        transaction_hash=hash_of(number),
        intent_index=0,
        hop_index=0,
        block_number=101,
        mined_amount_in=12_400_000_000_000_000_000,
        mined_amount_out=None if error is None else amount_out + error,
        error_as_predicted=error,
        error_in_block_order=fields.pop("in_block_order", None if error is None else 0),
        cause=cause,
        moved_by=fields.pop("moved_by", ()),
        revert=fields.pop("revert", RevertGrade.NONE),
    )
    return OutcomeGraded(outcome, fields.pop("on", block(101)).hash, START_NS + number * SECOND_NS + 5_000_000)


def swap_records(numbers: Iterable[int]) -> list[Record]:
    return [record for number in numbers for record in (seen(number), predicted(number), exposed(number), graded(number))]


async def store_records(
    path: Path, records: Iterable[Record], options: StoreOptions = FAST, end: RunEnd = RunEnd.CLEAN, run: RunStart | None = None
) -> None:
    """One whole run."""
    store = await Store.open(path, run or run_start(), options)
    for record in records:
        assert store.put(record)
    await store.close(end, START_NS + 3_600 * SECOND_NS)


def database(path: Path, records: Sequence[Record]) -> Path:
    """A finished database, for tests that have no loop of their own."""
    asyncio.run(store_records(path, [*LISTED, *records]))
    return path


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(query).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]
