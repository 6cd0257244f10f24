"""Calls of V3's SwapRouter and of SwapRouter02, which differ in the deadline, the sentinels and the V2 functions."""

from __future__ import annotations

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, pool_address
from scripts._devnet.trader import V2_ROUTES, V3_ROUTES, Call, Route, Trader
from scripts._devnet.world import start_sqrt_price_x96, units

V3_FAMILY = "V3 SwapRouter"
FAMILY_02 = "SwapRouter02"
IN_SINGLE = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
OUT_SINGLE = "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
IN_PATH = "exactInput((bytes,address,uint256,uint256,uint256))"
OUT_PATH = "exactOutput((bytes,address,uint256,uint256,uint256))"
IN_SINGLE_02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
OUT_SINGLE_02 = "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))"
IN_PATH_02 = "exactInput((bytes,address,uint256,uint256))"
OUT_PATH_02 = "exactOutput((bytes,address,uint256,uint256))"
SENDER = "0x" + 39 * "0" + "1"
ROUTER = "0x" + 39 * "0" + "2"


def v3_exact_in(trader: Trader) -> Call:
    return Call(V3_FAMILY, "exactInputSingle", at.V3_ROUTER, _in_single(trader, trader.pick(V3_ROUTES, 1), trader.user))


def v3_exact_in_path(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, trader.rng.choice((2, 3)))
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v3_in(route, amount_in))
    data = calldata(IN_PATH, (route.path, trader.user, trader.deadline, amount_in, least))
    return Call(V3_FAMILY, "exactInput", at.V3_ROUTER, data)


def v3_exact_out(trader: Trader) -> Call:
    return Call(V3_FAMILY, "exactOutputSingle", at.V3_ROUTER, _out_single(trader, trader.pick(V3_ROUTES, 1))[0])


def v3_exact_out_path(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, trader.rng.choice((2, 3)))
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v3_out(route, amount_out))
    data = calldata(OUT_PATH, (route.backward_path, trader.user, trader.deadline, amount_out, most))
    return Call(V3_FAMILY, "exactOutput", at.V3_ROUTER, data)


def v3_price_limit(trader: Trader) -> Call:
    """Sells until the price has moved by some basis points, or the amount is gone."""
    route = trader.pick(V3_ROUTES, 1)
    amount_in = trader.size(route, route.tokens[0])
    limit = price_limit(trader, route)
    data = calldata(IN_SINGLE, (*route.tokens, route.fees[0], trader.user, trader.deadline, amount_in, 0, limit))
    return Call(V3_FAMILY, "exactInputSingle with a price limit", at.V3_ROUTER, data)


def v3_ether_in(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, 1, first=at.WETH)
    amount_in = trader.size(route, at.WETH)
    least = trader.least(trader.quote_v3_in(route, amount_in))
    data = calldata(IN_SINGLE, (*route.tokens, route.fees[0], trader.user, trader.deadline, amount_in, least, 0))
    return Call(V3_FAMILY, "exactInputSingle with ether", at.V3_ROUTER, data, amount_in)


def v3_ether_out(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, 1, last=at.WETH)
    swap = _in_single(trader, route, at.NOTHING)
    unwrap = calldata("unwrapWETH9(uint256,address)", 0, trader.user)
    return Call(V3_FAMILY, "multicall exactInputSingle, unwrapWETH9", at.V3_ROUTER, _multicall(swap, unwrap))


def v3_exact_out_with_refund(trader: Trader) -> Call:
    swap, most = _out_single(trader, trader.pick(V3_ROUTES, 1, first=at.WETH))
    data = _multicall(swap, calldata("refundETH()"))
    return Call(V3_FAMILY, "multicall exactOutputSingle, refundETH", at.V3_ROUTER, data, most)


def v3_back_to_start_price(trader: Trader) -> Call:
    """Closes the gap that large trades have opened, by price limit. Raises `LookupError` where there is none."""
    route = trader.pick(V3_ROUTES, 1)
    tokens = sorted(route.tokens)
    price, start = sqrt_price_x96(trader, route), start_sqrt_price_x96(tokens[0], tokens[1])
    if price == start:
        raise LookupError("the pool stands at its start price")
    token_in, token_out = tokens if price > start else tokens[::-1]
    amount_in = units(token_in, route.dollars)
    data = calldata(IN_SINGLE, (token_in, token_out, route.fees[0], trader.user, trader.deadline, amount_in, 0, start))
    return Call(V3_FAMILY, "exactInputSingle back to the start price", at.V3_ROUTER, data)


def exact_in_02(trader: Trader) -> Call:
    return Call(FAMILY_02, "exactInputSingle", at.SWAP_ROUTER_02, _in_single_02(trader, trader.pick(V3_ROUTES, 1), trader.user))


def exact_in_path_02(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, trader.rng.choice((2, 3)))
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v3_in(route, amount_in))
    return Call(FAMILY_02, "exactInput", at.SWAP_ROUTER_02, calldata(IN_PATH_02, (route.path, trader.user, amount_in, least)))


def exact_out_02(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, 1)
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v3_out(route, amount_out))
    data = calldata(OUT_SINGLE_02, (*route.tokens, route.fees[0], trader.user, amount_out, most, 0))
    return Call(FAMILY_02, "exactOutputSingle", at.SWAP_ROUTER_02, data)


