"""Calldata that costs as much as it can, by name: paths never seen, pools that nobody knows, what is looked at over and over."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from eth_abi.abi import decode, encode

from mempool.decode.pools import MAX_HOPS
from mempool.model.keccak import keccak256
from tests.decode.calls import DEADLINE, FRIEND, TO_ROUTER, TO_SENDER, USDC, WETH, address, calldata, command_input, path
from tests.decode.repeats import (
    AGGREGATE3,
    Made,
    aggregated,
    empty_calls,
    filled_up,
    lists_read_over_and_over,
    path_that_reverts,
    paths_that_revert,
)
from tests.decode.wide_calls import V2_PART, blob, word, words
from tests.decode.wrappers.wrapped import ENTRY_POINT_V07, MULTICALL3

ACCOUNT = b"\xac" * 20
EXECUTE_BATCH = bytes.fromhex("34fcd5be")
HANDLE_OPS = bytes.fromhex("765e827f")
OKX = bytes.fromhex("3b3ae790df4f312e745d270119c6052904fb6790")
METASWAP = bytes.fromhex("881d40237659c251811cec9c364ef91dc08d300c")
_BASE = "(uint256,address,uint256,uint256,uint256)"
_PATHS = "(address[],address[],uint256[],bytes[],uint256)[]"
ROUTER02, V3 = address("02"), address("v3")
ONE_INCH_V4 = bytes.fromhex("1111111254fb6c44bac0bed2854e76f90643097d")
ONE_INCH_V6 = bytes.fromhex("111111125421ca6dc452d289314280a0f8842a65")
AUGUSTUS_V5 = bytes.fromhex("def171fe48cf0115b1d80b88dc8eab59176fee57")
SUSHI = bytes.fromhex("e43ca1dee3f0fc1e2df73a0745674545f11a59f5")
ALLOWANCE_HOLDER = bytes.fromhex("0000000000001ff3684f28c67538d4d072c22734")
COW = bytes.fromhex("9008d19f58aabd9ed0d60971565aa8510560ab41")
_ROUTE = "processRoute(address,uint256,address,uint256,address,bytes)"
_SINGLE = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_ORDER = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)"


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


def portions_and_sweeps(_turn: int, swaps: int) -> Made:
    """Every sweep to the router itself asks a minimum that the portions before it raise."""
    swap = command_input("ur2", 0x00, (TO_ROUTER, 5, 1, path(USDC, 500, WETH), True))
    portion = encode(["address", "address", "uint256"], [WETH, FRIEND, 9_999])
    sweep = encode(["address", "address", "uint256"], [WETH, TO_ROUTER, 1 << 150])
    codes, inputs = b"\x00" * swaps + b"\x06" * 124 + b"\x04" * 124, [swap] * swaps + [portion] * 124 + [sweep] * 124
    return address("ur2"), calldata("execute(bytes,bytes[])", codes, inputs)


def exact_out_along_new_tokens(turn: int, paths: int) -> Made:
    chance = chance_of(turn)
    hops = (MAX_HOPS - 1) // paths
    inputs = [command_input("ur2", 0x01, (TO_SENDER, 5, 1, new_path(chance, hops), True)) for _ in range(paths)]
    return address("ur2"), calldata("execute(bytes,bytes[])", b"\x01" * paths, inputs)


def odd_steps(turn: int, paths: int, steps: int) -> Made:
    """V4 paths of which each step's hook data lies outside the calldata."""
    chance = chance_of(turn)

    def odd_path() -> bytes:
        elements = [words(chance.getrandbits(160), 500, 10, 0, 1 << 255) for _ in range(steps)]
        offsets = [word(32 * steps + 160 * number) for number in range(steps)]
        return words(32, int.from_bytes(USDC), 128, 5, 5, steps) + b"".join(offsets + elements)

    plan = encode(["bytes", "bytes[]"], [b"\x07" * paths, [odd_path() for _ in range(paths)]])
    return address("ur2"), calldata("execute(bytes,bytes[])", b"\x10", [plan])


def settler_calls(turn: int) -> Made:
    """BASIC: each of them a call of a V2 router along new pairs, with a share of the balance written into it."""
    chance = chance_of(turn)
    swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"

    def action() -> bytes:
        data = calldata(swap, 5, 1, [USDC, chance.randbytes(20), WETH], ACCOUNT, DEADLINE)
        return calldata("BASIC(address,uint256,address,uint256,bytes)", USDC, 9_999, address("v2"), 4, data)

    execute = calldata(
        "execute((address,address,uint256),bytes[],bytes32)", (FRIEND, WETH, 1), [action() for _ in range(120)], bytes(32)
    )
    return ALLOWANCE_HOLDER, calldata("exec(address,address,uint256,address,bytes)", ACCOUNT, USDC, 5, ACCOUNT, execute)


def v4_paths_of_no_use(turn: int, paths: int) -> Made:
    """V4 paths of new pools that revert at the end, where both sides of a hop are the same currency."""
    chance = chance_of(turn)

    def path() -> Made:
        steps = [(chance.randbytes(20), 500, 10, bytes(20), b"") for _ in range(100)]
        steps.append(steps[-1])
        swap = calldata("f((address,(address,uint24,int24,address,bytes)[],uint128,uint128))", (USDC, steps, 5, 5))[4:]
        plan = calldata("f(bytes,bytes[])", b"\x07", [swap])[4:]
        return address("ur2"), calldata("execute(bytes,bytes[])", b"\x10", [plan])

    return aggregated([path() for _ in range(paths)])


