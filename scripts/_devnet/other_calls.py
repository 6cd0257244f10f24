"""What else a block holds: liquidity that comes and goes, transfers, approvals, deployments."""

from __future__ import annotations

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, pair_address, pool_address
from scripts._devnet.trader import Call, Trader
from scripts._devnet.world import ALL_TOKENS, ETHER, MINT, TICK_SPACING, V2_MARKETS, V3_MARKETS, V2Market, units

MAX_128 = 2**128 - 1


def add_v2_liquidity(trader: Trader) -> Call:
    market = _pair(trader)
    first, second = market.tokens
    dollars = market.dollars * trader.rng.uniform(0.0001, 0.01)
    function = "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)"
    amounts = units(first, dollars), units(second, dollars * 1.1)
    data = calldata(function, first, second, *amounts, 0, 0, trader.user, trader.deadline)
    return Call("V2 Router02", "addLiquidity", at.V2_ROUTER, data)


def add_v2_ether_liquidity(trader: Trader) -> Call:
    market = _pair(trader, with_ether=True)
    dollars = market.dollars * trader.rng.uniform(0.0001, 0.01)
    function = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(function, market.tokens[1], units(market.tokens[1], dollars), 0, 0, trader.user, trader.deadline)
    return Call("V2 Router02", "addLiquidityETH", at.V2_ROUTER, data, units(at.WETH, dollars))


def remove_v2_liquidity(trader: Trader) -> Call:
    """Raises `LookupError` where the user has none."""
    market = _pair(trader)
    pair = pair_address(*market.tokens)
    (held,) = trader.read(pair, calldata("balanceOf(address)", trader.user), "(uint256)")
    if held == 0:
        raise LookupError("no liquidity to remove")
    function = "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)"
    data = calldata(function, *market.tokens, held // 2 + 1, 0, 0, trader.user, trader.deadline)
    return Call("V2 Router02", "removeLiquidity", at.V2_ROUTER, data)


def add_v3_liquidity(trader: Trader) -> Call:
    """A new position around the current price."""
    market = trader.rng.choice(V3_MARKETS)
    token0, token1 = sorted(market.tokens)
    spacing = TICK_SPACING[market.fee_pips]
    tick = trader.read(pool_address(token0, token1, market.fee_pips), calldata("slot0()"), "(uint160,int24)")[1]
    lower = (tick // spacing - trader.rng.randint(0, 15)) * spacing
    upper = (tick // spacing + trader.rng.randint(1, 15)) * spacing
    dollars = market.dollars * trader.rng.uniform(0.0001, 0.01)
    amounts = units(token0, dollars), units(token1, dollars)
    parameters = (token0, token1, market.fee_pips, lower, upper, *amounts, 0, 0, trader.user, trader.deadline)
    return Call("V3 positions", "mint", at.V3_POSITIONS, calldata(MINT, parameters))


def remove_v3_liquidity(trader: Trader) -> Call:
    """All of the user's first position. Raises `LookupError` where there is none."""
    (held,) = trader.read(at.V3_POSITIONS, calldata("balanceOf(address)", trader.user), "(uint256)")
    if held == 0:
        raise LookupError("no position to close")
    newest = calldata("tokenOfOwnerByIndex(address,uint256)", trader.user, held - 1)
    (position,) = trader.read(at.V3_POSITIONS, newest, "(uint256)")
    layout = "(uint96,address,address,address,uint24,int24,int24,uint128)"
    liquidity = trader.read(at.V3_POSITIONS, calldata("positions(uint256)", position), layout)[7]
    decrease = calldata(
        "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", (position, liquidity, 0, 0, trader.deadline)
    )
    collect = calldata("collect((uint256,address,uint128,uint128))", (position, trader.user, MAX_128, MAX_128))
    calls = [bytes.fromhex(call[2:]) for call in ([decrease] if liquidity else []) + [collect]]
    if not liquidity:
        calls.append(bytes.fromhex(calldata("burn(uint256)", position)[2:]))
    return Call("V3 positions", "multicall decreaseLiquidity, collect", at.V3_POSITIONS, calldata("multicall(bytes[])", calls))


def send_ether(trader: Trader) -> Call:
    return Call("foreign", "transfer of ether", stranger(trader), "0x", int(trader.rng.uniform(0.001, 5) * ETHER))


def send_token(trader: Trader) -> Call:
    token = trader.rng.choice(list(ALL_TOKENS))
    amount = units(token, trader.rng.uniform(1, 5000))
    return Call("foreign", "transfer", token, calldata("transfer(address,uint256)", stranger(trader), amount))


def approve_stranger(trader: Trader) -> Call:
    token = trader.rng.choice(list(ALL_TOKENS))
    return Call("foreign", "approve", token, calldata("approve(address,uint256)", stranger(trader), 0))


def wrap_ether(trader: Trader) -> Call:
    return Call("foreign", "deposit", at.WETH, calldata("deposit()"), int(trader.rng.uniform(0.1, 20) * ETHER))


def call_unknown(trader: Trader) -> Call:
    """Bytes that no table knows, to an address without code."""
    return Call("foreign", "unknown call", stranger(trader), "0x" + trader.rng.randbytes(4 + 32 * trader.rng.randint(0, 6)).hex())


def deploy(trader: Trader) -> Call:
    """A contract of one byte, STOP: the code that returns it is PUSH1 1, PUSH1 0, RETURN."""
    return Call("foreign", "deployment", None, "0x60016000f3")


def cancel(trader: Trader) -> Call:
    """What a wallet sends in place of a transaction that its user regrets."""
    return Call("foreign", "cancellation", trader.user, "0x")


def stranger(trader: Trader) -> Address:
    return "0x" + trader.rng.randbytes(20).hex()


def _pair(trader: Trader, *, with_ether: bool = False) -> V2Market:
    fitting = [
        market for market in V2_MARKETS if at.TAXED not in market.tokens and (market.tokens[0] == at.WETH or not with_ether)
    ]
    return trader.rng.choice(fitting)