def exact_out_path_02(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, 2)
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v3_out(route, amount_out))
    data = calldata(OUT_PATH_02, (route.backward_path, SENDER, amount_out, most))
    return Call(FAMILY_02, "exactOutput", at.SWAP_ROUTER_02, data)


def v2_exact_in_02(trader: Trader) -> Call:
    return Call(FAMILY_02, "swapExactTokensForTokens", at.SWAP_ROUTER_02, _v2_in_02(trader, trader.pick(V2_ROUTES), trader.user))


def v2_exact_out_02(trader: Trader) -> Call:
    route = trader.pick(V2_ROUTES)
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v2_out(route, amount_out))
    function = "swapTokensForExactTokens(uint256,uint256,address[],address)"
    return Call(
        FAMILY_02, "swapTokensForExactTokens", at.SWAP_ROUTER_02, calldata(function, amount_out, most, route.tokens, SENDER)
    )


def multicall_by_deadline_02(trader: Trader) -> Call:
    """What the web interface sent: a deadline around one swap."""
    swap = _in_single_02(trader, trader.pick(V3_ROUTES, 1), trader.user)
    return Call(FAMILY_02, "multicall(deadline) exactInputSingle", at.SWAP_ROUTER_02, _by_deadline(trader, swap))


def v2_then_unwrap_02(trader: Trader) -> Call:
    swap = _v2_in_02(trader, trader.pick(V2_ROUTES, last=at.WETH), ROUTER)
    data = _by_deadline(trader, swap, calldata("unwrapWETH9(uint256)", 0))
    return Call(FAMILY_02, "multicall(deadline) swapExactTokensForTokens, unwrapWETH9", at.SWAP_ROUTER_02, data)


def split_02(trader: Trader) -> Call:
    """Two swaps over different pools, a multicall inside a multicall."""
    inner = _multicall(_in_single_02(trader, trader.pick(V3_ROUTES, 1), trader.user))
    data = _by_deadline(trader, _v2_in_02(trader, trader.pick(V2_ROUTES), trader.user), inner)
    return Call(FAMILY_02, "multicall(deadline) swapExactTokensForTokens, multicall exactInputSingle", at.SWAP_ROUTER_02, data)


def v2_then_v3_02(trader: Trader) -> Call:
    """The V2 swap pays the router; the V3 swap sells all that the router then holds (an amount of 0)."""
    first = trader.pick(V2_ROUTES, 1)
    second = trader.pick(V3_ROUTES, 1, first=first.tokens[-1])
    swap = calldata(IN_SINGLE_02, (*second.tokens, second.fees[0], trader.user, 0, 0, 0))
    data = _by_deadline(trader, _v2_in_02(trader, first, ROUTER), swap)
    return Call(
        FAMILY_02, "multicall(deadline) swapExactTokensForTokens, exactInputSingle of the balance", at.SWAP_ROUTER_02, data
    )


def ether_in_02(trader: Trader) -> Call:
    route = trader.pick(V3_ROUTES, 1, first=at.WETH)
    amount_in = trader.size(route, at.WETH)
    least = trader.least(trader.quote_v3_in(route, amount_in))
    data = calldata(IN_SINGLE_02, (*route.tokens, route.fees[0], trader.user, amount_in, least, 0))
    return Call(FAMILY_02, "exactInputSingle with ether", at.SWAP_ROUTER_02, data, amount_in)


def price_limit(trader: Trader, route: Route) -> int:
    """A square-root price 1 to 50 basis points from the pool's, in the direction of the trade."""
    basis_points = trader.rng.randint(1, 50)
    down = route.tokens[0] < route.tokens[1]
    return sqrt_price_x96(trader, route) * (10_000 + (-basis_points if down else basis_points)) // 10_000


def sqrt_price_x96(trader: Trader, route: Route) -> int:
    pool = pool_address(route.tokens[0], route.tokens[1], route.fees[0])
    return int(trader.read(pool, calldata("slot0()"), "(uint160,int24)")[0])


def _in_single(trader: Trader, route: Route, recipient: Address) -> str:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v3_in(route, amount_in))
    return calldata(IN_SINGLE, (*route.tokens, route.fees[0], recipient, trader.deadline, amount_in, least, 0))


def _out_single(trader: Trader, route: Route) -> tuple[str, int]:
    """The call and the most that it may pay."""
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v3_out(route, amount_out))
    call = calldata(OUT_SINGLE, (*route.tokens, route.fees[0], trader.user, trader.deadline, amount_out, most, 0))
    return call, most


def _in_single_02(trader: Trader, route: Route, recipient: Address) -> str:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v3_in(route, amount_in))
    return calldata(IN_SINGLE_02, (*route.tokens, route.fees[0], recipient, amount_in, least, 0))


def _v2_in_02(trader: Trader, route: Route, recipient: Address) -> str:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v2_in(route, amount_in))
    return calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", amount_in, least, route.tokens, recipient)


def _multicall(*calls: str) -> str:
    return calldata("multicall(bytes[])", [bytes.fromhex(call[2:]) for call in calls])


def _by_deadline(trader: Trader, *calls: str) -> str:
    return calldata("multicall(uint256,bytes[])", trader.deadline, [bytes.fromhex(call[2:]) for call in calls])
