"""Reads the JSON that nodes and block files hold into nouns: transactions, heads, blocks and receipts."""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from mempool.errors import BadData
from mempool.model.block import BlockRef, Log, MinedBlock, Receipt
from mempool.model.display import excerpt
from mempool.model.transaction import PendingTransaction

T = TypeVar("T")

# msgspec checks these lengths in C; `int` and `a2b_hex` (twice as fast as `bytes.fromhex`, and strict on spaces) the digits.
Quantity = Annotated[str, Meta(min_length=1, max_length=66)]
Small = Annotated[str, Meta(min_length=1, max_length=18)]
HashText = Annotated[str, Meta(min_length=66, max_length=66)]
DataText = Annotated[str, Meta(min_length=2)]
AddressText = Annotated[str, Meta(min_length=42, max_length=42)]


class TransactionBody(
    Struct,
    frozen=True,
    gc=False,
    rename={"sender": "from", "max_fee": "maxFeePerGas", "priority_fee": "maxPriorityFeePerGas", "gas_price": "gasPrice"},
):
    """The used fields of a transaction as JSON-RPC spells it. Type 2 bodies carry `gasPrice` too."""

    hash: HashText
    sender: AddressText
    nonce: Small
    gas: Small
    value: Quantity
    to: AddressText | None = None
    input: DataText | None = None
    data: DataText | None = None
    max_fee: Quantity | None = None
    priority_fee: Quantity | None = None
    gas_price: Quantity | None = None


class HeadBody(Struct, frozen=True, gc=False, rename={"parent_hash": "parentHash", "base_fee": "baseFeePerGas"}):
    """A block header; old blocks have no base fee, and one recorded file no parent."""

    number: Small
    hash: HashText
    timestamp: Small
    parent_hash: HashText | None = None
    base_fee: Quantity | None = None


class BlockBody(HeadBody, frozen=True, gc=False):
    """A header with its transactions' bodies."""

    transactions: list[TransactionBody] = field(default_factory=list)


class LogBody(Struct, frozen=True, gc=False, rename={"log_index": "logIndex"}):
    """One event of a receipt."""

    address: AddressText
    topics: Annotated[list[HashText], Meta(max_length=4)]
    data: DataText
    log_index: Small = "0x0"


class ReceiptBody(Struct, frozen=True, gc=False, rename={"hash": "transactionHash", "gas_used": "gasUsed"}):
    """The used fields of a receipt."""

    hash: HashText
    status: Small
    gas_used: Small
    logs: list[LogBody]


class Account(Struct, frozen=True, gc=False):
    """What a block file knows of an account before the block: a slot that is absent is unknown, not zero."""

    storage: Mapping[int, int]
    code_hash: str = ""


class AccountBody(Struct, frozen=True, gc=False):
    """An account as a block file spells it."""

    storage: dict[Quantity, Quantity] = field(default_factory=dict)
    code_hash: str = ""


class BlockFile(Struct, frozen=True):
    """A mined block and, where the file has it, the state before its first transaction by 20-byte address."""

    block: MinedBlock
    pre_state: Mapping[bytes, Account] | None


class BlockFileBody(Struct, frozen=True):
    """`{"block", "receipts", "pre_state"}`."""

    block: BlockBody
    receipts: list[ReceiptBody]
    pre_state: dict[AddressText, AccountBody] | None = None


_TRANSACTION = msgspec.json.Decoder(TransactionBody)
_HEAD = msgspec.json.Decoder(HeadBody)
_BLOCK = msgspec.json.Decoder(BlockBody | None)
_RECEIPTS = msgspec.json.Decoder(list[ReceiptBody] | None)
_POOL = msgspec.json.Decoder(dict[str, dict[str, dict[str, TransactionBody]]])
_BLOCK_FILE = msgspec.json.Decoder(BlockFileBody)
_SUBSCRIPTION: msgspec.json.Decoder[str | int] = msgspec.json.Decoder(str | int)
_TEXT = msgspec.json.Decoder(str)
_TEXTS = msgspec.json.Decoder(list[str])


def parse_transaction(raw: bytes, recv_ns: int = 0, source: str = "") -> PendingTransaction:
    """A transaction body, pending or mined. Raises `BadData`."""
    return pending_transaction(parse_body(raw), recv_ns, source)


def pending_transaction(body: TransactionBody, recv_ns: int, source: str) -> PendingTransaction:
    """The noun of a decoded body; a legacy transaction offers its gas price as both fees. Raises `BadData`."""
    calldata = body.input or body.data
    if calldata is None:
        raise BadData("transaction: neither input nor data")
    price = body.max_fee or body.gas_price or "0x0"
    try:
        tx = PendingTransaction(
            body.hash.lower(),
            a2b_hex(body.sender[2:]),
            None if body.to is None else a2b_hex(body.to[2:]),
            int(body.nonce, 0),
            int(body.value, 0),
            int(body.gas, 0),
            int(price, 0),
            int(body.priority_fee or price, 0),
            a2b_hex(calldata[2:]),
            recv_ns,
            source,
        )
        a2b_hex(body.hash[2:])  # the text is kept, so its digits are looked at here
    except ValueError:
        raise BadData("transaction: a field is not hex") from None
    if (tx.nonce | tx.gas_limit) >> 63 or (tx.value_wei | tx.max_fee_per_gas_wei | tx.max_priority_fee_per_gas_wei) < 0:
        raise BadData("transaction: a number is out of range")
    if tx.hash[:2] != "0x":
        raise BadData("transaction: the hash does not begin with 0x")
    return tx


