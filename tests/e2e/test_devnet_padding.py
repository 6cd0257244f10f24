"""Set bits in padding, and words of any kind changed: the real contracts' verdict on the calldata is the decoder's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from mempool.abi import item_at, word_at
from mempool.decode import decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import DecodedCall
from scripts._devnet import addresses as at
from scripts._devnet.devnet import Devnet
from scripts._devnet.encoding import packed_path, pair_address
from scripts._devnet.rpc import NodeRefused
from scripts._devnet.world import ETHER, MAX, MAX_160, NEVER, send_all
from tests.decode.calls import BALANCE, FRIEND, TO_ROUTER, TO_SENDER, calldata, tables
from tests.decode.v4_calls import IN, IN_SINGLE, KEY, OUT, OUT_SINGLE, SETTLE, SETTLE_ALL, STEPS, TAKE, TAKE_ALL, TAKE_PORTION
from tests.devnet_reads import raw
from tests.e2e.mined_hops import GAS, assert_swapped_as_decoded, mined
from tests.e2e.padded import WORD, Padded, padded_call, padded_input
from tests.e2e.venues import DAI_USDC, ETH, ETH_USDC, USDC_USDT, V2_ROUTER_01, VAULT, Venues

pytestmark = pytest.mark.devnet
AT_ONCE = 200
QUICK_ROUNDS, SLOW_ROUNDS = 2, 40
QUICK_CHANGES, SLOW_CHANGES = 1_000, 30_000
WORDS = (0, 1, 31, 32, 33, 64, 96, 2**31, 2**32, 2**64, 2**128, 2**255, 2**256 - 1)
MUCH, LITTLE = 10**9, 1
PATH_V2 = [at.USDC, at.WETH]
PATH_V3, PATH_BACK = packed_path(at.USDC, 500, at.WETH), packed_path(at.WETH, 500, at.USDC)
IDLE_PAIR = pair_address(at.USDC, at.USDT)
"""No other test trades on it, so that it can be paid ahead."""


class Case(NamedTuple):
    name: str
    to: str
    call: Padded
    value_wei: int = 0


def cases(venues: Venues) -> Iterator[Case]:
    """Calls that execute as they stand."""
    user = venues.devnet.users[0]
    for router in (at.V2_ROUTER, V2_ROUTER_01):
        yield from v2_router(router, user)
    yield from v3_router(user)
    yield from swap_router_02(user)
    for router in at.UNIVERSAL_ROUTERS:
        yield from universal(router)
    yield from universal_v4()
    yield from vault(venues, user)
    yield Case("pair", IDLE_PAIR, padded_call("swap(uint256,uint256,address,bytes)", 0, LITTLE, user, b""))
    yield Case("permit2", at.PERMIT2, padded_call("transferFrom(address,address,uint160,address)", user, FRIEND, LITTLE, at.USDC))


def v2_router(router: str, user: str) -> Iterator[Case]:
    in_, out = "uint256,uint256,address[],address,uint256", "uint256,address[],address,uint256"
    back = PATH_V2[::-1]
    yield Case("tokens in", router, padded_call(f"swapExactTokensForTokens({in_})", MUCH, LITTLE, PATH_V2, user, NEVER))
    yield Case("tokens out", router, padded_call(f"swapTokensForExactTokens({in_})", 10**9, ETHER, back, user, NEVER))
    yield Case("to ether", router, padded_call(f"swapExactTokensForETH({in_})", MUCH, LITTLE, PATH_V2, user, NEVER))
    yield Case("ether out", router, padded_call(f"swapTokensForExactETH({in_})", 10**15, MUCH, PATH_V2, user, NEVER))
    yield Case("ether in", router, padded_call(f"swapExactETHForTokens({out})", LITTLE, back, user, NEVER), ETHER)
    yield Case("ether for", router, padded_call(f"swapETHForExactTokens({out})", MUCH, back, user, NEVER), ETHER)
    if router == at.V2_ROUTER:
        taxed = "SupportingFeeOnTransferTokens"
        yield Case("taxed", router, padded_call(f"swapExactTokensForTokens{taxed}({in_})", MUCH, LITTLE, PATH_V2, user, NEVER))


def v3_router(user: str) -> Iterator[Case]:
    single, along = "(address,address,uint24,address,uint256,uint256,uint256,uint160)", "(bytes,address,uint256,uint256,uint256)"
    pool = (at.USDC, at.WETH, 500, user, NEVER)
    calls = {
        "in single": padded_call(f"exactInputSingle({single})", (*pool, MUCH, LITTLE, 0)),
        "in": padded_call(f"exactInput({along})", (PATH_V3, user, NEVER, MUCH, LITTLE)),
        "out single": padded_call(f"exactOutputSingle({single})", (*pool, 10**15, MUCH, 0)),
        "out": padded_call(f"exactOutput({along})", (PATH_BACK, user, NEVER, 10**15, MUCH)),
        "unwrap": padded_call("unwrapWETH9(uint256,address)", 0, user),
        "sweep": padded_call("sweepToken(address,uint256,address)", at.USDC, 0, user),
    }
    yield from (Case(name, at.V3_ROUTER, call) for name, call in calls.items())
    yield Case("multicall", at.V3_ROUTER, padded_call("multicall(bytes[])", [*calls.values(), padded_call("refundETH()")]))


def swap_router_02(user: str) -> Iterator[Case]:
    single, along = "(address,address,uint24,address,uint256,uint256,uint160)", "(bytes,address,uint256,uint256)"
    v2, pool = "uint256,uint256,address[],address", (at.USDC, at.WETH, 500, user)
    calls = {
        "in single": padded_call(f"exactInputSingle({single})", (*pool, MUCH, LITTLE, 0)),
        "in": padded_call(f"exactInput({along})", (PATH_V3, user, MUCH, LITTLE)),
        "out single": padded_call(f"exactOutputSingle({single})", (*pool, 10**15, MUCH, 0)),
        "out": padded_call(f"exactOutput({along})", (PATH_BACK, user, 10**15, MUCH)),
        "v2 in": padded_call(f"swapExactTokensForTokens({v2})", MUCH, LITTLE, PATH_V2, user),
        "v2 out": padded_call(f"swapTokensForExactTokens({v2})", 10**15, MUCH, PATH_V2, user),
        "unwrap": padded_call("unwrapWETH9(uint256,address)", 0, user),
        "unwrap with fee": padded_call("unwrapWETH9WithFee(uint256,address,uint256,address)", 0, user, 25, FRIEND),
        "sweep": padded_call("sweepToken(address,uint256,address)", at.USDC, 0, user),
    }
    yield from (Case(name, at.SWAP_ROUTER_02, call) for name, call in calls.items())
    yield Case("multicall", at.SWAP_ROUTER_02, padded_call("multicall(uint256,bytes[])", NEVER, list(calls.values())))


def universal(router: str) -> Iterator[Case]:
    v3, v2 = "address,uint256,uint256,bytes,bool", "address,uint256,uint256,address[],bool"
    parts = [
        (0x00, padded_input(v3, TO_SENDER, MUCH, LITTLE, PATH_V3, True)),
        (0x01, padded_input(v3, TO_SENDER, 10**15, MUCH, PATH_BACK, True)),
        (0x08, padded_input(v2, TO_ROUTER, MUCH, LITTLE, PATH_V2, True)),
        (0x09, padded_input(v2, TO_SENDER, 10**15, MUCH, PATH_V2, True)),
        (0x02, padded_input("address,address,uint160", at.USDC, router, MUCH)),
        (0x06, padded_input("address,address,uint256", at.USDC, FRIEND, 25)),
        (0x05, padded_input("address,address,uint256", at.USDC, FRIEND, LITTLE)),
        (0x0D, padded_input("(address,address,uint160,address)[]", [(USER, FRIEND, LITTLE, at.USDC)])),
        (0x00, padded_input(v3, TO_SENDER, BALANCE, LITTLE, PATH_V3, False)),
        (0x0C, padded_input("address,uint256", TO_ROUTER, 0)),
        (0x0B, padded_input("address,uint256", TO_ROUTER, BALANCE)),
        (0x04, padded_input("address,address,uint256", at.WETH, TO_SENDER, 0)),
    ]
    yield plan_case("plan", router, parts)
    if router != at.UNIVERSAL_V1:
        codes, inputs = bytes(code for code, _ in parts), [data for _, data in parts]
        yield plan_case("plan in a plan", router, [(0x21, padded_input("bytes,bytes[]", codes, inputs))])


def plan_case(name: str, router: str, parts: list[tuple[int, Padded]], value_wei: int = 0) -> Case:
    codes, inputs = bytes(code for code, _ in parts), [data for _, data in parts]
    return Case(name, router, padded_call("execute(bytes,bytes[],uint256)", codes, inputs, NEVER), value_wei)


USER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
"""The node's second account, which is the first user."""