def pairs_of_forks(turn: int, hops: int) -> Made:
    """Augustus v5's path along pairs of a factory that nobody knows."""
    chance = chance_of(turn)
    tokens = [chance.randbytes(20) for _ in range(hops + 1)]
    named = "swapOnUniswapFork(address,bytes32,uint256,uint256,address[])"
    return AUGUSTUS_V5, calldata(named, chance.randbytes(20), chance.randbytes(32), 11, 5, tokens)


def pools_of_all_sorts(turn: int) -> Made:
    """Pools that are looked for, paths, pairs of forks and V4 pools: what each of them hashes adds up."""
    _, path = along_new_tokens(turn, 119)
    v4_to, v4 = v4_path(turn, 100)
    forks_to, forks = pairs_of_forks(turn, 100)
    _, pools = unknown_v3_pools(turn, 3)
    return aggregated([(MULTICALL3, pools), (V3, path), (v4_to, v4), (forks_to, forks)])


def graph(turn: int, edges: int) -> Made:
    """OKX's, of a single node with edges along pools that nobody knows."""
    chance = chance_of(turn)
    share = 10_000 // edges
    pools = [share << 160 | 1 << 176 | chance.getrandbits(159) | 1 << 158 for _ in range(edges)]
    pools[-1] += 10_000 - share * edges << 160
    payers = [chance.randbytes(20) for _ in range(edges)]
    row = ([FRIEND] * edges, payers, pools, [b""] * edges, int.from_bytes(USDC))
    terms = (int.from_bytes(USDC), WETH, 10**9, 1, DEADLINE)
    return OKX, calldata(f"dagSwapByOrderId(uint256,{_BASE},{_PATHS})", 7, terms, [row])


def plans_of_new_shapes(turn: int, router: str) -> Made:
    plans = [encode(["bytes", "bytes[]"], [b"\x0a", [bytes(turn % 32 + 7 * number)]]) for number in range(120)]
    return address(router), calldata("execute(bytes,bytes[])", b"\x21" * 120, plans)


def long_name(_turn: int) -> Made:
    """An adapter of MetaMask's, in bytes that print as four characters each."""
    swap = keccak256(b"swap(string,address,uint256,bytes)")[:4]
    return METASWAP, swap + encode(["bytes", "address", "uint256", "bytes"], [bytes(120_000), USDC, 5, b""])


def words_inside(_turn: int, depth: int) -> Made:
    data = calldata("unoswap(address,uint256,uint256,bytes32[])", USDC, 5, 5, [bytes(32)] * 3_700)
    to = ONE_INCH_V4
    for _ in range(depth):
        to, data = ACCOUNT, calldata("execute(address,uint256,bytes)", to, 0, data)
    return to, data


def everything_at_once(turn: int) -> Made:
    """As much of each budget as there is room for beside the others."""
    _, path_data = along_new_tokens(turn, 110)
    odd_to, odd_data = odd_steps(turn, 1, 150)
    payments_to, payments = portions_and_sweeps(turn, 1)
    codes, inputs = decode(["bytes", "bytes[]"], payments[4:])
    few = [0, *range(1, 70), *range(125, 185)]
    payments = calldata("execute(bytes,bytes[])", bytes(codes[each] for each in few), [inputs[each] for each in few])
    _, pools = unknown_v3_pools(turn, 25)
    return aggregated([(V3, path_data), (odd_to, odd_data), (payments_to, payments), (MULTICALL3, pools)])


def dearest_found(turn: int) -> Made:
    """The mixture that cost the most of thousands that a search by small steps has tried."""
    calls = [
        sushi_program(turn, PAIR_STEP, 85),
        along_new_tokens(turn + 1, 19),
        v4_path(turn + 2, 127),
        path_that_reverts(1 << 32 | turn, 325),
        unknown_pools(turn + 3, 16, 2),
        empty_calls(102),
        v4_path(turn + 4, 147),
        along_new_tokens(turn + 5, 200),
        sushi_program(turn + 6, PAIR_STEP, 30),
    ]
    return filled_up(aggregated(calls))


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
    "portions that raise a minimum over and over": partial(portions_and_sweeps, swaps=1),
    "portions that raise the minimum of two swaps": partial(portions_and_sweeps, swaps=2),
    "one exact output along new tokens": partial(exact_out_along_new_tokens, paths=1),
    "16 exact outputs along new tokens": partial(exact_out_along_new_tokens, paths=16),
    "a V4 path of 300 odd steps": partial(odd_steps, paths=1, steps=300),
    "a V4 path of 600 odd steps": partial(odd_steps, paths=1, steps=600),
    "12 V4 paths of 45 odd steps": partial(odd_steps, paths=12, steps=45),
    "calls that Settler writes amounts into": settler_calls,
    "a list that reverts over and over": lists_read_over_and_over,
    "V4 paths that revert at five depths": partial(paths_that_revert, depth=5, steps=650),
    "V4 paths that revert side by side": partial(paths_that_revert, depth=1, steps=400, beside=8),
    "V4 paths that revert at three depths": partial(paths_that_revert, depth=3, steps=130, beside=3),
    "V4 paths that revert behind new pools": partial(v4_paths_of_no_use, paths=5),
    "a path along pairs of an unknown factory": partial(pairs_of_forks, hops=250),
    "pools of all sorts": pools_of_all_sorts,
    "a graph of 250 edges": partial(graph, edges=250),
    "120 sub-plans of new shapes": partial(plans_of_new_shapes, router="ur1.2"),
    "120 sub-plans of V2.0": partial(plans_of_new_shapes, router="ur2"),
    "a name of 120,000 bytes": long_name,
    **{f"3,700 words inside {depth} calls": partial(words_inside, depth=depth) for depth in range(5)},
    "the dearest that a search has found": dearest_found,
    "everything at once": everything_at_once,
}
