"""What an earlier run left pending, followed on by the next one."""

from __future__ import annotations

from pathlib import Path

from mempool.engine.recent_blocks import Followed
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.store.restored import OpenTransaction, open_transactions


def left_pending(database: Path, source: str) -> list[Followed]:
    """The open transactions of the database, as if `source` had shown them: its pool will tell which of them vanished.

    What is no longer needed of them (calldata, fees, value) is empty: a block brings it again with the mined transaction.
    """
    return [_followed(transaction, source) for transaction in open_transactions(database)]


def _followed(stored: OpenTransaction, source: str) -> Followed:
    transaction = PendingTransaction(
        hash=stored.hash,
        sender=stored.sender,
        to=None,
        nonce=stored.nonce,
        value_wei=0,
        gas_limit=0,
        max_fee_per_gas_wei=0,
        max_priority_fee_per_gas_wei=0,
        calldata=b"",
        recv_ns=stored.first_seen_ns,
        source=source,
    )
    call = DecodedCall(stored.router, b"", Completeness.EXACT, stored.intents)
    return Followed(transaction, call, {prediction.intent_index: prediction for prediction in stored.predictions})
