"""Calls of the Universal Router: a string of commands, each with its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from scripts._devnet import addresses as at
from scripts._devnet.encoding import Address, calldata, pair_address, types_of
from scripts._devnet.trader import TAXED_ROUTES, V2_ROUTES, V3_ROUTES, Call, Limits, Route, Trader
from scripts._devnet.world import MAX_160, NEVER

SENDER = "0x" + 39 * "0" + "1"
ROUTER = "0x" + 39 * "0" + "2"
ROUTER_BALANCE = 2**255
ALREADY_PAID = 0
ALLOW_REVERT = 0x80
FEE_RECIPIENT = "0x" + 38 * "0" + "fe"
FEE_BIPS = 25
NAMES = {
    at.UNIVERSAL_V1: "Universal Router V1",
    at.UNIVERSAL_V1_2: "Universal Router V1.2",
    at.UNIVERSAL_V2: "Universal Router V2.0",
}
COMMANDS = {
    "V3_SWAP_EXACT_IN": (0x00, "(address,uint256,uint256,bytes,bool)"),
    "V3_SWAP_EXACT_OUT": (0x01, "(address,uint256,uint256,bytes,bool)"),
    "PERMIT2_TRANSFER_FROM": (0x02, "(address,address,uint160)"),
    "SWEEP": (0x04, "(address,address,uint256)"),
    "PAY_PORTION": (0x06, "(address,address,uint256)"),
    "V2_SWAP_EXACT_IN": (0x08, "(address,uint256,uint256,address[],bool)"),
    "V2_SWAP_EXACT_OUT": (0x09, "(address,uint256,uint256,address[],bool)"),
    "PERMIT2_PERMIT": (0x0A, "(((address,uint160,uint48,uint48),address,uint256),bytes)"),
    "WRAP_ETH": (0x0B, "(address,uint256)"),
    "UNWRAP_WETH": (0x0C, "(address,uint256)"),
    "EXECUTE_SUB_PLAN": (0x21, "(bytes,bytes[])"),
}


@dataclass(frozen=True)
class Command:
    name: str
    arguments: tuple[Any, ...]
    allow_revert: bool = False

    @property
    def code(self) -> int:
        return COMMANDS[self.name][0] | (ALLOW_REVERT if self.allow_revert else 0)

    @property
    def input(self) -> bytes:
        return encode(types_of(COMMANDS[self.name][1]), self.arguments)


Plan = Callable[[Trader, Address], tuple[list[Command], int]]
"""Commands for a trader on a router, and the value in wei that goes with them."""


def universal_call(trader: Trader, router: Address, plan: Plan) -> Call:
    """One plan as a call of one router."""
    commands, value_wei = plan(trader, router)
    codes, inputs = packed(commands)
    data = calldata("execute(bytes,bytes[],uint256)", codes, inputs, trader.deadline)
    return Call(NAMES[router], " ".join(command.name for command in commands), router, data, value_wei)


def packed(commands: list[Command]) -> tuple[bytes, list[bytes]]:
    return bytes(command.code for command in commands), [command.input for command in commands]


def v3_in(trader: Trader, router: Address) -> tuple[list[Command], int]:
    return [_v3_in(trader, trader.pick(V3_ROUTES))], 0


def v3_out(trader: Trader, router: Address) -> tuple[list[Command], int]:
    return [_v3_out(trader, trader.pick(V3_ROUTES))], 0


def v2_in(trader: Trader, router: Address) -> tuple[list[Command], int]:
    return [_v2_in(trader, trader.pick(V2_ROUTES))], 0


def v2_out(trader: Trader, router: Address) -> tuple[list[Command], int]:
    return [_v2_out(trader, trader.pick(V2_ROUTES))], 0


def taxed_in(trader: Trader, router: Address) -> tuple[list[Command], int]:
    route = trader.pick(TAXED_ROUTES)
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v2_in(route, amount_in)) * 99 // 100
    return [Command("V2_SWAP_EXACT_IN", (SENDER, amount_in, least, route.tokens, True))], 0


def wrap_v3_in(trader: Trader, router: Address) -> tuple[list[Command], int]:
    swap = _v3_in(trader, trader.pick(V3_ROUTES, first=at.WETH), by_user=False)
    return [_wrap(swap.arguments[1]), swap], swap.arguments[1]


def wrap_v2_in(trader: Trader, router: Address) -> tuple[list[Command], int]:
    swap = _v2_in(trader, trader.pick(V2_ROUTES, first=at.WETH), by_user=False)
    return [_wrap(swap.arguments[1]), swap], swap.arguments[1]


def wrap_v3_out(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """The router wraps the most that the swap may cost and gives the rest back."""
    swap = _v3_out(trader, trader.pick(V3_ROUTES, first=at.WETH), by_user=False)
    return [_wrap(swap.arguments[2]), swap, _unwrap(0)], swap.arguments[2]


def v3_in_unwrap(trader: Trader, router: Address) -> tuple[list[Command], int]:
    swap = _v3_in(trader, trader.pick(V3_ROUTES, last=at.WETH), recipient=ROUTER)
    return [swap, _unwrap(swap.arguments[2])], 0


def v2_in_unwrap(trader: Trader, router: Address) -> tuple[list[Command], int]:
    swap = _v2_in(trader, trader.pick(V2_ROUTES, last=at.WETH), recipient=ROUTER)
    return [swap, _unwrap(swap.arguments[2])], 0


def split(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """One trade over a V2 pair and a V3 pool of the same tokens."""
    second = trader.pick(V3_ROUTES, 1)
    both = [route for route in V2_ROUTES if route.tokens == second.tokens]
    first = trader.rng.choice(both) if both else trader.pick(V2_ROUTES, 1)
    return [_v2_in(trader, first), _v3_in(trader, second)], 0


def v2_then_v3(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """The first swap pays the router, the second sells all that the router holds."""
    first = trader.pick(V2_ROUTES, 1)
    second = trader.pick(V3_ROUTES, 1, first=first.tokens[-1])
    swap = Command("V3_SWAP_EXACT_IN", (SENDER, ROUTER_BALANCE, 0, second.path, False))
    return [_v2_in(trader, first, recipient=ROUTER), swap], 0


def v3_then_v2(trader: Trader, router: Address) -> tuple[list[Command], int]:
    first = trader.pick(V3_ROUTES, 1)
    second = trader.pick(V2_ROUTES, 1, first=first.tokens[-1])
    swap = Command("V2_SWAP_EXACT_IN", (SENDER, ROUTER_BALANCE, 0, second.tokens, False))
    return [_v3_in(trader, first, recipient=ROUTER), swap], 0


def paid_ahead(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """Permit2 pays the pair itself; the swap then has an amount of 0."""
    route = trader.pick(V2_ROUTES, 1)
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v2_in(route, amount_in))
    pay = Command("PERMIT2_TRANSFER_FROM", (route.tokens[0], pair_address(*route.tokens), amount_in))
    return [pay, Command("V2_SWAP_EXACT_IN", (SENDER, ALREADY_PAID, least, route.tokens, False))], 0


def with_fee(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """An interface keeps a quarter of a percent of what the swap gives."""
    swap = _v3_in(trader, trader.pick(V3_ROUTES), recipient=ROUTER)
    token = _last_token(swap)
    fee = Command("PAY_PORTION", (token, FEE_RECIPIENT, FEE_BIPS))
    return [swap, fee, Command("SWEEP", (token, SENDER, 0))], 0


def flagged_in_vain(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """The flag that allows a failure saves no swap: it covers what the router calls, not what it does itself. All reverts."""
    swap = _failing(trader)
    return [Command(swap.name, swap.arguments, allow_revert=True), _v3_in(trader, trader.pick(V3_ROUTES))], 0


def or_else(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """A plan that fails, and is allowed to, inside the plan; then another swap. The router calls itself for the inner plan."""
    inner = packed([_v2_in(trader, trader.pick(V2_ROUTES)), _failing(trader)])
    return [Command("EXECUTE_SUB_PLAN", inner, allow_revert=True), _v3_in(trader, trader.pick(V3_ROUTES))], 0


def sub_plan(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """A plan inside the plan, which may fail as a whole. V1 at its first release has no such command."""
    inner = packed([_v2_in(trader, trader.pick(V2_ROUTES)), _v3_in(trader, trader.pick(V3_ROUTES))])
    return [Command("EXECUTE_SUB_PLAN", inner, allow_revert=True)], 0


def with_permit(trader: Trader, router: Address) -> tuple[list[Command], int]:
    """The user's signed permit goes ahead of the swap, as wallets send it."""
    swap = _v3_in(trader, trader.pick(V3_ROUTES))
    token = _first_token(swap)
    allowance = calldata("allowance(address,address,address)", trader.user, token, router)
    nonce = trader.read(at.PERMIT2, allowance, "(uint160,uint48,uint48)")[2]
    permit = ((token, MAX_160, NEVER, nonce), router, trader.deadline)
    return [Command("PERMIT2_PERMIT", (permit, signed_permit(trader, permit))), swap], 0


