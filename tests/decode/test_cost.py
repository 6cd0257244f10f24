"""No calldata costs more than 20 ms or a megabyte: lists as long as they can be, offsets that share, and pools never seen."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import cycle

import pytest
from eth_abi.abi import encode

from mempool.abi import MAX_CALLDATA_BYTES, Padding
from mempool.abi.layout import shape_of, slots_of
from mempool.abi.types import AbiType, Blob, TupleOf, Word, is_dynamic, parse_type
from mempool.decode import DecodeTables
from mempool.decode.pools import MAX_HOPS
from mempool.resources import load_tables
from tests.decode.calls import DEADLINE, FRIEND, USDC, WETH, address, calldata
from tests.decode.fuzzing import Function, Generator, Input, functions, outcome, sent, targets
from tests.decode.wrappers.wrapped import ENTRY_POINT_V07, MULTICALL3

LIMIT_SECONDS = 0.02
MEGABYTE = 1_048_576
NEAR_THE_LIMIT = LIMIT_SECONDS / 2
ACCOUNT = b"\xac" * 20
DEAD_BEEF = bytes.fromhex("deadbeef")
EXECUTE_BATCH = bytes.fromhex("34fcd5be")
HANDLE_OPS = bytes.fromhex("765e827f")
AGGREGATE3 = bytes.fromhex("82ad56cb")
V2_PART = 997_000_000 << 160
SHAPES = ((4_000, 1), (1_300, 1), (250, 16), (60, 60))
"""How long the lists are, and those inside of them."""


def word(number: int) -> bytes:
    return number.to_bytes(32)


def words(*numbers: int) -> bytes:
    return b"".join(map(word, numbers))


def blob(data: bytes) -> bytes:
    return word(len(data)) + data + bytes(-len(data) % 32)


class Wide:
    """Encodes arguments whose lists have `lengths` by their depth: of words that differ, or of one element over and over."""

    def __init__(self, lengths: Sequence[int], data: bytes) -> None:
        self.lengths, self.data, self.made = lengths, data, 0

    def arguments(self, types: Sequence[AbiType], depth: int = 0) -> bytes:
        size = 32 * len(slots_of([shape_of(each, Padding.CHECKED) for each in types]))
        head, tails = b"", b""
        for each in types:
            if is_dynamic(each):
                head += word(size + len(tails))
                tails += self.tail(each, depth)
            else:
                head += self.static(each)
        return head + tails

    def tail(self, abi_type: AbiType, depth: int) -> bytes:
        if isinstance(abi_type, Blob):
            return blob(self.data)
        if isinstance(abi_type, TupleOf):
            return self.arguments(abi_type.components, depth)
        assert not isinstance(abi_type, Word)
        count, element = self.lengths[min(depth, 1)], abi_type.element
        if is_dynamic(element):
            return word(count) + word(32 * count) * count + self.tail(element, depth + 1)
        return word(count) + b"".join(self.static(element) for _ in range(count))

    def static(self, abi_type: AbiType) -> bytes:
        if isinstance(abi_type, TupleOf):
            return b"".join(map(self.static, abi_type.components))
        assert isinstance(abi_type, Word)
        self.made += 1
        if abi_type.kind == "address" or abi_type.size == 32:
            return word(V2_PART * (abi_type.size == 32) | 0x77 << 152 | self.made)
        return word(self.made & 1) if abi_type.kind != "bytes" else bytes(32)


def wide_calls() -> Iterator[Input]:
    """Every function with lists of every kind of contract, in each shape that fits, carrying data of one sort after the other."""
    generator = Generator("ethereum", random.Random(1))
    examples = [each.data for each in generator.examples() if len(each.data) < 600]
    datas = cycle((b"", DEAD_BEEF, generator.route() * 3, bytes(500), *examples[:5]))
    seen: set[tuple[str, Function]] = set()
    for target in targets("ethereum"):
        for function in functions(target.row.abi):
            types = [parse_type(text) for text in function.types]
            if (target.row.kind, function) in seen or not any(map(is_dynamic, types)):
                continue
            seen.add((target.row.kind, function))
            calls = [function.key + Wide(shape, next(datas)).arguments(types) for shape in SHAPES]
            yield from (sent(target, data) for data in calls if len(data) < MAX_CALLDATA_BYTES - 300)


@cache
def own_tables() -> DecodeTables:
    """Tables of this module, whose caches it may empty."""
    return load_tables()


def forget(of: DecodeTables) -> None:
    """Empty what the tables keep of earlier calls, so that the next one is as slow as the first."""
    of.found_pools.not_found.clear()
    for factory in of.factories.values():
        for kept in (factory.hops, factory.token_paths, factory.packed_paths, factory.reversed_paths, factory.single_paths):
            kept.clear()
    for router in of.routers.values():
        router.keyed_hops.clear()


def seconds(given: Input) -> float:
    """Of this process alone."""
    start = time.process_time()
    outcome(given)
    return time.process_time() - start


def peak_bytes(given: Input) -> int:
    tracemalloc.start()
    try:
        outcome(given)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_every_functions_longest_lists_stay_inside_the_limits() -> None:
    count = 0
    for given in wide_calls():
        count += 1
        took = seconds(given)
        if took > NEAR_THE_LIMIT:
            took = min(seconds(given) for _ in range(5))
        assert took <= LIMIT_SECONDS, (given.to.hex(), given.data[:4].hex(), len(given.data))
        if took > LIMIT_SECONDS / 10:
            assert peak_bytes(given) <= MEGABYTE, (given.to.hex(), given.data[:4].hex(), len(given.data))
    assert count > 500


# -- bombs by name ---------------------------------------------------------------------------------------------------------

ROUTER02, V3 = address("02"), address("v3")
ONE_INCH_V4 = bytes.fromhex("1111111254fb6c44bac0bed2854e76f90643097d")
ONE_INCH_V6 = bytes.fromhex("111111125421ca6dc452d289314280a0f8842a65")
SUSHI = bytes.fromhex("e43ca1dee3f0fc1e2df73a0745674545f11a59f5")
ALLOWANCE_HOLDER = bytes.fromhex("0000000000001ff3684f28c67538d4d072c22734")
COW = bytes.fromhex("9008d19f58aabd9ed0d60971565aa8510560ab41")
_ROUTE = "processRoute(address,uint256,address,uint256,address,bytes)"
_SINGLE = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_ORDER = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)"
Made = tuple[bytes, bytes]
"""The contract and its calldata, other ones of the same sort at each turn: pools that were looked for are kept."""


def aggregated(calls: Sequence[tuple[bytes, bytes]]) -> Made:
    """Multicall3's calls of which each may fail."""
    return MULTICALL3, calldata("aggregate3((address,bool,bytes)[])", [(to, True, data) for to, data in calls])


