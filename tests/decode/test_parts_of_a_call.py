"""What the parts of a call mean for each other: those that fail, what is taken before a minimum, and one word for all of them."""

from __future__ import annotations

from eth_abi.abi import encode

from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.bombs import unknown_pools
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    FRIEND,
    TO_ROUTER,
    TO_SENDER,
    USDC,
    WETH,
    Command,
    address,
    calldata,
    command_input,
    executed,
    path,
    tables,
)
from tests.decode.fuzzing import Input, outcome
from tests.decode.repeats import Made, aggregated
from tests.decode.wrappers.wrapped import MULTICALL3

_CUT_SWAP = calldata("exactInput((bytes,address,uint256,uint256))", (path(USDC, 500, WETH), FRIEND, 9, 9))[:-64]


def decoded(call: Made) -> DecodedCall:
    ended = outcome(Input(tables(), *call))
    assert ended is not None
    return ended


def swap_on_universal_router(recipient: bytes, amount: int, token_in: bytes, token_out: bytes, *, of_user: bool = True) -> bytes:
    return command_input("ur2", 0x00, (recipient, amount, 1, path(token_in, 500, token_out), of_user))


def test_what_follows_a_failed_part_has_its_own_sender_router_and_deadline() -> None:
    fails = address("02"), calldata("multicall(uint256,bytes[])", DEADLINE, [_CUT_SWAP])
    swap = swap_on_universal_router(TO_SENDER, 5, USDC, WETH)
    follows = address("ur2"), calldata("execute(bytes,bytes[])", b"\x00", [swap])
    alone, behind = decoded(aggregated([follows])), decoded(aggregated([fails, follows]))
    assert any("reverts" in step.name for step in behind.steps)
    assert [intent.recipient for intent in behind.intents] == [MULTICALL3]
    assert [(each.router, each.deadline) for each in behind.intents] == [(each.router, None) for each in alone.intents]
    assert [step.depth for step in behind.steps if step.contract] == [0, 1, 1]


def test_balance_that_a_failed_part_may_have_moved_is_not_known() -> None:
    brings = swap_on_universal_router(TO_ROUTER, 5, USDC, WETH)
    sells = swap_on_universal_router(FRIEND, BALANCE, WETH, DAI, of_user=False)
    fails = encode(["bytes", "bytes[]"], [b"\x00", [b""]])
    plan = calldata("execute(bytes,bytes[])", b"\x00\x00", [brings, sells])
    assert decoded((address("ur2"), plan)).completeness is Completeness.EXACT
    plan = calldata("execute(bytes,bytes[])", b"\x00\xa1\x00", [brings, fails, sells])
    call = decoded((address("ur2"), plan))
    assert [intent.completeness for intent in call.intents] == [Completeness.EXACT, Completeness.AMOUNT_UNKNOWN]


def test_swaps_of_a_failed_part_are_none() -> None:
    swap = swap_on_universal_router(FRIEND, 5, USDC, WETH)
    part = encode(["bytes", "bytes[]"], [b"\x00\x00", [swap, b""]])
    call = decoded((address("ur2"), calldata("execute(bytes,bytes[])", b"\x00\xa1\x00", [swap, part, swap])))
    assert len(call.intents) == 2
    assert call.completeness is Completeness.EXACT


def test_takes_before_a_minimum_are_added_to_it_from_the_last_to_the_first() -> None:
    """Half of what the swap brings goes, rounded down, then 100 more, and 1,000 must be left; then the other way round."""
    swap: Command = (0x00, (TO_ROUTER, 5, 1, path(USDC, 500, WETH), True))
    portion, transfer, sweep = (0x06, (WETH, FRIEND, 5_000)), (0x05, (WETH, FRIEND, 100)), (0x04, (WETH, TO_SENDER, 1_000))
    for payments, minimum in (([portion, transfer], 2_199), ([transfer, portion], 2_099)):
        (intent,) = executed("ur2", [swap, *payments, sweep]).intents
        assert intent.size == ExactIn(5, minimum)


def test_lower_minimum_that_is_checked_later_lowers_none() -> None:
    swap: Command = (0x00, (TO_ROUTER, 5, 22, path(USDC, 500, WETH), True))
    for checked, minimum in ((20, 22), (21, 22), (22, 22), (23, 23)):
        (intent,) = executed("ur2", [swap, (0x04, (WETH, TO_SENDER, checked))]).intents
        assert intent.size == ExactIn(5, minimum)


def test_minimum_that_is_checked_where_it_may_fail_is_none_of_the_swaps_before() -> None:
    swap = swap_on_universal_router(TO_ROUTER, 5, USDC, WETH)
    sweep = encode(["address", "address", "uint256"], [WETH, TO_SENDER, 1_000])
    plan = encode(["bytes", "bytes[]"], [b"\x04", [sweep]])
    for code, joint in ((0x21, 1), (0xA1, 0)):
        data = calldata("execute(bytes,bytes[])", bytes([0, 0, code]), [swap, swap, plan])
        call = decoded((address("ur2"), data))
        assert (len(call.intents), len(call.joint_minimums)) == (2, joint)


def test_bytes_after_the_end_are_those_of_the_call_itself() -> None:
    inner = calldata("exactInput((bytes,address,uint256,uint256))", (path(USDC, 500, WETH), FRIEND, 9, 9)) + b"seven !"
    data = calldata("multicall(uint256,bytes[])", DEADLINE, [inner])
    assert decoded((address("02"), data)).extra_bytes == 0
    assert decoded((address("02"), data + b"five!")).extra_bytes == 5


def test_word_of_a_call_is_the_one_of_the_swap_that_least_is_known_of() -> None:
    """Pools of nobody's factory, pools without tokens, a balance that the call does not fix, and a swap that is exact."""
    v2_swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    partial = FRIEND, calldata(v2_swap, 5, 1, [USDC, WETH], FRIEND, DEADLINE)
    tokens = unknown_pools(1, 1, 1)
    sells = swap_on_universal_router(FRIEND, BALANCE, WETH, DAI, of_user=False)
    amount = address("ur2"), calldata("execute(bytes,bytes[])", b"\x00", [sells])
    exact = address("v2"), partial[1]
    calls = [exact, amount, tokens, partial]
    words = [Completeness.EXACT, Completeness.AMOUNT_UNKNOWN, Completeness.TOKENS_UNKNOWN, Completeness.PARTIAL]
    for known in range(4):
        for order in (calls[: known + 1], calls[known::-1]):
            assert decoded(aggregated(order)).completeness is words[known]
