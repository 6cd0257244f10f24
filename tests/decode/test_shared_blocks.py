"""Real transactions to the listed routers: what is decoded is what the block then did."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mempool.abi import MAX_CALLDATA_BYTES
from mempool.decode import decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall
from tests.decode.calls import tables

SWAP_TOPICS = {
    "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
}
V4_SWAP_TOPIC = "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f"
NAMED = frozenset(Completeness) - {Completeness.MALFORMED, Completeness.REFUSED}


def router_transactions(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Transactions sent directly to a listed router, with their receipts."""
    for path in sorted(folder.glob("mainnet/[0-9]*.json.gz")):
        block = orjson.loads(gzip.decompress(path.read_bytes()))
        for transaction, receipt in zip(block["block"]["transactions"], block["receipts"], strict=True):
            if transaction["to"] and bytes.fromhex(transaction["to"][2:]) in tables().routers:
                yield transaction, receipt


def call_of(transaction: dict[str, Any]) -> DecodedCall:
    to, sender = (bytes.fromhex(transaction[key][2:]) for key in ("to", "from"))
    call = decode(tables(), to, bytes.fromhex(transaction["input"][2:]), int(transaction["value"], 16), sender)
    assert call is not None
    return call


def outcome(transaction: dict[str, Any]) -> DecodedCall | MalformedCalldata:
    try:
        return call_of(transaction)
    except MalformedCalldata as error:
        return error


def swap_pools(receipt: dict[str, Any]) -> list[bytes]:
    """The address of each V2 and V3 pool, and the id of each V4 pool, that logged a swap."""
    pools = []
    for log in receipt["logs"]:
        if log["topics"] and log["topics"][0] in SWAP_TOPICS:
            pools.append(bytes.fromhex(log["address"][2:]))
        elif log["topics"] and log["topics"][0] == V4_SWAP_TOPIC:
            pools.append(bytes.fromhex(log["topics"][1][2:]))
    return pools


def traded_pools(call: DecodedCall) -> list[bytes]:
    """The V2, V3 and V4 pools of the swaps whose path is fully known."""
    known = [intent for intent in call.intents if intent.completeness in (Completeness.EXACT, Completeness.AMOUNT_UNKNOWN)]
    return [hop.pool for intent in known for hop in intent.hops if hop.kind or hop.protocol == "uniswap_v4"]


def is_ordered_part(part: list[bytes], whole: list[bytes]) -> bool:
    rest = iter(whole)
    return all(pool in rest for pool in part)


@pytest.mark.shared
def test_every_successful_call_of_a_router_ends_as_a_swap_or_by_name_as_none(shared_data: Path) -> None:
    seen = 0
    for transaction, receipt in router_transactions(shared_data):
        call = call_of(transaction)
        assert call.completeness in NAMED, (transaction["hash"], call.reason)
        if call.completeness in (Completeness.OPAQUE, Completeness.PARTIAL):
            assert "universal" not in call.router, (transaction["hash"], call.reason)
        if receipt["status"] == "0x1" and call.completeness is Completeness.NOT_A_SWAP:
            assert swap_pools(receipt) == [], transaction["hash"]
        seen += 1
    assert seen > 150


@pytest.mark.shared
def test_hops_of_successful_calls_are_the_pools_that_logged_swaps_in_that_order(shared_data: Path) -> None:
    for transaction, receipt in router_transactions(shared_data):
        if receipt["status"] == "0x1":
            assert is_ordered_part(traded_pools(call_of(transaction)), swap_pools(receipt)), transaction["hash"]


@pytest.mark.shared
def test_real_calls_cut_anywhere_are_malformed_or_unchanged(shared_data: Path) -> None:
    for transaction, _ in router_transactions(shared_data):
        data = bytes.fromhex(transaction["input"][2:])
        whole = call_of(transaction)
        assert len(data) <= MAX_CALLDATA_BYTES
        for length in range(1, len(data), 7):
            cut = outcome({**transaction, "input": "0x" + data[:length].hex()})
            assert not cut.refused if isinstance(cut, MalformedCalldata) else cut.intents == whole.intents
