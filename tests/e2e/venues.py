"""A devnet with more than the demo trades on: V4's pool manager, Balancer V2's Vault, Router01, accounts and their batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scripts._devnet import addresses as at
from scripts._devnet.contracts import ARTIFACTS, UNIVERSAL, Placement, place, swap_parameters, transact
from scripts._devnet.devnet import Devnet, running_devnet
from scripts._devnet.encoding import calldata
from scripts._devnet.packages import ensure_node_modules
from scripts._devnet.world import MAX, MAX_TICK, Step, send_all, units

ETH = at.NOTHING
POOL_MANAGER = "0x000000000004444c5dc75cb358380d2e3de08a90"
VAULT = "0xba12222222228d8ba445958a75a0704d566bf2c8"
V2_ROUTER_01 = "0xf164fc0ec4e93095b804a4795bbe1e041497b92a"
ENTRY_POINT_V06 = "0x5ff137d4b0fdcd49dca30c7cf57e578a026d2789"
MULTI_SEND = "0xa238cbeb142c10ef7ad8442c6d1f9e89e07e7761"
# Contracts that stand at no mainnet address that matters.
V4_SWAPPER = "0x0000000000000000000000000000000000a04001"
V4_PROVIDER = "0x0000000000000000000000000000000000a04002"
AUTHORIZER = "0x0000000000000000000000000000000000a04003"
WEIGHTED_FACTORY = "0x0000000000000000000000000000000000a04004"
SAFE = "0x0000000000000000000000000000000000a04005"
SAFE_CODE = "0x0000000000000000000000000000000000a04006"
ACCOUNT_FACTORY = "0x0000000000000000000000000000000000a04007"

V4_OUT = "@uniswap/v4-core/out"
BALANCER = "@balancer-labs/v2-deployments/dist/tasks"
SAFES = f"@gnosis.pm/safe-contracts/build/{ARTIFACTS}"
ONE = 10**18
V4_DOLLARS, BALANCER_DOLLARS = 5_000_000, 3_000_000
PoolKey = tuple[str, str, int, int, str]
"""currency0, currency1, fee in pips, tick spacing, hooks."""
ETH_USDC: PoolKey = (ETH, at.USDC, 500, 10, at.NOTHING)
ETH_USDC_OTHER: PoolKey = (ETH, at.USDC, 2500, 1, at.NOTHING)
DAI_USDC: PoolKey = (at.DAI, at.USDC, 100, 1, at.NOTHING)
USDC_USDT: PoolKey = (at.USDC, at.USDT, 77, 3, at.NOTHING)
ETH_WBTC: PoolKey = (ETH, at.WBTC, 3000, 60, at.NOTHING)
KEYS = (ETH_USDC, ETH_USDC_OTHER, DAI_USDC, USDC_USDT, ETH_WBTC)
KEY = "(address,address,uint24,int24,address)"
BALANCER_TOKENS = ((at.DAI, at.USDC, at.WETH), (at.WBTC, at.WETH), (at.WBTC, at.USDC))


@dataclass
class Venues:
    """The devnet and, beside what it always has, the ids of Balancer's pools, each with the tokens at the same place."""

    devnet: Devnet
    balancer_pools: list[bytes]


@contextmanager
def running_venues() -> Iterator[Venues]:
    """A fresh devnet with everything on it; takes some two seconds."""
    with running_devnet() as devnet:
        for placement in placements(devnet.owner):
            place(devnet.rpc, ensure_node_modules(), placement, devnet.owner)
        send_all(devnet.rpc, [*approvals(devnet), *v4_pools(devnet.owner)])
        yield Venues(devnet, [balancer_pool(devnet, tokens) for tokens in BALANCER_TOKENS])


