"""What a web3 user writes to come to a swap's arguments: contracts by address, calls in calls, types of the commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi.abi import decode
from web3 import Web3

from mempool.model.chain import Chain

COMMAND_BITS = 0x3F
Abis = Mapping[str, Sequence[Mapping[str, Any]]]


class Web3Router:
    """One router: `decode_function_input` with its ABI and, where it runs commands, eth-abi with the types of each."""

    def __init__(self, abi: str, abis: Abis) -> None:
        self._contract: Any = Web3().eth.contract(abi=abis[abi])
        self._commands = {int(row["id"], 16): _types(row) for row in abis.get(f"{abi}.commands", ())}

    def decode(self, calldata: bytes) -> list[object]:
        """The arguments of the function, and of all that it carries."""
        function, arguments = self._contract.decode_function_input(calldata)
        if function.fn_name == "multicall":
            return [each for inner in arguments["data"] for each in self.decode(inner)]
        if function.fn_name == "execute":
            return self._plan(arguments["commands"], arguments["inputs"])
        return [arguments]

    def _plan(self, commands: bytes, inputs: Sequence[bytes]) -> list[object]:
        found: list[object] = []
        for command, data in zip(commands, inputs, strict=True):
            types = self._commands.get(command & COMMAND_BITS)
            arguments = decode(types, data) if types else ()
            found += self._plan(*arguments) if types == ["bytes", "bytes[]"] else [arguments]
        return found


def web3_routers(chain: Chain, abis: Abis) -> dict[str, Web3Router]:
    """All routers of the chain by checksum address, as web3 spells the `to` of a transaction."""
    return {Web3.to_checksum_address(router.address): Web3Router(router.abi, abis) for router in chain.routers}


def _types(row: Mapping[str, Any]) -> list[str]:
    return [_type(each) for each in row.get("inputs", ())]


def _type(entry: Mapping[str, Any]) -> str:
    if not entry["type"].startswith("tuple"):
        return str(entry["type"])
    return f"({','.join(map(_type, entry['components']))}){entry['type'].removeprefix('tuple')}"
