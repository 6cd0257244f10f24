"""V4_SWAP on the real Universal Router V2.0 and the real PoolManager: each plan's hops and amounts against what is logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode

from scripts._devnet import addresses as at
from scripts._devnet.devnet import Devnet
from scripts._devnet.world import ETHER, NEVER
from tests.decode.calls import BALANCE, FRIEND, TO_ROUTER, TO_SENDER, calldata, path, plan
from tests.decode.v4_calls import (
    IN,
    IN_SINGLE,
    OUT,
    SETTLE,
    SETTLE_ALL,
    TAKE,
    TAKE_ALL,
    TAKE_PORTION,
    V4_SWAP,
    Action,
    along,
    buy,
    sell,
    v4,
)
from tests.devnet_reads import raw
from tests.e2e.mined_hops import Mined, assert_swapped_as_decoded, is_malformed, mined, reverts
from tests.e2e.venues import (
    DAI_USDC,
    ETH,
    ETH_USDC,
    ETH_USDC_OTHER,
    ETH_WBTC,
    USDC_USDT,
    PoolKey,
    Venues,
)

pytestmark = pytest.mark.devnet
V3_IN, TRANSFER_FROM, SWEEP, V2_IN, WRAP_ETH, UNWRAP, SUB_PLAN, MAY_FAIL = 0x00, 0x02, 0x04, 0x08, 0x0B, 0x0C, 0x21, 0x80
MILLION = 10**12
"""Of USDC or USDT."""
OPEN_DELTA = 0
USDC, DAI, WETH = raw(at.USDC), raw(at.DAI), raw(at.WETH)
Command = tuple[int, Any]


def step(key: PoolKey, currency: str) -> tuple[Any, ...]:
    """One part of a path: the currency that it names beside the pool."""
    _, _, fee, spacing, hooks = key
    return currency, fee, spacing, hooks, b""


def bare(action: Action) -> Action:
    """Parameters without the offset of their outer tuple: the router takes currency0, zero, for it."""
    code, params = action
    return code, params[32:]


DAI_TO_WBTC = [step(DAI_USDC, at.USDC), step(ETH_USDC, ETH), step(ETH_WBTC, at.WBTC)]
PAY_ETH, PAY_USDC, PAY_DAI = (SETTLE_ALL, (ETH, ETHER)), (SETTLE_ALL, (at.USDC, MILLION)), (SETTLE_ALL, (at.DAI, 10**24))
GET_ETH, GET_USDC, GET_WBTC = ((TAKE_ALL, (token, 1)) for token in (ETH, at.USDC, at.WBTC))
_, SOLD = sell(ETH_USDC, ETHER, 1)
SELL_ETH = v4(sell(ETH_USDC, ETHER, 1), PAY_ETH, GET_USDC)
IMPOSSIBLE = v4(sell(ETH_USDC, ETHER, MILLION), PAY_ETH, GET_USDC)
PAID_BY_DAI = [(V2_IN, (TO_ROUTER, 10**21, 1, [DAI, WETH], True)), (UNWRAP, (TO_ROUTER, 1))]

PLANS: dict[str, list[Command]] = {
    "exact in, native in": [SELL_ETH],
    "exact in, native out": [v4(sell(ETH_USDC, 10**9, 1, forward=False), PAY_USDC, GET_ETH)],
    "exact in, tokens": [v4(sell(USDC_USDT, 10**9, 1), PAY_USDC, (TAKE_ALL, (at.USDT, 1)))],
    "exact in over three pools": [v4((IN, along("ur2", raw(at.DAI), DAI_TO_WBTC, 10**21, 1)), PAY_DAI, GET_WBTC)],
    "exact in over three pools from the native coin": [
        v4(
            (IN, along("ur2", raw(ETH), [step(ETH_USDC, at.USDC), step(USDC_USDT, at.USDT)], ETHER, 1)),
            PAY_ETH,
            (TAKE_ALL, (at.USDT, 1)),
        )
    ],
    "exact out, native in": [v4(buy(ETH_USDC, 10**9, ETHER), PAY_ETH, GET_USDC)],
    "exact out, native out": [v4(buy(ETH_USDC, ETHER, 10**10, forward=False), PAY_USDC, GET_ETH)],
    "exact out over two pools": [
        v4((OUT, along("ur2", raw(ETH), [step(DAI_USDC, at.DAI), step(ETH_USDC, at.USDC)], ETHER, 10**22)), PAY_DAI, GET_ETH)
    ],
    "settled before, open delta in": [
        v4((SETTLE, (at.USDC, 10**9, True)), sell(ETH_USDC, OPEN_DELTA, 1, forward=False), (TAKE, (ETH, FRIEND, OPEN_DELTA)))
    ],
    "settled after, open delta": [
        v4(sell(USDC_USDT, 10**9, 1), (SETTLE, (at.USDC, OPEN_DELTA, True)), (TAKE, (at.USDT, TO_SENDER, OPEN_DELTA)))
    ],
    "taken before it is settled": [v4(sell(USDC_USDT, 10**9, 1), (TAKE, (at.USDT, TO_SENDER, OPEN_DELTA)), PAY_USDC)],
    "open delta out": [v4((TAKE, (at.USDC, TO_SENDER, 10**9)), buy(ETH_USDC, OPEN_DELTA, ETHER), PAY_ETH)],
    "router's balance of a token": [
        (TRANSFER_FROM, (at.USDC, raw(at.UNIVERSAL_V2), 10**9)),
        v4(
            (SETTLE, (at.USDC, BALANCE, False)),
            sell(ETH_USDC, OPEN_DELTA, 1, forward=False),
            (TAKE, (ETH, TO_SENDER, OPEN_DELTA)),
        ),
    ],
    "router's balance of the native coin": [
        v4((SETTLE, (ETH, BALANCE, False)), sell(ETH_USDC, OPEN_DELTA, 1), (TAKE, (at.USDC, TO_SENDER, OPEN_DELTA)))
    ],
    "portion kept": [v4(sell(ETH_USDC, ETHER, 1), PAY_ETH, (TAKE_PORTION, (at.USDC, FRIEND, 25)), GET_USDC)],
    "one pool's output into the next": [
        v4(sell(DAI_USDC, 10**21, 1), sell(ETH_USDC, OPEN_DELTA, 1, forward=False), PAY_DAI, GET_ETH)
    ],
    "split over two pools": [v4(sell(ETH_USDC, ETHER // 2, 1), sell(ETH_USDC_OTHER, ETHER // 2, 1), PAY_ETH, GET_USDC)],
    "parameters without the length of their last field": [v4((IN_SINGLE, SOLD[:320]), PAY_ETH, GET_USDC)],
    "parameters without their outer offset": [v4(bare(sell(ETH_USDC, ETHER, 1)), PAY_ETH, GET_USDC)],
    "parameters of exact out without their outer offset": [v4(bare(buy(ETH_USDC, 10**9, ETHER)), PAY_ETH, GET_USDC)],
    "V2, then V4, then V3": [
        *PAID_BY_DAI,
        v4((SETTLE, (ETH, BALANCE, False)), sell(ETH_USDC, OPEN_DELTA, 1), (TAKE, (at.USDC, TO_ROUTER, OPEN_DELTA))),
        (V3_IN, (TO_SENDER, BALANCE, 1, path(USDC, 100, DAI), False)),
    ],
    "V4, then wrapped for V2": [
        v4(sell(ETH_USDC, 10**9, 1, forward=False), PAY_USDC, (TAKE, (ETH, TO_ROUTER, OPEN_DELTA))),
        (WRAP_ETH, (TO_ROUTER, BALANCE)),
        (V2_IN, (TO_SENDER, BALANCE, 1, [WETH, DAI], False)),
    ],
    "plan in a plan": [(SUB_PLAN, plan("ur2", [SELL_ETH]))],
    "plan in a plan that may fail": [
        (SUB_PLAN | MAY_FAIL, plan("ur2", [SELL_ETH])),
        v4(sell(USDC_USDT, 10**9, 1), PAY_USDC, (TAKE_ALL, (at.USDT, 1))),
    ],
}
PLANS_THAT_FAIL: dict[str, list[Command]] = {
    "plan in a plan fails": [(SUB_PLAN | MAY_FAIL, plan("ur2", [IMPOSSIBLE])), SELL_ETH],
    "second part of a plan in a plan fails": [
        (SUB_PLAN | MAY_FAIL, plan("ur2", [v4(sell(USDC_USDT, 10**9, 1), PAY_USDC, (TAKE_ALL, (at.USDT, 1))), IMPOSSIBLE])),
        SELL_ETH,
    ],
}


def run(devnet: Devnet, commands: Sequence[Command]) -> Mined:
    """Execute a plan with an ether, of which what is left goes back."""
    codes, inputs = plan("ur2", [*commands, (SWEEP, (ETH, TO_SENDER, 0))])
    return mined(devnet, at.UNIVERSAL_V2, calldata("execute(bytes,bytes[],uint256)", codes, inputs, NEVER), ETHER)


@pytest.mark.parametrize("name", PLANS)
def test_plan_swaps_as_it_is_decoded(venues: Venues, name: str) -> None:
    assert_swapped_as_decoded(run(venues.devnet, PLANS[name]))


@pytest.mark.parametrize("name", PLANS_THAT_FAIL)
def test_plan_that_is_allowed_to_fail_leaves_no_log_of_its_swaps(venues: Venues, name: str) -> None:
    transaction = run(venues.devnet, PLANS_THAT_FAIL[name])
    failed = [index for index, intent in enumerate(transaction.call.intents) if intent.allow_revert]
    assert len(failed) == len(transaction.call.intents) - 1
    assert_swapped_as_decoded(transaction, failed=failed)


def listed(codes: bytes, params: list[bytes]) -> Command:
    """A V4_SWAP whose actions and parameters need not fit."""
    return V4_SWAP, encode(["bytes", "bytes[]"], [codes, params])


UNORDERED: PoolKey = (at.USDC, ETH, 500, 10, at.NOTHING)
USUAL = bytes(SELL_ETH[1])
DOOMED: dict[str, Command] = {
    "actions without parameters": listed(bytes([IN_SINGLE, SETTLE_ALL]), [SOLD]),
    "parameters cut": v4((IN_SINGLE, SOLD[:288]), PAY_ETH, GET_USDC),
    "lists in another layout": (V4_SWAP, USUAL[:32] + (64).to_bytes(32) + USUAL[64:]),
    "currencies out of order": v4(sell(UNORDERED, ETHER, 1), PAY_ETH, GET_USDC),
    "portion of more than all": v4(sell(ETH_USDC, ETHER, 1), PAY_ETH, (TAKE_PORTION, (at.USDC, FRIEND, 10_001)), GET_USDC),
    "less settled than is owed": v4(sell(ETH_USDC, ETHER, 1), (SETTLE_ALL, (ETH, ETHER - 1)), GET_USDC),
    "nothing to take": v4(sell(ETH_USDC, ETHER, 1), PAY_ETH, GET_USDC, (TAKE_ALL, (at.DAI, 1))),
    "empty path with a minimum": v4((IN, along("ur2", raw(ETH), [], ETHER, 1)), PAY_ETH, GET_USDC),
}


@pytest.mark.parametrize("name", DOOMED)
def test_plan_that_its_calldata_dooms_is_malformed(venues: Venues, name: str) -> None:
    codes, inputs = plan("ur2", [DOOMED[name]])
    data = calldata("execute(bytes,bytes[],uint256)", codes, inputs, NEVER)
    assert reverts(venues.devnet, at.UNIVERSAL_V2, data, ETHER)
    assert is_malformed(venues.devnet, at.UNIVERSAL_V2, data, ETHER)
