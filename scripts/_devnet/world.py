"""The pools, their liquidity and the users' balances and approvals, made on a fresh node by ordinary transactions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, pair_address
from scripts._devnet.packages import DevnetError
from scripts._devnet.rpc import Rpc

MAX = 2**256 - 1
MAX_160 = 2**160 - 1
NEVER = 2**48 - 1
ETHER = 10**18
GWEI = 10**9
SPENDERS = (at.V2_ROUTER, at.V3_ROUTER, at.SWAP_ROUTER_02, at.V3_POSITIONS, at.PERMIT2)
LISTED = {token.address: token for token in (at.WETH_TOKEN, *at.TOKENS)}
TAXED_TOKEN = at.ListedToken("DTT", "Deflating Test Token", at.TAXED, 18, 10)
ALL_TOKENS = LISTED | {at.TAXED: TAXED_TOKEN}
TICK_SPACING = {100: 1, 500: 10, 3000: 60, 10_000: 200}
MAX_TICK = 887_272
LADDER_POSITIONS = 40
LADDER_REACH = 30
"""How many tick spacings around the start price the narrow positions lie."""
USER_DOLLARS = 20_000_000
MINT = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
ADD_V2 = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"

Step = tuple[Address, Address, str, int]
"""Sender, receiver, calldata, value in wei."""


@dataclass(frozen=True)
class V2Market:
    """A pair and its liquidity in dollars on each side; `skew` moves its price off the others'."""

    tokens: tuple[Address, Address]
    dollars: int
    skew: float = 1.0


@dataclass(frozen=True)
class V3Market:
    """A pool, what lies in its widest position and what each narrow one gets, in dollars on each side."""

    tokens: tuple[Address, Address]
    fee_pips: int
    dollars: int


V2_MARKETS = (
    V2Market((at.WETH, at.USDC), 20_000_000),
    V2Market((at.WETH, at.USDT), 12_000_000, skew=1.001),
    V2Market((at.WETH, at.DAI), 6_000_000, skew=0.999),
    V2Market((at.WETH, at.WBTC), 8_000_000),
    V2Market((at.USDC, at.USDT), 5_000_000),
    V2Market((at.WETH, at.TAXED), 1_000_000),
)
V3_MARKETS = (
    V3Market((at.WETH, at.USDC), 100, 4_000_000),
    V3Market((at.WETH, at.USDC), 500, 30_000_000),
    V3Market((at.WETH, at.USDC), 3000, 20_000_000),
    V3Market((at.WETH, at.USDC), 10_000, 3_000_000),
    V3Market((at.WETH, at.USDT), 3000, 8_000_000),
    V3Market((at.WETH, at.DAI), 3000, 4_000_000),
    V3Market((at.WETH, at.WBTC), 500, 10_000_000),
    V3Market((at.WETH, at.WBTC), 3000, 10_000_000),
    V3Market((at.USDC, at.DAI), 100, 5_000_000),
    V3Market((at.USDC, at.USDT), 100, 5_000_000),
)


def make_world(rpc: Rpc) -> None:
    """Fund and approve every account, then open the markets. The first account owns everything; the others are users."""
    owner, *users = rpc.call("eth_accounts")
    send_all(rpc, funding(owner, users))
    send_all(rpc, (step for account in (owner, *users) for step in approvals(account)))
    send_all(rpc, openings(owner))
    send_all(rpc, (step for market in V3_MARKETS for step in positions(market, owner)))
    send_all(rpc, (step for user in users for step in liquidity_approvals(user)))


