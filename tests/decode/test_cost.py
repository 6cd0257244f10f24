"""No calldata costs more than 20 ms or a megabyte: lists as long as they can be, offsets that share, and pools never seen.

What is held to is the number of functions called and of bytes held, which a busy machine does not change; the long runs log the
times, which `--log-cli-level=INFO` shows.
"""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Callable
from functools import cache
from itertools import chain

import msgspec
import pytest
from eth_abi.abi import encode
from rich.console import Console

from mempool.abi import MAX_CALLDATA_BYTES, MAX_HASHES
from mempool.cli.decoded import record, tree
from mempool.decode import DecodeTables
from mempool.model.swap import Completeness
from mempool.resources import load_tables
from tests.decode.bombs import (
    ACCOUNT,
    ALLOWANCE_HOLDER,
    BOMBS,
    COW,
    along_new_tokens,
    pairs_of_forks,
    v4_paths_of_no_use,
)
from tests.decode.calls import FRIEND, SENDER, USDC, WETH, calldata
from tests.decode.costs import LIMIT_SECONDS, MEGABYTE, MOST_CALLS, assert_cheap, calls_made, forget, peak_bytes, peak_of, seconds
from tests.decode.fuzzing import Input, outcome
from tests.decode.repeats import Made, aggregated, filled_up, over_and_over
from tests.decode.wide_calls import DEAD_BEEF, filled_calls, wide_calls
from tests.decode.wrappers.wrapped import ENTRY_POINT_V07, handle_ops, packed, user_op

_log = logging.getLogger(__name__)
SAMPLED = 24
"""Of the calls that are made for every function, one in so many is tried in the short run."""
_INTERACTION = "(address,uint256,bytes)[]"
_TRADE = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)[]"
_SETTLE = f"settle(address[],uint256[],{_TRADE},{_INTERACTION}[3])"
_SAFE = "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"
_BATCH_MODE = b"\x01" + bytes(31)


@cache
def own_tables() -> DecodeTables:
    """Tables of this module, whose caches it may empty."""
    return load_tables()


def on_own_tables(given: Input) -> Input:
    return given._replace(chain=own_tables())


def test_every_functions_longest_lists_stay_inside_the_limits() -> None:
    for given in wide_calls(1, SAMPLED):
        assert_cheap(on_own_tables(given))


def test_every_functions_arguments_filled_with_one_thing_stay_inside_the_limits() -> None:
    for given in filled_calls(1, 4 * SAMPLED + 1):
        assert_cheap(on_own_tables(given))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(8))
