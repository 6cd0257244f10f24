"""What a user of web3 or eth-abi writes to come to a swap's arguments: calls in calls, and types of the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from eth_abi.abi import decode
from web3 import Web3

from mempool.model.chain import Chain
from mempool.model.keccak import keccak256

COMMAND_BITS = 0x3F
Abis = Mapping[str, Sequence[Mapping[str, Any]]]
_SUB_PLAN = ["bytes", "bytes[]"]


class _Function(NamedTuple):
    name: str
    selector: bytes
    types: list[str]


class Web3Router:
    """One router: `decode_function_input` with its ABI and, where it runs commands, eth-abi with the types of each."""

    def __init__(self, abi: str, abis: Abis) -> None:
        self._contract: Any = Web3().eth.contract(abi=abis[abi])
        self._commands = _command_types(abi, abis)

    def decode(self, calldata: bytes) -> list[object]:
        """The arguments of the function, and of all that it carries."""
        function, arguments = self._contract.decode_function_input(calldata)
        if function.fn_name == "multicall":
            return [each for inner in arguments["data"] for each in self.decode(inner)]
        if function.fn_name == "execute":
            return _decoded_plan(arguments["commands"], arguments["inputs"], self._commands)
        return [arguments]


class KnownTypes:
    """eth-abi's `decode` of one router's calls, told the types of each function and command."""

    def __init__(self, abi: str, abis: Abis) -> None:
        self._functions = {function.selector: function for function in _functions(abis[abi])}
        self._commands = _command_types(abi, abis)

    def decode(self, calldata: bytes) -> list[object]:
        """The arguments of the function, and of all that it carries."""
        function = self._functions[calldata[:4]]
        arguments = decode(function.types, calldata[4:])
        if function.name == "multicall":
            return [each for inner in arguments[-1] for each in self.decode(inner)]
        if function.name == "execute":
            return _decoded_plan(arguments[0], arguments[1], self._commands)
        return [arguments]


def _decoded_plan(commands: bytes, inputs: Sequence[bytes], types_of: Mapping[int, list[str]]) -> list[object]:
    found: list[object] = []
    for command, data in zip(commands, inputs, strict=True):
        types = types_of.get(command & COMMAND_BITS)
        arguments: Sequence[Any] = decode(types, data) if types else ()
        found += _decoded_plan(arguments[0], arguments[1], types_of) if types == _SUB_PLAN else [arguments]
    return found


def web3_routers(chain: Chain, abis: Abis) -> dict[str, Web3Router]:
    """All routers of the chain by checksum address, as web3 spells the `to` of a transaction."""
    return {Web3.to_checksum_address(router.address): Web3Router(router.abi, abis) for router in chain.routers}


def _functions(abi: Sequence[Mapping[str, Any]]) -> list[_Function]:
    found = []
    for entry in abi:
        if entry["type"] == "function":
            types = [_type(each) for each in entry["inputs"]]
            selector = keccak256(f"{entry['name']}({','.join(types)})".encode())[:4]
            found.append(_Function(entry["name"], selector, types))
    return found


def _command_types(abi: str, abis: Abis) -> dict[int, list[str]]:
    """By command, those whose inputs the tables list; of the others, such as permits, no decoder here is told."""
    rows = (row for row in abis.get(f"{abi}.commands", ()) if not isinstance(row.get("inputs", ""), str))
    return {int(row["id"], 16): [_type(each) for each in row["inputs"]] for row in rows}


def _type(entry: Mapping[str, Any]) -> str:
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return f"({','.join(map(_type, entry['components']))}){entry['type'].removeprefix('tuple')}"
