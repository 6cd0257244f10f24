"""Transactions sent to the devnet and mined, and what their logs say of the hops that were decoded from their calldata."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mempool.amm import POOL_KINDS
from mempool.decode import decode
from mempool.errors import MalformedCalldata
from mempool.model.block import Log
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut, Hop, SwapIntent
from scripts._devnet.devnet import Devnet
from scripts._devnet.rpc import NodeRefused
from scripts._devnet.world import GWEI
from tests.decode.calls import tables
from tests.devnet_reads import logs_of, raw

V4_SWAP_TOPIC = keccak256(b"Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)")
BALANCER_SWAP_TOPIC = keccak256(b"Swap(bytes32,address,address,uint256,uint256)")
RUNS_BACKWARDS = frozenset({"uniswap_v4", "balancer_v2"})
"""Where a path of exact output is logged from its last pool to its first; V3 logs from the innermost callback out."""
GAS = 8_000_000


class Logged(NamedTuple):
    """One swap as a pool logged it; `forward` is from the lower token's address to the higher."""

    pool: bytes
    forward: bool
    amount_in: int
    amount_out: int


@dataclass(frozen=True)
class Mined:
    """A transaction: what was decoded of it before, whether it succeeded, and what it logged."""

    call: DecodedCall
    succeeded: bool
    logs: list[Log]
    hash: str

    @property
    def swaps(self) -> list[Logged]:
        return [swap for log in self.logs if (swap := logged_swap(log))]


def send(devnet: Devnet, to: str, data: bytes, value_wei: int = 0, *, sender: str = "") -> str:
    """Send a transaction, with gas of its own so that one that reverts is mined too; its hash."""
    body = {"from": sender or devnet.users[0], "to": to, "data": "0x" + data.hex(), "value": hex(value_wei), "gas": hex(GAS)}
    fees = {"maxFeePerGas": hex(1000 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
    hash_: str = devnet.rpc.call("eth_sendTransaction", body | fees)
    return hash_


def mined(devnet: Devnet, to: str, data: bytes, value_wei: int = 0, *, sender: str = "") -> Mined:
    """Decode a call, send it and mine it."""
    call = decode(tables(), raw(to), data, value_wei, raw(sender or devnet.users[0]))
    assert call is not None
    hash_ = send(devnet, to, data, value_wei, sender=sender)
    devnet.mine()
    receipt = devnet.rpc.call("eth_getTransactionReceipt", hash_)
    return Mined(call, receipt["status"] == "0x1", logs_of(receipt), hash_)


def reverts(devnet: Devnet, to: str, data: bytes, value_wei: int = 0) -> bool:
    """Whether the first user's call would revert, by eth_call on the latest block."""
    body = {"from": devnet.users[0], "to": to, "data": "0x" + data.hex(), "value": hex(value_wei), "gas": hex(GAS)}
    return isinstance(devnet.rpc.try_batch([("eth_call", [body, "latest"])])[0], NodeRefused)


def is_malformed(devnet: Devnet, to: str, data: bytes, value_wei: int = 0) -> bool:
    """Whether decoding says that the first user's call reverts for its calldata."""
    try:
        decode(tables(), raw(to), data, value_wei, raw(devnet.users[0]))
    except MalformedCalldata as error:
        return not error.refused
    return False


def logged_swap(log: Log) -> Logged | None:
    """What a Swap event of V2, V3, V4 or Balancer V2 says; None for every other log."""
    for kind in POOL_KINDS.values():
        if event := kind.read_swap(log):
            forward = event.amount0_in > 0
            return Logged(event.pool, forward, event.amount0_in + event.amount1_in, event.amount0_out + event.amount1_out)
    first, second = (int.from_bytes(log.data[start : start + 32], signed=True) for start in (0, 32))
    if log.topics[0] == V4_SWAP_TOPIC:  # the swapper's amounts: below zero what it paid
        return Logged(log.topics[1], first < 0, -min(first, second), max(first, second))
    if log.topics[0] == BALANCER_SWAP_TOPIC:
        return Logged(log.topics[1], log.topics[2] < log.topics[3], first, second)
    return None


def assert_swapped_as_decoded(transaction: Mined, *, failed: Collection[int] = ()) -> None:
    """Every intent but the `failed` ones left exactly its hops' logs, in its order, and the amounts that the call fixes."""
    assert transaction.succeeded
    call, swaps = transaction.call, transaction.swaps
    assert call.completeness in {Completeness.EXACT, Completeness.TOKENS_UNKNOWN}, call.reason
    brought: dict[int, int] = {}
    for index, intent in enumerate(call.intents):
        assert index not in failed or intent.allow_revert
        if index not in failed:
            run, swaps = swaps[: len(intent.hops)], swaps[len(intent.hops) :]
            brought[index] = assert_ran(intent, run, brought)
    assert swaps == []


def assert_ran(intent: SwapIntent, run: Sequence[Logged], brought: dict[int, int]) -> int:
    """The logs are those of the intent's hops, pool by pool, each fed by the one before; what came out in the end."""
    backwards = isinstance(intent.size, ExactOut) and intent.hops[0].protocol in RUNS_BACKWARDS
    in_trade_order = run[::-1] if backwards else run
    assert [(swap.pool, swap.forward) for swap in in_trade_order] == [(hop.pool, is_forward(hop)) for hop in intent.hops]
    amounts = [(swap.amount_in, swap.amount_out) for swap in in_trade_order]
    assert [paid for _, paid in amounts[:-1]] == [taken for taken, _ in amounts[1:]]
    assert_sized(intent, amounts[0][0], amounts[-1][1], brought)
    return amounts[-1][1]


def assert_sized(intent: SwapIntent, amount_in: int, amount_out: int, brought: dict[int, int]) -> None:
    size: Any = intent.size
    match size:
        case ExactIn():
            assert amount_in == size.amount_in
            assert amount_out >= size.min_amount_out
        case ExactOut():
            assert amount_out == size.amount_out or (size.pays_forward and amount_out >= size.amount_out)
            assert amount_in <= size.max_amount_in
        case BalanceIn():
            assert amount_in == size.amount_in(sum(brought[source] for source in size.sources))


def is_forward(hop: Hop) -> bool:
    if hop.zero_for_one is not None and not (hop.token_in and hop.token_out):
        return hop.zero_for_one
    return hop.token_in < hop.token_out
