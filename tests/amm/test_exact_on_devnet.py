"""Ten thousand swaps on real pairs and ten thousand on real pools: not one wei apart from our maths, nor the state after them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from mempool.amm import POOL_KINDS
from mempool.amm.tick_math import sqrt_ratio_at_tick
from mempool.amm.uniswap_v3 import V3Pool
from mempool.errors import SwapImpossible
from mempool.model.block import Log
from mempool.model.pool import PoolIdentity, PoolState, PoolSwap, SwapEvent
from scripts._devnet import addresses as at
from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.contracts import transact
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import calldata
from tests.anvil_fixtures import StartDevnet
from tests.devnet_reads import load_pool, logs_of, pair_identity, pool_identity

pytestmark = pytest.mark.devnet
SWAPS_PER_POOL = 2500
SWAPS_PER_BLOCK = 500
NEVER = 2**48 - 1
MAX = 2**256 - 1
MOST_TICKS = 20
PAIRS = {
    "WETH-USDC": (at.WETH, at.USDC),
    "WETH-DAI": (at.WETH, at.DAI),
    "WETH-WBTC": (at.WETH, at.WBTC),
    "USDC-USDT": (at.USDC, at.USDT),
}
EXACT_INPUT = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
EXACT_OUTPUT = "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
V2_EXACT_INPUT = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
V2_EXACT_OUTPUT = "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)"


@dataclass(frozen=True)
class Planned:
    """One swap to send, and what our maths makes of it."""

    calldata: str
    form: str
    expected: PoolSwap


Plan = Callable[[PoolState, str], Iterator[Planned]]


@pytest.mark.parametrize("tokens", PAIRS.values(), ids=PAIRS)
def test_v2_swaps_and_reserves_after_equal_the_real_pair_to_the_wei(start_devnet: StartDevnet, tokens: tuple[str, str]) -> None:
    devnet = start_devnet(AnvilOptions(order="fifo"))
    forms = compare(devnet, pair_identity(*tokens), at.V2_ROUTER, plan_v2)
    assert set(forms) == {f"{form} {token_in}" for form in ("exact in", "exact out") for token_in in (0, 1)}


@pytest.mark.parametrize("fee_pips", [100, 500, 3000, 10_000])
def test_v3_swaps_and_state_after_equal_the_real_pool_to_the_wei(start_devnet: StartDevnet, fee_pips: int) -> None:
    devnet = start_devnet(AnvilOptions(order="fifo"))
    forms = compare(devnet, pool_identity(at.WETH, at.USDC, fee_pips), at.V3_ROUTER, plan_v3)
    assert {form.split(":")[0] for form in forms} == {
        f"{form} {token_in}"
        for form in ("exact in", "exact out", "exact in to limit", "exact out to limit")
        for token_in in (0, 1)
    }
    assert {int(form.split(":")[1]) for form in forms} >= set(range(MOST_TICKS + 1))


def test_v3_protocol_fee_changes_no_amount(devnet: Devnet) -> None:
    identity = pool_identity(at.WETH, at.USDC, 500)
    transact(devnet.rpc, devnet.owner, "0x" + identity.address.hex(), calldata("setFeeProtocol(uint8,uint8)", 4, 10))
    assert compare(devnet, identity, at.V3_ROUTER, plan_v3, swaps=SWAPS_PER_BLOCK)


def compare(devnet: Devnet, identity: PoolIdentity, router: str, plan: Plan, swaps: int = SWAPS_PER_POOL) -> Counter[str]:
    """Send the planned swaps block by block and compare each mined log with its prediction; counts the forms that were sent."""
    devnet.rpc.call("evm_setBlockGasLimit", hex(10**12))
    devnet.rpc.call("anvil_impersonateAccount", devnet.owner)  # spares the node the signatures, the half of its work here
    state = load_pool(devnet, identity)
    planned = plan(state, devnet.owner)
    forms: Counter[str] = Counter()
    for _ in range(swaps // SWAPS_PER_BLOCK):
        batch = [next(planned) for _ in range(SWAPS_PER_BLOCK)]
        for swap, logs in zip(batch, mined(devnet, state.address, router, batch), strict=True):
            event, state = swap_in(logs, state)
            assert (amounts(event), state) == ((swap.expected.amount_in, swap.expected.amount_out), swap.expected.after), (
                swap.form
            )
            forms[swap.form] += 1
    assert comparable(load_pool(devnet, identity)) == comparable(state)
    return forms


def mined(devnet: Devnet, pool: bytes, router: str, batch: list[Planned]) -> list[list[Log]]:
    """The pool's logs of each of a batch of swaps, all in one block and in the order given; none of one that failed."""
    nonce = int(devnet.rpc.call("eth_getTransactionCount", devnet.owner, "latest"), 16)
    common = {
        "from": devnet.owner,
        "to": router,
        "gas": hex(5_000_000),
        "maxFeePerGas": hex(10**12),
        "maxPriorityFeePerGas": "0x1",
    }
    sent = devnet.rpc.batch(
        ("eth_sendTransaction", [common | {"data": swap.calldata, "nonce": hex(nonce + number)}])
        for number, swap in enumerate(batch)
    )
    number = hex(devnet.mine())
    # A block's receipts cost the node twice what running it does, its logs next to nothing.
    found = devnet.rpc.call("eth_getLogs", {"fromBlock": number, "toBlock": number, "address": "0x" + pool.hex()})
    of_each: dict[str, list[dict[str, Any]]] = {transaction: [] for transaction in sent}
    for log in found:
        of_each[log["transactionHash"]].append(log)
    return [logs_of({"logs": logs}) for logs in of_each.values()]


