"""JSON from nodes and block files becomes nouns, or `BadData` with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mempool.errors import BadData
from mempool.feeds import frames
from mempool.model.transaction import PendingTransaction
from tests.fakes.messages import ROUTER, head, pool_content, transaction


def parse(**changes: Any) -> PendingTransaction:
    return frames.parse_transaction(orjson.dumps(transaction(7) | changes), 5, "a node")


def test_transaction_is_read_with_its_stamp_and_source() -> None:
    tx = parse()
    assert (tx.nonce, tx.value_wei, tx.gas_limit) == (7, 10**18, 250_000)
    assert tx.to == bytes.fromhex(ROUTER[2:])
    assert tx.calldata[:4].hex() == "7ff36ab5"
    assert (tx.max_fee_per_gas_wei, tx.max_priority_fee_per_gas_wei) == (2 * 10**9, 10**9)
    assert (tx.recv_ns, tx.source) == (5, "a node")


def test_legacy_transaction_offers_its_gas_price_as_both_fees() -> None:
    tx = parse(maxFeePerGas=None, maxPriorityFeePerGas=None, gasPrice="0x5")
    assert (tx.max_fee_per_gas_wei, tx.max_priority_fee_per_gas_wei) == (5, 5)


def test_contract_creation_has_no_receiver() -> None:
    assert parse(to=None).to is None


def test_hash_in_capitals_is_lowered() -> None:
    assert parse(hash="0x" + "AB" * 32).hash == "0x" + "ab" * 32


def test_calldata_may_be_called_data() -> None:
    assert parse(input=None, data="0x1234").calldata == b"\x12\x34"


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": "0x12"},
        {"hash": "0x" + "g" * 64},
        {"hash": "ab" * 33},
        {"hash": "0x" + " " * 64},
        {"from": "0x" + "1" * 39},
        {"from": "0x" + "1 " * 20},
        {"to": 5},
        {"to": "0x" + "1" * 41},
        {"nonce": "0x"},
        {"nonce": 7},
        {"nonce": "-0x1"},
        {"nonce": "0x" + "f" * 16},
        {"nonce": "0x" + "f" * 17},
        {"gas": "0x8000000000000000"},
        {"value": "-0x1"},
        {"value": "0x" + "f" * 65},
        {"value": "1e999"},
        {"maxFeePerGas": "-0x5"},
        {"input": "0x123"},
        {"input": "0x12 34"},
        {"input": None},
        {"input": "0xzz"},
    ],
    ids=str,
)
def test_field_that_is_not_what_it_must_be_is_bad_data(changes: dict[str, Any]) -> None:
    with pytest.raises(BadData, match="transaction"):
        parse(**changes)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"NaN", b'{"hash":"\xff"}', b"[" * 100_000, b'{"a":' * 50_000])
def test_text_that_is_no_transaction_is_bad_data(raw: bytes) -> None:
    with pytest.raises(BadData):
        frames.parse_transaction(raw)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_random_bytes_raise_nothing_but_bad_data(raw: bytes) -> None:
    for read in (
        frames.parse_transaction,
        frames.parse_head,
        frames.parse_block,
        frames.parse_receipts,
        frames.parse_pool,
        frames.parse_block_file,
        frames.parse_hashes,
    ):
        with pytest.raises(BadData):
            read(raw)


def test_head_is_read() -> None:
    ref = frames.parse_head(orjson.dumps(head(16)))
    assert (ref.number, ref.timestamp, ref.base_fee_per_gas_wei) == (16, 1_700_000_192, 10**9)


def test_block_that_the_node_does_not_have_is_bad_data() -> None:
    with pytest.raises(BadData, match="does not have it"):
        frames.parse_block(b"null")


def test_pool_content_stands_in_the_order_of_nonces_not_of_their_text() -> None:
    bodies = frames.parse_pool(orjson.dumps(pool_content(10, 9, 100, queued=(300, 200))))
    assert [int(body.nonce, 16) for body in bodies] == [9, 10, 100, 200, 300]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"topics": ["0x12"]}, "length"),
        ({"address": "0x" + "g" * 40}, "hex"),
        ({"data": "0x1"}, "hex"),
        ({"topics": ["0x"] * 5}, "Expected"),
    ],
)
def test_log_that_is_not_what_it_must_be_is_bad_data(change: dict[str, Any], reason: str) -> None:
    log = {"address": ROUTER, "topics": ["0x" + "11" * 32], "data": "0x", "logIndex": "0x0"}
    receipt = {"transactionHash": "0x" + "11" * 32, "status": "0x1", "gasUsed": "0x1", "logs": [log]}
    assert len(frames.parse_receipts(orjson.dumps([receipt]))) == 1
    with pytest.raises(BadData, match=reason):
        frames.parse_receipts(orjson.dumps([receipt | {"logs": [log | change]}]))


def test_receipts_of_another_block_do_not_pair() -> None:
    ref = frames.parse_head(orjson.dumps(head(1)))
    with pytest.raises(BadData, match="do not belong together"):
        frames.mined_block(ref, (parse(),), ())


@pytest.mark.shared
def test_every_recorded_block_is_read_whole(shared_data: Path) -> None:
    for path in sorted(shared_data.glob("mainnet/[0-9]*.json.gz")):
        raw = gzip.decompress(path.read_bytes())
        file, plain = frames.parse_block_file(raw), orjson.loads(raw)
        assert [tx.hash for tx in file.block.transactions] == [tx["hash"] for tx in plain["block"]["transactions"]]
        assert [len(receipt.logs) for receipt in file.block.receipts] == [len(each["logs"]) for each in plain["receipts"]]
        assert (file.pre_state is None) == ("pre_state" not in plain)
        slots = sum(len(account.storage) for account in (file.pre_state or {}).values())
        assert slots == sum(len(account.get("storage", {})) for account in plain.get("pre_state", {}).values())
