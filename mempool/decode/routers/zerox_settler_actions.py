"""0x Settler's actions: each sells a share of what the contract has by then, or what the payer's permit brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mempool.decode.call import Call
from mempool.decode.routers import zerox_fills as fills
from mempool.decode.routers.zerox_basic import basic
from mempool.decode.routers.zerox_parts import RFQ, add_hidden, normal_token
from mempool.decode.routers.zerox_settlement import (
    Settlement,
    add_swap,
    implied_token,
    later_tokens,
    pay_in,
    permit_second,
    psm_terms,
    sell,
    stated_amount,
    stated_share,
)
from mempool.decode.tables import Handler
from mempool.model.swap import BalanceIn, ExactIn, Hop, Size

_FORKS = {0: "uniswap_v3", 1: "pancake_v3", 2: "sushi_v3", 3: "solidly_v3"}
"""V3 forks by the byte that stands before a pool's fee."""
_TOKEN_BYTES, _FORK_BYTES, _LIMIT_BYTES = 20, 4, 20
_OLD_FEE_BPS = 30
_PIPS = 100
Arguments = tuple[Any, ...]
"""`(settlement, the action's own arguments)`"""


# -- funds -----------------------------------------------------------------------------------------------------------------


def transfer_from(call: Call, arguments: Arguments) -> None:
    """TRANSFER_FROM, METATXN_TRANSFER_FROM(recipient, permit[, sig])"""
    settlement, (recipient, permit, *_) = arguments
    pay_in(call, settlement, permit, recipient)


def native_check(call: Call, arguments: Arguments) -> None:
    """NATIVE_CHECK(deadline, msgValue): the value sent is at most that"""
    _, (deadline, value_wei) = arguments
    if call.value_wei > value_wei:
        raise call.malformed("more than the stated value is sent")
    call.hold_to(deadline)


def positive_slippage(call: Call, arguments: Arguments) -> None:
    """POSITIVE_SLIPPAGE(recipient, token, expectedAmount[, maxShare]): what exceeds the expected amount is taken

    A minimum at or below that amount still says what the swaps must bring: nothing is taken of less.
    """
    settlement, (_, token, *_) = arguments
    settlement.skimmed |= {normal_token(token)}


def check_slippage(call: Call, arguments: Arguments) -> None:
    """CHECK_SLIPPAGE(transferExactLimit): some or all of what is bought goes out before the call ends"""
    settlement, _ = arguments
    settlement.skimmed |= {settlement.buy_token}


# -- pools that the call names ---------------------------------------------------------------------------------------------


def uniswap_v3(call: Call, arguments: Arguments) -> None:
    """UNISWAPV3(recipient, share, path, amountOutMin)"""
    settlement, (recipient, share, path, minimum) = arguments
    hops, limits = _v3_hops(call, path)
    _add_along(call, (hops, limits), sell(call, settlement, hops[0].token_in, share, minimum), recipient)


def uniswap_v3_vip(call: Call, arguments: Arguments) -> None:
    """[METATXN_]UNISWAPV3_VIP(recipient, permit, path[, sig], amountOutMin): the pool takes the payer's tokens

    In the newest version the path lacks its first token, which is the permit's.
    """
    settlement, (recipient, permit, path, *_, minimum) = permit_second(arguments)
    token = permit[0][0]
    call.hold_to(permit[2])
    hops, limits = _v3_hops(call, path if path.startswith(token) else token + path)
    amount = stated_amount(settlement, permit)
    _add_along(call, (hops, limits), BalanceIn(0, (), minimum) if amount is None else ExactIn(amount, minimum), recipient)


