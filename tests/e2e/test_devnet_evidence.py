"""Routers that no recorded block calls: a call of each is executed by the real contract, and logged as it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from mempool.decode import decode
from mempool.model.chain import Evidence
from mempool.model.swap import BalanceIn, Completeness, ExactIn, ExactOut, SwapIntent
from scripts._devnet import addresses as at
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import packed_path, pair_address, returned
from scripts._devnet.world import ETHER, MAX, MAX_160, NEVER, send_all
from tests.decode.calls import TO_SENDER, calldata, plan, tables
from tests.decode.test_evidence import rows
from tests.devnet_reads import logs_of, raw
from tests.e2e.mined_hops import Mined, assert_swapped_as_decoded, mined, send
from tests.e2e.venues import (
    ACCOUNT_FACTORY,
    ENTRY_POINT_V06,
    ETH_USDC,
    KEY,
    MULTI_SEND,
    SAFE,
    V4_SWAPPER,
    Venues,
)

PAIR = pair_address(at.WETH, at.USDC)
PAIR_SWAP = "swap(uint256,uint256,address,bytes)"
V2_IN = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
V2_COMMAND = 0x08
ALREADY_PAID = 0
PERMIT2_MOVE = "transferFrom(address,address,uint160,address)"
LOWEST, HIGHEST = 4_295_128_740, 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341


def v3_pool(venues: Venues) -> Iterator[Mined]:
    """Each pool of a path, as the router calls it: exact in and exact out."""
    user = venues.devnet.users[0]
    forward = packed_path(at.DAI, 100, at.USDC, 500, at.WETH)
    yield from inside(
        venues.devnet, at.V3_ROUTER, "exactInput((bytes,address,uint256,uint256,uint256))", (forward, user, NEVER, 10**21, 1)
    )
    backward = packed_path(at.WETH, 500, at.USDC, 100, at.DAI)
    yield from inside(
        venues.devnet, at.V3_ROUTER, "exactOutput((bytes,address,uint256,uint256,uint256))", (backward, user, NEVER, ETHER, MAX)
    )


def inside(devnet: Devnet, router: str, function: str, arguments: tuple[Any, ...]) -> list[Mined]:
    hash_ = send(devnet, router, calldata(function, arguments))
    devnet.mine()
    found = [each for each in inner_calls(devnet, hash_) if each.call.router == "uniswap_v3_pool"]
    assert len(found) == 2
    return found


def v4_pool_manager(venues: Venues) -> Iterator[Mined]:
    """A contract of the user's own unlocks the manager, and swaps when it is called back."""
    for forward, amount in ((True, -ETHER), (True, 10**9), (False, -(10**9)), (False, ETHER)):
        swap = (forward, amount, LOWEST if forward else HIGHEST)
        data = calldata(f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)", ETH_USDC, swap, (False, False), b"")
        hash_ = send(venues.devnet, V4_SWAPPER, data, ETHER if forward else 0)
        venues.devnet.mine()
        unlock, *others = inner_calls(venues.devnet, hash_)
        assert unlock.call.completeness is Completeness.OPAQUE
        yield next(each for each in others if each.call.intents)


def inner_calls(devnet: Devnet, hash_: str) -> list[Mined]:
    """The calls inside a mined transaction that decoding knows, each with the logs of its own contract."""
    tracer = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}

    def within(frame: dict[str, Any]) -> Iterator[Mined]:
        to, sender, data = (raw(frame[key]) for key in ("to", "from", "input"))
        call = decode(tables(), to, data, int(frame.get("value", "0x0"), 16), sender) if frame["type"] == "CALL" else None
        if call is not None:
            logs = logs_of({"logs": [log | {"logIndex": "0x0"} for log in frame.get("logs", ())]})
            yield Mined(call, "error" not in frame, logs, hash_)
        for inner in frame.get("calls", ()):
            yield from within(inner)

    outermost = devnet.rpc.call("debug_traceTransaction", hash_, tracer)
    return [each for frame in outermost["calls"] for each in within(frame)]


def safe_multi_send(venues: Venues) -> Iterator[Mined]:
    """A Safe pays a pair from its owner's pocket by Permit2: once for a router that sells what was paid, once for the pair."""
    devnet, owner = venues.devnet, venues.devnet.users[0]
    set_up_safe(devnet, owner)
    pay = raw(at.PERMIT2), 0, calldata(PERMIT2_MOVE, owner, PAIR, ETHER, at.WETH)
    codes, inputs = plan("ur2", [(V2_COMMAND, (TO_SENDER, ALREADY_PAID, 1, [raw(at.WETH), raw(at.USDC)], False))])
    sell = raw(at.UNIVERSAL_V2), 0, calldata("execute(bytes,bytes[],uint256)", codes, inputs, NEVER)
    buy = raw(PAIR), 0, calldata(PAIR_SWAP, 10**9, 0, owner, b"")
    transaction = of_safe(devnet, owner, [pay, sell, pay, buy])
    sold, bought = (intent.size for intent in transaction.call.intents)
    assert sold == BalanceIn(ETHER, (), 1)
    assert isinstance(bought, ExactOut)
    assert {"permit2", "safe_multi_send", "uniswap_v2_pair"} <= {step.contract for step in transaction.call.steps}
    yield transaction


