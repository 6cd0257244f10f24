"""Puts the real contracts at their mainnet addresses, with the immutables and the storage that their constructors give."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata
from scripts._devnet.packages import DevnetError
from scripts._devnet.rpc import Rpc

GAS = 30_000_000
DECIMALS_SLOT = "0x5"
"""Where OpenZeppelin 3's ERC20 keeps `_decimals`, which its preset leaves at 18."""
ARTIFACTS = "artifacts/contracts"
TOKEN = "@openzeppelin/contracts/build/contracts/ERC20PresetFixedSupply.json"
TAXED_TOKEN = "@uniswap/v2-periphery/build/DeflatingERC20.json"
PERMIT2_SOURCE = "@uniswap/universal-router-v2/lib/permit2/test/utils/DeployPermit2.sol"
UNIVERSAL = f"{ARTIFACTS}/UniversalRouter.sol/UniversalRouter.json"


@dataclass(frozen=True)
class Placement:
    """One contract: its build inside `node_modules`, where it goes, and its constructor's arguments."""

    build: str
    address: Address
    types: Sequence[str] = ()
    arguments: Sequence[Any] = field(default=())


def placements(owner: Address) -> list[Placement]:
    """The contracts in the order in which they need each other; `owner` owns the factories' rights."""
    v3_periphery = f"@uniswap/v3-periphery/{ARTIFACTS}"
    pair = ["address", "address"]
    return [
        Placement("@uniswap/v2-periphery/build/WETH9.json", at.WETH),
        Placement("@uniswap/v2-core/build/UniswapV2Factory.json", at.V2_FACTORY, ["address"], [owner]),
        Placement("@uniswap/v2-periphery/build/UniswapV2Router02.json", at.V2_ROUTER, pair, [at.V2_FACTORY, at.WETH]),
        Placement(f"@uniswap/v3-core/{ARTIFACTS}/UniswapV3Factory.sol/UniswapV3Factory.json", at.V3_FACTORY),
        Placement(f"{v3_periphery}/SwapRouter.sol/SwapRouter.json", at.V3_ROUTER, pair, [at.V3_FACTORY, at.WETH]),
        Placement(f"{v3_periphery}/lens/QuoterV2.sol/QuoterV2.json", at.V3_QUOTER, pair, [at.V3_FACTORY, at.WETH]),
        Placement(
            f"{v3_periphery}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
            at.V3_POSITIONS,
            3 * ["address"],
            [at.V3_FACTORY, at.WETH, at.V3_DESCRIPTOR],
        ),
        Placement(
            f"@uniswap/swap-router-contracts/{ARTIFACTS}/SwapRouter02.sol/SwapRouter02.json",
            at.SWAP_ROUTER_02,
            4 * ["address"],
            [at.V2_FACTORY, at.V3_FACTORY, at.V3_POSITIONS, at.WETH],
        ),
        universal_router("v1", at.UNIVERSAL_V1, markets=11),
        universal_router("v1-2", at.UNIVERSAL_V1_2, markets=14),
        Placement(
            f"@uniswap/universal-router-v2/{UNIVERSAL}",
            at.UNIVERSAL_V2,
            4 * ["address"] + 2 * ["bytes32"] + 3 * ["address"],
            [*swap_parameters(), at.NOTHING, at.V3_POSITIONS, at.NOTHING],
        ),
        Placement(TAXED_TOKEN, at.TAXED, ["uint256"], [10**9 * 10**18]),
        *(
            Placement(TOKEN, token.address, ["string", "string", "uint256", "address"], supply(token, owner))
            for token in at.TOKENS
        ),
    ]


def universal_router(version: str, address: Address, markets: int) -> Placement:
    """V1 and V1.2 also name NFT markets, which are not here: those commands would call an empty address."""
    permit2, weth, v2_factory, v3_factory, *hashes = swap_parameters()
    return Placement(
        f"@uniswap/universal-router-{version}/{UNIVERSAL}",
        address,
        (4 + markets) * ["address"] + 2 * ["bytes32"],
        [permit2, weth, *(markets * [at.NOTHING]), v2_factory, v3_factory, *hashes],
    )


def swap_parameters() -> list[Any]:
    hashes = [bytes.fromhex(text[2:]) for text in (at.PAIR_HASH, at.POOL_HASH)]
    return [at.PERMIT2, at.WETH, at.V2_FACTORY, at.V3_FACTORY, *hashes]


def supply(token: at.ListedToken, owner: Address) -> list[Any]:
    """A billion dollars' worth times a thousand: enough for every user and pool."""
    return [token.name, token.symbol, 10**12 // token.dollars * 10**token.decimals, owner]


def place_contracts(rpc: Rpc, node_modules: Path, owner: Address) -> None:
    """Deploy everything on a fresh chain 1 that mines only when asked."""
    for placement in placements(owner):
        place(rpc, node_modules, placement, owner)
    rpc.call("anvil_setCode", at.PERMIT2, permit2_code(node_modules))
    for token in at.TOKENS:
        rpc.call("anvil_setStorageAt", token.address, DECIMALS_SLOT, f"0x{token.decimals:064x}")
    transact(rpc, owner, at.V3_FACTORY, calldata("enableFeeAmount(uint24,int24)", 100, 1))


def place(rpc: Rpc, node_modules: Path, placement: Placement, owner: Address) -> None:
    """Run the constructor where the contract shall live: once for the runtime that it returns, once for the storage it writes."""
    creation = bytecode(node_modules / placement.build) + encode(placement.types, placement.arguments).hex()
    rpc.call("anvil_setNonce", placement.address, "0x1")
    rpc.call("anvil_setCode", placement.address, creation)
    runtime = rpc.call("eth_call", {"from": owner, "to": placement.address, "gas": hex(GAS)}, "latest")
    transact(rpc, owner, placement.address, "0x")
    rpc.call("anvil_setCode", placement.address, runtime)


def transact(rpc: Rpc, sender: Address, to: Address, data: str) -> dict[str, Any]:
    """Send one transaction and mine it; its receipt, or `DevnetError` when it reverted."""
    hash_ = rpc.call("eth_sendTransaction", {"from": sender, "to": to, "data": data, "gas": hex(GAS)})
    rpc.call("evm_mine")
    receipt: dict[str, Any] = rpc.call("eth_getTransactionReceipt", hash_)
    if receipt["status"] != "0x1":
        raise DevnetError(f"setting up the devnet: a call of {to} reverted: {data[:10]}")
    return receipt


def bytecode(path: Path) -> str:
    """`0x…` creation code of a Truffle, Hardhat, Waffle or Foundry build."""
    build = json.loads(path.read_text())
    code = build.get("bytecode") or build["evm"]["bytecode"]
    if isinstance(code, dict):
        code = code["object"]
    return code if code.startswith("0x") else f"0x{code}"


def permit2_code(node_modules: Path) -> str:
    """The runtime that Permit2's own deployment helper etches at the canonical address."""
    found = re.search(r'hex"([0-9a-f]+)"', (node_modules / PERMIT2_SOURCE).read_text())
    if found is None:
        raise DevnetError(f"no bytecode in {PERMIT2_SOURCE}")
    return "0x" + found[1]