def placements(owner: str) -> list[Placement]:
    """The contracts in the order in which they need each other; Universal Router V2.0 once more, with a pool manager."""
    universal = [*swap_parameters(), POOL_MANAGER, at.V3_POSITIONS, at.NOTHING]
    return [
        Placement(f"{V4_OUT}/PoolManager.sol/PoolManager.json", POOL_MANAGER, ["address"], [owner]),
        Placement(f"{V4_OUT}/PoolSwapTest.sol/PoolSwapTest.json", V4_SWAPPER, ["address"], [POOL_MANAGER]),
        Placement(f"{V4_OUT}/PoolModifyLiquidityTest.sol/PoolModifyLiquidityTest.json", V4_PROVIDER, ["address"], [POOL_MANAGER]),
        Placement(
            f"@uniswap/universal-router-v2/{UNIVERSAL}",
            at.UNIVERSAL_V2,
            4 * ["address"] + 2 * ["bytes32"] + 3 * ["address"],
            universal,
        ),
        Placement("@uniswap/v2-periphery/build/UniswapV2Router01.json", V2_ROUTER_01, 2 * ["address"], [at.V2_FACTORY, at.WETH]),
        Placement(f"{BALANCER}/20210418-authorizer/artifact/Authorizer.json", AUTHORIZER, ["address"], [owner]),
        Placement(
            f"{BALANCER}/20210418-vault/artifact/Vault.json",
            VAULT,
            ["address", "address", "uint256", "uint256"],
            [AUTHORIZER, at.WETH, 0, 0],
        ),
        Placement(
            f"{BALANCER}/deprecated/20210418-weighted-pool/artifact/WeightedPoolFactory.json",
            WEIGHTED_FACTORY,
            ["address"],
            [VAULT],
        ),
        Placement("@account-abstraction/contracts/artifacts/EntryPoint.json", ENTRY_POINT_V06),
        Placement(
            "@account-abstraction/contracts/artifacts/SimpleAccountFactory.json", ACCOUNT_FACTORY, ["address"], [ENTRY_POINT_V06]
        ),
        Placement(f"{SAFES}/libraries/MultiSend.sol/MultiSend.json", MULTI_SEND),
        Placement(f"{SAFES}/GnosisSafe.sol/GnosisSafe.json", SAFE_CODE),
        Placement(f"{SAFES}/proxies/GnosisSafeProxy.sol/GnosisSafeProxy.json", SAFE, ["address"], [SAFE_CODE]),
    ]


def approvals(devnet: Devnet) -> Iterator[Step]:
    """The owner to those who take liquidity, some users to those who take payments."""
    tokens = [at.WETH, *(token.address for token in at.TOKENS)]
    for account, spenders in [
        (devnet.owner, (V4_PROVIDER, VAULT)),
        *((user, (V4_SWAPPER, VAULT, V2_ROUTER_01)) for user in devnet.users[:4]),
    ]:
        for spender in spenders:
            for token in tokens:
                yield account, token, calldata("approve(address,uint256)", spender, MAX), 0


def v4_pools(owner: str) -> Iterator[Step]:
    """Each pool at its start price, with one position over its whole range."""
    for key in KEYS:
        amounts = [units(at.WETH if currency == ETH else currency, V4_DOLLARS) for currency in key[:2]]
        yield owner, POOL_MANAGER, calldata(f"initialize({KEY},uint160)", key, math.isqrt((amounts[1] << 192) // amounts[0])), 0
        whole = MAX_TICK // key[3] * key[3]
        position = (-whole, whole, math.isqrt(amounts[0] * amounts[1]), bytes(32))
        data = calldata(f"modifyLiquidity({KEY},(int24,int24,int256,bytes32),bytes)", key, position, b"")
        yield owner, V4_PROVIDER, data, 2 * amounts[0] if key[0] == ETH else 0


def balancer_pool(devnet: Devnet, tokens: tuple[str, ...]) -> bytes:
    """A pool of equal weights at the start prices, by its id."""
    weights = [ONE // len(tokens)] * len(tokens)
    weights[0] += ONE - sum(weights)
    create = calldata(
        "create(string,string,address[],uint256[],uint256,address)", "Pool", "POOL", tokens, weights, 3 * 10**15, devnet.owner
    )
    made = transact(devnet.rpc, devnet.owner, WEIGHTED_FACTORY, create)
    registered = next(log for log in made["logs"] if log["address"] == VAULT)
    pool_id = bytes.fromhex(registered["topics"][1][2:])
    amounts = [units(token, BALANCER_DOLLARS) for token in tokens]
    join = calldata(
        "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))",
        pool_id,
        devnet.owner,
        devnet.owner,
        (tokens, amounts, bytes.fromhex(calldata("init(uint256,uint256[])", 0, amounts)[10:]), False),
    )
    transact(devnet.rpc, devnet.owner, VAULT, join)
    return pool_id
