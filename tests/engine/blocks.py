"""Writes small block files: Router02 calls over real V2 pair addresses, with the logs and slots that their maths give."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from mempool.amm.uniswap_v2 import V2Pool
from mempool.decode import DecodeTables
from mempool.model.block import Log
from mempool.model.keccak import keccak256
from tests.grade.ledger import ETHER, SENDER, Ledger

TIMESTAMP = 1_700_000_000
ROUTER02 = bytes.fromhex("7a250d5630b4cf539739df2c5dacb4c659f2488d")
TOKEN, OTHER_TOKEN = b"\xf1" * 20, b"\xf2" * 20
"""Both stand above the wrapped native token, so that a pair's tokens are in this order."""
EXACT_IN = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
EXACT_OUT = "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"
TAXED_IN = "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"


def router_call(signature: str, amount: int, limit: int, path: Sequence[bytes], deadline: int = TIMESTAMP) -> bytes:
    types = ["uint256", "uint256", "address[]", "address", "uint256"]
    return keccak256(signature.encode())[:4] + encode(types, [amount, limit, path, SENDER, deadline])


def pair_of(
    tables: DecodeTables, token: bytes, other_token: bytes, reserves: tuple[int, int] = (900 * ETHER, 4_000 * ETHER)
) -> V2Pool:
    identity = tables.pool_identity("uniswap_v2", token, other_token, 0)
    return V2Pool(identity.address, identity.token0, identity.token1, 3000, *reserves)


class BlockWriter:
    """A block under way: `ledger` keeps its pairs and collects the logs of the transaction that is added next."""

    def __init__(self, *pools: V2Pool) -> None:
        self.ledger, self._pools = Ledger(*pools), pools
        self.pre_state: dict[str, Any] = {
            text(pool.address): {"balance": "0x0", "storage": {"0x8": hex(packed(pool))}} for pool in pools
        }
        self.transactions: list[dict[str, Any]] = []
        self.receipts: list[dict[str, Any]] = []

    @property
    def first(self) -> V2Pool:
        return self._pools[0]

    @property
    def second(self) -> V2Pool:
        return self._pools[1]

    def forget(self, pool: V2Pool) -> None:
        """Leave the pool's slots out of the file."""
        self.pre_state[text(pool.address)]["storage"] = {}

    def add(self, calldata: bytes, *, to: bytes | None = ROUTER02, succeeded: bool = True) -> None:
        """A transaction that leaves the logs which the ledger has collected since the last one."""
        number = len(self.transactions)
        hash_text = "0x" + number.to_bytes(32).hex()
        self.transactions.append(
            {
                "hash": hash_text,
                "from": text(SENDER),
                "to": None if to is None else text(to),
                "nonce": hex(number),
                "value": "0x0",
                "gas": hex(500_000),
                "gasPrice": hex(10**9),
                "input": text(calldata),
            }
        )
        logs = [log_body(log) for log in self.ledger.logs] if succeeded else []
        self.ledger.logs.clear()
        self.receipts.append({"transactionHash": hash_text, "status": hex(succeeded), "gasUsed": "0x5208", "logs": logs})

    def body(self, *, with_state: bool = True) -> dict[str, Any]:
        header = {"number": "0x64", "hash": "0x" + "bb" * 32, "parentHash": "0x" + "aa" * 32, "timestamp": hex(TIMESTAMP)}
        body: dict[str, Any] = {"block": {**header, "transactions": self.transactions}, "receipts": self.receipts}
        return {**body, "pre_state": self.pre_state} if with_state else body

    def json(self, *, with_state: bool = True) -> bytes:
        return json.dumps(self.body(with_state=with_state)).encode()

    def write(self, path: Path, *, with_state: bool = True) -> Path:
        raw = self.json(with_state=with_state)
        path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
        return path


def packed(pool: V2Pool) -> int:
    """Slot 8 of a pair, with a time of the last update in its top bits."""
    return pool.reserve0 | pool.reserve1 << 112 | (TIMESTAMP % 2**32) << 224


def log_body(log: Log) -> dict[str, Any]:
    return {
        "address": text(log.address),
        "topics": [text(topic) for topic in log.topics],
        "data": text(log.data),
        "logIndex": "0x0",
    }


def text(raw: bytes) -> str:
    return "0x" + raw.hex()
