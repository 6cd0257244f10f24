"""One run of a Settler's actions: what the actions share, and the swaps that they note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE, Holding
from mempool.decode.routers.zerox_parts import normal_token
from mempool.decode.tables import Entry
from mempool.model.swap import ALL, BalanceIn, Completeness, Hop, Size, SwapIntent, Take

Action = tuple[Entry, tuple[Any, ...]]
"""The action's row in the tables and its arguments."""

BPS, PPM = 10_000, 1_000_000
_SELL_A_SHARE = frozenset(
    {
        "UNISWAPV2",
        "UNISWAPV3",
        "UNISWAPV4",
        "BALANCERV3",
        "PANCAKE_INFINITY",
        "EKUBO",
        "EKUBOV3",
        "BASIC",
        "VELODROME",
        "MAVERICKV2",
        "DODOV1",
        "DODOV2",
        "EULERSWAP",
        "LFJTM",
        "HANJI",
        "MAKERPSM",
    }
)
"""Actions that sell a share of a balance: the first number of their arguments, in every version."""
_TOKENS = {
    "UNISWAPV2": 1,
    "UNISWAPV4": 1,
    "BALANCERV3": 1,
    "PANCAKE_INFINITY": 1,
    "EKUBO": 1,
    "EKUBOV3": 1,
    "BASIC": 0,
    "MAVERICKV2": 1,
    "DODOV1": 0,
    "DODOV2": 1,
    "EULERSWAP": 1,
    "LFJTM": 1,
    "HANJI": 0,
    "BEBOP": 1,
    "RFQ": 4,
    "POSITIVE_SLIPPAGE": 1,
}
"""Where they have the token that it sells."""
_LOOKED_AHEAD = 4
"""Actions whose tokens are tried with a pair that is known by its address alone."""
_NO_TOKENS = "trades on a pool whose tokens are not known"
_NO_POOL = "trades on a pool of {} whose address is not known"
_NO_AMOUNT = "sells a balance that the call does not fix"


class Settlement(Struct):
    """The actions of one call; `index` is the one at hand. They end with `buy_token`, which is empty where nothing is checked.

    `payer` is whom the tokens come from. `basis` is what a share of 1 is written as: it was raised from 10,000 to 1,000,000
    without a change of any signature. A call that sells everything somewhere has the one or the other in it.
    """

    actions: Sequence[Action]
    payer: bytes
    buy_token: bytes
    basis: int
    index: int = 0
    skimmed: frozenset[bytes] = frozenset()
    """Tokens of which a surplus was taken that only a simulation knows."""


def settlement_of(actions: Sequence[Action], payer: bytes, buy_token: bytes) -> Settlement:
    """The run of these actions."""
    shares = [stated_share(arguments) for entry, arguments in actions if entry.name in _SELL_A_SHARE]
    return Settlement(actions, payer, buy_token, PPM if any(share > BPS for share in shares) else BPS)


def stated_share(arguments: tuple[Any, ...]) -> int:
    """Of an action that sells a share of a balance."""
    return next(each for each in arguments if isinstance(each, int))


def permit_second(action: tuple[Settlement, tuple[Any, ...]]) -> tuple[Settlement, tuple[Any, ...]]:
    """A run and an action's arguments, with the payer's permit second: versions before 2025-08 had it further back."""
    settlement, own = action
    place = next(index for index, each in enumerate(own) if isinstance(each, tuple))
    return settlement, (own[0], own[place], *own[1:place], *own[place + 1 :])


def share_of(settlement: Settlement, share: int) -> Take:
    """A share of the balance; what is beyond all of it is all."""
    return ALL if share >= settlement.basis else Take(0, share, settlement.basis)


def sell(call: Call, settlement: Settlement, token: bytes, share: int, minimum: int) -> BalanceIn:
    """Sell a share of what the contract has of a token."""
    if token in settlement.skimmed:
        call.books().forget(call.contract, token)
        return BalanceIn(0, (), minimum)
    return call.sell_balance(call.contract, token, minimum, share_of(settlement, share))


def implied_token(call: Call, settlement: Settlement, token_in: bytes) -> bytes:
    """What an action must have bought that does not say it: the token that the next one sells and that nothing has brought yet,
    or what is checked in the end; empty where neither is certain."""
    for entry, arguments in settlement.actions[settlement.index + 1 :]:
        token = _sold_by(call, entry, arguments)
        if token is None:
            continue
        is_new = token and token != token_in and call.books().balance(call.contract, token).is_empty
        return token if is_new else b""
    return settlement.buy_token if settlement.buy_token != token_in else b""