def chance_of(turn: int) -> random.Random:
    return random.Random(turn)


def new_path(chance: random.Random, hops: int) -> bytes:
    return b"".join(chance.randbytes(20) + b"\0\x01\xf4" for _ in range(hops)) + chance.randbytes(20)


def along_new_tokens(turn: int, hops: int) -> Made:
    data = calldata("exactInput((bytes,address,uint256,uint256,uint256))", (new_path(chance_of(turn), hops), FRIEND, 9, 9, 9))
    return V3, data


def two_long_paths(turn: int) -> Made:
    return aggregated([along_new_tokens(turn, MAX_HOPS - 1), along_new_tokens(turn + 1, MAX_HOPS - 1)])


def many_singles(turn: int) -> Made:
    chance = chance_of(turn)
    calls = [(chance.randbytes(20), WETH, 500, FRIEND, 9, 9, 9, 0) for _ in range(230)]
    return aggregated([(V3, calldata(_SINGLE, each)) for each in calls])


def pairs(chance: random.Random, count: int) -> bytes:
    """1inch's swap along pairs that nobody knows, of a token that nobody knows."""
    pools = [word(V2_PART | chance.getrandbits(160)) for _ in range(count)]
    return calldata("unoswap(address,uint256,uint256,bytes32[])", chance.randbytes(20), 5, 5, pools)


def unknown_pools(turn: int, calls: int, pools: int) -> Made:
    chance = chance_of(turn)
    return aggregated([(ONE_INCH_V4, pairs(chance, pools)) for _ in range(calls)])


