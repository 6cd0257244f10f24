"""What decoding and simulation make of real calls on real contracts: every swap hop by hop to the wei, and every revert."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest

from mempool.amm import POOL_KINDS
from mempool.decode import DecodeTables, decode
from mempool.market import MarketView, apply_logs, view_of
from mempool.model.block import BlockRef
from mempool.model.pool import PoolIdentity, PoolState, SwapEvent
from mempool.model.swap import Completeness, DecodedCall
from mempool.resources import load_tables
from mempool.simulate import simulate_call
from scripts._devnet.devnet import Devnet
from scripts._devnet.trader import Call
from scripts._devnet.traffic import Sent, Traffic
from scripts._devnet.world import V2_MARKETS, V3_MARKETS, V3Market
from tests.devnet_reads import load_pool, logs_of, raw

pytestmark = pytest.mark.devnet
TRANSACTIONS, PER_BLOCK = 600, 30
Amounts = tuple[bytes, int, int]
"""A pool, what it took and what it paid."""


@pytest.fixture(scope="module")
def tables() -> DecodeTables:
    return load_tables()


def test_every_untaxed_swap_is_simulated_to_the_wei_and_every_revert_foreseen(devnet: Devnet, tables: DecodeTables) -> None:
    wrong, compared = simulated_wrongly(devnet, tables, Traffic(Random(11), devnet, without=("may fail", "taxed", "foreign")))
    assert wrong == ""
    assert compared > TRANSACTIONS // 2


def test_flag_that_allows_a_failure_covers_a_plan_as_a_whole_and_no_single_swap(devnet: Devnet, tables: DecodeTables) -> None:
    traffic = Traffic(Random(13), devnet, without=("swap", "liquidity", "taxed", "foreign"))
    wrong, compared = simulated_wrongly(devnet, tables, traffic)
    assert wrong == ""
    assert compared > TRANSACTIONS // 2


def simulated_wrongly(devnet: Devnet, tables: DecodeTables, traffic: Traffic) -> tuple[str, int]:
    """The transactions whose swaps came out otherwise, a line each, and how many swaps were compared."""
    pools = {pool.address: pool for pool in listed_pools(devnet, tables)}
    wrong, compared = [], 0
    for _ in range(TRANSACTIONS // PER_BLOCK):
        sent = {each.hash: each for each in (traffic.next() for _ in range(PER_BLOCK))}
        block = devnet.rpc.call("eth_getBlockByNumber", hex(devnet.mine()), False)
        view = view_of(BlockRef(0, "", "", 0), pools.values())
        for receipt in devnet.receipts(int(block["number"], 16)):
            mined = sent[receipt["transactionHash"]]
            call = decoded(tables, mined)
            if call and call.intents:
                expected = simulated(call, view, int(block["timestamp"], 16))
                compared += len(expected)
                if expected != mined_swaps(receipt):
                    wrong.append(f"{mined.kind.name} ({mined.limits.value}): {expected} mined as {mined_swaps(receipt)}")
            view = apply_logs(view, logs_of(receipt))
        pools |= view.changes
    return "\n".join(wrong), compared


def test_every_kind_of_swap_is_decoded_whole(devnet: Devnet, tables: DecodeTables) -> None:
    traffic = Traffic(Random(12), devnet, without=("foreign", "liquidity"), replaced=0)
    found = {}
    for kind in traffic.kinds:
        with contextlib.suppress(LookupError):  # nothing to bring back to the start price yet
            call = decoded(tables, traffic.send(kind))
            found[kind.name] = call.completeness if call else None
    assert {name: completeness for name, completeness in found.items() if completeness is not Completeness.EXACT} == {}


def listed_pools(devnet: Devnet, tables: DecodeTables) -> list[PoolState]:
    """All pools of the devnet, at the addresses that the shipped tables derive."""
    identities: list[PoolIdentity] = []
    for market in (*V2_MARKETS, *V3_MARKETS):
        factory, fee = ("uniswap_v3", market.fee_pips) if isinstance(market, V3Market) else ("uniswap_v2", 0)
        identities.append(tables.pool_identity(factory, raw(market.tokens[0]), raw(market.tokens[1]), fee))
    return [load_pool(devnet, identity) for identity in identities]


def decoded(tables: DecodeTables, sent: Sent) -> DecodedCall | None:
    call: Call = sent.call
    return decode(tables, raw(call.to) if call.to else None, raw(call.data), call.value_wei, raw(sent.sender))


def simulated(call: DecodedCall, view: MarketView, timestamp: int) -> list[Amounts]:
    """The hops that would leave a log, none where the call would revert."""
    result = simulate_call(call, view, timestamp)
    assert result.unknown == ()
    if result.reverts:
        return []
    return [(hop.hop.pool, hop.amount_in, hop.amount_out) for swap in result.results if not swap.reverts for hop in swap.hops]


def mined_swaps(receipt: dict[str, Any]) -> list[Amounts]:
    events: list[SwapEvent] = []
    for log in logs_of(receipt):
        events += [event for kind in POOL_KINDS.values() if (event := kind.read_swap(log))]
    return [(each.pool, each.amount0_in + each.amount1_in, each.amount0_out + each.amount1_out) for each in events]
