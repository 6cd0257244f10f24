"""Users who trade: one call of `next` sends one transaction, or two where the second takes the first one's place."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from scripts._devnet import addresses as at
from scripts._devnet import other_calls, swaps_universal, swaps_v2, swaps_v3
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import Address
from scripts._devnet.packages import DevnetError
from scripts._devnet.rpc import NodeRefused
from scripts._devnet.trader import Call, Limits, Trader
from scripts._devnet.world import GWEI

GAS = 3_000_000
LIMITS = ((Limits.USUAL, 84), (Limits.LOOSE, 9), (Limits.IMPOSSIBLE, 5), (Limits.EXPIRED, 2))
REPLACED = 0.04
"""The share of transactions that are replaced at once by one that pays more."""
CANCELLED = 0.25
"""The share of replacements that are cancellations."""
CLOSING = ("back_to_start_price", "v3_back_to_start_price")
TRIES = 20


@dataclass(frozen=True)
class Kind:
    """A row of the traffic table; `group` lets a caller leave kinds out."""

    name: str
    group: str
    weight: float
    make: Callable[[Trader], Call]


@dataclass(frozen=True)
class Sent:
    """What was sent. `replaces` is the hash of the transaction whose place it took; `nonce` is the sender's."""

    hash: str
    kind: Kind
    call: Call
    sender: Address
    nonce: int
    max_fee_wei: int
    limits: Limits
    replaces: str | None = None

    def __str__(self) -> str:
        remarks = [] if self.limits is Limits.USUAL else [f"{self.limits.value} limit"]
        remarks += ["replaces another"] if self.replaces else []
        return f"{self.call.family}: {self.call.function}" + (f" ({', '.join(remarks)})" if remarks else "")


def kinds() -> Iterator[Kind]:
    """All kinds of traffic. Groups: swap, may fail, taxed, liquidity, foreign."""
    plain = [swaps_v2.exact_tokens_for_tokens, swaps_v2.exact_ether_for_tokens, swaps_v2.exact_tokens_for_ether]
    plain += [swaps_v2.tokens_for_exact_tokens, swaps_v2.tokens_for_exact_ether, swaps_v2.ether_for_exact_tokens]
    plain += [swaps_v2.measured_tokens_for_tokens, swaps_v2.measured_ether_for_tokens, swaps_v2.measured_tokens_for_ether]
    plain += [swaps_v2.open_arbitrage, swaps_v2.back_to_start_price]
    plain += [swaps_v3.v3_exact_in, swaps_v3.v3_exact_in_path, swaps_v3.v3_exact_out, swaps_v3.v3_exact_out_path]
    plain += [swaps_v3.v3_price_limit, swaps_v3.v3_ether_in, swaps_v3.v3_ether_out, swaps_v3.v3_exact_out_with_refund]
    plain += [swaps_v3.v3_back_to_start_price]
    plain += [swaps_v3.exact_in_02, swaps_v3.exact_in_path_02, swaps_v3.exact_out_02, swaps_v3.exact_out_path_02]
    plain += [swaps_v3.v2_exact_in_02, swaps_v3.v2_exact_out_02, swaps_v3.multicall_by_deadline_02, swaps_v3.v2_then_unwrap_02]
    plain += [swaps_v3.split_02, swaps_v3.v2_then_v3_02, swaps_v3.ether_in_02]
    taxed = [swaps_v2.taxed_for_ether, swaps_v2.taxed_for_tokens, swaps_v2.ether_for_taxed]
    taxed += [swaps_v2.plain_ether_for_taxed, swaps_v2.plain_taxed_for_ether]
    liquidity = [other_calls.add_v2_liquidity, other_calls.add_v2_ether_liquidity, other_calls.remove_v2_liquidity]
    liquidity += [other_calls.add_v3_liquidity, other_calls.remove_v3_liquidity]
    foreign = [other_calls.send_ether, other_calls.send_token, other_calls.approve_stranger, other_calls.wrap_ether]
    foreign += [other_calls.call_unknown, other_calls.deploy]
    for group, weight, makers in (
        ("swap", 1, plain),
        ("taxed", 0.5, taxed),
        ("liquidity", 0.6, liquidity),
        ("foreign", 0.8, foreign),
    ):
        yield from (Kind(make.__name__, group, weight, make) for make in makers)
    yield from universal_kinds()


def universal_kinds() -> Iterator[Kind]:
    of = swaps_universal
    plans = [of.v3_in, of.v3_out, of.v2_in, of.v2_out, of.wrap_v3_in, of.wrap_v2_in, of.wrap_v3_out, of.v3_in_unwrap]
    plans += [of.v2_in_unwrap, of.split, of.v2_then_v3, of.v3_then_v2, of.paid_ahead, of.with_fee, of.with_permit]
    for router in at.UNIVERSAL_ROUTERS:
        yield from (universal_kind(router, plan, "swap", 0.5) for plan in plans)
        yield universal_kind(router, of.taxed_in, "taxed", 0.3)
        yield universal_kind(router, of.flagged_in_vain, "may fail", 0.1)
        if router != at.UNIVERSAL_V1:  # whose first release knows no plans inside plans
            yield from (universal_kind(router, plan, "may fail", 0.5) for plan in (of.sub_plan, of.or_else))


def universal_kind(router: Address, plan: swaps_universal.Plan, group: str, weight: float) -> Kind:
    name = f"{swaps_universal.NAMES[router]} {plan.__name__}"
    return Kind(name, group, weight, partial(swaps_universal.universal_call, router=router, plan=plan))