def set_up_safe(devnet: Devnet, owner: str) -> None:
    nobody = at.NOTHING
    setup = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
    permit = calldata("approve(address,address,uint160,uint48)", at.WETH, SAFE, MAX_160, NEVER)
    set_up = calldata(setup, [owner], 1, nobody, b"", nobody, nobody, 0, nobody)
    send_all(devnet.rpc, [(owner, SAFE, "0x" + set_up.hex(), 0), (owner, at.PERMIT2, "0x" + permit.hex(), 0)])


def of_safe(devnet: Devnet, owner: str, calls: list[tuple[bytes, int, bytes]]) -> Mined:
    """The batch as a delegated call of the Safe, which its owner sends and so approves."""
    packed = b"".join(bytes(1) + to + value.to_bytes(32) + len(data).to_bytes(32) + data for to, value, data in calls)
    execute = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
    approval = raw(owner).rjust(32, b"\0") + bytes(32) + b"\x01"
    batch = calldata("multiSend(bytes)", packed)
    return mined(devnet, SAFE, calldata(execute, MULTI_SEND, 0, batch, 1, 0, 0, 0, at.NOTHING, at.NOTHING, approval))


USER_OP = "(address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)"


def entry_point_v0_6(venues: Venues) -> Iterator[Mined]:
    """Two operations of one account, of which the first asks for too much: it fails, and the second swaps."""
    devnet, owner = venues.devnet, venues.devnet.users[1]
    account = made_account(devnet, owner)
    approve = calldata("approve(address,uint256)", at.V2_ROUTER, MAX)
    operations = []
    for nonce, least in enumerate((MAX, 1)):
        swap = calldata(V2_IN, 10**9, least, [at.USDC, at.WETH], account, NEVER)
        batch = calldata("executeBatch(address[],bytes[])", [at.USDC, at.V2_ROUTER], [approve, swap])
        operations.append(signed(devnet, owner, (account, nonce, b"", batch, 10**6, 10**6, 10**5, 10**9, 10**9, b"", b"")))
    yield mined(devnet, ENTRY_POINT_V06, calldata(f"handleOps({USER_OP}[],address)", operations, owner), sender=owner)


def made_account(devnet: Devnet, owner: str) -> str:
    """A smart account with USDC and with a deposit for its gas."""
    create = calldata("createAccount(address,uint256)", owner, 0).hex()
    answer = devnet.rpc.call("eth_call", {"to": ACCOUNT_FACTORY, "data": "0x" + create}, "latest")
    account: str = returned("(address)", answer)[0]
    deposit, fund = calldata("depositTo(address)", account), calldata("transfer(address,uint256)", account, 10**10)
    steps = [(owner, ACCOUNT_FACTORY, "0x" + create, 0), (owner, ENTRY_POINT_V06, "0x" + deposit.hex(), ETHER)]
    send_all(devnet.rpc, [*steps, (owner, at.USDC, "0x" + fund.hex(), 0)])
    return account


def signed(devnet: Devnet, owner: str, operation: tuple[Any, ...]) -> tuple[Any, ...]:
    asked = calldata(f"getUserOpHash({USER_OP})", operation).hex()
    hash_ = devnet.rpc.call("eth_call", {"to": ENTRY_POINT_V06, "data": "0x" + asked}, "latest")
    return *operation[:-1], raw(devnet.rpc.call("eth_sign", owner, hash_))


EXECUTED: dict[Callable[[Venues], Iterator[Mined]], set[str]] = {
    v3_pool: {"uniswap_v3_pool"},
    v4_pool_manager: {"uniswap_v4_pool_manager"},
    safe_multi_send: {"safe_multi_send", "permit2"},
    entry_point_v0_6: {"entry_point_v0_6"},
}
"""What runs the calls, with the names, in the chain's tables, of the routers that they go through."""


@pytest.mark.devnet
@pytest.mark.parametrize("execute", EXECUTED, ids=lambda execute: execute.__name__)
def test_executed_call_is_logged_as_it_is_decoded(venues: Venues, execute: Callable[[Venues], Iterator[Mined]]) -> None:
    for transaction in execute(venues):
        assert EXECUTED[execute] <= {step.contract for step in transaction.call.steps}
        assert_swapped_as_decoded(transaction, failed=impossible(transaction.call.intents))


def impossible(intents: Sequence[SwapIntent]) -> list[int]:
    return [
        index for index, intent in enumerate(intents) if isinstance(intent.size, ExactIn) and intent.size.min_amount_out == MAX
    ]


def test_router_is_called_tested_on_a_devnet_call_if_and_only_if_one_is_executed_here() -> None:
    assert {row.name for row in rows(tables()) if row.tested is Evidence.DEVNET} == set().union(*EXECUTED.values())
