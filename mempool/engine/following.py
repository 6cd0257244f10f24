"""The swaps that wait to be mined: how each came, how it left, and what is still known of one that may come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from mempool.engine.block_run import BlockMoves
from mempool.engine.counters import Counters
from mempool.engine.recent_blocks import Followed, RecentBlock, RecentBlocks
from mempool.model.block import BlockRef, MinedBlock, Receipt
from mempool.model.outcome import Prediction
from mempool.model.record import Record, Reorged, SourceSeen, TransactionSeen, TransactionState, TransactionStatus
from mempool.model.transaction import PendingTransaction
from mempool.pending import Departure, PendingPool

MAX_GONE = 20_000
"""Departed swaps that are remembered, oldest forgotten first: they may be announced again, or be mined after all."""


class Following:
    """Every swap is in one place: waiting, gone, or mined in one of the recent blocks. Changes are emitted as records."""

    def __init__(self, emit: Callable[[Record], None], counters: Counters, capacity: int) -> None:
        self.recent = RecentBlocks()
        self._emit, self._counters = emit, counters
        self._pool = PendingPool(capacity)
        self._waiting: dict[str, Followed] = {}
        self._gone: dict[str, Followed] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def waiting(self, transaction_hash: str) -> Followed | None:
        return self._waiting.get(transaction_hash)

    def all_waiting(self) -> list[Followed]:
        return list(self._waiting.values())

    def knows(self, transaction_hash: str) -> bool:
        return transaction_hash in self._waiting or transaction_hash in self._gone or self.recent.holds(transaction_hash)

    def seen_again(self, transaction: PendingTransaction) -> Followed | None:
        """A known hash is announced: another source of it, or the return of one that had gone, which is then returned."""
        self._counters.repeated += 1
        known = self._find(transaction.hash)
        if known is not None and known.transaction.source != transaction.source:
            self._emit(SourceSeen(transaction.hash, transaction.source, transaction.recv_ns))
        gone = self._gone.get(transaction.hash)
        if gone is None or self._pool.is_outbid(gone.transaction):  # a slower node shows what has been replaced
            return None
        del self._gone[transaction.hash]
        self._place(gone)
        self._emit(TransactionState(transaction.hash, TransactionStatus.PENDING, reason="announced again"))
        return gone

    def add(self, followed: Followed) -> bool:
        """Follow a new swap; False where another with its nonce bids more, so that it will not be mined."""
        self._emit(TransactionSeen(followed.transaction, followed.call))
        return self._place(followed)

    def restore(self, followed: Followed) -> None:
        """Follow what an earlier run left pending."""
        self._pool.apply(followed.transaction)
        self._waiting[followed.transaction.hash] = followed

    def vanish_all_but(self, present: frozenset[str], source: str, reason: str) -> None:
        """`source` shows its whole pool: what it had shown and no longer holds has vanished."""
        self._depart(self._pool.vanish_all_but(present, source, reason))

    def predictions(self, block: MinedBlock) -> Mapping[str, Sequence[Prediction]]:
        """Of the block's transactions, those that were ever followed, with what was predicted of them."""
        mined = ((transaction.hash, self._find(transaction.hash)) for transaction in block.transactions)
        return {transaction_hash: tuple(found.predictions.values()) for transaction_hash, found in mined if found}

    def include(self, block: MinedBlock, moves: BlockMoves) -> None:
        """The block's transactions are mined; a waiting one whose nonce another took departs."""
        mined = []
        for index, (transaction, receipt) in enumerate(zip(block.transactions, block.receipts, strict=True)):
            followed = self._waiting.pop(transaction.hash, None) or self._gone.pop(transaction.hash, None)
            if followed is not None:
                mined.append(followed)
                self._emit(_included(block.ref, index, receipt))
        self._depart(self._pool.include(block.transactions))
        self.recent.add(RecentBlock(block.ref.hash, moves, tuple(mined)))

    def orphan(self, hashes: Sequence[str]) -> None:
        """These blocks left the chain: what they had mined waits again."""
        for block_hash in hashes:
            self._counters.reorged_blocks += 1
            self._emit(Reorged(block_hash))
        for followed in self.recent.orphan(hashes):
            transaction = followed.transaction
            self._waiting[transaction.hash] = followed
            rival = self._pool.restore(transaction)
            if rival is not None and rival != transaction.hash:
                self._leave(
                    transaction.hash, TransactionStatus.REPLACED, "its nonce was taken before its block was undone", rival
                )

    def _find(self, transaction_hash: str) -> Followed | None:
        return self._waiting.get(transaction_hash) or self._gone.get(transaction_hash)

    def _place(self, followed: Followed) -> bool:
        transaction = followed.transaction
        sighting = self._pool.apply(transaction)
        self._waiting[transaction.hash] = followed
        if sighting.underpriced:
            self._leave(transaction.hash, TransactionStatus.DROPPED, "another transaction with its nonce bids more")
            return False
        if sighting.replaced is not None:
            self._counters.replaced += 1
            self._leave(sighting.replaced, TransactionStatus.REPLACED, "a higher bid with its nonce", transaction.hash)
        if sighting.evicted is not None:
            self._counters.evicted += 1
            self._leave(sighting.evicted, TransactionStatus.DROPPED, "too many others wait: the oldest is no longer followed")
        return True

    def _depart(self, departures: Iterable[Departure]) -> None:
        for departure in departures:
            transaction_hash, replaced_by = departure.transaction.hash, departure.replaced_by
            if replaced_by is None:
                self._counters.vanished += 1
                self._leave(transaction_hash, TransactionStatus.VANISHED, departure.reason)
            else:
                self._counters.replaced += 1
                self._leave(transaction_hash, TransactionStatus.REPLACED, departure.reason, replaced_by)

    def _leave(self, transaction_hash: str, status: TransactionStatus, reason: str, replaced_by: str = "") -> None:
        followed = self._waiting.pop(transaction_hash, None)
        if followed is not None:
            self._gone[transaction_hash] = followed
            if len(self._gone) > MAX_GONE:
                del self._gone[next(iter(self._gone))]
        self._emit(TransactionState(transaction_hash, status, reason=reason, replaced_by=replaced_by))


def _included(block: BlockRef, index: int, receipt: Receipt) -> TransactionState:
    return TransactionState(
        receipt.transaction_hash,
        TransactionStatus.INCLUDED,
        block_number=block.number,
        block_hash=block.hash,
        transaction_index=index,
        succeeded=receipt.succeeded,
    )