def unknown_v3_pools(turn: int, calls: int) -> Made:
    """1inch v6's swap of a listed token and another: each pool is looked for among all V3 factories."""
    chance, token = chance_of(turn), int.from_bytes(USDC)
    function = "unoswap2(uint256,uint256,uint256,uint256,uint256)"
    pools = [(1 << 253 | chance.getrandbits(160), 1 << 253 | chance.getrandbits(160)) for _ in range(calls)]
    return aggregated([(ONE_INCH_V6, calldata(function, token, 5, 5, *each)) for each in pools])


def sushi_program(turn: int, step: bytes, count: int) -> Made:
    program = b"".join(step.replace(b"POOL", chance_of(turn + place).randbytes(20)) for place in range(count))
    return SUSHI, calldata(_ROUTE, USDC, 10**6, WETH, 1, FRIEND, program)


def items_and_calls(turn: int, items: int) -> Made:
    """A list of hundreds of empty calls, the first of which carries swaps through unknown pools."""
    chance = chance_of(turn)
    elements = [words(int.from_bytes(ONE_INCH_V4), 0, 96) + blob(pairs(chance, 2)) for _ in range(150)]
    places = [32 * len(elements)]
    for each in elements:
        places.append(places[-1] + len(each))
    carried = EXECUTE_BATCH + words(32, len(elements), *places[:-1]) + b"".join(elements)
    first = words(int.from_bytes(ACCOUNT), 0, 96) + blob(carried)
    empty = words(int.from_bytes(ACCOUNT), 0, 96, 0)
    offsets = word(32 * items) + word(32 * items + len(first)) * (items - 1)
    return MULTICALL3, AGGREGATE3 + words(32, items) + offsets + first + empty


def operations(_turn: int) -> Made:
    """4,000 operations that are one and the same."""
    operation = words(int.from_bytes(ACCOUNT), 0, 288, 288, 0, 0, 0, 288, 288, 0)
    return ENTRY_POINT_V07, HANDLE_OPS + words(64, 0, 4_000) + word(32 * 4_000) * 4_000 + operation


def v4_path(turn: int, steps: int) -> Made:
    """A V4 path along pools that nobody knows."""
    chance = chance_of(turn)
    path = [(chance.randbytes(20), 500, 10, bytes(20), b"") for _ in range(steps)]
    swap = calldata("f((address,(address,uint24,int24,address,bytes)[],uint128,uint128))", (USDC, path, 5, 5))[4:]
    plan = calldata("f(bytes,bytes[])", b"\x07", [swap])[4:]
    return address("ur2"), calldata("execute(bytes,bytes[],uint256)", b"\x10", [plan], DEADLINE)


def settler_actions(_turn: int) -> Made:
    """2,000 times one action, which sells a share on an unknown pool."""
    action = calldata("VELODROME(address,uint256,address,uint24,uint256)", FRIEND, 9_999, ACCOUNT, 3, 0)
    count = 2_000
    actions = words(count) + word(32 * count) * count + blob(action)
    execute = bytes.fromhex("1fff991f") + words(int.from_bytes(FRIEND), int.from_bytes(WETH), 1, 160, 0) + actions
    exec_signature = "exec(address,address,uint256,address,bytes)"
    return ALLOWANCE_HOLDER, calldata(exec_signature, ACCOUNT, USDC, 5, ACCOUNT, execute)


def settler_scans(_turn: int) -> Made:
    """250 actions, each of which looks through those after it for the token that it must have bought."""
    action = calldata("VELODROME(address,uint256,address,uint24,uint256)", FRIEND, 9_999, ACCOUNT, 3, 0)
    execute = calldata("execute((address,address,uint256),bytes[],bytes32)", (FRIEND, WETH, 1), [action] * 250, bytes(32))
    return ALLOWANCE_HOLDER, calldata("exec(address,address,uint256,address,bytes)", ACCOUNT, USDC, 5, ACCOUNT, execute)


def cow_trades(_turn: int) -> Made:
    """3,000 times one order."""
    count = 3_000
    order = words(0, 1, int.from_bytes(FRIEND), 5, 5, 9, 0, 0, 0, 0, 352, 0)
    tokens, prices = words(2, int.from_bytes(USDC), int.from_bytes(WETH)), words(2, 1, 1)
    trades = word(count) + word(32 * count) * count + order
    empty = words(96, 96, 96, 0)
    places = (128, 128 + 96, 128 + 192, 128 + 192 + len(trades))
    return COW, bytes.fromhex("13d79a0b") + words(*places) + tokens + prices + trades + empty