def uniswap_v2(call: Call, arguments: Arguments) -> None:
    """UNISWAPV2(recipient, sellToken, share, pool, swapInfo, amountOutMin); without a share the pool has been paid before

    `swapInfo` has the direction in its lowest bit, "the token is taxed" in the next, and above its lowest byte the pool's fee
    in 1/10,000, which older versions take for 30.
    """
    settlement, (recipient, token, share, pool, info, minimum) = arguments
    size = sell(call, settlement, token, share, minimum) if share else call.sell_balance(pool, token, minimum)
    hop = _v2_hop(call, settlement, (pool, token), zero_for_one=bool(info & 1))
    fee_pips = (info >> 8 or _OLD_FEE_BPS) * _PIPS
    if hop.fee_pips != fee_pips:
        hop = replace(hop, kind="", fee_pips=fee_pips)
    add_swap(call, (hop,), size, recipient, measured=not share or bool(info & 2))


def _v2_hop(call: Call, settlement: Settlement, pool_and_token: tuple[bytes, bytes], *, zero_for_one: bool) -> Hop:
    """The pair with what it gives, proven by its address where it is a listed factory's, else as the other actions imply it."""
    pool, token = pool_and_token
    for other in (*later_tokens(call, settlement), b""):
        if other != token:
            hop = call.pool_hop("uniswap_v2", pool, (token, other), zero_for_one=zero_for_one)
            if hop.fee_pips is not None:
                return hop
    implied = implied_token(call, settlement, token)
    return Hop("uniswap_v2_unlisted", "", pool, token, implied, None, zero_for_one=zero_for_one)


def _v3_hops(call: Call, path: bytes) -> tuple[tuple[Hop, ...], list[int]]:
    """The hops of `token (fork fee [priceLimit] token)…` and the limit of each, 0 where it is none."""
    length = len(path) - _TOKEN_BYTES
    step = _FORK_BYTES + _LIMIT_BYTES + _TOKEN_BYTES
    if length % step:
        step = _FORK_BYTES + _TOKEN_BYTES
    if length < step or length % step:
        raise call.malformed(f"a path of {len(path)} bytes does not end with a token")
    hops, limits = [], []
    for place in range(0, length, step):
        call.charge_command()
        token_in, token_out = path[place : place + _TOKEN_BYTES], path[place + step : place + step + _TOKEN_BYTES]
        pool = path[place + _TOKEN_BYTES : place + step]
        if token_in == token_out:
            raise call.malformed("a hop has the same token on both sides")
        hops.append(_v3_hop(call, pool, token_in, token_out))
        limit = pool[_FORK_BYTES:]
        limits.append(fills.price_limit(int.from_bytes(limit), token_in, token_out) if limit else 0)
    return tuple(hops), limits


def _v3_hop(call: Call, pool: bytes, token_in: bytes, token_out: bytes) -> Hop:
    """The pool of a fork's number and a fee; without an address where the chain's tables have no such fork or fee."""
    fork, fee_pips = _FORKS.get(pool[0], f"v3_fork_{pool[0]}"), int.from_bytes(pool[1:_FORK_BYTES])
    factory = call.router.factories.get(fork)
    return Hop(fork, "", b"", token_in, token_out, fee_pips) if factory is None else factory.hop(token_in, token_out, fee_pips)


def _add_along(call: Call, path: tuple[tuple[Hop, ...], Sequence[int]], size: Size, recipient: bytes) -> None:
    """Note a swap along a path; where one of several pools has a limit of its own, pool by pool."""
    hops, limits = path
    if len(hops) == 1 or not any(limits):
        add_swap(call, hops, size, recipient, limits[0] if len(hops) == 1 else 0)
        return
    minimum = 0 if not isinstance(size, ExactIn | BalanceIn) else size.min_amount_out
    for index, (hop, limit) in enumerate(zip(hops, limits, strict=True)):
        is_last = index == len(hops) - 1
        aside = call.books().take_all(call.contract, hop.token_out)
        add_swap(
            call, (hop,), replace(size, min_amount_out=minimum if is_last else 0), recipient if is_last else call.contract, limit
        )
        if not is_last:
            size = call.sell_balance(call.contract, hop.token_out, 0)
        call.books().credit(call.contract, hop.token_out, aside)


class PoolAction(Struct, frozen=True):
    """An action on one pool of a family that is not simulated: where its arguments stand. Without a recipient it pays itself."""

    protocol: str
    token: int
    share: int
    pool: int
    recipient: int | None = 0
    zero_for_one: int | None = None


