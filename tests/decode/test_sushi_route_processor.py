"""Route processors' byte programs, assembled here by hand, and the RedSnwapper that carries them."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, decode
from mempool.decode.ledger import NATIVE
from mempool.decode.tables import RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, Take
from tests.decode.calls import DAI, ETHER, FRIEND, SENDER, USDC, WETH, calldata, tables

ROUTE = "(address,uint256,address,uint256,address,bytes)"
VALUE_ROUTE = "(address,uint256,address,uint256,address,uint256,address,bytes)"
SNWAP = "snwap(address,uint256,address,address,uint256,address,bytes)"
SNWAP_MULTIPLE = "snwapMultiple((address,uint256,address)[],(address,address,uint256)[],(address,uint256,bytes)[])"
PROCESSORS = {
    "3": bytes.fromhex("827179dd56d07a7eea32e3873493835da2866976"),
    "4": bytes.fromhex("e43ca1dee3f0fc1e2df73a0745674545f11a59f5"),
    "5": bytes.fromhex("f2614a233c7c3e7f08b1f887ba133a13f1eb2c55"),
}
RED_SNWAPPER = bytes.fromhex("ac4c6e212a361c968f1725b4d055b47e63f80b75")
PAIR = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
SUSHI_PAIR = bytes.fromhex("397ff1542f962076d0bfe58ea045ffa2d347aca0")
POOL = bytes.fromhex("88e6a0c2ddd26feeb64f039a2c41296fcb3f5640")
STRANGER = b"\x99" * 20
ALIAS = b"\xee" * 20
MY_TOKENS, USER_TOKENS, MY_NATIVE, ONE_POOL, BENTO, PERMIT = (bytes([code]) for code in range(1, 7))
ALL = b"\xff\xff"
HALF = (32_768).to_bytes(2)


def pair_step(pool: bytes, to: bytes, *, direction: int, fee_pips: int = 3000) -> bytes:
    return b"\x00" + pool + bytes([direction]) + to + fee_pips.to_bytes(3)


def v3_step(pool: bytes, to: bytes, *, zero_for_one: bool) -> bytes:
    return b"\x01" + pool + bytes([zero_for_one]) + to


def wrap_step(to: bytes, wrapped: bytes = WETH) -> bytes:
    return b"\x02\x01" + to + wrapped


def unwrap_step(to: bytes) -> bytes:
    return b"\x02\x00" + to


def processed(version: str, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), PROCESSORS[version], data, value_wei, SENDER)
    assert call is not None
    return call


def route_call(program: bytes, tokens: tuple[bytes, bytes] = (USDC, WETH), minimum: int = 7, to: bytes = FRIEND) -> bytes:
    return calldata("processRoute" + ROUTE, tokens[0], 1000, tokens[1], minimum, to, program)


def example_route(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    """Sells the second listed token for the wrapped native one at one V3 pool."""
    token_out, token_in = list(chain.tokens)[:2]
    identity = chain.pool_identity("uniswap_v3", token_in, token_out, 500)
    program = USER_TOKENS + token_in + b"\x01" + ALL + v3_step(identity.address, SENDER, zero_for_one=token_in < token_out)
    return calldata("processRoute" + ROUTE, token_in, 10**6, token_out, 1, SENDER, program), 0


def example_snwap(chain: DecodeTables, router: RouterTable) -> tuple[bytes, int]:
    """The same through an executor that is not known."""
    token_out, token_in = list(chain.tokens)[:2]
    return calldata(SNWAP, token_in, 10**6, SENDER, token_out, 1, STRANGER, b"\x01\x02\x03\x04"), 0


EXAMPLES = {
    "sushi_route_processor_3": example_route,
    "sushi_route_processor_4": example_route,
    "sushi_route_processor_5": example_route,
    "sushi_red_snwapper": example_snwap,
}


@pytest.mark.parametrize("version", PROCESSORS)
def test_swap_of_the_senders_token_in_one_v3_pool_is_exact(version: str) -> None:
    program = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, FRIEND, zero_for_one=True)
    call = processed(version, route_call(program))
    (intent,) = call.intents
    assert (call.completeness, intent.size, intent.recipient) == (Completeness.EXACT, ExactIn(1000, 7), FRIEND)
    (hop,) = intent.hops
    assert (hop.pool, hop.token_in, hop.token_out, hop.fee_pips, hop.kind) == (POOL, USDC, WETH, 500, "uniswap_v3")
    assert call.commands == ("processRoute", "swapUniV3")


def test_pair_step_has_a_fee_since_version_4() -> None:
    step = pair_step(PAIR, FRIEND, direction=1)
    program = USER_TOKENS + USDC + b"\x01" + ALL
    for version, whole in (("3", program + step[:-3]), ("4", program + step), ("5", program + step)):
        (intent,) = processed(version, route_call(whole)).intents
        assert (intent.hops[0].pool, intent.hops[0].fee_pips, intent.hops[0].kind) == (PAIR, 3000, "uniswap_v2")
        assert intent.measures_received
        assert (intent.token_in, intent.token_out) == (USDC, WETH)
    # The three bytes of a fee are a command that version 3 does not have.
    with pytest.raises(MalformedCalldata, match="has no command 0"):
        processed("3", route_call(program + step))


def test_pair_whose_output_is_reckoned_with_another_fee_is_not_simulated() -> None:
    program = USER_TOKENS + USDC + b"\x01" + ALL + pair_step(PAIR, FRIEND, direction=1, fee_pips=2500)
    (intent,) = processed("5", route_call(program)).intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.kind, hop.fee_pips) == ("uniswap_v2", "", 2500)


def test_shares_are_of_what_the_pools_before_left() -> None:
    pools = pair_step(PAIR, FRIEND, direction=1) + ALL + pair_step(SUSHI_PAIR, FRIEND, direction=1)
    call = processed("4", route_call(USER_TOKENS + USDC + b"\x02" + HALF + pools))
    first = 1000 * 32_768 // 65_535
    assert [intent.size for intent in call.intents] == [ExactIn(first, 0), ExactIn(1000 - first, 0)]
    (joint,) = call.joint_minimums
    assert (joint.sources, joint.min_amount_out) == ((0, 1), 7)


def test_product_of_amount_and_share_wraps_as_in_the_contract() -> None:
    amount = (1 << 256) - 1
    pools = v3_step(POOL, FRIEND, zero_for_one=True)
    data = calldata("processRoute" + ROUTE, USDC, amount, WETH, 0, FRIEND, USER_TOKENS + USDC + b"\x01" + ALL + pools)
    (intent,) = processed("4", data).intents
    assert intent.size == ExactIn(amount * 65_535 % (1 << 256) // 65_535, 0)


def test_native_coin_is_wrapped_into_the_pair_that_is_then_swapped() -> None:
    program = MY_NATIVE + b"\x01" + ALL + wrap_step(PAIR) + ONE_POOL + WETH + pair_step(PAIR, FRIEND, direction=0)
    for version in ("4", "5"):
        call = processed(version, route_call(program, (ALIAS, USDC)), ETHER)
        (intent,) = call.intents
        assert (call.completeness, intent.size) == (Completeness.EXACT, BalanceIn(ETHER, (), 7))
        assert (intent.token_in, intent.token_out, intent.hops[0].pool) == (WETH, USDC, PAIR)
        assert call.commands == ("processRoute", "wrapNative", "swapUniV2")


def test_output_that_the_next_pair_receives_is_its_input() -> None:
    first = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, SUSHI_PAIR, zero_for_one=True)
    call = processed("4", route_call(first + ONE_POOL + WETH + pair_step(SUSHI_PAIR, FRIEND, direction=0), (USDC, USDC)))
    assert [intent.size for intent in call.intents] == [ExactIn(1000, 0), BalanceIn(0, (0,), 7)]
    assert [(intent.token_in, intent.token_out) for intent in call.intents] == [(USDC, WETH), (WETH, USDC)]


def test_processor_shares_out_what_it_received() -> None:
    router = PROCESSORS["5"]
    program = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, router, zero_for_one=True)
    program += (
        MY_TOKENS + WETH + b"\x02" + HALF + pair_step(STRANGER, FRIEND, direction=1) + ALL + pair_step(PAIR, FRIEND, direction=0)
    )
    call = processed("5", route_call(program, (USDC, DAI)))
    half = Take(0, 32_768, 65_535)
    first, second, third = call.intents
    assert (first.token_out, first.recipient) == (WETH, router)
    assert second.size == BalanceIn(0, (0,), 0, (), half)
    assert third.size == BalanceIn(0, (0,), 0, (half,))
    assert (second.token_out, second.hops[0].protocol) == (DAI, "uniswap_v2_unlisted")


def test_unwrapped_output_carries_the_minimum() -> None:
    for version, router in PROCESSORS.items():
        program = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, router, zero_for_one=True)
        program += MY_TOKENS + WETH + b"\x01" + ALL + unwrap_step(FRIEND)
        (intent,) = processed(version, route_call(program, (USDC, ALIAS))).intents
        assert intent.size == ExactIn(1000, 7)
        assert intent.recipient == router


def test_value_goes_out_before_the_route() -> None:
    program = MY_NATIVE + b"\x01" + ALL + wrap_step(PAIR) + ONE_POOL + WETH + pair_step(PAIR, FRIEND, direction=0)
    data = calldata("transferValueAndprocessRoute" + VALUE_ROUTE, STRANGER, 10, ALIAS, ETHER - 10, USDC, 7, FRIEND, program)
    for version in ("4", "5"):
        (intent,) = processed(version, data, ETHER).intents
        assert intent.size == BalanceIn(ETHER - 10, (), 7)


def test_part_of_the_input_or_of_the_output_goes_to_another() -> None:
    name = "processRouteWithTransferValue"
    program = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, FRIEND, zero_for_one=True)
    (intent,) = processed("5", calldata(f"{name}Input{VALUE_ROUTE}", STRANGER, 10, USDC, 990, WETH, 7, FRIEND, program)).intents
    assert (intent.size, intent.recipient) == (ExactIn(990, 7), FRIEND)
    inside = program.replace(FRIEND, PROCESSORS["5"])
    (intent,) = processed("5", calldata(f"{name}Output{VALUE_ROUTE}", STRANGER, 10, USDC, 990, WETH, 7, FRIEND, inside)).intents
    assert (intent.size, intent.recipient) == (ExactIn(990, 7), PROCESSORS["5"])


def test_unknown_pool_whose_output_nothing_names_leaves_its_token_unknown() -> None:
    program = USER_TOKENS + USDC + b"\x01" + ALL + v3_step(STRANGER, b"\x77" * 20, zero_for_one=False)
    call = processed("4", route_call(program))
    (intent,) = call.intents
    assert (call.completeness, intent.token_in, intent.token_out) == (Completeness.TOKENS_UNKNOWN, USDC, b"")
    assert intent.hops[0].zero_for_one is False


def test_curve_step_names_both_tokens_and_the_native_coin_by_zeros() -> None:
    program = MY_NATIVE + b"\x01" + ALL + b"\x05" + STRANGER + b"\x00\x00\x01" + FRIEND + DAI
    (intent,) = processed("4", route_call(program, (ALIAS, DAI)), 55).intents
    assert (intent.token_in, intent.token_out, intent.hops[0].protocol) == (NATIVE, DAI, "curve")
    assert intent.size == BalanceIn(55, (), 7)
    with pytest.raises(MalformedCalldata, match="has no pool type 5"):
        processed("3", route_call(program, (ALIAS, DAI)), 55)


def test_permit_is_no_step_and_bento_leaves_amounts_open() -> None:
    data = (96).to_bytes(32) + bytes(12) + USDC + bytes(12) + FRIEND + bytes(32)
    program = PERMIT + bytes(129) + USER_TOKENS + USDC + b"\x01" + ALL + b"\x03\x01" + STRANGER
    program += ONE_POOL + USDC + b"\x04" + STRANGER + data
    call = processed("4", route_call(program))
    (intent,) = call.intents
    assert (call.completeness, intent.reason, intent.recipient) == (
        Completeness.AMOUNT_UNKNOWN,
        "sells shares of BentoBox",
        FRIEND,
    )
    assert call.commands == ("processRoute", "bentoBridge", "swapTrident")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"\x07", "has no command 7"),
        (USER_TOKENS + USDC + b"\x01" + ALL + b"\x09", "has no pool type 9"),
        (USER_TOKENS + USDC + b"\x01" + ALL + b"\x01" + POOL[:4], "ends inside a step"),
        (ONE_POOL + USDC + v3_step(POOL, FRIEND, zero_for_one=True), "asked to swap nothing"),
        (ONE_POOL + USDC + b"\x04" + STRANGER + b"\xff" * 32, "ends inside a step"),
    ],
)
def test_program_that_the_processor_reverts_on_is_malformed(program: bytes, reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason) as caught:
        processed("4", route_call(program))
    assert not caught.value.refused


def test_endless_program_is_refused() -> None:
    step = ONE_POOL + USDC + pair_step(PAIR, FRIEND, direction=1)
    for program in (step * 300, (USER_TOKENS + USDC + b"\x00") * 3000):
        with pytest.raises(MalformedCalldata, match="256 commands") as caught:
            processed("4", route_call(program))
        assert caught.value.refused


def test_snwap_is_followed_into_a_listed_processor() -> None:
    program = MY_TOKENS + USDC + b"\x01" + ALL + v3_step(POOL, FRIEND, zero_for_one=True)
    inner = calldata("processRoute" + ROUTE, USDC, 0, WETH, 0, FRIEND, program)
    data = calldata(SNWAP, USDC, 1000, FRIEND, WETH, 9, PROCESSORS["5"], inner)
    call = decode(tables(), RED_SNWAPPER, data, 0, SENDER)
    assert call is not None
    (intent,) = call.intents
    assert (call.completeness, intent.size, intent.router) == (
        Completeness.EXACT,
        BalanceIn(1000, (), 9),
        "sushi_route_processor_5",
    )


def test_snwap_by_a_strange_executor_is_partial() -> None:
    for data, value_wei, token_in, amount in (
        (calldata(SNWAP, USDC, 1000, FRIEND, WETH, 9, STRANGER, b"\x01" * 40), 0, USDC, 1000),
        (calldata(SNWAP, ALIAS, 0, FRIEND, WETH, 9, STRANGER, b""), 77, NATIVE, 77),
        (calldata(SNWAP_MULTIPLE, [(USDC, 1000, STRANGER)], [(WETH, FRIEND, 9)], [(STRANGER, 0, b"")]), 0, USDC, 1000),
    ):
        call = decode(tables(), RED_SNWAPPER, data, value_wei, SENDER)
        assert call is not None
        (intent,) = call.intents
        assert (call.completeness, intent.size, intent.recipient) == (Completeness.PARTIAL, ExactIn(amount, 9), FRIEND)
        assert (intent.token_in, intent.token_out, intent.hops[0].pool) == (token_in, WETH, b"")


def test_several_inputs_of_strange_executors_are_opaque() -> None:
    inputs = [(USDC, 1000, STRANGER), (DAI, 5, STRANGER)]
    call = decode(tables(), RED_SNWAPPER, calldata(SNWAP_MULTIPLE, inputs, [(WETH, FRIEND, 9)], [(STRANGER, 0, b"")]), 0, SENDER)
    assert call is not None
    assert call.completeness is Completeness.OPAQUE