def short_inputs(turn: int, router: str) -> Made:
    """Each of them is followed by what stands behind it in the plan, which is long."""
    inputs = [*[b""] * 250, chance_of(turn).randbytes(100_000)]
    plan = encode(["bytes", "bytes[]"], [bytes([0x05] * 250 + [0x03]), inputs])
    return address(router), calldata("execute(bytes,bytes[])", b"\x21", [plan])


def paths_beyond_inputs(turn: int) -> Made:
    chance, types = chance_of(turn), ["address", "uint256", "uint256", "address[]", "bool"]
    paths = ([chance.randbytes(20) for _ in range(15)] for _ in range(100))
    inputs = [encode(types, [FRIEND, 5, 5, tokens, True]) for tokens in paths]
    data = calldata("execute(bytes,bytes[])", b"\x08" * 100, inputs)
    return address("ur1.2"), data.replace(word(len(inputs[0])), word(6 * 32 + 15))


def odd_hook_data(turn: int) -> Made:
    key = words(0, chance_of(turn).getrandbits(160), 500, 10, 0)
    swap = word(32) + key + words(1, 5, 5, 1 << 255, 0)
    plan = encode(["bytes", "bytes[]"], [b"\x06" * 200, [swap] * 199 + [swap + bytes(35_000)]])
    return address("ur2"), calldata("execute(bytes,bytes[])", b"\x10", [plan])


PAIR_STEP = b"\x01" + USDC + b"\x01\xff\xff\x00POOL\x01" + FRIEND + b"\x00\x0b\xb8"
V3_STEP = b"\x01" + USDC + b"\x01\xff\xff\x01POOL\x01" + FRIEND
BOMBS: dict[str, Callable[[int], Made]] = {
    "a path of new tokens": partial(along_new_tokens, hops=MAX_HOPS - 1),
    "a path of 5,000 new tokens": partial(along_new_tokens, hops=5_000),
    "two paths of new tokens": two_long_paths,
    "230 swaps on new pools": many_singles,
    "one unknown pair": partial(unknown_pools, calls=1, pools=1),
    "256 unknown pairs": partial(unknown_pools, calls=1, pools=256),
    "3,900 unknown pairs": partial(unknown_pools, calls=1, pools=3_900),
    "230 times an unknown pair": partial(unknown_pools, calls=230, pools=1),
    "150 times two unknown pairs": partial(unknown_pools, calls=150, pools=2),
    "200 times two unknown V3 pools": partial(unknown_v3_pools, calls=200),
    "a program of 10,000 steps": partial(sushi_program, step=b"\x06" + bytes(9), count=10_000),
    "a program of 120 unknown pairs": partial(sushi_program, step=PAIR_STEP, count=120),
    "a program of 120 unknown V3 pools": partial(sushi_program, step=V3_STEP, count=120),
    "300 empty calls around 150 swaps": partial(items_and_calls, items=300),
    "operations without calldata": operations,
    "a V4 path of new currencies": partial(v4_path, steps=MAX_HOPS - 1),
    "a V4 path of 560 new currencies": partial(v4_path, steps=560),
    "one of Settler's actions over and over": settler_actions,
    "Settler's actions that look at each other": settler_scans,
    "one order over and over": cow_trades,
    "a sub-plan of 250 inputs that end too early": partial(short_inputs, router="ur1.2"),
    "the same of V2.0": partial(short_inputs, router="ur2"),
    "V2 paths beyond their inputs": paths_beyond_inputs,
    "V4 swaps with hook data outside the calldata": odd_hook_data,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_costs_at_most_twenty_milliseconds_and_a_megabyte_where_nothing_is_known_yet(name: str) -> None:
    of, best = own_tables(), float("inf")
    for turn in range(0, 10_000, 1_000):
        to, data = BOMBS[name](turn)
        assert len(data) <= MAX_CALLDATA_BYTES
        given = Input(of, to, data)
        forget(of)
        best = min(best, seconds(given))
        if turn >= 4_000 and best <= LIMIT_SECONDS:
            break
    assert best <= LIMIT_SECONDS
    forget(of)
    assert peak_bytes(given) <= MEGABYTE
