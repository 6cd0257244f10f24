"""The quick readers are a short cut and nothing else: without them every call decodes to the same."""

from __future__ import annotations

import random
from functools import cache

import pytest
from msgspec.structs import replace

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.decode.call import Call
from mempool.decode.tables import Entry
from mempool.errors import MalformedCalldata
from mempool.model.swap import DecodedCall
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    UNIVERSAL,
    USDC,
    WETH,
    Command,
    address,
    calldata,
    path,
    plan,
    tables,
)
from tests.decode.fuzzing import mutated

TOKENS = (USDC, WETH, DAI, FRIEND)
FEES = (100, 500, 3000, 10_000, 123)
AMOUNTS = (0, 1, 7, 10**18, BALANCE, 2**256 - 1)
RECIPIENTS = (TO_SENDER, TO_ROUTER, FRIEND, bytes(20))


@cache
def tables_without_quick_readers() -> DecodeTables:
    quick = tables()
    return replace(
        quick,
        routers={to: without_quick_readers(router) for to, router in quick.routers.items()},
        anywhere={selector: without_quick_readers(router) for selector, router in quick.anywhere.items()},
        anywhere_inside={selector: without_quick_readers(router) for selector, router in quick.anywhere_inside.items()},
    )


def without_quick_readers(router: RouterTable) -> RouterTable:
    def fully_read(entry: Entry) -> Entry:
        return replace(entry, plain={}, quick=None)

    return replace(
        router,
        entries={selector: fully_read(entry) for selector, entry in router.entries.items()},
        commands={code: fully_read(entry) for code, entry in router.commands.items()},
    )


def outcome(chain: DecodeTables, router: str, data: bytes, value_wei: int) -> DecodedCall | tuple[str, bool]:
    try:
        call = decode(chain, address(router), data, value_wei, SENDER)
    except MalformedCalldata as error:
        return error.reason, error.refused
    assert call is not None
    return call


def some_path(chance: random.Random) -> list[bytes]:
    count = chance.choice((2, 2, 2, 3, 3, 4, 9))
    if chance.random() < 0.05:
        return [chance.choice(TOKENS) for _ in range(chance.randrange(4))]
    first = chance.randrange(4)
    return [TOKENS[(first + number) % 4] for number in range(count)]


def packed(chance: random.Random) -> bytes:
    tokens = some_path(chance)
    pools = [each for token in tokens[:-1] for each in (token, chance.choice(FEES))]
    return path(*pools, *tokens[-1:]) + chance.randbytes(chance.choice((0, 0, 0, 0, 1, 30)))


def a_command(chance: random.Random, depth: int, router: str) -> Command:
    token, recipient, amount = chance.choice(TOKENS), chance.choice(RECIPIENTS), chance.choice(AMOUNTS)
    code = chance.choice((0x00, 0x01, 0x08, 0x09, 0x02, 0x04, 0x05, 0x06, 0x0B, 0x0C, 0x0D, 0x21 if depth else 0x0A, 0x0A, 0x3F))
    flagged = code | chance.choice((0, 0, 0x80))
    if code in (0x00, 0x01, 0x08, 0x09):
        along = packed(chance) if code < 2 else some_path(chance)
        return flagged, (recipient, amount, chance.choice(AMOUNTS), along, chance.random() < 0.5)
    if code in (0x02, 0x04, 0x05, 0x06):
        return flagged, (token, recipient, min(amount, 2**160 - 1))
    if code in (0x0B, 0x0C):
        return flagged, (recipient, amount)
    if code == 0x0D:
        return flagged, ([(SENDER, recipient, 7, token)] * chance.randrange(3),)
    if code == 0x21:
        return flagged, plan(router, [a_command(chance, depth - 1, router) for _ in range(chance.randrange(4))])
    return flagged, chance.randbytes(chance.randrange(80))


def a_plan(chance: random.Random) -> tuple[str, bytes]:
    router = chance.choice(UNIVERSAL)
    codes, inputs = plan(router, [a_command(chance, 2, router) for _ in range(chance.choice((0, 1, 2, 3, 4, 17)))])
    if chance.random() < 0.2:
        return router, calldata("execute(bytes,bytes[])", codes, inputs)
    return router, calldata("execute(bytes,bytes[],uint256)", codes, inputs, DEADLINE)


