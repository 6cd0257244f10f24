"""Calldata and return values from a function's signature text."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse

from mempool.model.keccak import keccak256
from scripts._devnet import addresses as at

Address = str


@cache
def parsed(signature: str) -> tuple[bytes, tuple[str, ...]]:
    """Selector and argument types of `name(type,…)`."""
    return keccak256(signature.encode())[:4], types_of(signature[signature.index("(") :])


def types_of(arguments: str) -> tuple[str, ...]:
    """`(uint256,(address,bytes)[])` split at its own commas."""
    if arguments == "()":  # which eth-abi's grammar refuses
        return ()
    parsed_arguments = parse(arguments)
    assert isinstance(parsed_arguments, TupleType)
    return tuple(component.to_type_str() for component in parsed_arguments.components)


def calldata(signature: str, *arguments: Any) -> str:
    """`0x…` for a call of `name(type,…)`; addresses are hex text or 20 bytes."""
    selector, types = parsed(signature)
    return "0x" + (selector + encode(types, arguments)).hex()


def packed_path(*steps: str | int) -> bytes:
    """A V3 path: token, fee, token, …"""
    return b"".join(bytes.fromhex(step[2:]) if isinstance(step, str) else step.to_bytes(3, "big") for step in steps)


def returned(types: str, answer: str) -> tuple[Any, ...]:
    """Decode an `eth_call` answer; `types` as in `(uint256,address)`."""
    return decode(types_of(types), bytes.fromhex(answer[2:]))


def pair_address(token_x: Address, token_y: Address) -> Address:
    """The V2 pair of two tokens in any order."""
    token0, token1 = sorted((token_x, token_y))
    return create2_address(at.V2_FACTORY, bytes.fromhex(token0[2:] + token1[2:]), at.PAIR_HASH)


def pool_address(token_x: Address, token_y: Address, fee_pips: int) -> Address:
    """The V3 pool of two tokens in any order."""
    token0, token1 = sorted((token_x, token_y))
    salt = encode(["address", "address", "uint24"], [token0, token1, fee_pips])
    return create2_address(at.V3_FACTORY, salt, at.POOL_HASH)


def create2_address(factory: Address, salt: bytes, init_code_hash: str) -> Address:
    preimage = b"\xff" + bytes.fromhex(factory[2:]) + keccak256(salt) + bytes.fromhex(init_code_hash[2:])
    return "0x" + keccak256(preimage)[12:].hex()
