"""One engine with a V2 pair under it, driven step by step as its owner drives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from eth_abi.abi import encode
from msgspec.structs import replace

from mempool.amm.uniswap_v2 import V2Pool
from mempool.decode import DecodeTables
from mempool.engine.core import Engine, EngineOptions
from mempool.model.block import BlockRef, MinedBlock, Receipt
from mempool.model.record import Record
from mempool.model.transaction import PendingTransaction
from tests.engine.blocks import EXACT_IN, ROUTER02, TIMESTAMP, TOKEN, pair_of, router_call
from tests.grade.ledger import ETHER, Ledger

Kind = TypeVar("Kind")
PAIR_SWAP = bytes.fromhex("022c0d9f")


def block_hash(number: int, branch: int = 0) -> str:
    return f"0x{branch:032x}{number:032x}"


def ref(number: int, branch: int = 0, parent_branch: int | None = None) -> BlockRef:
    parent = block_hash(number - 1, branch if parent_branch is None else parent_branch)
    return BlockRef(number, block_hash(number, branch), parent, TIMESTAMP + 12 * number, 10**9)


class World:
    """`pair` trades the wrapped native token against `TOKEN`; `records` is what the engine has reported."""

    def __init__(self, tables: DecodeTables, options: EngineOptions | None = None) -> None:
        self.tables = tables
        self.records: list[Record] = []
        self.engine = Engine(tables, self.records.append, options or EngineOptions())
        self.pair = pair_of(tables, tables.wrapped_native, TOKEN)
        self.nonce = 0

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.records if isinstance(record, kind)]

    def swap(
        self, amount_in: int = ETHER, min_amount_out: int = 0, *, nonce: int | None = None, fee: int = 10, source: str = "node-1"
    ) -> PendingTransaction:
        """A swap of the wrapped native token, not announced yet."""
        self.nonce += 1
        calldata = router_call(EXACT_IN, amount_in, min_amount_out, [self.tables.wrapped_native, TOKEN], TIMESTAMP + 10**6)
        return PendingTransaction(
            hash=f"0x{self.nonce:064x}",
            sender=b"\x11" * 20,
            to=ROUTER02,
            nonce=self.nonce if nonce is None else nonce,
            value_wei=0,
            gas_limit=200_000,
            max_fee_per_gas_wei=fee,
            max_priority_fee_per_gas_wei=1,
            calldata=calldata,
            recv_ns=self.nonce * 10**9,
            source=source,
        )

    def pair_call(self, amount_out: int = ETHER) -> PendingTransaction:
        """A call of the pair itself, which says nothing of its tokens: `amount_out` of `TOKEN` for what it was paid before."""
        arguments = encode(["uint256", "uint256", "address", "bytes"], [0, amount_out, b"\x11" * 20, b""])
        return replace(self.swap(), to=self.pair.address, calldata=PAIR_SWAP + arguments)

    def announce(self, transaction: PendingTransaction) -> PendingTransaction:
        self.engine.now_ns = transaction.recv_ns
        self.engine.on_pending(transaction)
        return transaction

    def mine(self, block: BlockRef, transactions: Sequence[PendingTransaction] = (), *, failing: Sequence[str] = ()) -> None:
        """A block whose swaps move the pair by its maths, each leaving the logs of the real contracts."""
        self.engine.on_block(self.block(block, transactions, failing=failing))

    def block(self, block: BlockRef, transactions: Sequence[PendingTransaction], *, failing: Sequence[str] = ()) -> MinedBlock:
        receipts = []
        state = self.engine.market.view().pool(self.pair.address) if self.engine.head else None
        ledger = Ledger(state if isinstance(state, V2Pool) else self.pair)
        for transaction in transactions:
            succeeded = transaction.hash not in failing
            if succeeded:
                self._trade(ledger, transaction)
            receipts.append(Receipt(transaction.hash, succeeded, 100_000, tuple(ledger.logs)))
            ledger.logs.clear()
        self.engine.now_ns += 12 * 10**9
        return MinedBlock(block, tuple(transactions), tuple(receipts))

    def _trade(self, ledger: Ledger, transaction: PendingTransaction) -> None:
        """A router gets what the pair has for its amount; the pair called by itself pays what it is asked, for the least."""
        token_in = self.tables.wrapped_native
        if transaction.to != self.pair.address:
            ledger.swap(self.pair, token_in, int.from_bytes(transaction.calldata[4:36]))
            return
        amount_out = int.from_bytes(transaction.calldata[36:68])
        received = ledger.pools[self.pair.address].swap_exact_out(token_in, amount_out).amount_in
        ledger.settle(self.pair, token_in, received, amount_out)

    def mine_taxed(self, block: BlockRef, transaction: PendingTransaction) -> None:
        """A block with one swap of which the pair receives 99 of 100."""
        ledger, amount_in = Ledger(self.pair), int.from_bytes(transaction.calldata[4:36])
        ledger.swap(self.pair, self.tables.wrapped_native, amount_in * 99 // 100)
        receipt = Receipt(transaction.hash, succeeded=True, gas_used=100_000, logs=tuple(ledger.logs))
        self.engine.on_block(MinedBlock(block, (transaction,), (receipt,)))

    def give_pools(self) -> None:
        """Answer every open request: the pair exists, nothing else does."""
        for request in self.engine.take_pool_requests():
            absent = [identity.address for identity in request.identities if identity.address != self.pair.address]
            self.engine.on_pools_absent(absent, request.block)
            if len(absent) < len(request.identities):
                self.engine.on_pools([self.pair], request.block)

    def begin(self, number: int = 100) -> None:
        """The first head, with the pair known."""
        self.mine(ref(number))
        self.give_pools()
        self.engine.on_pools([self.pair], ref(number))
        self.give_pools()
