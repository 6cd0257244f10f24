"""0x ExchangeProxy: its own swaps, the multiplex, and quotes that transformers fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, decode
from mempool.decode.tables import RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn, SwapIntent, Take
from tests.decode.calls import DAI, ETHER, FRIEND, SENDER, USDC, WETH, calldata, path, tables
from tests.decode.zerox_blocks import recorded, swap_pools

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]
PROXY = bytes.fromhex("def1c0ded9bec7f1a1670819833240f027b25eff")
V2_ROUTER = bytes.fromhex("7a250d5630b4cf539739df2c5dacb4c659f2488d")
V3_ROUTER = bytes.fromhex("e592427a0aece92de3edee1f18e0157c05861564")
NATIVE_SIGN = b"\xee" * 20
MAKER = b"\x3a" * 20
ALL = 2**256 - 1
FRACTION = 2**255

SELL_TO_UNISWAP = "sellToUniswap(address[],uint256,uint256,bool)"
BATCH = "multiplexBatchSellTokenForToken(address,address,(uint8,uint256,bytes)[],uint256,uint256)"
MULTI_HOP = "multiplexMultiHopSellTokenForToken(address[],(uint8,bytes)[],uint256,uint256)"
TRANSFORM = "transformERC20(address,address,uint256,uint256,(uint32,bytes)[])"
OTC_ORDER = "(address,address,uint128,uint128,address,address,address,uint256)"
SIGNATURE = "(uint8,uint8,bytes32,bytes32)"
QUOTE = (
    "(uint8,address,address,(bytes32,uint256,uint256,bytes)[],"
    f"((address,address,uint128,uint128,uint128,address,address,address,address,bytes32,uint64,uint256),{SIGNATURE},uint256)[],"
    f"((address,address,uint128,uint128,address,address,address,bytes32,uint64,uint256),{SIGNATURE},uint256)[],"
    f"uint8[],uint256,address,({OTC_ORDER},{SIGNATURE},uint256)[])"
)


def example(chain: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token = next(each for each in chain.tokens if each != chain.wrapped_native)
    return calldata(SELL_TO_UNISWAP, [NATIVE_SIGN, token], ETHER, 5, False), ETHER


EXAMPLES: dict[str, Example] = {"zerox_exchange_proxy": example}


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), PROXY, data, value_wei, SENDER)
    assert call is not None
    return call


def single(data: bytes, value_wei: int = 0) -> SwapIntent:
    (intent,) = decoded(data, value_wei).intents
    return intent


def pair(fork: str, token: bytes, other_token: bytes) -> bytes:
    return tables().factories[fork].hop(token, other_token, 3000).pool


@pytest.mark.parametrize(("is_sushi", "fork"), [(False, "uniswap_v2"), (True, "sushi_v2")])
def test_sell_to_uniswap_trades_on_the_pairs_of_the_fork_that_the_flag_names(is_sushi: bool, fork: str) -> None:
    intent = single(calldata(SELL_TO_UNISWAP, [DAI, WETH, USDC], 11, 22, is_sushi))
    assert [hop.pool for hop in intent.hops] == [pair(fork, DAI, WETH), pair(fork, WETH, USDC)]
    assert (intent.size, intent.recipient, intent.completeness) == (ExactIn(11, 22), SENDER, Completeness.EXACT)


def test_sushi_pairs_are_where_the_factory_put_them() -> None:
    assert pair("sushi_v2", USDC, WETH).hex() == "397ff1542f962076d0bfe58ea045ffa2d347aca0"


def test_sell_to_uniswap_takes_its_sign_for_the_native_coin_as_wrapped() -> None:
    intent = single(calldata(SELL_TO_UNISWAP, [NATIVE_SIGN, USDC], ETHER, 22, False), ETHER)
    assert (intent.token_in, intent.token_out, intent.size) == (WETH, USDC, ExactIn(ETHER, 22))
    intent = single(calldata(SELL_TO_UNISWAP, [USDC, NATIVE_SIGN], 11, 22, False))
    assert (intent.token_in, intent.token_out, intent.recipient) == (USDC, WETH, SENDER)


@pytest.mark.parametrize(
    ("tokens", "value_wei"), [([NATIVE_SIGN, USDC], 1), ([DAI, USDC], 11), ([DAI], 0), ([], 0), ([DAI, DAI], 0)]
)
def test_sell_to_uniswap_reverts_without_a_path_or_with_another_value(tokens: list[bytes], value_wei: int) -> None:
    with pytest.raises(MalformedCalldata):
        decoded(calldata(SELL_TO_UNISWAP, tokens, 11, 22, False), value_wei)


def test_sell_to_pancake_is_partial_where_the_chain_has_no_such_fork() -> None:
    signature = "sellToPancakeSwap(address[],uint256,uint256,uint8)"
    intent = single(calldata(signature, [DAI, USDC], 11, 22, 1))
    assert (intent.completeness, intent.token_in, intent.token_out) == (Completeness.PARTIAL, DAI, USDC)
    with pytest.raises(MalformedCalldata, match="no fork 8"):
        decoded(calldata(signature, [DAI, USDC], 11, 22, 8))


def test_v3_sells_along_a_packed_path_for_the_recipient_or_else_the_sender() -> None:
    along = path(DAI, 100, USDC, 500, WETH)
    intent = single(calldata("sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)", along, 11, 22, bytes(20)))
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, WETH, ExactIn(11, 22), SENDER)
    intent = single(calldata("sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)", along, 11, 22, FRIEND))
    assert (len(intent.hops), intent.recipient) == (2, FRIEND)
    eth = calldata("sellEthForTokenToUniswapV3(bytes,uint256,address)", path(WETH, 500, USDC), 22, FRIEND)
    assert single(eth, ETHER).size == ExactIn(ETHER, 22)


@pytest.mark.parametrize("cut", [1, 20, 22])
def test_v3_path_that_does_not_end_with_a_token_reverts(cut: int) -> None:
    along = path(DAI, 100, USDC, 500, WETH)[:-cut]
    with pytest.raises(MalformedCalldata, match="does not end with a token"):
        decoded(calldata("sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)", along, 11, 22, SENDER))


def test_paths_of_the_native_functions_begin_or_end_with_the_wrapped_coin() -> None:
    with pytest.raises(MalformedCalldata, match="does not begin"):
        decoded(calldata("sellEthForTokenToUniswapV3(bytes,uint256,address)", path(DAI, 100, USDC), 22, FRIEND), 5)
    with pytest.raises(MalformedCalldata, match="does not end with the wrapped"):
        decoded(calldata("sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)", path(DAI, 100, USDC), 1, 2, FRIEND))


def test_provider_and_orders_are_partial_with_tokens_and_amounts() -> None:
    provider = calldata(
        "sellToLiquidityProvider(address,address,address,address,uint256,uint256,bytes)", DAI, USDC, MAKER, FRIEND, 11, 22, b""
    )
    intent = single(provider)
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), FRIEND)
    order = (USDC, DAI, 2000, 1000, MAKER, SENDER, SENDER, 0)
    intent = single(calldata(f"fillOtcOrder({OTC_ORDER},{SIGNATURE},uint128)", order, (2, 27, bytes(32), bytes(32)), 500))
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out) == ("zerox_rfq", DAI, USDC)
    assert (intent.size, intent.completeness) == (ExactIn(500, 1000), Completeness.PARTIAL)


META = "(address,address,uint256,uint256,uint256,uint256,bytes,uint256,address,uint256)"
META_V2 = "(address,address,uint256,uint256,bytes,address,(address,uint256)[])"


def test_a_meta_transaction_runs_as_its_signers() -> None:
    inner = calldata(SELL_TO_UNISWAP, [DAI, USDC], 11, 22, False)
    first = (MAKER, SENDER, 0, 0, 1_700_000_000, 0, inner, 0, DAI, 3)
    second: tuple[Any, ...] = (MAKER, bytes(20), 1_700_000_000, 0, inner, DAI, [])
    for data in (
        calldata(f"executeMetaTransaction({META},{SIGNATURE})", first, (2, 27, bytes(32), bytes(32))),
        calldata(f"batchExecuteMetaTransactionsV2({META_V2}[],{SIGNATURE}[])", [second], [(2, 27, bytes(32), bytes(32))]),
    ):
        intent = single(data)
        assert (intent.function, intent.recipient, intent.deadline) == ("sellToUniswap", MAKER, 1_699_999_999)
    other = calldata(
        f"executeMetaTransactionV2({META_V2},{SIGNATURE})", (MAKER, FRIEND, *second[2:]), (2, 27, bytes(32), bytes(32))
    )
    with pytest.raises(MalformedCalldata, match="another sender"):
        decoded(other)


def v2_part(*tokens: bytes, is_sushi: bool = False) -> bytes:
    return encode(["address[]", "bool"], [tokens, is_sushi])


def test_batch_sells_stated_amounts_and_parts_of_the_whole_up_to_what_is_left() -> None:
    parts = [(3, 300, v2_part(DAI, USDC)), (4, FRACTION + ETHER // 2, path(DAI, 100, USDC)), (3, 900, v2_part(DAI, WETH, USDC))]
    call = decoded(calldata(BATCH, DAI, USDC, parts, 1000, 77))
    assert [intent.size for intent in call.intents] == [ExactIn(300, 0), ExactIn(500, 0), ExactIn(200, 0)]
    assert all(intent.allow_revert for intent in call.intents), "the last part would make good for another"
    exact = decoded(calldata(BATCH, DAI, USDC, [(3, 400, v2_part(DAI, USDC)), (4, 600, path(DAI, 100, USDC))], 1000, 77))
    assert not any(intent.allow_revert for intent in exact.intents)
    assert exact.joint_minimums == (BalanceIn(0, (0, 1), 77),)


def test_batch_of_one_part_keeps_the_minimum() -> None:
    assert single(calldata(BATCH, DAI, USDC, [(3, 1000, v2_part(DAI, USDC))], 1000, 77)).size == ExactIn(1000, 77)


def test_multi_hop_sells_each_output_on() -> None:
    parts = [(3, v2_part(DAI, WETH)), (4, path(WETH, 500, USDC))]
    call = decoded(calldata(MULTI_HOP, [DAI, WETH, USDC], parts, 1000, 77))
    assert [intent.size for intent in call.intents] == [ExactIn(1000, 0), BalanceIn(0, (0,), 77)]
    assert call.intents[-1].recipient == SENDER


def test_batch_inside_a_path_sells_parts_of_what_came_before() -> None:
    inner = encode(
        ["(uint8,uint256,bytes)[]"],
        [[(3, FRACTION + ETHER // 4, v2_part(WETH, USDC)), (4, FRACTION + ETHER, path(WETH, 500, USDC))]],
    )
    call = decoded(calldata(MULTI_HOP, [DAI, WETH, USDC], [(3, v2_part(DAI, WETH)), (7, inner)], 1000, 77))
    quarter = Take(0, ETHER // 4, ETHER)
    assert call.intents[1].size == BalanceIn(0, (0,), 0, (), quarter)
    assert call.intents[2].size == BalanceIn(0, (0,), 0, (quarter,))
    assert call.completeness is Completeness.EXACT


def test_path_inside_a_batch_is_followed() -> None:
    inner = encode(["address[]", "(uint8,bytes)[]"], [[DAI, WETH, USDC], [(3, v2_part(DAI, WETH)), (3, v2_part(WETH, USDC))]])
    call = decoded(calldata(BATCH, DAI, USDC, [(8, 1000, inner)], 1000, 77))
    assert [intent.size for intent in call.intents] == [ExactIn(1000, 0), BalanceIn(0, (0,), 77)]


def test_multiplex_reverts_on_what_it_does_not_know() -> None:
    for data in (
        calldata(BATCH, DAI, USDC, [(0, 1000, b"")], 1000, 77),
        calldata(BATCH, DAI, USDC, [(3, 1000, v2_part(DAI, WETH))], 1000, 77),
        calldata(MULTI_HOP, [DAI, USDC], [], 1000, 77),
        calldata(MULTI_HOP, [DAI, USDC], [(6, b"")], 1000, 77),
    ):
        with pytest.raises(MalformedCalldata):
            decoded(data)


def source(number: int, name: bytes) -> bytes:
    return number.to_bytes(16) + name.ljust(16, b"\0")


def quote(tokens: tuple[bytes, bytes], orders: list[tuple[bytes, int, int, bytes]], fill_amount: int, side: int = 0) -> bytes:
    sequence = [0] * len(orders)
    return encode([QUOTE], [(side, *tokens, orders, [], [], sequence, fill_amount, bytes(20), [])])


def pay_taker(*tokens: bytes) -> bytes:
    return encode(["(address[],uint256[])"], [(tokens, [])])


V3_BRIDGE = source(18, b"UniswapV3")
V2_BRIDGE = source(2, b"SushiSwap")


def transformed(tokens: tuple[bytes, bytes], amount: int, steps: list[bytes], value_wei: int = 0) -> DecodedCall:
    return decoded(calldata(TRANSFORM, *tokens, amount, 77, [(index, step) for index, step in enumerate(steps)]), value_wei)


def v3_order(taker: int, *along: bytes | int) -> tuple[bytes, int, int, bytes]:
    return (V3_BRIDGE, taker, 5, encode(["address", "bytes"], [V3_ROUTER, path(*along)]))


def test_transform_wraps_fills_pays_a_fee_and_keeps_the_minimum_before_it() -> None:
    steps = [
        encode(["address", "uint256"], [NATIVE_SIGN, ETHER]),
        quote((WETH, USDC), [v3_order(ETHER, WETH, 500, USDC)], ETHER),
        encode(["(address,uint256,address)[]"], [[(USDC, 3, FRIEND)]]),
        pay_taker(WETH, NATIVE_SIGN),
    ]
    (intent,) = transformed((NATIVE_SIGN, USDC), ETHER, steps, ETHER).intents
    assert (intent.token_in, intent.token_out, intent.size) == (WETH, USDC, ExactIn(ETHER, 80))
    assert intent.completeness is Completeness.EXACT


def test_transform_sells_the_balance_that_the_quote_before_brought() -> None:
    second = (V2_BRIDGE, ALL, 5, encode(["address", "address[]"], [V2_ROUTER, [WETH, USDC]]))
    steps = [quote((DAI, WETH), [v3_order(900, DAI, 500, WETH)], 900), quote((WETH, USDC), [second], ALL), pay_taker(DAI)]
    call = transformed((DAI, USDC), 900, steps)
    assert [intent.size for intent in call.intents] == [ExactIn(900, 1), BalanceIn(0, (0,), 77)]
    assert call.completeness is Completeness.EXACT


def test_orders_of_a_quote_fill_until_its_amount_is_sold_and_may_fail_where_others_stand_by() -> None:
    orders = [v3_order(600, DAI, 100, USDC), v3_order(600, DAI, 500, USDC), v3_order(900, DAI, 3000, USDC)]
    call = transformed((DAI, USDC), 1000, [quote((DAI, USDC), orders, 1000)])
    assert [intent.size for intent in call.intents] == [ExactIn(600, 1), ExactIn(400, 1)]
    assert all(intent.allow_revert for intent in call.intents)


def test_a_quote_to_buy_sells_what_its_price_asks_rounding_up() -> None:
    (intent,) = transformed((DAI, USDC), 1000, [quote((DAI, USDC), [v3_order(900, DAI, 100, USDC)], 4, 1)]).intents
    assert intent.size == ExactIn(720, 77)


def test_curve_and_balancer_bridges_name_their_pools_and_others_hide_them() -> None:
    curve = (source(1, b"Curve"), 10, 5, encode(["address", "bytes4", "int128", "int128"], [MAKER, b"abcd", 0, 1]))
    balancer = (source(17, b"BalancerV2"), 10, 5, encode(["address", "bytes32"], [MAKER, b"\x11" * 32]))
    hidden = (source(31, b"WOOFi"), 10, 5, b"")
    call = transformed((DAI, USDC), 30, [quote((DAI, USDC), [curve, balancer, hidden], 30)])
    assert [(intent.hops[0].protocol, intent.hops[0].pool) for intent in call.intents] == [
        ("curve", MAKER),
        ("balancer_v2", b"\x11" * 32),
        ("woofi", b""),
    ]
    assert [intent.completeness for intent in call.intents] == [Completeness.EXACT, Completeness.EXACT, Completeness.PARTIAL]


def test_a_transformer_that_is_not_understood_leaves_tokens_amount_and_minimum() -> None:
    for step in (b"", b"\x01" * 64, b"\xff" * 400):
        (intent,) = transformed((DAI, USDC), 1000, [step]).intents
        assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(1000, 77))
        assert (intent.completeness, intent.recipient) == (Completeness.PARTIAL, SENDER)


@pytest.mark.shared
def test_real_calls_trade_on_the_pools_that_logged_swaps_in_that_order(shared_data: Path) -> None:
    calls = list(recorded(shared_data, PROXY))
    for transaction, receipt, call in calls:
        if receipt["status"] == "0x1":
            pools = [hop.pool for intent in call.intents for hop in intent.hops if hop.pool]
            assert pools == swap_pools(receipt), transaction["hash"]
    words = [call.completeness for _, _, call in calls]
    assert (words.count(Completeness.EXACT), words.count(Completeness.PARTIAL), len(words)) == (4, 2, 6)
