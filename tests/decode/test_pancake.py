"""PancakeSwap's routers: Uniswap's calls on PancakeSwap's pools, and stable pools of which the coins alone are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.abi import item_at, word_at
from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import (
    BALANCE,
    DAI,
    DEADLINE,
    FRIEND,
    SENDER,
    TO_ROUTER,
    TO_SENDER,
    USDC,
    WETH,
    Command,
    calldata,
    command_input,
    path,
    tables,
)

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
USDT = bytes.fromhex("dac17f958d2ee523a2206206994597c13d831ec7")
SMART_ROUTER = bytes.fromhex("13f4ea83d0bd40e75c8222255bc855a974568dd4")
UNIVERSAL_ROUTER = bytes.fromhex("65b382653f7c31bc0af67f188122035461ec9c76")
STABLE_IN_SIGNATURE = "exactInputStableSwap(address[],uint256[],uint256,uint256,address)"
STABLE_OUT_SIGNATURE = "exactOutputStableSwap(address[],uint256[],uint256,uint256,address)"
V3_IN, V2_IN, WRAP, NFT_CHECK, SUB_PLAN, APPROVE, STABLE_IN, STABLE_OUT = 0x00, 0x08, 0x0B, 0x10, 0x20, 0x21, 0x22, 0x23
SWEEP, TRANSFER_FROM_BATCH = 0x04, 0x0D
HIDDEN = "the stable pools stand in a factory's storage"


def smart_example(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    token = next(each for each in chain.tokens if each != chain.wrapped_native)
    fee = min(router.factories["uniswap_v3"].tick_spacings)
    single = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
    return calldata(single, (chain.wrapped_native, token, fee, TO_SENDER, 5, 9, 0)), 5


def universal_example(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token = next(each for each in chain.tokens if each != chain.wrapped_native)
    data = command_input("ur1.2", V2_IN, (TO_SENDER, 5, 9, [chain.wrapped_native, token], False))
    wrap = encode(["address", "uint256"], (TO_ROUTER, 5))
    return calldata("execute(bytes,bytes[],uint256)", bytes([WRAP, V2_IN]), [wrap, data], DEADLINE), 5


EXAMPLES: dict[str, Example] = {"pancake_smart_router": smart_example, "pancake_universal_router": universal_example}


def decoded(to: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), to, data, value_wei, SENDER)
    assert call is not None
    return call


def executed(*commands: Command, value_wei: int = 0) -> DecodedCall:
    inputs = [
        stable(arguments) if code in (STABLE_IN, STABLE_OUT) else command_input("ur1.2", code, arguments)
        for code, arguments in commands
    ]
    codes = bytes(code for code, _ in commands)
    return decoded(UNIVERSAL_ROUTER, calldata("execute(bytes,bytes[],uint256)", codes, inputs, DEADLINE), value_wei)


def stable(arguments: Any) -> bytes:
    return encode(["address", "uint256", "uint256", "address[]", "uint256[]", "bool"], arguments)


@pytest.mark.parametrize(
    ("factory", "tokens", "fee_pips", "pool"),
    [
        ("pancake_v2", (USDC, WETH), 0, "2e8135be71230c6b1b4045696d41c09db0414226"),
        ("pancake_v2", (WETH, USDT), 0, "17c1ae82d99379240059940093762c5e4539aba5"),
        ("pancake_v3", (USDC, WETH), 500, "1ac1a8feaaea1900c4166deeed0c11cc10669d36"),
        ("pancake_v3", (WETH, USDT), 500, "6ca298d2983ab03aa1da7679389d955a4efee15c"),
    ],
)
def test_factories_put_their_pools_where_they_stand(factory: str, tokens: tuple[bytes, bytes], fee_pips: int, pool: str) -> None:
    """The addresses are those of PancakeSwap's farms."""
    table = tables().factories[factory]
    assert table.address_of(*tokens, fee_pips).hex() == pool
    assert table.hop(*tokens, fee_pips or table.fee_pips).pool.hex() == pool


def test_fees_are_pancakeswaps_own() -> None:
    factories = tables().factories
    assert factories["pancake_v2"].fee_pips == 2500
    assert factories["pancake_v3"].tick_spacings == {100: 1, 500: 10, 2500: 50, 10000: 200}


def test_v3_pools_are_named_and_not_simulated_since_they_keep_their_state_otherwise() -> None:
    hop = tables().factories["pancake_v3"].hop(WETH, USDC, 500)
    assert (hop.protocol, hop.kind, hop.tick_spacing) == ("pancake_v3", "", 10)