def test_every_call_that_is_made_for_every_function_stays_inside_the_limits(first: int) -> None:
    tried, slowest = 0, (0.0, "")
    for given in chain(wide_calls(first, 8), filled_calls(first, 8)):
        assert_cheap(on_own_tables(given))
        tried, slowest = tried + 1, max(slowest, (seconds(on_own_tables(given), 2), given.data[:4].hex()))
    _log.info("slowest: %.1f ms, %s", slowest[0] * 1e3, slowest[1])
    assert tried > 500


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_stays_inside_the_limits_where_nothing_is_known_yet(name: str) -> None:
    to, data = BOMBS[name](1)
    assert len(data) <= MAX_CALLDATA_BYTES
    assert_cheap(Input(own_tables(), to, data), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bomb_takes_at_most_twenty_milliseconds(name: str) -> None:
    given = Input(own_tables(), *BOMBS[name](7))
    took = seconds(given, 20)
    forget(given.chain)
    _log.info("%s: %.1f ms, %.0f kB", name, took * 1e3, peak_bytes(given) / 1e3)
    assert took <= LIMIT_SECONDS


@pytest.mark.parametrize("name", BOMBS)
def test_what_a_bomb_decodes_to_is_printed_within_the_limits_too(name: str) -> None:
    call = outcome(Input(own_tables(), *BOMBS[name](3)))
    assert call is not None
    assert calls_made(lambda: msgspec.json.encode(record("", call))) <= MOST_CALLS
    assert peak_of(lambda: msgspec.json.encode(record("", call))) <= MEGABYTE
    Console(file=io.StringIO(), width=1_000).print(tree(own_tables(), "", call))


@pytest.mark.parametrize(("parts", "is_refused"), [(2, False), (3, True)])
def test_parts_that_fail_stay_charged_with_what_they_read(parts: int, is_refused: bool) -> None:
    """Each reads 60,000 bytes of one item of its own, in a call of 131,000."""
    part = over_and_over((FRIEND, bytes(1_500)), 40)
    call = outcome(Input(own_tables(), *filled_up(aggregated([part] * parts))))
    assert call is not None
    assert (call.reason == "uses more dynamic bytes than it has") == is_refused
    assert (call.completeness is Completeness.REFUSED) == is_refused


HASHED: dict[str, tuple[Callable[[int], Made], int, int]] = {
    "a path beside V4 paths that fail": (lambda hops: aggregated([v4_paths_of_no_use(1, 5), along_new_tokens(1, hops)]), 67, 68),
    "pairs of forks beside a path": (lambda hops: aggregated([along_new_tokens(1, 209), pairs_of_forks(2, hops)]), 111, 112),
    "a path beside pairs of forks": (lambda hops: aggregated([pairs_of_forks(2, 60), along_new_tokens(1, hops)]), 260, 261),
}


@pytest.mark.parametrize("name", HASHED)
def test_hashes_of_every_sort_count_as_one_sum(name: str) -> None:
    made, most, too_many = HASHED[name]
    for count, is_refused in ((most, False), (too_many, True)):
        call = outcome(Input(own_tables(), *made(count)))
        assert call is not None
        assert (call.reason == f"needs more than {MAX_HASHES} hashes") == is_refused, call.reason


def carried(chance: random.Random, call: Made) -> Made:
    """A call of a contract that makes that call."""
    to, data = call
    carriers: tuple[Callable[[], Made], ...] = (
        lambda: aggregated([call]),
        lambda: aggregated([call, (WETH, DEAD_BEEF), (FRIEND, b"")]),
        lambda: (ACCOUNT, calldata("execute(address,uint256,bytes)", to, 0, data)),
        lambda: (ACCOUNT, calldata(f"executeBatch({_INTERACTION})", [(to, 0, data)])),
        lambda: (ACCOUNT, calldata("execute(bytes32,bytes)", bytes(32), packed((to, 0, data)))),
        lambda: (ACCOUNT, calldata("execute(bytes32,bytes)", _BATCH_MODE, encode([_INTERACTION], [[(to, 0, data)]]))),
        lambda: (ACCOUNT, calldata(_SAFE, to, 0, data, 0, 0, 0, 0, bytes(20), bytes(20), b"")),
        lambda: (ENTRY_POINT_V07, handle_ops(user_op(to, data))),
        lambda: (ALLOWANCE_HOLDER, calldata("exec(address,address,uint256,address,bytes)", SENDER, USDC, 1, to, data)),
        lambda: (COW, calldata(_SETTLE, [], [], [], [[(to, 0, data)], [], []])),
    )
    return chance.choice(carriers)()


def nest(chance: random.Random, calls: list[Made]) -> Made:
    """One of the calls inside as many others as there is room for, a few of them side by side, or one of them over and over."""
    made = chance.choice(calls)
    for _ in range(chance.randrange(10)):
        sort = chance.random()
        if sort < 0.2:
            around = aggregated([made, chance.choice(calls)])
        else:
            around = over_and_over(made, chance.randrange(2, 8)) if sort < 0.4 else carried(chance, made)
        if len(around[1]) > MAX_CALLDATA_BYTES:
            break
        made = around
    return filled_up(made) if chance.random() < 0.5 else made


@pytest.mark.parametrize("rounds", [12, pytest.param(1_000, marks=pytest.mark.slow)])
def test_calls_inside_calls_around_bombs_stay_inside_the_limits(rounds: int) -> None:
    chance = random.Random(rounds)
    calls = [BOMBS[name](11) for name in BOMBS] + [(given.to, given.data) for given in wide_calls(0, 97)]
    slowest = (0.0, "")
    for _ in range(rounds):
        given = Input(own_tables(), *nest(chance, calls))
        assert_cheap(given)
        if rounds > 100:
            slowest = max(slowest, (seconds(given, 2), given.data[:4].hex()))
    _log.info("slowest: %.1f ms, %s", slowest[0] * 1e3, slowest[1])


def test_first_call_that_a_process_sees_makes_a_few_readers_alone() -> None:
    """One of each length of as many functions as fit: their readers are not there yet."""
    chance, of = random.Random(1), load_tables()
    calls = [
        (to, selector + bytes(length - 4))
        for to, router in of.routers.items()
        for selector, entry in router.entries.items()
        for length in entry.plain
    ]
    chosen: list[Made] = []
    size = 0
    for call in chance.sample(calls, len(calls)):
        if len(chosen) < 240 and size + len(call[1]) < 80_000:
            chosen.append(call)
            size += len(call[1])
    given = Input(of, *aggregated(chosen))
    assert len(chosen) > 150
    assert len(given.data) <= MAX_CALLDATA_BYTES
    assert calls_made(lambda: outcome(given)) <= MOST_CALLS
