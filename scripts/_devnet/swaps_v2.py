"""Calls of Uniswap V2's Router02: its nine swaps."""

from __future__ import annotations

import math

from scripts._devnet import addresses as at
from scripts._devnet.encoding import calldata, pair_address
from scripts._devnet.trader import TAXED_ROUTES, V2_ROUTES, Call, Route, Trader
from scripts._devnet.world import units

FAMILY = "V2 Router02"
TOKENS_TAIL = "(uint256,uint256,address[],address,uint256)"
ETHER_TAIL = "(uint256,address[],address,uint256)"
TAX = 99, 100


def exact_tokens_for_tokens(trader: Trader) -> Call:
    return _exact_in(trader, "swapExactTokensForTokens", trader.pick(V2_ROUTES))


def exact_tokens_for_ether(trader: Trader) -> Call:
    return _exact_in(trader, "swapExactTokensForETH", trader.pick(V2_ROUTES, last=at.WETH))


def exact_ether_for_tokens(trader: Trader) -> Call:
    return _exact_ether_in(trader, "swapExactETHForTokens", trader.pick(V2_ROUTES, first=at.WETH))


def tokens_for_exact_tokens(trader: Trader) -> Call:
    return _exact_out(trader, "swapTokensForExactTokens", trader.pick(V2_ROUTES))


def tokens_for_exact_ether(trader: Trader) -> Call:
    return _exact_out(trader, "swapTokensForExactETH", trader.pick(V2_ROUTES, last=at.WETH))


def ether_for_exact_tokens(trader: Trader) -> Call:
    route = trader.pick(V2_ROUTES, first=at.WETH)
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v2_out(route, amount_out))
    data = calldata(f"swapETHForExactTokens{ETHER_TAIL}", amount_out, route.tokens, trader.user, trader.deadline)
    return Call(FAMILY, "swapETHForExactTokens", at.V2_ROUTER, data, most)


def measured_tokens_for_tokens(trader: Trader) -> Call:
    """The variants that measure what arrives are used for ordinary tokens too."""
    return _exact_in(trader, "swapExactTokensForTokensSupportingFeeOnTransferTokens", trader.pick(V2_ROUTES))


def measured_ether_for_tokens(trader: Trader) -> Call:
    route = trader.pick(V2_ROUTES, first=at.WETH)
    return _exact_ether_in(trader, "swapExactETHForTokensSupportingFeeOnTransferTokens", route)


def measured_tokens_for_ether(trader: Trader) -> Call:
    route = trader.pick(V2_ROUTES, last=at.WETH)
    return _exact_in(trader, "swapExactTokensForETHSupportingFeeOnTransferTokens", route)


def open_arbitrage(trader: Trader) -> Call:
    """A large trade with a close limit: it moves the pair by some percent away from the V3 pools of the same tokens."""
    route = trader.pick(V2_ROUTES, 1)
    amount_in = units(route.tokens[0], route.dollars * trader.rng.uniform(0.005, 0.02))
    least = trader.least(trader.quote_v2_in(route, amount_in))
    data = calldata(f"swapExactTokensForTokens{TOKENS_TAIL}", amount_in, least, route.tokens, trader.user, trader.deadline)
    return Call(FAMILY, "swapExactTokensForTokens", at.V2_ROUTER, data)


def back_to_start_price(trader: Trader) -> Call:
    """Closes the gap that large trades have opened. Raises `LookupError` where there is none."""
    tokens = sorted(trader.pick(V2_ROUTES, 1).tokens)
    reserves = trader.read(pair_address(*tokens), calldata("getReserves()"), "(uint112,uint112,uint32)")[:2]
    start = units(tokens[0], 10**9), units(tokens[1], 10**9)
    token_in = 0 if reserves[0] * start[1] < reserves[1] * start[0] else 1
    amount_in = math.isqrt(reserves[0] * reserves[1] * start[token_in] // start[1 - token_in]) - reserves[token_in]
    if amount_in <= 0:
        raise LookupError("the pair stands at its start price")
    path = tokens if token_in == 0 else tokens[::-1]
    data = calldata(f"swapExactTokensForTokens{TOKENS_TAIL}", amount_in, 0, path, trader.user, trader.deadline)
    return Call(FAMILY, "swapExactTokensForTokens back to the start price", at.V2_ROUTER, data)


def taxed_for_ether(trader: Trader) -> Call:
    route = trader.pick(TAXED_ROUTES, first=at.TAXED)
    return _exact_in(trader, "swapExactTokensForETHSupportingFeeOnTransferTokens", route)


def taxed_for_tokens(trader: Trader) -> Call:
    route = trader.pick(TAXED_ROUTES, first=at.TAXED)
    return _exact_in(trader, "swapExactTokensForTokensSupportingFeeOnTransferTokens", route)


def ether_for_taxed(trader: Trader) -> Call:
    route = trader.pick(TAXED_ROUTES, last=at.TAXED)
    return _exact_ether_in(trader, "swapExactETHForTokensSupportingFeeOnTransferTokens", route)


def plain_ether_for_taxed(trader: Trader) -> Call:
    """Works: the router counts what the pair paid, the user receives a hundredth less."""
    return _exact_ether_in(trader, "swapExactETHForTokens", trader.pick(TAXED_ROUTES, last=at.TAXED))


def plain_taxed_for_ether(trader: Trader) -> Call:
    """Reverts in the pair, which receives less than the router reckoned with: a wrong prediction with its cause."""
    return _exact_in(trader, "swapExactTokensForETH", trader.pick(TAXED_ROUTES, first=at.TAXED))


def _exact_in(trader: Trader, function: str, route: Route) -> Call:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(_after_tax(trader.quote_v2_in(route, amount_in), route))
    data = calldata(f"{function}{TOKENS_TAIL}", amount_in, least, route.tokens, trader.user, trader.deadline)
    return Call(FAMILY, function, at.V2_ROUTER, data)


def _exact_ether_in(trader: Trader, function: str, route: Route) -> Call:
    amount_in = trader.size(route, at.WETH)
    least = trader.least(_after_tax(trader.quote_v2_in(route, amount_in), route))
    data = calldata(f"{function}{ETHER_TAIL}", least, route.tokens, trader.user, trader.deadline)
    return Call(FAMILY, function, at.V2_ROUTER, data, amount_in)


def _exact_out(trader: Trader, function: str, route: Route) -> Call:
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v2_out(route, amount_out))
    data = calldata(f"{function}{TOKENS_TAIL}", amount_out, most, route.tokens, trader.user, trader.deadline)
    return Call(FAMILY, function, at.V2_ROUTER, data)


def _after_tax(quote: int, route: Route) -> int:
    kept, whole = TAX
    return quote * kept // whole if at.TAXED in route.tokens else quote