def send_all(rpc: Rpc, steps: Iterable[Step]) -> None:
    """Send many transactions, mine them, and raise `DevnetError` if any reverted."""
    pending = list(steps)
    nonces = {sender: int(rpc.call("eth_getTransactionCount", sender, "latest"), 16) for sender, *_ in pending}
    requests = []
    for sender, to, data, value in pending:
        fee = {"maxFeePerGas": hex(1000 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
        body = {"from": sender, "to": to, "data": data, "value": hex(value), "nonce": hex(nonces[sender]), "gas": hex(6_000_000)}
        requests.append(("eth_sendTransaction", [body | fee]))
        nonces[sender] += 1
    hashes = rpc.batch(requests)
    while int(rpc.call("txpool_status")["pending"], 16):
        rpc.call("evm_mine")
    receipts = rpc.batch(("eth_getTransactionReceipt", [hash_]) for hash_ in hashes)
    for (_, to, data, _), receipt in zip(pending, receipts, strict=True):
        if receipt["status"] != "0x1":
            raise DevnetError(f"setting up the devnet: a call of {to} reverted: {data[:10]}")


def funding(owner: Address, users: list[Address]) -> Iterator[Step]:
    yield owner, at.WETH, calldata("deposit()"), 1_000_000 * ETHER
    for user in users:
        yield user, at.WETH, calldata("deposit()"), units(at.WETH, USER_DOLLARS)
        for token in (*at.TOKENS, TAXED_TOKEN):
            yield owner, token.address, calldata("transfer(address,uint256)", user, units(token.address, USER_DOLLARS)), 0


def approvals(account: Address) -> Iterator[Step]:
    for token in ALL_TOKENS:
        for spender in SPENDERS:
            yield account, token, calldata("approve(address,uint256)", spender, MAX), 0
        for router in at.UNIVERSAL_ROUTERS:
            yield account, at.PERMIT2, calldata("approve(address,address,uint160,uint48)", token, router, MAX_160, NEVER), 0


def liquidity_approvals(account: Address) -> Iterator[Step]:
    for market in V2_MARKETS:
        yield account, pair_address(*market.tokens), calldata("approve(address,uint256)", at.V2_ROUTER, MAX), 0


def openings(owner: Address) -> Iterator[Step]:
    """Create every pair with its liquidity, and every V3 pool at its price."""
    for market in V2_MARKETS:
        first, second = market.tokens
        amounts = units(first, market.dollars), int(units(second, market.dollars) * market.skew)
        yield owner, at.V2_ROUTER, calldata(ADD_V2, first, second, *amounts, 0, 0, owner, NEVER), 0
    create = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    for pool in V3_MARKETS:
        token0, token1 = sorted(pool.tokens)
        yield owner, at.V3_POSITIONS, calldata(create, token0, token1, pool.fee_pips, start_sqrt_price_x96(token0, token1)), 0


def positions(market: V3Market, owner: Address) -> Iterator[Step]:
    """One position over the whole range, one over a wide one, and a ladder of narrow ones whose ends lie close together."""
    token0, token1 = sorted(market.tokens)
    spacing = TICK_SPACING[market.fee_pips]
    middle = start_tick(token0, token1) // spacing * spacing
    rng = Random(f"{token0}{token1}{market.fee_pips}")
    whole = MAX_TICK // spacing * spacing
    ranges = [(-whole, whole, market.dollars), (middle - 300 * spacing, middle + 300 * spacing, market.dollars)]
    for _ in range(LADDER_POSITIONS):
        lower = middle + rng.randrange(-LADDER_REACH, LADDER_REACH) * spacing
        ranges.append((lower, lower + rng.randint(1, 5) * spacing, market.dollars // 50))
    for lower, upper, dollars in ranges:
        amounts = units(token0, dollars), units(token1, dollars)
        parameters = (token0, token1, market.fee_pips, lower, upper, *amounts, 0, 0, owner, NEVER)
        yield owner, at.V3_POSITIONS, calldata(MINT, parameters), 0


def units(token: Address, dollars: float) -> int:
    """So many dollars' worth of a token at the start prices, in its smallest unit."""
    listed = ALL_TOKENS[token]
    return int(dollars * 10**listed.decimals) // listed.dollars


def start_sqrt_price_x96(token0: Address, token1: Address) -> int:
    return math.isqrt((units(token1, 10**9) << 192) // units(token0, 10**9))


def start_tick(token0: Address, token1: Address) -> int:
    return math.floor(math.log(units(token1, 10**9) / units(token0, 10**9)) / math.log(1.0001))
