"""Constructed calls: encoded by eth-abi from the signatures that stand here, not from the tables under test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from eth_abi.abi import encode

from mempool.decode import DecodeTables, decode
from mempool.model.keccak import keccak256
from mempool.model.swap import DecodedCall
from mempool.resources import load_tables

SENDER = b"\x5e" * 20
FRIEND = b"\xf1" * 20
WETH = bytes.fromhex("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")
USDC = bytes.fromhex("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")
DAI = bytes.fromhex("6b175474e89094c44da98b954eedeac495271d0f")
DEADLINE = 1_700_000_000
ETHER = 10**18
BALANCE = 1 << 255
TO_SENDER, TO_ROUTER = bytes(19) + b"\x01", bytes(19) + b"\x02"

ADDRESSES = {
    "v2": "7a250d5630b4cf539739df2c5dacb4c659f2488d",
    "v3": "e592427a0aece92de3edee1f18e0157c05861564",
    "02": "68b3465833fb72a70ecdf485e0e4c7bd8665fc45",
    "ur1": "ef1c6e67703c7bd7107eed8303fbe6ec2554bf6b",
    "ur1.2": "3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",
    "ur2": "66a9893cc07d91d95644aedd05d03f95e1dba8af",
    "ur2.1.1": "4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca",
}
UNIVERSAL = ("ur1", "ur1.2", "ur2", "ur2.1.1")
FIVE_FIELDS = ("ur1", "ur1.2", "ur2")


@cache
def tables() -> DecodeTables:
    return load_tables()


def address(router: str) -> bytes:
    return bytes.fromhex(ADDRESSES[router])


def calldata(signature: str, *arguments: Any) -> bytes:
    """`name(types)` and its arguments."""
    types = split_types(signature[signature.index("(") + 1 : -1])
    return keccak256(signature.encode())[:4] + encode(types, arguments)


def split_types(text: str) -> list[str]:
    """The types between the outermost commas."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current] if current else parts


def decoded(router: str, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), address(router), data, value_wei, SENDER)
    assert call is not None
    return call


def path(*parts: bytes | int) -> bytes:
    """A V3 path of tokens and fees."""
    return b"".join(part.to_bytes(3) if isinstance(part, int) else part for part in parts)


SWAP_TYPES = {0x00: "bytes", 0x01: "bytes", 0x08: "address[]", 0x09: "address[]"}
INPUT_TYPES = {
    0x02: ["address", "address", "uint160"],
    0x04: ["address", "address", "uint256"],
    0x05: ["address", "address", "uint256"],
    0x06: ["address", "address", "uint256"],
    0x07: ["address", "address", "uint256"],
    0x0B: ["address", "uint256"],
    0x0C: ["address", "uint256"],
    0x0D: ["(address,address,uint160,address)[]"],
    0x21: ["bytes", "bytes[]"],
}
Command = tuple[int, Sequence[Any]]


def plan(router: str, commands: Sequence[Command]) -> tuple[bytes, list[bytes]]:
    """Command bytes and inputs, swaps in the layout of that router's version; raw bytes stand for themselves."""
    inputs = [command_input(router, code, arguments) for code, arguments in commands]
    return bytes(code for code, _ in commands), inputs


def command_input(router: str, code: int, arguments: Any) -> bytes:
    if isinstance(arguments, bytes):
        return arguments
    plain = code & 0x7F
    if plain not in SWAP_TYPES:
        return encode(INPUT_TYPES[plain], arguments)
    types = ["address", "uint256", "uint256", SWAP_TYPES[plain], "bool"]
    if router == "ur2.1.1":
        return encode([*types, "uint256[]"], [*arguments, [7]])
    return encode(types, arguments)


def executed(router: str, commands: Sequence[Command], value_wei: int = 0) -> DecodedCall:
    codes, inputs = plan(router, commands)
    return decoded(router, calldata("execute(bytes,bytes[],uint256)", codes, inputs, DEADLINE), value_wei)
