"""Real transactions to 0x's contracts, decoded."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mempool.decode import decode
from mempool.model.swap import DecodedCall
from tests.decode.calls import tables

SWAP_TOPICS = {
    "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822",
    "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
}
Recorded = tuple[dict[str, Any], dict[str, Any], DecodedCall]
"""The transaction, its receipt, and what was decoded."""


def recorded(folder: Path, to: bytes) -> Iterator[Recorded]:
    """All transactions to one contract."""
    for each in sorted(folder.glob("mainnet/[0-9]*.json.gz")):
        block = orjson.loads(gzip.decompress(each.read_bytes()))
        for transaction, receipt in zip(block["block"]["transactions"], block["receipts"], strict=True):
            if transaction["to"] == "0x" + to.hex():
                data, sender = (bytes.fromhex(transaction[key][2:]) for key in ("input", "from"))
                call = decode(tables(), to, data, int(transaction["value"], 16), sender)
                assert call is not None
                yield transaction, receipt, call


def swap_pools(receipt: dict[str, Any]) -> list[bytes]:
    """The V2 and V3 pools that logged swaps, in their order."""
    logs = (log for log in receipt["logs"] if log["topics"] and log["topics"][0] in SWAP_TOPICS)
    return [bytes.fromhex(log["address"][2:]) for log in logs]