def one_pool(layout: PoolAction, call: Call, arguments: Arguments) -> None:
    """(…, minBuyAmount)"""
    settlement, own = arguments
    token, minimum = normal_token(own[layout.token]), own[-1]
    size = sell(call, settlement, token, own[layout.share], minimum)
    recipient = call.contract if layout.recipient is None else own[layout.recipient]
    flag = None if layout.zero_for_one is None else bool(own[layout.zero_for_one])
    bought = implied_token(call, settlement, token)
    add_swap(call, (Hop(layout.protocol, "", own[layout.pool], token, bought, None, zero_for_one=flag),), size, recipient)


def velodrome(call: Call, arguments: Arguments) -> None:
    """VELODROME(recipient, share, pool, swapInfo, minBuyAmount): the pool alone knows its tokens"""
    settlement, (recipient, _, pool, info, minimum) = arguments
    hop = Hop("velodrome", "", pool, b"", implied_token(call, settlement, b""), None, zero_for_one=bool(info & 1))
    add_swap(call, (hop,), BalanceIn(0, (), minimum), recipient)
    call.books().forget_all()


def maker_psm(call: Call, arguments: Arguments) -> None:
    """MAKERPSM(…): `psm_terms` says in which orders"""
    settlement, own = arguments
    token_in, token_out, module = psm_terms(call, own)
    minimum = own[3] if isinstance(own[3], int) else 0
    hop = Hop("maker_psm", "", module, token_in, token_out, None)
    add_swap(call, (hop,), sell(call, settlement, token_in, stated_share(own), minimum), own[0])


# -- vaults that hold many pools -------------------------------------------------------------------------------------------


def fill(layouts: Sequence[fills.Layout], call: Call, arguments: Arguments) -> None:
    """(recipient, sellToken, share, feeOnTransfer, hashMul, hashMod, fills, amountOutMin)"""
    settlement, (recipient, token_in, share, _, _, _, packed, minimum) = arguments
    token = normal_token(token_in)
    read = fills.fills_of(packed, token, layouts)
    size = sell(call, settlement, token, share, minimum)
    _add_fills(call, settlement, (token, read), size, recipient)


def fill_vip(layouts: Sequence[fills.Layout], call: Call, arguments: Arguments) -> None:
    """(recipient, permit, feeOnTransfer, hashMul, hashMod, fills[, sig], amountOutMin)"""
    settlement, (recipient, permit, _, _, _, packed, *_, minimum) = permit_second(arguments)
    call.hold_to(permit[2])
    token = permit[0][0]
    amount = stated_amount(settlement, permit)
    size = BalanceIn(0, (), minimum) if amount is None else ExactIn(amount, minimum)
    _add_fills(call, settlement, (token, fills.fills_of(packed, token, layouts)), size, recipient)


def _add_fills(
    call: Call, settlement: Settlement, sold: tuple[bytes, list[fills.Fill] | None], size: ExactIn | BalanceIn, recipient: bytes
) -> None:
    token, read = sold
    if read is None:
        add_hidden(call, call.function.lower(), (token, implied_token(call, settlement, token)), size, recipient)
    else:
        fills.add_fills(call, settlement, read, size, (recipient, size.min_amount_out))


# -- orders of makers ------------------------------------------------------------------------------------------------------


def rfq(call: Call, arguments: Arguments) -> None:
    """RFQ(recipient, permit, maker, makerSig, takerToken, maxTakerAmount): sells all, at most the order's amount"""
    settlement, (recipient, permit, _, _, token_in, most) = arguments
    token = normal_token(token_in)
    size: Size = sell(call, settlement, token, settlement.basis, 0)
    if isinstance(size, BalanceIn) and not size.sources and size.held_wei:
        size = ExactIn(min(size.amount_in(0), most), 0)
    add_hidden(call, RFQ, (token, permit[0][0]), size, recipient)