def universal_v4() -> Iterator[Case]:
    single, along = f"({KEY},bool,uint128,uint128,bytes)", f"(address,{STEPS},uint128,uint128)"
    to_eth = [(at.USDC, 100, 1, at.NOTHING, b""), (ETH, 500, 10, at.NOTHING, b"hook")]
    from_dai = [(at.DAI, 100, 1, at.NOTHING, b""), (at.USDC, 500, 10, at.NOTHING, b"")]
    pay_usdc, get_eth = padded_input("address,uint256", at.USDC, ETHER), padded_input("address,uint256", ETH, LITTLE)
    pay_dai = padded_input("address,uint256", at.DAI, 10**24)
    delta = "address,address,uint256"
    swaps = {
        "in single": [
            (IN_SINGLE, padded_input(single, (ETH_USDC, False, MUCH, LITTLE, b"hook"))),
            (SETTLE_ALL, pay_usdc),
            (TAKE_ALL, get_eth),
        ],
        "in": [(IN, padded_input(along, (at.DAI, to_eth, 10**21, LITTLE))), (SETTLE_ALL, pay_dai), (TAKE_ALL, get_eth)],
        "out single": [
            (OUT_SINGLE, padded_input(single, (ETH_USDC, False, 10**15, MUCH, b""))),
            (SETTLE_ALL, pay_usdc),
            (TAKE_ALL, get_eth),
        ],
        "out": [(OUT, padded_input(along, (ETH, from_dai, 10**15, 10**21))), (SETTLE_ALL, pay_dai), (TAKE_ALL, get_eth)],
        "payments": [
            (SETTLE, padded_input("address,uint256,bool", at.USDC, MUCH, True)),
            (IN_SINGLE, padded_input(single, (USDC_USDT, True, 0, LITTLE, b""))),
            (TAKE_PORTION, padded_input(delta, at.USDT, FRIEND, 25)),
            (TAKE, padded_input(delta, at.USDT, TO_SENDER, 0)),
        ],
        "tokens": [
            (IN_SINGLE, padded_input(single, (DAI_USDC, True, 10**21, LITTLE, b""))),
            (SETTLE_ALL, pay_dai),
            (TAKE_ALL, padded_input("address,uint256", at.USDC, LITTLE)),
        ],
    }
    for name, actions in swaps.items():
        codes, params = bytes(code for code, _ in actions), [data for _, data in actions]
        yield plan_case(f"V4 {name}", at.UNIVERSAL_V2, [(0x10, padded_input("bytes,bytes[]", codes, params))])