def test_smart_router_reads_swap_router02s_functions_on_its_own_pools() -> None:
    v3 = calldata("exactInput((bytes,address,uint256,uint256))", (path(USDC, 500, WETH, 2500, USDT), TO_ROUTER, 11, 22))
    v2 = calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", 0, 33, [USDT, WETH], TO_SENDER)
    call = decoded(SMART_ROUTER, calldata("multicall(uint256,bytes[])", DEADLINE, [v3, v2]))
    assert [intent.size for intent in call.intents] == [ExactIn(11, 22), BalanceIn(0, (0,), 33)]
    assert [hop.protocol for intent in call.intents for hop in intent.hops] == ["pancake_v3", "pancake_v3", "pancake_v2"]
    assert [intent.recipient for intent in call.intents] == [SMART_ROUTER, SENDER]
    assert {intent.deadline for intent in call.intents} == {DEADLINE}
    assert call.completeness is Completeness.EXACT


def test_stable_swaps_of_the_smart_router_are_partial() -> None:
    call = decoded(SMART_ROUTER, calldata(STABLE_IN_SIGNATURE, [USDC, USDT, DAI], [2, 3], 11, 22, FRIEND))
    (intent,) = call.intents
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, HIDDEN)
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, DAI, ExactIn(11, 22), FRIEND)
    assert [(hop.protocol, hop.kind, hop.pool) for hop in intent.hops] == [("pancake_stable", "", b"")] * 2
    call = decoded(SMART_ROUTER, calldata(STABLE_OUT_SIGNATURE, [USDC, USDT], [2], 33, 44, TO_SENDER))
    assert (call.intents[0].size, call.intents[0].recipient) == (ExactOut(33, 44), SENDER)


def test_stable_swap_of_zero_sells_the_routers_balance() -> None:
    first = calldata(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", (WETH, USDC, 500, TO_ROUTER, 11, 0, 0)
    )
    second = calldata(STABLE_IN_SIGNATURE, [USDC, USDT], [2], 0, 22, TO_ROUTER)
    sweep = calldata("sweepToken(address,uint256,address)", USDT, 33, FRIEND)
    call = decoded(SMART_ROUTER, calldata("multicall(bytes[])", [first, second, sweep]))
    assert call.intents[1].size == BalanceIn(0, (0,), 33)


@pytest.mark.parametrize(("coins", "flags"), [([USDC], []), ([USDC, USDT], []), ([USDC, USDT], [4]), ([USDC, USDT], [2, 2])])
def test_stable_path_that_the_router_reverts_on_is_malformed(coins: list[bytes], flags: list[int]) -> None:
    with pytest.raises(MalformedCalldata):
        decoded(SMART_ROUTER, calldata(STABLE_IN_SIGNATURE, coins, flags, 11, 22, FRIEND))


def test_universal_router_has_a_command_map_of_its_own() -> None:
    swap = (V3_IN, (TO_ROUTER, 11, 22, path(USDC, 500, WETH), True))
    inner = (bytes([V3_IN]), [command_input("ur1.2", *swap)])
    plan = encode(["bytes", "bytes[]"], inner)
    call = executed(
        swap, (SUB_PLAN, plan), (NFT_CHECK, b"owner"), (APPROVE, b"approval"), (V2_IN, (FRIEND, BALANCE, 33, [WETH, DAI], False))
    )
    names = ("V3_SWAP_EXACT_IN", "EXECUTE_SUB_PLAN", "V3_SWAP_EXACT_IN", "OWNER_CHECK_721", "APPROVE_ERC20", "V2_SWAP_EXACT_IN")
    assert call.commands == ("execute", *names)
    assert call.intents[2].size == BalanceIn(0, (0, 1), 33)
    assert [intent.hops[0].protocol for intent in call.intents] == ["pancake_v3", "pancake_v3", "pancake_v2"]
    assert call.completeness is Completeness.EXACT


def test_stable_commands_are_partial_and_pass_their_output_on() -> None:
    call = executed(
        (STABLE_IN, (TO_ROUTER, 11, 22, [USDC, USDT], [2], True)),
        (STABLE_IN, (TO_ROUTER, BALANCE, 33, [USDT, DAI], [3], False)),
        (V2_IN, (FRIEND, BALANCE, 44, [DAI, WETH], False)),
        (STABLE_OUT, (TO_SENDER, 55, 66, [USDC, DAI], [2], True)),
    )
    sizes = [ExactIn(11, 22), BalanceIn(0, (0,), 33), BalanceIn(0, (1,), 44), ExactOut(55, 66)]
    assert [intent.size for intent in call.intents] == sizes
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, HIDDEN)
    assert call.intents[2].completeness is Completeness.EXACT
    assert [intent.recipient for intent in call.intents] == [UNIVERSAL_ROUTER, UNIVERSAL_ROUTER, FRIEND, SENDER]