def rfq_vip(call: Call, arguments: Arguments) -> None:
    """[METATXN_]RFQ_VIP(recipient, takerPermit, makerPermit, maker, makerSig[, takerSig]): all of the order

    Older versions have the maker's side first: (recipient, makerPermit, maker, makerSig, takerPermit[, takerSig]).
    """
    _, (recipient, *own) = arguments
    permits = [each for each in own if isinstance(each, tuple)]
    (taker, _, deadline), (maker, *_) = permits if isinstance(own[1], tuple) else reversed(permits)
    call.hold_to(deadline)
    add_hidden(call, RFQ, (taker[0], maker[0]), ExactIn(taker[1], maker[1]), recipient)


def bebop(call: Call, arguments: Arguments) -> None:
    """BEBOP(recipient, sellToken, order, makerSignature, amountOutMin)"""
    settlement, (recipient, token_in, order, _, minimum) = arguments
    call.hold_to(order[0])
    token = normal_token(token_in)
    add_hidden(call, "bebop", (token, order[3]), sell(call, settlement, token, settlement.basis, minimum), recipient)


def hidden_vip(call: Call, arguments: Arguments) -> None:
    """(recipient, permit, …, minBuyAmount): a swap of the permit's tokens on a pool that the arguments do not show"""
    settlement, (recipient, permit, *_, minimum) = permit_second(arguments)
    call.hold_to(permit[2])
    token = permit[0][0]
    amount = stated_amount(settlement, permit)
    size = BalanceIn(0, (), minimum) if amount is None else ExactIn(amount, minimum)
    protocol = call.function.removeprefix("METATXN_").removesuffix("_VIP").lower()
    add_hidden(call, protocol, (token, implied_token(call, settlement, token)), size, recipient)


_VAULTS = {
    "UNISWAPV4": fills.UNISWAP_V4,
    "BALANCERV3": fills.BALANCER_V3,
    "PANCAKE_INFINITY": fills.PANCAKE_INFINITY,
    "EKUBO": fills.EKUBO,
    "EKUBOV3": fills.EKUBO,
}
_POOLS = {
    "MAVERICKV2": PoolAction("maverick_v2", 1, 2, 3),
    "DODOV1": PoolAction("dodo_v1", 0, 1, 2, recipient=None),
    "DODOV2": PoolAction("dodo_v2", 1, 2, 3),
    "EULERSWAP": PoolAction("euler_swap", 1, 2, 3, zero_for_one=4),
    "LFJTM": PoolAction("lfj_token_mill", 1, 2, 3, zero_for_one=4),
    "HANJI": PoolAction("hanji", 0, 1, 2, recipient=None),
}
SETTLER_ACTIONS: Mapping[str, Handler] = {
    "TRANSFER_FROM": transfer_from,
    "TRANSFER_FROM_WITH_PERMIT": transfer_from,
    "METATXN_TRANSFER_FROM": transfer_from,
    "NATIVE_CHECK": native_check,
    "POSITIVE_SLIPPAGE": positive_slippage,
    "CHECK_SLIPPAGE": check_slippage,
    "UNISWAPV2": uniswap_v2,
    "UNISWAPV3": uniswap_v3,
    "UNISWAPV3_VIP": uniswap_v3_vip,
    "METATXN_UNISWAPV3_VIP": uniswap_v3_vip,
    "BASIC": basic,
    "VELODROME": velodrome,
    "MAKERPSM": maker_psm,
    "RFQ": rfq,
    "RFQ_VIP": rfq_vip,
    "METATXN_RFQ_VIP": rfq_vip,
    "BEBOP": bebop,
    **{name: partial(one_pool, layout) for name, layout in _POOLS.items()},
    **{name: partial(fill, layouts) for name, layouts in _VAULTS.items()},
    **{f"{name}_VIP": partial(fill_vip, layouts) for name, layouts in _VAULTS.items()},
    **{f"METATXN_{name}_VIP": partial(fill_vip, layouts) for name, layouts in _VAULTS.items()},
    **{f"{prefix}{name}_VIP": hidden_vip for prefix in ("", "METATXN_") for name in ("MAVERICKV2", "CURVE_TRICRYPTO")},
}
"""By their name; what is not here is opaque."""