def vault(venues: Venues, user: str) -> Iterator[Case]:
    first, second, _ = venues.balancer_pools
    funds = (user, False, user, False)
    single = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
    batch = "batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool),int256[],uint256)"
    assets, limits = [at.WBTC, at.USDC, at.WETH], [MAX // 4] * 3
    chain = [(first, 1, 2, MUCH, b"data"), (second, 2, 0, 0, b"")]
    yield Case("swap in", VAULT, padded_call(single, (first, 0, at.USDC, at.WETH, MUCH, b"data"), funds, LITTLE, NEVER))
    yield Case("swap out", VAULT, padded_call(single, (first, 1, at.USDC, at.WETH, 10**15, b""), funds, MUCH, NEVER))
    yield Case("batch", VAULT, padded_call(batch, 0, chain, assets, funds, limits, NEVER))


@pytest.fixture(scope="module")
def clean_cases(venues: Venues) -> list[Case]:
    """The calls, on a chain on which each of them executes."""
    devnet, user = venues.devnet, venues.devnet.users[0]
    assert user == USER
    pay = calldata("transfer(address,uint256)", IDLE_PAIR, MUCH)
    spend = calldata("approve(address,address,uint160,uint48)", at.USDC, user, MAX_160, NEVER)
    send_all(devnet.rpc, [(user, at.USDC, "0x" + pay.hex(), 0), (user, at.PERMIT2, "0x" + spend.hex(), 0)])
    return list(cases(venues))


def test_clean_calls_execute_and_decode(venues: Venues, clean_cases: list[Case]) -> None:
    refused = [case for case, ran in zip(clean_cases, executed(venues.devnet, clean_cases), strict=True) if not ran]
    assert [(case.name, case.to) for case in refused] == []
    assert [(case.name, case.to) for case in clean_cases if decoded(case) is None] == []


def test_clean_calls_are_logged_as_they_are_decoded(venues: Venues, clean_cases: list[Case]) -> None:
    before = venues.devnet.rpc.call("evm_snapshot")
    swapped = []
    for case in clean_cases:
        transaction = mined(venues.devnet, case.to, case.call.data, case.value_wei)
        if transaction.call.intents:
            assert_swapped_as_decoded(transaction)
            swapped.append(case.to)
    venues.devnet.rpc.call("evm_revert", before)
    assert set(swapped) == {V2_ROUTER_01, at.V2_ROUTER, at.V3_ROUTER, at.SWAP_ROUTER_02, *at.UNIVERSAL_ROUTERS, VAULT, IDLE_PAIR}


@pytest.mark.parametrize("rounds", [QUICK_ROUNDS, pytest.param(SLOW_ROUNDS, marks=pytest.mark.slow)])
def test_set_bits_in_padding_are_masked_or_refused_as_the_contract_does(
    venues: Venues, clean_cases: list[Case], rounds: int
) -> None:
    rng = random.Random(rounds)
    dirty = [(case, each) for case in clean_cases for place in case.call.padding for each in soiled(rng, case, place, rounds)]
    ran = executed(venues.devnet, [each for _, each in dirty])
    wrong = [
        f"{case.name} of {case.to}: {'runs' if runs else 'reverts'} with {difference(case, each)}"
        for (case, each), runs in zip(dirty, ran, strict=True)
        if decoded(each) != (decoded(case) if runs else None)
    ]
    assert sorted(set(wrong)) == []
    assert len(dirty) >= 400 * rounds


@pytest.mark.parametrize("changes", [QUICK_CHANGES, pytest.param(SLOW_CHANGES, marks=pytest.mark.slow)])
def test_no_changed_call_that_the_contract_runs_is_malformed(venues: Venues, clean_cases: list[Case], changes: int) -> None:
    rng = random.Random(changes)
    changed = [changed_case(rng, rng.choice(clean_cases)) for _ in range(changes)]
    ran = [case for case, runs in zip(changed, executed(venues.devnet, changed), strict=True) if runs]
    assert [(case.name, case.to, case.call.data.hex()) for case in ran if decoded(case) is None] == []
    assert len(ran) > changes // 20


@pytest.mark.parametrize("router", at.UNIVERSAL_ROUTERS)
def test_input_of_another_stated_length_is_read_where_it_stands_or_reverts(
    venues: Venues, clean_cases: list[Case], router: str
) -> None:
    plan = next(case for case in clean_cases if (case.name, case.to) == ("plan", router))
    lengths, whole = list(relengthened(plan, plan.call.data)), decoded(plan)
    ran = executed(venues.devnet, lengths)
    assert whole is not None
    assert [None if call is None else (call.intents, call.steps) for call in map(decoded, lengths)] == [
        (whole.intents, whole.steps) if runs else None for runs in ran
    ]
    # V1 copies an input before it decodes it; the others read past the ends of words and of what follows a path.
    assert sum(ran) > (len(ran) // 2 if router != at.UNIVERSAL_V1 else 12)


@pytest.mark.parametrize("router", [at.UNIVERSAL_V1_2, at.UNIVERSAL_V2])
def test_plan_whose_inner_inputs_have_other_lengths_swaps_as_decoded(
    venues: Venues, clean_cases: list[Case], router: str
) -> None:
    plan = next(case for case in clean_cases if (case.name, case.to) == ("plan in a plan", router))
    start, length = item_at(plan.call.data, 36 + word_at(plan.call.data, 36), 0)
    head, inner, behind = plan.call.data[:start], plan.call.data[start : start + length], plan.call.data[start + length :]
    lengths = [
        case._replace(call=Padded(head + case.call.data + behind)) for case in relengthened(plan, bytes(4) + inner, skipped=4)
    ]
    running = [case for case, runs in zip(lengths, executed(venues.devnet, lengths), strict=True) if runs]
    before = venues.devnet.rpc.call("evm_snapshot")
    for case in running:
        assert_swapped_as_decoded(mined(venues.devnet, case.to, case.call.data, case.value_wei))
    venues.devnet.rpc.call("evm_revert", before)
    assert len(running) > 12


def relengthened(case: Case, data: bytes, skipped: int = 0) -> Iterator[Case]:
    """The call, or what `data` is without the bytes to be skipped, with the length of each input in turn another one."""
    first = 36 + word_at(data, 36)
    for number in range(word_at(data, first - WORD)):
        start, length = item_at(data, first, number)
        for other in sorted({0, 1, 31, 32, 63, 64, 96, 160, length - 33, length - 32, length - 1, length, length + 1}):
            changed = data[: start - WORD] + other.to_bytes(WORD) + data[start:]
            yield case._replace(call=Padded(changed[skipped:]))


def changed_case(rng: random.Random, case: Case) -> Case:
    """The call with one word another one, or near to what it was, or cut short, or with bytes behind it."""
    data = bytearray(case.call.data)
    start = 4 + WORD * rng.randrange(len(data) // WORD)
    word = int.from_bytes(data[start : start + WORD])
    match rng.randrange(8):
        case 0:
            del data[rng.randrange(4, len(data)) :]
        case 1:
            data += rng.randbytes(rng.randrange(1, 100))
        case 2 | 3:
            data[start : start + WORD] = rng.choice(WORDS).to_bytes(WORD)
        case _:
            data[start : start + WORD] = max(word + rng.choice((-64, -32, -31, -1, 1, 31, 32, 64)), 0).to_bytes(WORD)
    return case._replace(call=Padded(bytes(data)))


@pytest.mark.parametrize("bips", [0, 1, 100, 101])
def test_fee_of_a_payment_is_from_1_to_100_bips(venues: Venues, bips: int) -> None:
    v3 = padded_call("sweepTokenWithFee(address,uint256,address,uint256,address)", at.USDC, 0, USER, bips, FRIEND)
    of_02 = padded_call("unwrapWETH9WithFee(uint256,uint256,address)", 0, bips, FRIEND)
    calls = [Case("sweep", at.V3_ROUTER, v3), Case("unwrap", at.SWAP_ROUTER_02, of_02)]
    assert executed(venues.devnet, calls) == [decoded(case) is not None for case in calls] == 2 * [0 < bips <= 100]


def soiled(rng: random.Random, case: Case, place: tuple[int, int], rounds: int) -> Iterator[Case]:
    """The call with some bits of one byte of that padding set."""
    start, length = place
    for _ in range(rounds):
        at_byte = start + rng.randrange(length)
        data = bytearray(case.call.data)
        data[at_byte] ^= rng.randrange(1, 256)
        yield case._replace(call=Padded(bytes(data), (place,)))


def difference(case: Case, soiled_case: Case) -> str:
    ((start, length),) = soiled_case.call.padding
    return f"set bits in the {length} bytes at {start}"


def executed(devnet: Devnet, wanted: list[Case]) -> list[bool]:
    """Whether each call runs, on the latest block."""
    ran: list[bool] = []
    for first in range(0, len(wanted), AT_ONCE):
        bodies = [
            {"from": USER, "to": case.to, "data": "0x" + case.call.data.hex(), "value": hex(case.value_wei), "gas": hex(GAS)}
            for case in wanted[first : first + AT_ONCE]
        ]
        answers = devnet.rpc.try_batch(("eth_call", [body, "latest"]) for body in bodies)
        ran += [not isinstance(answer, NodeRefused) for answer in answers]
    return ran


def decoded(case: Case) -> DecodedCall | None:
    """None where the calldata is malformed."""
    try:
        return decode(tables(), raw(case.to), case.call.data, case.value_wei, raw(USER))
    except MalformedCalldata:
        return None