def test_stable_command_takes_what_the_router_pays_from_its_balance() -> None:
    swap = (V3_IN, (TO_ROUTER, 11, 22, path(USDC, 500, WETH), True))
    rest = (V2_IN, (FRIEND, BALANCE, 33, [WETH, DAI], False))
    paid = (STABLE_IN, (TO_SENDER, 5, 0, [WETH, USDT], [2], False))
    assert executed((WRAP, (TO_ROUTER, 20)), paid, rest, value_wei=20).intents[1].size == BalanceIn(15, (), 33)
    bought = (STABLE_OUT, (TO_SENDER, 5, 9, [WETH, USDT], [2], False))
    assert executed(swap, bought, rest).intents[2].completeness is Completeness.AMOUNT_UNKNOWN


def relengthened(codes: bytes, inputs: list[bytes], number: int, length: int) -> bytes:
    """The plan as an encoder makes it, with another length stated for one of its inputs."""
    data = calldata("execute(bytes,bytes[])", codes, inputs)
    start, _ = item_at(data, 36 + word_at(data, 36), number)
    return data[: start - 32] + length.to_bytes(32) + data[start:]


@pytest.mark.parametrize("length", [0, 31, 32, 64])
def test_words_beyond_an_inputs_stated_length_are_read(length: int) -> None:
    codes, inputs = bytes([WRAP, V2_IN]), [encode(["address", "uint256"], (TO_ROUTER, 5)), sell_pair()]
    assert decoded(UNIVERSAL_ROUTER, relengthened(codes, inputs, 0, length)).intents[0].size == BalanceIn(5, (), 9)


def sell_pair() -> bytes:
    return command_input("ur1.2", V2_IN, (TO_SENDER, BALANCE, 9, [WETH, USDC], False))


@pytest.mark.parametrize(
    ("code", "data", "least"),
    [
        (STABLE_IN, stable((TO_SENDER, 5, 9, [USDC, USDT], [2], True)), 10 * 32 + 1),
        (V2_IN, command_input("ur1.2", V2_IN, (TO_SENDER, 5, 9, [WETH, USDC], True)), 6 * 32 + 2),
        (V3_IN, command_input("ur1.2", V3_IN, (TO_SENDER, 5, 9, path(USDC, 500, WETH), True)), 6 * 32 + 43),
    ],
)
def test_lists_must_end_inside_their_input_where_items_count_as_bytes(code: int, data: bytes, least: int) -> None:
    assert decoded(UNIVERSAL_ROUTER, relengthened(bytes([code]), [data], 0, least)).intents[0].size == ExactIn(5, 9)
    with pytest.raises(MalformedCalldata, match="ends behind its input"):
        decoded(UNIVERSAL_ROUTER, relengthened(bytes([code]), [data], 0, least - 1))


def test_plan_in_a_plan_is_read_beyond_the_length_of_its_inputs_too() -> None:
    inner = relengthened(bytes([WRAP, V2_IN]), [encode(["address", "uint256"], (TO_ROUTER, 5)), sell_pair()], 0, 32)
    call = decoded(UNIVERSAL_ROUTER, calldata("execute(bytes,bytes[])", bytes([SUB_PLAN]), [inner[4:]]), 5)
    # The router passes nothing of what stood between an input's early end and the next one: the amount is that one's length.
    assert call.intents[0].size == BalanceIn(len(sell_pair()), (), 9)


def test_minimum_of_a_sweep_has_160_bits() -> None:
    swap = (V2_IN, (TO_ROUTER, 5, 1, [USDC, WETH], True))
    assert executed(swap, (SWEEP, (WETH, TO_SENDER, (1 << 160) + 9))).intents[0].size == ExactIn(5, 9)


def test_list_of_permit2_transfers_is_read_strictly() -> None:
    batch = encode(["(address,address,uint160,address)[]"], [[(SENDER, UNIVERSAL_ROUTER, 7, USDC)]])
    codes = bytes([TRANSFER_FROM_BATCH])
    assert decoded(UNIVERSAL_ROUTER, relengthened(codes, [batch], 0, len(batch))).completeness is Completeness.NOT_A_SWAP
    with pytest.raises(MalformedCalldata):
        decoded(UNIVERSAL_ROUTER, relengthened(codes, [batch], 0, len(batch) - 1))