def later_tokens(call: Call, settlement: Settlement) -> tuple[bytes, ...]:
    """The tokens that the next actions sell and the one checked in the end, each once; the native coin as the wrapped one."""
    sold = [_sold_by(call, *action) for action in settlement.actions[settlement.index + 1 :][:_LOOKED_AHEAD]]
    wrapped = call.router.wrapped_native
    tokens = [*sold, settlement.buy_token, wrapped]
    return tuple(dict.fromkeys(wrapped if token == NATIVE else token for token in tokens if token))


def _sold_by(call: Call, entry: Entry, arguments: tuple[Any, ...]) -> bytes | None:
    """The token of the contract's that an action sells, empty where the call does not say which; None where it sells none."""
    if entry.name == "UNISWAPV3":
        path: bytes = arguments[2]
        return path[:20]
    if entry.name == "MAKERPSM":
        return psm_terms(call, arguments)[0]
    if entry.is_opaque or entry.name == "VELODROME":
        return b""
    place = _TOKENS.get(entry.name)
    return None if place is None else normal_token(arguments[place])


def psm_terms(call: Call, arguments: tuple[Any, ...]) -> tuple[bytes, bytes, bytes]:
    """`(token in, token out, module)` of MAKERPSM(recipient, share, buyGem, amountOutMin[, psm, dai]), or of the oldest version's
    (recipient, gem, share, psm, buyGem). A gem that is not stated is USDC; a module that is not is built into the contract."""
    if isinstance(arguments[1], bytes):
        _, gem, _, module, buys_gem = arguments
        dai = _listed_token(call, "DAI")
    else:
        _, _, buys_gem, _, module, dai = (*arguments, b"", _listed_token(call, "DAI"))[:6]
        gem = _listed_token(call, "USDC")
    return (dai, gem, module) if buys_gem else (gem, dai, module)


def _listed_token(call: Call, symbol: str) -> bytes:
    return next((address for address, token in call.tables.tokens.items() if token.symbol == symbol), b"")


def add_swap(call: Call, hops: tuple[Hop, ...], size: Size, recipient: bytes, limit: int = 0, *, measured: bool = False) -> None:
    """Note a swap with as much as is known of it."""
    completeness, reason = _known_of(hops, size)
    intent = SwapIntent(
        call.router.name,
        call.function,
        hops,
        size,
        recipient,
        call.deadline,
        limit,
        call.revert_scopes,
        measures_received=measured,
        completeness=completeness,
        reason=reason,
    )
    call.add(intent)


def _known_of(hops: tuple[Hop, ...], size: Size) -> tuple[Completeness, str]:
    hidden = [hop.protocol for hop in hops if not hop.pool]
    if hidden:
        return Completeness.PARTIAL, _NO_POOL.format(hidden[0])
    if not all(hop.token_in and hop.token_out for hop in hops):
        return Completeness.TOKENS_UNKNOWN, _NO_TOKENS
    if isinstance(size, BalanceIn) and not size.sources and not size.held_wei:
        return Completeness.AMOUNT_UNKNOWN, _NO_AMOUNT
    return Completeness.EXACT, ""


def pay_in(call: Call, settlement: Settlement, permit: tuple[Any, ...], recipient: bytes) -> None:
    """The payer's tokens come to `recipient`, by a permit ((token, amount), nonce, deadline)."""
    (token, _), _, deadline = permit
    call.hold_to(deadline)
    amount = stated_amount(settlement, permit)
    if amount is None:
        call.books().forget(recipient, token)
    else:
        call.books().move(settlement.payer, token, recipient, amount)


def stated_amount(settlement: Settlement, permit: tuple[Any, ...]) -> int | None:
    """The permit's amount; the highest ones are shares of all that the payer has, which the call does not fix."""
    amount: int = permit[0][1]
    return None if (1 << 256) - 1 - amount < settlement.basis else amount


def pay_out(call: Call, token: bytes, recipient: bytes, minimum: int) -> Holding:
    """All that the contract has of a token goes to the recipient, at least the minimum."""
    held = call.books().take_all(call.contract, token)
    call.require(held, minimum)
    call.books().credit(recipient, token, held)
    return held
