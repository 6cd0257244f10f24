"""Single transactions of the recorded blocks, decoded, with what their blocks logged of them."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from mempool.decode import decode
from mempool.model.swap import DecodedCall
from tests.decode.calls import tables


@cache
def block_of(folder: Path, number: int) -> dict[str, Any]:
    """`{"block": …, "receipts": […]}`"""
    block: dict[str, Any] = orjson.loads(gzip.decompress((folder / "mainnet" / f"{number}.json.gz").read_bytes()))
    return block


def mined(folder: Path, number: int, transaction_hash: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A transaction and its receipt's logs."""
    block = block_of(folder, number)
    for transaction, receipt in zip(block["block"]["transactions"], block["receipts"], strict=True):
        if transaction["hash"] == transaction_hash:
            return transaction, receipt["logs"]
    raise AssertionError(f"block {number} has no transaction {transaction_hash}")


def mined_call(folder: Path, number: int, transaction_hash: str) -> tuple[DecodedCall, list[dict[str, Any]]]:
    """A transaction's call and its receipt's logs."""
    transaction, logs = mined(folder, number, transaction_hash)
    to, sender, data = (bytes.fromhex(transaction[key][2:]) for key in ("to", "from", "input"))
    call = decode(tables(), to, data, int(transaction["value"], 16), sender)
    assert call is not None
    return call, logs