def signed_permit(trader: Trader, permit: tuple[Any, ...]) -> bytes:
    """The node signs for the accounts that it holds."""
    (token, amount, expiration, nonce), spender, deadline = permit
    details = {"token": token, "amount": str(amount), "expiration": expiration, "nonce": nonce}
    message = {"details": details, "spender": spender, "sigDeadline": str(deadline)}
    domain = {"name": "Permit2", "chainId": 1, "verifyingContract": at.PERMIT2}
    typed = {"types": PERMIT_TYPES, "primaryType": "PermitSingle", "domain": domain, "message": message}
    return bytes.fromhex(trader.rpc.call("eth_signTypedData_v4", trader.user, typed)[2:])


PERMIT_TYPES = {
    kind: [{"type": field.split()[0], "name": field.split()[1]} for field in fields.split(",")]
    for kind, fields in {
        "EIP712Domain": "string name,uint256 chainId,address verifyingContract",
        "PermitDetails": "address token,uint160 amount,uint48 expiration,uint48 nonce",
        "PermitSingle": "PermitDetails details,address spender,uint256 sigDeadline",
    }.items()
}


def _failing(trader: Trader) -> Command:
    usual, trader.limits = trader.limits, Limits.IMPOSSIBLE
    swap = _v2_in(trader, trader.pick(V2_ROUTES))
    trader.limits = usual
    return swap