def swap_in(logs: list[Log], state: PoolState) -> tuple[SwapEvent, PoolState]:
    """The pool's one swap of a transaction, and the state that its logs leave."""
    (event,) = (event for log in logs if (event := POOL_KINDS[state.kind].read_swap(log)))
    for log in logs:
        state = state.after_log(log)
    return event, state


def amounts(event: SwapEvent) -> tuple[int, int]:
    return event.amount0_in + event.amount1_in, event.amount0_out + event.amount1_out


def comparable(state: PoolState) -> object:
    """Without the known ticks, of which a later load knows others."""
    return (state.sqrt_price_x96, state.tick, state.liquidity) if isinstance(state, V3Pool) else state


def plan_v2(state: PoolState, recipient: str) -> Iterator[Planned]:
    """Sizes from one unit to half a reserve, evenly over the orders of magnitude; mostly back towards the start price."""
    rng, start = Random(state.address), Fraction(*state.mid_price(state.token0))
    while True:
        back = 0 if Fraction(*state.mid_price(state.token0)) > start else 1
        token_in = back if rng.random() < 0.7 else 1 - back
        path = (state.token0, state.token1) if token_in == 0 else (state.token1, state.token0)
        form, swap = sized_v2(rng, state, path[0])
        if swap is None:
            continue
        if form == "exact in":
            data = calldata(V2_EXACT_INPUT, swap.amount_in, swap.amount_out, path, recipient, NEVER)
        else:
            data = calldata(V2_EXACT_OUTPUT, swap.amount_out, swap.amount_in, path, recipient, NEVER)
        state = swap.after
        yield Planned(data, f"{form} {token_in}", swap)


def sized_v2(rng: Random, state: PoolState, token_in: bytes) -> tuple[str, PoolSwap | None]:
    """A form and the swap by our maths; None where the pair would pay nothing."""
    reserve_out, reserve_in = state.mid_price(token_in)
    try:
        if rng.random() < 0.5:
            return "exact in", state.swap_exact_in(token_in, int(reserve_in ** rng.random()) + 1)
        return "exact out", state.swap_exact_out(token_in, int(reserve_out ** rng.random() / 2) + 1)
    except SwapImpossible:
        return "", None


def plan_v3(state: PoolState, recipient: str) -> Iterator[Planned]:
    """Walks over 0 to 20 initialised ticks, ended by the amount or by a price limit; the further out, the likelier back."""
    assert isinstance(state, V3Pool)
    rng, ticks = Random(state.address), sorted(state.ticks.ticks)
    while True:
        here = bisect_right(ticks, state.tick)
        down = rng.random() < here / len(ticks)
        limit = price_after_crossing(rng, ticks, state, -rng.randint(0, MOST_TICKS) if down else rng.randint(0, MOST_TICKS))
        if limit is None or (limit < state.sqrt_price_x96) != down or limit == state.sqrt_price_x96:
            continue
        token_in, token_out = (state.token0, state.token1) if down else (state.token1, state.token0)
        form, asked, swap = sized(rng, state, token_in, limit)
        parameters = (token_in, token_out, state.fee_pips, recipient, NEVER, asked)
        if form.startswith("exact in"):
            data = calldata(EXACT_INPUT, (*parameters, 0, limit if form.endswith("limit") else 0))
        else:
            data = calldata(EXACT_OUTPUT, (*parameters, MAX, limit if form.endswith("limit") else 0))
        before, state = state, swap.after
        assert isinstance(state, V3Pool)
        crossed = abs(bisect_right(ticks, state.tick) - bisect_right(ticks, before.tick))
        yield Planned(data, f"{form} {0 if down else 1}:{crossed}", swap)


def price_after_crossing(rng: Random, ticks: list[int], state: V3Pool, crossings: int) -> int | None:
    """A price beyond so many initialised ticks (below 0: downwards), now and then exactly on one; None off the wide position."""
    here = bisect_right(ticks, state.tick) + crossings
    if not 2 <= here <= len(ticks) - 2:
        return None
    lower, upper = sqrt_ratio_at_tick(ticks[here - 1]), sqrt_ratio_at_tick(ticks[here])
    if crossings == 0:
        lower, upper = (lower, state.sqrt_price_x96) if rng.random() < 0.5 else (state.sqrt_price_x96, upper)
    return lower if rng.random() < 0.05 else rng.randint(lower, upper)


def sized(rng: Random, state: V3Pool, token_in: bytes, limit: int) -> tuple[str, int, PoolSwap]:
    """A form, the amount to ask for so that the swap ends at or near `limit`, and the swap by our maths."""
    to_limit = state.swap_exact_in(token_in, 2**200, limit)
    amount_in, amount_out = max(to_limit.amount_in, 1), max(to_limit.amount_out, 1)
    form = rng.choice(("exact in", "exact out", "exact in to limit", "exact out to limit"))
    if form == "exact in":
        return form, amount_in, state.swap_exact_in(token_in, amount_in)
    if form == "exact out":
        return form, amount_out, state.swap_exact_out(token_in, amount_out)
    if form == "exact in to limit":
        return form, 2 * amount_in, state.swap_exact_in(token_in, 2 * amount_in, limit)
    return form, 2 * amount_out, state.swap_exact_out(token_in, 2 * amount_out, limit)