def parse_head(raw: bytes) -> BlockRef:
    """A header, with or without transactions. Raises `BadData`."""
    return _block_ref(_decode(_HEAD, raw, "head"))


def parse_block(raw: bytes, recv_ns: int = 0, source: str = "") -> tuple[BlockRef, tuple[PendingTransaction, ...]]:
    """A block with full transactions (`eth_getBlockByHash(hash, true)`), in block order. Raises `BadData`, also on `null`."""
    body = _decode(_BLOCK, raw, "block")
    if body is None:
        raise BadData("block: the node does not have it")
    return _block_ref(body), tuple(pending_transaction(tx, recv_ns, source) for tx in body.transactions)


def parse_receipts(raw: bytes) -> tuple[Receipt, ...]:
    """All receipts of a block (`eth_getBlockReceipts`), in the node's order. Raises `BadData`, also on `null`."""
    bodies = _decode(_RECEIPTS, raw, "receipts")
    if bodies is None:
        raise BadData("receipts: the node does not have the block")
    return tuple(map(_receipt, bodies))


def parse_pool(raw: bytes) -> list[TransactionBody]:
    """`txpool_content`: its pending, then its queued transactions, each sender's by nonce; undecoded but for the JSON.

    The noun is made by `pending_transaction`, so that a caller can pass over what is not sent to a router. Raises `BadData`.
    """
    content = _decode(_POOL, raw, "pool content")
    bodies = []
    for part in ("pending", "queued"):
        for by_nonce in content.get(part, {}).values():
            # Go prints the nonces in the order of their text, where 10 stands before 9.
            bodies += [body for _, body in sorted(by_nonce.items(), key=lambda item: (len(item[0]), item[0]))]
    return bodies


def parse_body(raw: bytes) -> TransactionBody:
    """A transaction as JSON spells it, for `pending_transaction`. Raises `BadData`."""
    return _decode(_TRANSACTION, raw, "transaction")


def parse_subscription(raw: bytes) -> str | int:
    """A subscription's or a filter's id. Raises `BadData`."""
    return _decode(_SUBSCRIPTION, raw, "subscription")


def parse_hash(raw: bytes) -> str:
    """A transaction's hash. Raises `BadData`."""
    return _hash(_decode(_TEXT, raw, "hash"))


def parse_hashes(raw: bytes) -> list[str]:
    """A list of hashes, as a pending filter gives them. Raises `BadData`."""
    return [_hash(text) for text in _decode(_TEXTS, raw, "hashes")]


def parse_block_file(raw: bytes) -> BlockFile:
    """`{"block", "receipts", "pre_state"}`; the state may be absent. Raises `BadData`."""
    body = _decode(_BLOCK_FILE, raw, "block file")
    transactions = tuple(pending_transaction(tx, 0, "") for tx in body.block.transactions)
    block = mined_block(_block_ref(body.block), transactions, tuple(map(_receipt, body.receipts)))
    if body.pre_state is None:
        return BlockFile(block, None)
    return BlockFile(block, {_hex(address, 20): _account(account) for address, account in body.pre_state.items()})


def mined_block(ref: BlockRef, transactions: tuple[PendingTransaction, ...], receipts: tuple[Receipt, ...]) -> MinedBlock:
    """Pairs each transaction with its receipt. Raises `BadData` where one has none."""
    by_hash = {receipt.transaction_hash: receipt for receipt in receipts}
    if len(receipts) != len(transactions) or any(tx.hash not in by_hash for tx in transactions):
        raise BadData(f"block {ref.number}: {len(transactions)} transactions and {len(receipts)} receipts do not belong together")
    return MinedBlock(ref, transactions, tuple(by_hash[tx.hash] for tx in transactions))


def _decode(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    raise BadData(f"{what}: {excerpt(reason)}")


def _block_ref(body: HeadBody) -> BlockRef:
    parent = "" if body.parent_hash is None else _hash(body.parent_hash)
    base_fee = 0 if body.base_fee is None else _number(body.base_fee)
    return BlockRef(_small(body.number), _hash(body.hash), parent, _small(body.timestamp), base_fee)


def _receipt(body: ReceiptBody) -> Receipt:
    return Receipt(_hash(body.hash), _small(body.status) == 1, _small(body.gas_used), tuple(map(_log, body.logs)))


def _log(body: LogBody) -> Log:
    topics = tuple(_hex(topic, 32) for topic in body.topics)
    return Log(_hex(body.address, 20), topics, _hex(body.data, (len(body.data) - 2) // 2), _small(body.log_index))


def _account(body: AccountBody) -> Account:
    return Account({_number(slot): _number(value) for slot, value in body.storage.items()}, body.code_hash)


def _hash(text: str) -> str:
    _hex(text, 32)
    return text.lower()


def _hex(text: str, size: int) -> bytes:
    try:
        value = a2b_hex(text[2:])
    except ValueError:
        raise BadData("a field is not hex") from None
    if text[:2] != "0x" or len(value) != size:
        raise BadData(f"a field is not {size} bytes of hex")
    return value


def _number(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        raise BadData("a field is not a number in hex") from None
    if value < 0 or value >> 256:
        raise BadData("a number is out of range")
    return value


def _small(text: str) -> int:
    value = _number(text)
    if value >> 63:
        raise BadData("a number is out of range")
    return value