def _v3_in(trader: Trader, route: Route, *, recipient: Address = SENDER, by_user: bool = True) -> Command:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v3_in(route, amount_in))
    return Command("V3_SWAP_EXACT_IN", (recipient, amount_in, least, route.path, by_user))


def _v3_out(trader: Trader, route: Route, *, by_user: bool = True) -> Command:
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v3_out(route, amount_out))
    return Command("V3_SWAP_EXACT_OUT", (SENDER, amount_out, most, route.backward_path, by_user))


def _v2_in(trader: Trader, route: Route, *, recipient: Address = SENDER, by_user: bool = True) -> Command:
    amount_in = trader.size(route, route.tokens[0])
    least = trader.least(trader.quote_v2_in(route, amount_in))
    return Command("V2_SWAP_EXACT_IN", (recipient, amount_in, least, route.tokens, by_user))


def _v2_out(trader: Trader, route: Route) -> Command:
    amount_out = trader.size(route, route.tokens[-1])
    most = trader.most(trader.quote_v2_out(route, amount_out))
    return Command("V2_SWAP_EXACT_OUT", (SENDER, amount_out, most, route.tokens, True))


def _wrap(amount: int) -> Command:
    return Command("WRAP_ETH", (ROUTER, amount))


def _unwrap(least: int) -> Command:
    return Command("UNWRAP_WETH", (SENDER, least))


def _first_token(swap: Command) -> Address:
    return "0x" + bytes(swap.arguments[3][:20]).hex()


def _last_token(swap: Command) -> Address:
    return "0x" + bytes(swap.arguments[3][-20:]).hex()
