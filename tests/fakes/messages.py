"""Constructed JSON-RPC messages as a node spells them, compact and in geth's order of fields."""

from __future__ import annotations

from typing import Any

import orjson

ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
STRANGER = "0x" + "ee" * 20
SENDER = "0x" + "5e" * 20


def transaction(nonce: int, to: str | None = ROUTER, **changes: Any) -> dict[str, Any]:
    return {
        "blockHash": None,
        "from": SENDER,
        "gas": "0x3d090",
        "gasPrice": "0x77359400",
        "maxFeePerGas": "0x77359400",
        "maxPriorityFeePerGas": "0x3b9aca00",
        "hash": transaction_hash(nonce),
        "input": "0x7ff36ab5" + "00" * 128,
        "nonce": hex(nonce),
        "to": to,
        "value": "0xde0b6b3a7640000",
        "type": "0x2",
        "accessList": [],
        "chainId": "0x1",
    } | changes


def transaction_hash(nonce: int) -> str:
    return f"0x{nonce + 0xA000:064x}"


def block_hash(number: int) -> str:
    return f"0x{number + 0xB000:064x}"


def head(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": block_hash(number),
        "parentHash": block_hash(number - 1),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "baseFeePerGas": "0x3b9aca00",
    } | changes


def notification(subscription: str, result: Any) -> bytes:
    params = {"subscription": subscription, "result": result}
    return orjson.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})


def answer(id_: Any, result: Any) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": id_, "result": result})


def failure(id_: Any, code: int, message: str) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}})


def pool_content(*nonces: int, queued: tuple[int, ...] = ()) -> dict[str, Any]:
    return {part: {SENDER: {str(n): transaction(n) for n in held}} for part, held in (("pending", nonces), ("queued", queued))}