def with_arbitrageurs(usual: Sequence[Kind]) -> list[Kind]:
    """The same kinds, but so that one transaction in four brings a pool back to where it started: pools stay near each other."""
    closing = [kind for kind in usual if kind.name in CLOSING]
    others = [kind for kind in usual if kind.name not in CLOSING]
    share = sum(kind.weight for kind in others) / 3
    return [*others, *(replace(kind, weight=share / len(closing)) for kind in closing)]


class Traffic:
    """Deterministic for a seed and a chain: the same calls in the same order, as long as the same blocks are mined between them.

    `without` names groups to leave out; `limits` and `replaced` change how often users err or change their minds.
    """

    def __init__(
        self,
        rng: Random,
        devnet: Devnet,
        *,
        without: Container[str] = (),
        limits: tuple[tuple[Limits, int], ...] = LIMITS,
        replaced: float = REPLACED,
    ) -> None:
        self._rng, self._devnet, self._limits, self._replaced = rng, devnet, limits, replaced
        self.kinds = [kind for kind in kinds() if kind.group not in without]
        self._nonces: dict[Address, int] = {}
        self._replaceable: Sent | None = None
        self._head, self._now = -1, 0
        self._unmined_fees: dict[Address, list[int]] = {}
        """Of this block's transactions, by sender and in the order of their nonces."""

    def next(self) -> Sent:
        """Send one more. Raises `DevnetError` when nothing that was tried could be quoted and sent."""
        before, self._replaceable = self._replaceable, None
        self._follow_head()
        if before and self._may_replace(before) and self._rng.random() < self._replaced:
            return self._replace(before)
        self._replaceable = self._new(self._rng.choices(self.kinds, [kind.weight for kind in self.kinds])[0])
        return self._replaceable

    def send(self, kind: Kind) -> Sent:
        """Send one of a kind. Raises `LookupError` or `NodeRefused` where the picked user cannot."""
        self._follow_head()
        return self._send_new(kind)

    def _may_replace(self, before: Sent) -> bool:
        """Only where it then still pays less than the sender's earlier ones; see `_fee_wei`."""
        *earlier, last = self._unmined_fees.get(before.sender, [0])
        return last == before.max_fee_wei and all(raised(last) < fee for fee in earlier)

    def _follow_head(self) -> None:
        """With a new block nobody is held to what he paid before."""
        latest = self._devnet.rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
        self._now = max(int(latest["timestamp"], 16), int(time.time()))
        if self._head != int(latest["number"], 16):
            self._head = int(latest["number"], 16)
            self._unmined_fees = {}

    def _new(self, kind: Kind) -> Sent:
        for _ in range(TRIES):
            try:
                return self._send_new(kind)
            except (LookupError, NodeRefused):  # nothing to remove, no way to quote: another user, another pool
                kind = self._rng.choice(self.kinds)
        raise DevnetError(f"no transaction could be made in {TRIES} tries")

    def _send_new(self, kind: Kind) -> Sent:
        trader = self._trader()
        return self._send(kind, kind.make(trader), trader, self._fee_wei(trader.user))

    def _replace(self, before: Sent) -> Sent:
        """Another call, or none at all, in the place of the last one; a new transaction where that one is mined already."""
        trader = self._trader(before.sender)
        fee = raised(before.max_fee_wei)
        try:
            call = other_calls.cancel(trader) if self._rng.random() < CANCELLED else before.kind.make(trader)
            return self._send(before.kind, call, trader, fee, before)
        except (LookupError, NodeRefused):
            return self._new(before.kind)

    def _send(self, kind: Kind, call: Call, trader: Trader, max_fee_wei: int, replaced: Sent | None = None) -> Sent:
        nonce = replaced.nonce if replaced else self._nonce(trader.user)
        body: dict[str, Any] = {"from": trader.user, "data": call.data, "value": hex(call.value_wei), "gas": hex(GAS)}
        body |= {"nonce": hex(nonce), "maxFeePerGas": hex(max_fee_wei), "maxPriorityFeePerGas": hex(max_fee_wei // 20)}
        if call.to:
            body["to"] = call.to
        hash_ = self._devnet.rpc.call("eth_sendTransaction", body)
        self._nonces[trader.user] = nonce + 1
        fees = self._unmined_fees.setdefault(trader.user, [])
        fees[len(fees) - bool(replaced and fees) :] = [max_fee_wei]
        return Sent(hash_, kind, call, trader.user, nonce, max_fee_wei, trader.limits, replaced.hash if replaced else None)

    def _trader(self, user: Address = "") -> Trader:
        limits = self._rng.choices([each for each, _ in self._limits], [weight for _, weight in self._limits])[0]
        return Trader(self._rng, self._devnet.rpc, user or self._rng.choice(self._devnet.users), self._now, limits)

    def _nonce(self, user: Address) -> int:
        if user not in self._nonces:
            self._nonces[user] = int(self._devnet.rpc.call("eth_getTransactionCount", user, "pending"), 16)
        return self._nonces[user]

    def _fee_wei(self, user: Address) -> int:
        """Less than for the user's earlier ones of this block: ordered by fees, anvil runs a later nonce first and drops it."""
        return min(self._rng.randint(20 * GWEI, 60 * GWEI), self._unmined_fees.get(user, [100 * GWEI])[-1] * 99 // 100)


def raised(fee_wei: int) -> int:
    """What a replacement pays."""
    return fee_wei * 13 // 10
