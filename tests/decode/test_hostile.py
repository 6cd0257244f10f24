"""Whatever the calldata, decoding ends as a call or as `MalformedCalldata`, within its budget."""

from __future__ import annotations

import gzip
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from mempool.decode import decode, decode_transaction
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.resources import chain_names
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
    address,
    calldata,
    path,
    plan,
    tables,
)
from tests.decode.examples import all_examples
from tests.decode.fuzzing import HUGE, Input, commands, functions, fuzzed, mutated, targets
from tests.decode.fuzzing import outcome as ended
from tests.decode.v4_calls import ETH, IN, NO_HOOKS, SETTLE, TAKE_ALL, TAKE_PORTION, V4, along, sell, v4

MEGABYTE = 1 << 20


def seeds() -> list[tuple[str, bytes]]:
    """One call of each shape."""
    tokens = [USDC, DAI, WETH]
    single = calldata(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", (USDC, WETH, 500, TO_ROUTER, 11, 22, 0)
    )
    along_pools = calldata("exactInput((bytes,address,uint256,uint256))", (path(WETH, 500, USDC, 100, DAI), FRIEND, 0, 22))
    unwrap = calldata("unwrapWETH9(uint256,address)", 3, FRIEND)
    inner = calldata("multicall(bytes[])", [along_pools, unwrap])
    v3 = "((bytes,address,uint256,uint256,uint256))"
    calls = [
        ("v2", calldata("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", 1, 2, tokens, FRIEND, DEADLINE)),
        ("v2", calldata("swapETHForExactTokens(uint256,address[],address,uint256)", 1, [WETH, DAI], FRIEND, DEADLINE)),
        ("v3", calldata("exactOutput" + v3, (path(WETH, 500, USDC, 100, DAI), FRIEND, DEADLINE, 1, 2))),
        ("02", calldata("multicall(uint256,bytes[])", DEADLINE, [single, inner])),
        ("02", calldata("swapTokensForExactTokens(uint256,uint256,address[],address)", 1, 2, tokens, FRIEND)),
    ]
    for router in UNIVERSAL:
        swaps = [
            (0x0B, (TO_ROUTER, BALANCE)),
            (0x00, (TO_ROUTER, BALANCE, 22, path(WETH, 500, USDC), False)),
            (0x88, (TO_SENDER, BALANCE, 22, [USDC, DAI], False)),
            (0x09, (FRIEND, 7, 9, [USDC, DAI], True)),
        ]
        sub_plan = [(0x21, plan(router, swaps))] if router != "ur1" else []
        commands = [*swaps, *sub_plan, (0x0C, (TO_SENDER, 5)), (0x0A, b"permit")]
        calls.append((router, calldata("execute(bytes,bytes[],uint256)", *plan(router, commands), DEADLINE)))
    for router in V4:
        steps = [(USDC, 500, 10, NO_HOOKS, b"hook"), (DAI, 100, 1, FRIEND, b"")]
        swaps_and_payments = v4(
            (SETTLE, (ETH, BALANCE, False)),
            (IN, along(router, ETH, steps, 0, 22)),
            sell(router=router),
            (TAKE_PORTION, (USDC, FRIEND, 25)),
            (TAKE_ALL, (DAI, 9)),
        )
        calls.append((router, calldata("execute(bytes,bytes[])", *plan(router, [swaps_and_payments]))))
    return calls


SEEDS = seeds()
NAMES = [f"{router}-{data[:4].hex()}" for router, data in SEEDS]


def outcome(router: str, data: bytes) -> DecodedCall | MalformedCalldata:
    """Anything but these two is a failure."""
    try:
        call = decode(tables(), address(router), data, 10**18, SENDER)
    except MalformedCalldata as error:
        return error
    assert call is not None
    return call


def real_calls(folder: Path) -> list[Input]:
    """All calls of the recorded blocks that the tables know."""
    calls = []
    for file in sorted(folder.glob("mainnet/[0-9]*.json.gz")):
        for transaction in orjson.loads(gzip.decompress(file.read_bytes()))["block"]["transactions"]:
            if transaction["to"]:
                to, data = (bytes.fromhex(transaction[key][2:]) for key in ("to", "input"))
                calls.append(Input(tables(), to, data, int(transaction["value"], 16)))
    return [given for given in calls if ended(given) is not None]


