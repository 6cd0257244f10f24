"""Where the contracts and tokens live: their mainnet addresses."""

from __future__ import annotations

from dataclasses import dataclass

WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"

V2_FACTORY = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"
V2_ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
V3_FACTORY = "0x1f98431c8ad98523631ae4a59f267346ea31f984"
V3_ROUTER = "0xe592427a0aece92de3edee1f18e0157c05861564"
V3_QUOTER = "0x61ffe014ba17989e743c5f6cb21bf9697530b21e"
V3_POSITIONS = "0xc36442b4a4522e871399cd717abdd847ab11fe88"
V3_DESCRIPTOR = "0x91ae842a5ffd8d12023116943e72a606179294f3"
"""Only named in the positions' constructor; nothing is deployed there."""
SWAP_ROUTER_02 = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
UNIVERSAL_V1 = "0xef1c6e67703c7bd7107eed8303fbe6ec2554bf6b"
UNIVERSAL_V1_2 = "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad"
UNIVERSAL_V2 = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
UNIVERSAL_ROUTERS = (UNIVERSAL_V1, UNIVERSAL_V1_2, UNIVERSAL_V2)
PERMIT2 = "0x000000000022d473030f116ddee9f6b43ac78ba3"
TAXED = "0x7a7ed00000000000000000000000000000000001"
"""A token that keeps 1 % of every transfer; no mainnet token, so in no table."""
NOTHING = "0x" + 40 * "0"

PAIR_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
POOL_HASH = "0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"


@dataclass(frozen=True)
class ListedToken:
    """A token and what one whole unit of it is worth in dollars at the start."""

    symbol: str
    name: str
    address: str
    decimals: int
    dollars: int


TOKENS = (
    ListedToken("USDC", "USD Coin", USDC, 6, 1),
    ListedToken("USDT", "Tether USD", USDT, 6, 1),
    ListedToken("DAI", "Dai Stablecoin", DAI, 18, 1),
    ListedToken("WBTC", "Wrapped BTC", WBTC, 8, 60_000),
)
WETH_TOKEN = ListedToken("WETH", "Wrapped Ether", WETH, 18, 2_500)
