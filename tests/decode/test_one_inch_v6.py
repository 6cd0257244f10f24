"""1inch's router v6: words of three protocols, native swaps, orders by traits, and mined swaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.decode.tables import PoolCoins
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut, Size
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call
from tests.decode.packed_words import (
    ETH,
    NATIVE,
    PART,
    TOKEN,
    UNLISTED,
    V2_DAI_WETH,
    V2_USDC_WETH,
    V3_DAI_USDC,
    V3_USDC_WETH,
    V6_CURVE,
    V6_TOKEN0_IN,
    V6_UNWRAP,
    V6_V3,
    Example,
    decoded_at,
    mined_amounts_in,
    v2_word_of,
    word,
)

V6 = bytes.fromhex("111111125421ca6dc452d289314280a0f8842a65")
SWAP = "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes)"
ORDER = "(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)"
WORDS = "uint256"
NOT_WRAPPED = 1 << 251
WITHDRAWS = 1 << 246
COINS, UNDERLYING, BASE_COINS = 8, 16, 0
MAKERS_AMOUNT, HAS_TARGET = 1 << 255, 1 << 251
CURVE_POOL = b"\xcc" * 20
MINED = [
    (19426586, "0x5737d089e7368d2b5a86e235943073de8a7c16aa1d5f821e6b83b621840f7506"),
    (19932703, "0x15da8eab32fab7ebac33b1b9205c5efab724b33167e26bacff14f6a7c0f29b96"),
    (19932703, "0xed7827e8a2007dfe6b5e148f82aa8bf4e7a0f686353c911bab67ae37ff7143e5"),
]


def number(token: bytes) -> int:
    return int.from_bytes(token)


def call_of(name: str, *words: int) -> bytes:
    """A function whose arguments are all words."""
    return calldata(f"{name}({','.join([WORDS] * len(words))})", *words)


def curve_word(selector_in: int, index_in: int, selector_out: int, index_out: int, flags: int = 0) -> int:
    coins = selector_in << 192 | index_in << 200 | selector_out << 208 | index_out << 216
    return word(CURVE_POOL, V6_CURVE | coins | flags, 0)


def decoded_with_curve(data: bytes, value_wei: int = 0) -> DecodedCall:
    pool = PoolCoins("listed", "curve", (ETH, DAI, USDC), (WETH, TOKEN), None)
    call = decode(replace(tables(), listed_pools={CURVE_POOL: pool}), V6, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token, pair = v2_word_of(of)
    direction = V6_TOKEN0_IN if of.wrapped_native < token else 0
    return call_of("ethUnoswap", 22, pair & (1 << 192) - 1 | direction), 11


EXAMPLES: dict[str, Example] = {"one_inch_v6": example}


@pytest.mark.parametrize(
    ("data", "value_wei", "recipient"),
    [
        (call_of("unoswap", number(WETH), 11, 22, word(V2_USDC_WETH)), 0, SENDER),
        (call_of("unoswapTo", number(FRIEND), number(WETH), 11, 22, word(V2_USDC_WETH)), 0, FRIEND),
        (call_of("ethUnoswap", 22, word(V2_USDC_WETH)), 11, SENDER),
        (call_of("ethUnoswapTo", number(FRIEND), 22, word(V2_USDC_WETH)), 11, FRIEND),
    ],
)
def test_each_form_of_unoswap_sells_its_amount_or_the_value_sent(data: bytes, value_wei: int, recipient: bytes) -> None:
    call = decoded_at(V6, data, value_wei)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (WETH, USDC, ExactIn(11, 22), recipient)
    assert (call.completeness, intent.measures_received) == (Completeness.EXACT, False)


@pytest.mark.parametrize("name", ["unoswap", "unoswapTo", "ethUnoswap", "ethUnoswapTo"])
@pytest.mark.parametrize("count", [2, 3])
def test_two_and_three_pools_are_followed_in_turn(name: str, count: int) -> None:
    head = {"unoswap": (number(WETH), 11, 22), "unoswapTo": (number(FRIEND), number(WETH), 11, 22)}
    first = head.get(name) or ((22,) if name == "ethUnoswap" else (number(FRIEND), 22))
    words = (word(V2_USDC_WETH), word(V3_DAI_USDC, V6_V3), word(V2_DAI_WETH, V6_TOKEN0_IN))[:count]
    call = decoded_at(V6, call_of(f"{name}{count}", *first, *words), 11 if name.startswith("eth") else 0)
    (intent,) = call.intents
    assert [(hop.token_in, hop.token_out) for hop in intent.hops] == [(WETH, USDC), (USDC, DAI), (DAI, WETH)][:count]
    assert (intent.size, call.completeness) == (ExactIn(11, 22), Completeness.EXACT)


def test_direction_bit_says_that_token0_is_sold() -> None:
    hops = [
        decoded_at(V6, call_of("unoswap", number(token), 11, 22, word(V2_USDC_WETH, flag))).intents[0].hops[0]
        for token, flag in ((USDC, V6_TOKEN0_IN), (WETH, 0), (WETH, V6_TOKEN0_IN))
    ]
    assert [(hop.kind, hop.token_in) for hop in hops] == [("uniswap_v2", USDC), ("uniswap_v2", WETH), ("", WETH)]


@pytest.mark.parametrize(("part", "kind"), [(0, "uniswap_v2"), (PART, "uniswap_v2"), (PART - 1, "")])
def test_pair_is_simulated_where_its_own_fee_is_reckoned_which_a_part_of_zero_is(part: int, kind: str) -> None:
    data = call_of("unoswap", number(WETH), 11, 22, word(V2_USDC_WETH, 0, part))
    assert decoded_at(V6, data).intents[0].hops[0].kind == kind


def test_only_the_last_words_flag_unwraps() -> None:
    words = (word(UNLISTED, V6_UNWRAP), word(UNLISTED, V6_UNWRAP))
    first, second = decoded_at(V6, call_of("unoswap2", number(TOKEN), 11, 22, *words)).intents[0].hops
    assert (first.token_in, first.token_out, second.token_in, second.token_out) == (TOKEN, b"", b"", WETH)


def test_v3_pool_is_paid_in_its_own_token_whatever_the_call_says() -> None:
    decoded_at(V6, call_of("unoswap", number(USDC), 11, 22, word(V3_USDC_WETH, V6_V3 | V6_TOKEN0_IN)))
    call = decoded_at(V6, call_of("unoswap", number(DAI), 11, 22, word(V3_USDC_WETH, V6_V3 | V6_TOKEN0_IN)))
    assert (call.intents[0].token_in, call.intents[0].token_out) == (USDC, WETH)


def test_listed_curve_pools_coins_are_those_that_the_word_numbers() -> None:
    dex = curve_word(COINS, 1, COINS, 2)
    call = decoded_with_curve(call_of("unoswap", number(DAI), 11, 22, dex))
    (hop,) = call.intents[0].hops
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out) == ("curve", "", CURVE_POOL, DAI, USDC)
    assert call.completeness is Completeness.EXACT


def test_curve_pools_native_coin_joins_the_pools_around_it() -> None:
    words = (curve_word(COINS, 1, COINS, 0), word(V2_USDC_WETH))
    call = decoded_with_curve(call_of("unoswap2", number(DAI), 11, 22, *words))
    assert [(hop.token_in, hop.token_out) for hop in call.intents[0].hops] == [(DAI, NATIVE), (WETH, USDC)]
    assert call.completeness is Completeness.EXACT


def test_curve_pools_underlying_coins_and_those_that_are_not_known() -> None:
    underlying = decoded_with_curve(call_of("unoswap", number(WETH), 11, 22, curve_word(UNDERLYING, 0, UNDERLYING, 1)))
    assert (underlying.intents[0].token_in, underlying.intents[0].token_out) == (WETH, TOKEN)
    for dex in (curve_word(COINS, 1, BASE_COINS, 0), curve_word(COINS, 1, COINS, 9)):
        call = decoded_with_curve(call_of("unoswap", number(DAI), 11, 22, dex))
        assert (call.intents[0].token_out, call.completeness) == (b"", Completeness.TOKENS_UNKNOWN)


def test_unlisted_curve_pool_has_the_tokens_that_stand_around_it() -> None:
    data = call_of("ethUnoswap", 22, curve_word(COINS, 0, COINS, 1, NOT_WRAPPED))
    call = decoded_at(V6, data, 11)
    assert (call.intents[0].token_in, call.completeness) == (WETH, Completeness.TOKENS_UNKNOWN)
    unwrapped = decoded_at(V6, call_of("unoswap", number(TOKEN), 11, 22, curve_word(COINS, 0, COINS, 1, WITHDRAWS)))
    assert (unwrapped.intents[0].token_in, unwrapped.intents[0].token_out) == (TOKEN, WETH)


def test_protocol_that_does_not_exist_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="no protocol 3"):
        decoded_at(V6, call_of("unoswap", number(DAI), 11, 22, word(UNLISTED, 3 << 253)))


def test_flags_beside_addresses_are_not_dirt() -> None:
    data = call_of("unoswapTo", number(FRIEND) | 1 << 250, number(WETH) | 1 << 250, 11, 22, word(V2_USDC_WETH))
    (intent,) = decoded_at(V6, data).intents
    assert (intent.token_in, intent.recipient) == (WETH, FRIEND)


def test_permit_and_call_is_followed_with_its_value() -> None:
    inner = call_of("ethUnoswap", 22, word(V2_USDC_WETH))
    call = decoded_at(V6, calldata("permitAndCall(bytes,bytes)", USDC + b"permit", inner), 11)
    assert call.commands == ("permitAndCall", "ethUnoswap")
    assert (call.intents[0].size, call.completeness) == (ExactIn(11, 22), Completeness.EXACT)
    with pytest.raises(MalformedCalldata, match="shorter than its token"):
        decoded_at(V6, calldata("permitAndCall(bytes,bytes)", b"permit", inner), 11)


def test_executors_swap_shows_tokens_amount_and_minimum() -> None:
    call = decoded_at(V6, calldata(SWAP, FRIEND, (USDC, ETH, FRIEND, NATIVE, 11, 22, 0), b"program"))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (USDC, NATIVE, ExactIn(11, 22), SENDER)
    assert call.completeness is Completeness.PARTIAL


def test_clipper_takes_a_token_with_flags() -> None:
    signature = "clipperSwapTo(address,address,uint256,address,uint256,uint256,uint256,bytes32,bytes32)"
    arguments = (UNLISTED, FRIEND, number(USDC) | 1 << 255, NATIVE, 11, 22, 33, bytes(32), bytes(32))
    (intent,) = decoded_at(V6, calldata(signature, *arguments)).intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out, intent.size) == ("clipper", USDC, NATIVE, ExactIn(11, 22))


@pytest.mark.parametrize(
    ("traits", "size"),
    [
        (7, ExactIn(50, 7)),
        (0, ExactIn(50, 0)),
        (MAKERS_AMOUNT | 7, ExactOut(50, 7)),
        (MAKERS_AMOUNT, ExactOut(50, 2**256 - 1)),
        (1 << 254 | 7, ExactIn(50, 7)),
    ],
)
def test_takers_traits_say_whose_amount_it_is_and_the_threshold(traits: int, size: Size) -> None:
    order = (1, number(FRIEND), 0, number(WETH) | 1 << 200, number(USDC), 1000, 500, 0)
    data = calldata(f"fillOrder({ORDER},bytes32,bytes32,uint256,uint256)", order, bytes(32), bytes(32), 50, traits)
    call = decoded_at(V6, data)
    (intent,) = call.intents
    assert (intent.hops[0].protocol, intent.token_in, intent.token_out, intent.size) == ("limit_order", USDC, WETH, size)
    assert (intent.recipient, call.completeness) == (SENDER, Completeness.PARTIAL)


@pytest.mark.parametrize(("traits", "args", "recipient"), [(HAS_TARGET, FRIEND + b"more", FRIEND), (0, FRIEND, SENDER)])
def test_orders_arguments_begin_with_a_target_where_the_traits_say_so(traits: int, args: bytes, recipient: bytes) -> None:
    order = (1, number(FRIEND), 0, number(WETH), number(USDC), 1000, 500, 0)
    signature = f"fillContractOrderArgs({ORDER},bytes,uint256,uint256,bytes)"
    assert decoded_at(V6, calldata(signature, order, b"signature", 50, traits, args)).intents[0].recipient == recipient


def test_target_that_is_cut_reverts() -> None:
    order: tuple[Any, ...] = (1, number(FRIEND), 0, number(WETH), number(USDC), 1000, 500, 0)
    signature = f"fillOrderArgs({ORDER},bytes32,bytes32,uint256,uint256,bytes)"
    with pytest.raises(MalformedCalldata, match="shorter than the target"):
        decoded_at(V6, calldata(signature, order, bytes(32), bytes(32), 50, HAS_TARGET, b"short"))


@pytest.mark.shared
@pytest.mark.parametrize(("block_number", "transaction_hash"), MINED)
def test_mined_swaps_went_through_the_pool_read_with_the_amount_read(
    shared_data: Path, block_number: int, transaction_hash: str
) -> None:
    call, logs = mined_call(shared_data, block_number, transaction_hash)
    (intent,) = call.intents
    assert isinstance(intent.size, ExactIn)
    assert mined_amounts_in(intent, logs) == [(intent.hops[0].pool, intent.size.amount_in)]
    assert call.completeness in (Completeness.EXACT, Completeness.TOKENS_UNKNOWN)