def test_every_function_and_command_of_every_chain_is_among_the_inputs() -> None:
    for name in chain_names():
        inputs = {(target.table.name, function.key) for target in targets(name) for function in functions(target.row.abi)}
        codes = {(target.table.name, row.key) for target in targets(name) for row in commands(target.row.abi, "commands")}
        assert inputs == {(target.table.name, selector) for target in targets(name) for selector in target.table.entries}
        assert {(router, int.from_bytes(key)) for router, key in codes} == {
            (target.table.name, code) for target in targets(name) for code in target.table.commands
        }


def test_twenty_thousand_mutated_and_random_inputs_end_as_one_word_each() -> None:
    words = Counter(word_of(ended(given)) for given in fuzzed(20_000, seed=1))
    assert words.total() == 20_000
    assert all(words[word] for word in ("exact", "tokens_unknown", "partial", "opaque", "malformed", "not_a_swap"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_million_mutated_and_random_inputs_end_as_one_word_each(seed: int) -> None:
    assert Counter(word_of(ended(given)) for given in fuzzed(100_000, seed)).total() == 100_000


@pytest.mark.shared
def test_mutated_real_calls_end_as_one_word_each(shared_data: Path) -> None:
    chance, real = random.Random(1), real_calls(shared_data)
    datas = [given.data for given in real]
    for _ in range(10_000):
        given = chance.choice(real)
        ended(given._replace(data=mutated(given.data, chance, datas)))


def word_of(call: DecodedCall | None) -> str:
    return "no router" if call is None else call.completeness.value


@pytest.mark.shared
def test_huge_number_at_any_word_of_forty_real_calls_is_survived(shared_data: Path) -> None:
    by_function = {(given.to, given.data[:4]): given for given in real_calls(shared_data) if 100 < len(given.data) < 2_500}
    chosen = random.Random(1).sample(list(by_function.values()), 40)
    for given in chosen:
        for start in range(4, len(given.data) - 31, 32):
            for number in HUGE:
                ended(given._replace(data=given.data[:start] + number.to_bytes(32) + given.data[start + 32 :]))


@pytest.mark.shared
def test_real_call_of_any_router_cut_anywhere_is_malformed_or_none_or_the_same(shared_data: Path) -> None:
    by_function: dict[tuple[bytes, bytes], list[Input]] = {}
    for given in real_calls(shared_data):
        by_function.setdefault((given.to if given.to in tables().routers else b"", given.data[:4]), []).append(given)
    for given in (given for same in by_function.values() for given in same[:3]):
        check_cuts(given, max(1, len(given.data) // 400))


def check_cuts(given: Input, stride: int) -> None:
    """No cut call reads as another swap: it is the same one, or broken, or where it is known by its selector alone none."""
    whole = ended(given)
    assert whole is not None
    for length in range(1, len(given.data), stride):
        cut = ended(given._replace(data=given.data[:length]))
        if cut is None:
            assert given.to not in given.chain.routers
        elif cut.completeness is not Completeness.MALFORMED:
            assert cut.completeness is not Completeness.REFUSED
            assert cut.intents == whole.intents


@pytest.mark.parametrize("name", chain_names())
def test_example_of_every_kind_cut_anywhere_is_malformed_or_none_or_the_same(name: str) -> None:
    kinds: set[str] = set()
    for target in targets(name):
        example = all_examples().get(target.row.kind)
        if example is not None and target.row.kind not in kinds and target.table.address:
            kinds.add(target.row.kind)
            data, value_wei = example(target.chain, target.table)
            check_cuts(Input(target.chain, target.to, data, value_wei), 3)


@pytest.mark.parametrize(("router", "data"), SEEDS, ids=NAMES)
def test_huge_number_at_any_word_is_survived(router: str, data: bytes) -> None:
    for start in range(4, len(data) - 31, 32):
        for number in HUGE:
            outcome(router, data[:start] + number.to_bytes(32) + data[start + 32 :])


@pytest.mark.parametrize(("router", "data"), SEEDS, ids=NAMES)
def test_calldata_cut_anywhere_is_malformed_or_the_same_call(router: str, data: bytes) -> None:
    whole = outcome(router, data)
    assert isinstance(whole, DecodedCall)
    for length in range(1, len(data)):
        cut = outcome(router, data[:length])
        assert isinstance(cut, MalformedCalldata) or cut.intents == whole.intents
        assert isinstance(cut, DecodedCall) or not cut.refused


def multicalls(depth: int) -> bytes:
    data = calldata("refundETH()")
    for _ in range(depth):
        data = b"\xac\x96\x50\xd8" + words(32, 1, 32, len(data)) + data + bytes(-len(data) % 32)
    return data


def plans(depth: int) -> bytes:
    body = words(64, 128, 1) + b"\x0a".ljust(32, b"\0") + words(1, 32, 0)
    for _ in range(depth):
        body = words(64, 128, 1) + b"\x21".ljust(32, b"\0") + words(1, 32, len(body)) + body
    return bytes.fromhex("24856bc3") + body


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32) for number in numbers)


@pytest.mark.parametrize("depth", [1, 5, 7, 8, 9, 20, 100, 500, 1_000])
@pytest.mark.parametrize(("router", "nest", "deepest"), [("02", multicalls, 8), ("ur2", plans, 7)])
def test_nesting_is_followed_to_depth_eight_and_refused_beyond(
    router: str, nest: Callable[[int], bytes], deepest: int, depth: int
) -> None:
    result = outcome(router, nest(depth))
    if isinstance(result, DecodedCall):
        assert depth <= deepest
    else:
        assert depth > deepest
        assert result.refused


def aliased_inputs(count: int, size: int) -> bytes:
    """`execute` with `count` transfers that all share one input of `size` bytes."""
    commands = b"\x05" * count
    inputs = words(count) + words(32 * count) * count + words(size) + bytes(size)
    head = words(64, 64 + 32 + len(commands) + (-count % 32), count)
    return bytes.fromhex("24856bc3") + head + commands + bytes(-count % 32) + inputs


def wide_multicall(count: int, size: int) -> bytes:
    return bytes.fromhex("ac9650d8") + words(32, count) + words(32 * count) * count + words(size) + bytes(size)


BOMBS = {
    "aliased inputs": ("ur2", aliased_inputs(200, 60_000)),
    "aliased calls": ("02", wide_multicall(2_000, 60_000)),
    "many calls": ("02", wide_multicall(4_000, 4)),
    "deep calls": ("02", multicalls(900)),
    "deep plans": ("ur2", plans(500)),
    "a path of 4,000 tokens": (
        "v2",
        bytes.fromhex("38ed1739") + words(1, 2, 160, 9, 9, 4_000, *range(1, 4_001)),
    ),
    "a path of 5,000 pools": (
        "v3",
        calldata("exactInput((bytes,address,uint256,uint256,uint256))", (bytes(range(230)) * 500, FRIEND, 1, 2, 3)),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_within_a_megabyte(name: str) -> None:
    router, data = BOMBS[name]
    outcome(router, data)
    tracemalloc.start()
    try:
        result = outcome(router, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(result, MalformedCalldata)
    assert result.refused
    assert peak <= MEGABYTE


def test_transaction_never_raises_but_says_malformed_or_refused() -> None:
    def transaction(data: bytes, to: bytes | None) -> PendingTransaction:
        return PendingTransaction("", SENDER, to, 0, 0, 0, 0, 0, data, 0, "")

    cut = SEEDS[0][1][:-1]
    result = decode_transaction(tables(), transaction(cut, address("v2")))
    assert result is not None
    assert (result.completeness, result.router, result.selector) == (Completeness.MALFORMED, "uniswap_v2_router02", cut[:4])
    assert result.reason
    refused = decode_transaction(tables(), transaction(BOMBS["deep plans"][1], address("ur2")))
    assert refused is not None
    assert refused.completeness is Completeness.REFUSED
    assert decode_transaction(tables(), transaction(cut, None)) is None
    assert decode_transaction(tables(), transaction(cut, FRIEND)) is None