def a_swap02(chance: random.Random) -> bytes:
    amounts, recipient = (chance.choice(AMOUNTS), chance.choice(AMOUNTS)), chance.choice(RECIPIENTS)
    match chance.randrange(5):
        case 0:
            single = "((address,address,uint24,address,uint256,uint256,uint160))"
            name = chance.choice(("exactInputSingle", "exactOutputSingle"))
            ends = chance.choice(TOKENS), chance.choice(TOKENS)
            return calldata(name + single, (*ends, chance.choice(FEES), recipient, *amounts, 0))
        case 1:
            along = "((bytes,address,uint256,uint256))"
            return calldata(chance.choice(("exactInput", "exactOutput")) + along, (packed(chance), recipient, *amounts))
        case 2:
            name = chance.choice(("swapExactTokensForTokens", "swapTokensForExactTokens"))
            return calldata(name + "(uint256,uint256,address[],address)", *amounts, some_path(chance), recipient)
        case 3:
            return calldata("unwrapWETH9(uint256,address)", amounts[0], recipient)
        case _:
            return calldata("sweepToken(address,uint256,address)", chance.choice(TOKENS), amounts[0], recipient)


def a_call02(chance: random.Random) -> tuple[str, bytes]:
    if chance.random() < 0.3:
        return "02", a_swap02(chance)
    inner = [a_swap02(chance) for _ in range(chance.choice((0, 1, 2, 3, 17)))]
    if chance.random() < 0.3:
        inner.append(calldata("multicall(bytes[])", [a_swap02(chance)]))
    return "02", calldata("multicall(uint256,bytes[])", DEADLINE, inner)


def a_v2_swap(chance: random.Random) -> tuple[str, bytes]:
    recipient, value = chance.choice(RECIPIENTS), chance.choice(AMOUNTS)
    if chance.random() < 0.5:
        name = chance.choice(("swapExactTokensForTokens", "swapExactTokensForETH", "swapTokensForExactETH"))
        amounts = value, chance.choice(AMOUNTS)
        return "v2", calldata(name + "(uint256,uint256,address[],address,uint256)", *amounts, some_path(chance), recipient, 9)
    name = chance.choice(("swapExactETHForTokens", "swapETHForExactTokens"))
    return "v2", calldata(name + "(uint256,address[],address,uint256)", value, some_path(chance), recipient, DEADLINE)


def compare(count: int, seed: int) -> int:
    """Decode so many calls, half of them mutated, both ways; how many came out as swaps."""
    chance = random.Random(seed)
    swaps = 0
    for number in range(count):
        router, data = chance.choice((a_plan, a_plan, a_call02, a_v2_swap))(chance)
        if number % 2:
            data = mutated(data, chance)
        value_wei = chance.choice((0, 10**18))
        quick = outcome(tables(), router, data, value_wei)
        assert quick == outcome(tables_without_quick_readers(), router, data, value_wei), (router, data.hex())
        swaps += isinstance(quick, DecodedCall) and bool(quick.intents)
    return swaps


def aliased(commands: bytes, shared: bytes) -> bytes:
    """`execute` whose commands all read the same input."""
    offset, count = (32 * len(commands)).to_bytes(32), len(commands).to_bytes(32)
    padded = commands + bytes(-len(commands) % 32)
    head = (64).to_bytes(32) + (64 + 32 + len(padded)).to_bytes(32) + count + padded
    return bytes.fromhex("24856bc3") + head + count + offset * len(commands) + len(shared).to_bytes(32) + shared


@pytest.mark.parametrize("code", [0x00, 0x08])
@pytest.mark.parametrize("hops", [1, 4, 8])
def test_shared_inputs_are_charged_the_same_by_quick_readers(code: int, hops: int) -> None:
    tokens = [TOKENS[number % 4] for number in range(hops + 1)]
    along = path(tokens[0], *[part for token in tokens[1:] for part in (500, token)]) if code == 0x00 else tokens
    (shared,) = plan("ur2", [(code, (TO_SENDER, 7, 8, along, True))])[1]
    ends = set()
    for count in range(1, 256):
        data = aliased(bytes([code]) * count, shared)
        quick = outcome(tables(), "ur2", data, 0)
        assert quick == outcome(tables_without_quick_readers(), "ur2", data, 0)
        ends.add(type(quick))
    assert ends == {DecodedCall, tuple}


def test_ten_thousand_calls_decode_the_same_with_and_without_quick_readers() -> None:
    assert compare(10_000, seed=3) > 2_000


@pytest.mark.slow
def test_half_a_million_calls_decode_the_same_with_and_without_quick_readers() -> None:
    compare(500_000, seed=4)


@pytest.mark.parametrize("router", UNIVERSAL)
def test_usual_plan_is_run_without_the_full_reading(router: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrap, swap = (0x0B, (TO_ROUTER, 10**18)), (0x08, (TO_SENDER, 10**18, 1, (WETH, USDC), False))
    permit, sweep = (0x0A, bytes(352)), (0x84, (USDC, TO_SENDER, 1))
    data = calldata("execute(bytes,bytes[],uint256)", *plan(router, [wrap, permit, swap, sweep]), DEADLINE) + b"tail"
    full = outcome(tables_without_quick_readers(), router, data, 10**18)
    monkeypatch.setattr(Call, "run", None)
    assert outcome(tables(), router, data, 10**18) == full
