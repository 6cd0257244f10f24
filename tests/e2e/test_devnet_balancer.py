"""Balancer V2's real Vault: single swaps and batches against its Swap events, which come in the order of execution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from scripts._devnet import addresses as at
from scripts._devnet.world import ETHER, NEVER
from tests.decode.calls import calldata
from tests.e2e.mined_hops import Mined, assert_swapped_as_decoded, is_malformed, mined, reverts
from tests.e2e.venues import ETH, VAULT, Venues

pytestmark = pytest.mark.devnet
SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
BATCH = "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
GIVEN_IN, GIVEN_OUT = 0, 1
DAI_USDC_WETH, WBTC_WETH, WBTC_USDC = 0, 1, 2
ANY = 2**254
ASSETS = (at.WBTC, at.DAI, at.USDC, at.WETH)
WBTC, DAI, USDC, WETH = range(4)
NATIVE_ASSETS = (at.WBTC, at.DAI, at.USDC, ETH)
Step = tuple[int, int, int, int]
"""Pool, asset in, asset out, amount."""


@dataclass(frozen=True)
class Single:
    pool: int
    kind: int
    tokens: tuple[str, str]
    amount: int
    limit: int
    value_wei: int = 0


@dataclass(frozen=True)
class Batch:
    kind: int
    steps: Sequence[Step]
    assets: Sequence[str] = ASSETS
    limits: Sequence[int] = (ANY, ANY, ANY, ANY)
    value_wei: int = 0


SINGLES = {
    "given in": Single(DAI_USDC_WETH, GIVEN_IN, (at.DAI, at.USDC), 10**21, 1),
    "given out": Single(DAI_USDC_WETH, GIVEN_OUT, (at.USDC, at.DAI), 10**21, 10**10),
    "native in": Single(WBTC_WETH, GIVEN_IN, (ETH, at.WBTC), ETHER, 1, ETHER),
    "native in, given out": Single(WBTC_WETH, GIVEN_OUT, (ETH, at.WBTC), 10**6, ETHER, ETHER),
    "native out": Single(DAI_USDC_WETH, GIVEN_IN, (at.USDC, ETH), 10**9, 1),
}
CHAIN_IN = ((DAI_USDC_WETH, USDC, WETH, 10**9), (WBTC_WETH, WETH, WBTC, 0))
CHAIN_OUT = ((WBTC_WETH, WETH, WBTC, 10**6), (DAI_USDC_WETH, DAI, WETH, 0))
BATCHES = {
    "given in": Batch(GIVEN_IN, CHAIN_IN),
    "given in, with limits": Batch(GIVEN_IN, CHAIN_IN, limits=(-1, 0, 10**9, 0)),
    "given in, over three pools": Batch(GIVEN_IN, (*CHAIN_IN, (WBTC_USDC, WBTC, USDC, 0))),
    "given out": Batch(GIVEN_OUT, CHAIN_OUT, limits=(-(10**6), 10**22, 0, 0)),
    "given out, over three pools": Batch(GIVEN_OUT, (*CHAIN_OUT, (DAI_USDC_WETH, USDC, DAI, 0))),
    "given in, split": Batch(GIVEN_IN, (*CHAIN_IN, (WBTC_USDC, USDC, WBTC, 10**9))),
    "given out, split": Batch(GIVEN_OUT, (*CHAIN_OUT, (WBTC_USDC, USDC, WBTC, 10**6))),
    "given in, native in": Batch(GIVEN_IN, ((DAI_USDC_WETH, WETH, USDC, ETHER),), NATIVE_ASSETS, value_wei=ETHER),
    "given in, native out": Batch(GIVEN_IN, ((DAI_USDC_WETH, USDC, WETH, 10**9),), NATIVE_ASSETS),
}
FAILING = {
    "limit below what is given": Batch(GIVEN_IN, CHAIN_IN, limits=(0, 0, 1, 0)),
    "first step without an amount": Batch(GIVEN_IN, ((DAI_USDC_WETH, USDC, WETH, 0),)),
    "chain that does not meet": Batch(GIVEN_IN, (CHAIN_IN[0], (WBTC_USDC, USDC, WBTC, 0))),
    "asset beyond the assets": Batch(GIVEN_IN, ((DAI_USDC_WETH, USDC, 4, 1),)),
    "same asset on both sides": Batch(GIVEN_IN, ((DAI_USDC_WETH, USDC, USDC, 1),)),
    "limits too few": Batch(GIVEN_IN, CHAIN_IN, limits=(0, 0, 0)),
}


def single_call(venues: Venues, swap: Single) -> bytes:
    user = venues.devnet.users[0]
    step = (venues.balancer_pools[swap.pool], swap.kind, *swap.tokens, swap.amount, b"")
    return calldata(SWAP, step, (user, False, user, False), swap.limit, NEVER)


def batch_call(venues: Venues, batch: Batch) -> bytes:
    user = venues.devnet.users[0]
    steps = [(venues.balancer_pools[pool], *rest, b"") for pool, *rest in batch.steps]
    return calldata(BATCH, batch.kind, steps, batch.assets, (user, False, user, False), batch.limits, NEVER)


def run(venues: Venues, data: bytes, value_wei: int = 0) -> Mined:
    return mined(venues.devnet, VAULT, data, value_wei)


@pytest.mark.parametrize("name", SINGLES)
def test_swap_is_logged_as_it_is_decoded(venues: Venues, name: str) -> None:
    assert_swapped_as_decoded(run(venues, single_call(venues, SINGLES[name]), SINGLES[name].value_wei))


@pytest.mark.parametrize("name", BATCHES)
def test_batch_is_logged_as_it_is_decoded(venues: Venues, name: str) -> None:
    assert_swapped_as_decoded(run(venues, batch_call(venues, BATCHES[name]), BATCHES[name].value_wei))


@pytest.mark.parametrize("name", FAILING)
def test_batch_that_its_calldata_dooms_is_malformed(venues: Venues, name: str) -> None:
    data = batch_call(venues, FAILING[name])
    assert reverts(venues.devnet, VAULT, data)
    assert is_malformed(venues.devnet, VAULT, data)
