"""What an earlier run left pending, read back so that it is graded, or marked vanished, by the next one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct

from mempool.errors import StateUnknown
from mempool.model.block import BlockRef, Log
from mempool.model.outcome import Prediction
from mempool.model.pool import PoolState, PoolSwap
from mempool.model.price import PriceImpact
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut, Hop, HopResult, Size, SwapIntent, SwapResult, Take
from mempool.store.reader import open_reader


class OpenTransaction(Struct, frozen=True):
    """A transaction whose end is not known, with the intents it asks for and the latest prediction of each."""

    hash: str
    sender: bytes
    nonce: int
    router: str
    first_seen_ns: int
    intents: tuple[SwapIntent, ...]
    predictions: tuple[Prediction, ...]


class RestoredPool(Struct, frozen=True, gc=False):
    """A pool of a stored prediction: its identity is known, its state then is not, and every question about it says so."""

    address: bytes
    kind: str
    token0: bytes
    token1: bytes
    fee_pips: int

    def swap_exact_in(self, token_in: bytes, amount_in: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        raise self._unknown()

    def swap_exact_out(self, token_in: bytes, amount_out: int, sqrt_price_limit_x96: int = 0) -> PoolSwap:
        raise self._unknown()

    def mid_price(self, token_in: bytes) -> tuple[int, int]:
        raise self._unknown()

    def after_log(self, log: Log) -> PoolState:
        raise self._unknown()

    def _unknown(self) -> StateUnknown:
        return StateUnknown(self.address, "the state of an earlier run")


def open_transactions(path: Path) -> list[OpenTransaction]:
    """The pending transactions of a database, in the order they were seen. Raises `StoreError`."""
    with closing(open_reader(path)) as connection:
        rows = connection.execute("SELECT * FROM transactions WHERE state = 'pending' ORDER BY id").fetchall()
        return [_open_transaction(connection, row) for row in rows]


def _open_transaction(connection: sqlite3.Connection, row: sqlite3.Row) -> OpenTransaction:
    intents: list[SwapIntent] = []
    predictions: list[Prediction] = []
    for intent_row in connection.execute("SELECT * FROM intents WHERE transaction_id = ? ORDER BY intent_index", (row["id"],)):
        intents.append(stored_intent(intent_row))
        predictions += _latest_prediction(connection, row["hash"], intent_row, intents[-1])
    return OpenTransaction(
        hash=row["hash"],
        sender=_raw(row["sender"]),
        nonce=row["nonce"],
        router=row["router"],
        first_seen_ns=row["first_seen_ns"],
        intents=tuple(intents),
        predictions=tuple(predictions),
    )


def stored_intent(row: sqlite3.Row) -> SwapIntent:
    """The intent as it was put, from its row in `intents`."""
    hops = (
        Hop(
            protocol=hop["protocol"],
            kind=hop["kind"],
            pool=_raw(hop["pool"]),
            token_in=_raw(hop["token_in"]),
            token_out=_raw(hop["token_out"]),
            fee_pips=hop["fee_pips"],
            tick_spacing=hop["tick_spacing"],
            hooks=_raw(hop.get("hooks", "")),
            zero_for_one=hop.get("zero_for_one"),
        )
        for hop in json.loads(row["hops"])
    )
    return SwapIntent(
        router=row["router"],
        function=row["function"],
        hops=tuple(hops),
        size=_size(row),
        recipient=_raw(row["recipient"]),
        deadline=None if row["deadline"] is None else int(row["deadline"]),
        sqrt_price_limit_x96=int(row["sqrt_price_limit_x96"]),
        revert_scopes=tuple(json.loads(row["revert_scopes"])),
        measures_received=bool(row["measures_received"]),
        completeness=Completeness(row["completeness"]),
        reason=row["reason"],
    )


def _size(row: sqlite3.Row) -> Size:
    amount, limit = int(row["amount"]), int(row["limit_amount"])
    match row["size"]:
        case "exact_in":
            return ExactIn(amount, limit)
        case "exact_out":
            return ExactOut(amount, limit, bool(row["pays_forward"]))
        case _:
            return _balance(json.loads(row["balance_sources"]), amount, limit)


def _balance(stored: list[int] | dict[str, Any], held_wei: int, min_amount_out: int) -> BalanceIn:
    """As `columns.balance_sources` wrote it."""
    if isinstance(stored, list):
        return BalanceIn(held_wei, tuple(stored), min_amount_out)
    share, *takes = (Take(*map(int, take)) for take in (stored["share"], *stored["takes"]))
    return BalanceIn(held_wei, tuple(stored["sources"]), min_amount_out, tuple(takes), share)


def _latest_prediction(
    connection: sqlite3.Connection, transaction_hash: str, intent_row: sqlite3.Row, intent: SwapIntent
) -> Iterator[Prediction]:
    rows = connection.execute("SELECT * FROM predictions WHERE intent_id = ? ORDER BY id DESC LIMIT 1", (intent_row["id"],))
    for row in rows:
        hop_rows = connection.execute("SELECT * FROM hops WHERE prediction_id = ? ORDER BY hop_index", (row["id"],))
        block = BlockRef(
            number=row["block_number"],
            hash=row["block_hash"],
            parent_hash=row["parent_hash"],
            timestamp=row["block_timestamp"],
            base_fee_per_gas_wei=int(row["base_fee_wei"]),
        )
        result = SwapResult(
            intent=intent,
            hops=tuple(_hop_result(hop, hop_row) for hop, hop_row in zip(intent.hops, hop_rows, strict=False)),
            amount_in=int(row["amount_in"]),
            amount_out=int(row["amount_out"]),
            reverts=row["reverts"],
            block=block,
        )
        yield Prediction(transaction_hash, intent_row["intent_index"], result, row["predicted_ns"], row["late_ns"])


def _hop_result(hop: Hop, row: sqlite3.Row) -> HopResult:
    token0, token1 = sorted((hop.token_in, hop.token_out))
    fee_pips = hop.fee_pips or 0
    pool = RestoredPool(hop.pool, hop.kind, token0, token1, fee_pips)
    amount_in, amount_out = int(row["amount_in"]), int(row["amount_out"])
    impact = PriceImpact(amount_in, amount_out, int(row["mid_numerator"]), int(row["mid_denominator"]), fee_pips)
    return HopResult(hop, amount_in, amount_out, impact, before=pool, after=pool)


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
