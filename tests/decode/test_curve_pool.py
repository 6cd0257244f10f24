"""Curve pools called directly: every function, coins of listed pools, and pools that are not listed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn
from tests.decode.batches import ROUTER02, SELL_WETH_HELD, batched
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

THREE_POOL = bytes.fromhex("bebc44782c7db0a1a60cb6fe97d0b483032ff1c7")
STETH_POOL = bytes.fromhex("dc24316b9ae028f1497c275eb9192a3ea0f67022")
TRICRYPTO2 = bytes.fromhex("d51a44d3fae010294c616388b506acda1bfaae46")
COMPOUND_POOL = bytes.fromhex("a2b47e3d5c44877cca798226b7b8118f9bfb7a56")
USDT = bytes.fromhex("dac17f958d2ee523a2206206994597c13d831ec7")
STETH = bytes.fromhex("ae7ab96520de3a18e5e111b5eaab095312d7fe84")
CDAI = bytes.fromhex("5d3a536e4d6dbd6114cc1ead35777bab948e3643")
NATIVE = bytes(20)
STRANGER = b"\x77" * 20
STABLE, CRYPTO = "int128,int128,uint256,uint256", "uint256,uint256,uint256,uint256"


def exchanged(types: str, i: int, j: int, *more: object, name: str = "exchange") -> bytes:
    return calldata(f"{name}({types})", i, j, 11, 22, *more)


def decoded(pool: bytes, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), pool, data, value_wei, SENDER)
    assert call is not None
    return call


def example(_of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return exchanged(STABLE, 0, 1), 0


EXAMPLES: dict[str, Example] = {"curve_pool": example}


def test_coins_of_a_listed_pool_are_its_tokens_in_trade_order() -> None:
    call = decoded(THREE_POOL, exchanged(STABLE, 2, 0))
    (intent,) = call.intents
    (hop,) = intent.hops
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out) == ("curve", "", THREE_POOL, USDT, DAI)
    assert (intent.size, intent.recipient, call.completeness) == (ExactIn(11, 22), SENDER, Completeness.EXACT)
    assert (call.router, call.by_selector) == ("curve_pool", True)


@pytest.mark.parametrize(
    ("name", "types", "more"),
    [
        ("exchange", STABLE, ()),
        ("exchange", STABLE + ",address", (FRIEND,)),
        ("exchange_received", STABLE, ()),
        ("exchange_received", STABLE + ",address", (FRIEND,)),
        ("exchange", CRYPTO, ()),
        ("exchange", CRYPTO + ",address", (FRIEND,)),
        ("exchange", CRYPTO + ",bool", (True,)),
        ("exchange", CRYPTO + ",bool,address", (True, FRIEND)),
        ("exchange_underlying", STABLE, ()),
        ("exchange_underlying", STABLE + ",address", (FRIEND,)),
        ("exchange_underlying", CRYPTO, ()),
        ("exchange_underlying", CRYPTO + ",address", (FRIEND,)),
        ("exchange_received", CRYPTO, ()),
        ("exchange_received", CRYPTO + ",address", (FRIEND,)),
    ],
)
def test_every_function_is_read_as_eth_abi_encoded_it(name: str, types: str, more: tuple[object, ...]) -> None:
    (intent,) = decoded(TRICRYPTO2, exchanged(types, 0, 2, *more, name=name)).intents
    assert (intent.function, intent.token_in, intent.token_out, intent.size) == (name, USDT, WETH, ExactIn(11, 22))
    assert intent.recipient == (FRIEND if FRIEND in more else SENDER)


def test_underlying_coins_are_those_behind_the_pools_own() -> None:
    (intent,) = decoded(COMPOUND_POOL, exchanged(STABLE, 0, 1, name="exchange_underlying")).intents
    assert (intent.token_in, intent.token_out) == (DAI, USDC)
    assert decoded(COMPOUND_POOL, exchanged(STABLE, 0, 1)).intents[0].token_in == CDAI


def test_native_coin_of_a_pool_is_twenty_zero_bytes() -> None:
    (intent,) = decoded(STETH_POOL, exchanged(STABLE, 0, 1), 11).intents
    assert (intent.token_in, intent.token_out) == (NATIVE, STETH)


def test_pool_that_is_not_listed_leaves_the_tokens_unknown() -> None:
    call = decoded(STRANGER, exchanged(STABLE, 1, 0))
    (intent,) = call.intents
    assert (intent.hops[0].pool, intent.token_in, intent.token_out) == (STRANGER, b"", b"")
    assert (call.completeness, call.reason) == (Completeness.TOKENS_UNKNOWN, "coin 1 for coin 0 of a pool that is not listed")


@pytest.mark.parametrize(("pool", "i", "j"), [(THREE_POOL, 0, 3), (THREE_POOL, -1, 0), (STRANGER, 1, 1), (STRANGER, 8, 0)])
def test_coins_that_no_pool_has_make_it_none_of_curves_calls(pool: bytes, i: int, j: int) -> None:
    assert decode(tables(), pool, exchanged(STABLE, i, j), 0, SENDER) is None


def test_calldata_that_does_not_read_as_the_function_is_none_of_curves() -> None:
    assert decode(tables(), STRANGER, exchanged(STABLE, 0, 1)[:-1], 0, SENDER) is None


@pytest.mark.parametrize(
    ("pool", "swap", "word"),
    [
        (TRICRYPTO2, exchanged(CRYPTO + ",bool,address", 0, 2, False, ROUTER02), Completeness.EXACT),
        (TRICRYPTO2, exchanged(CRYPTO + ",bool,address", 0, 2, True, ROUTER02), Completeness.AMOUNT_UNKNOWN),
        (TRICRYPTO2, exchanged(CRYPTO + ",address", 0, 2, ROUTER02, name="exchange_underlying"), Completeness.AMOUNT_UNKNOWN),
        (FRIEND, exchanged(STABLE + ",address", 0, 1, ROUTER02), Completeness.AMOUNT_UNKNOWN),
    ],
)
def test_output_is_a_balance_of_the_receiver_unless_it_is_unwrapped_or_unknown(
    pool: bytes, swap: bytes, word: Completeness
) -> None:
    paid = (WETH, calldata("transfer(address,uint256)", ROUTER02, 100))
    call = batched(paid, (pool, swap), (ROUTER02, SELL_WETH_HELD))
    assert call.intents[1].completeness is word
    if word is Completeness.EXACT:
        assert call.intents[1].size == BalanceIn(100, (0,), 22)


@pytest.mark.shared
def test_mined_exchange_is_what_the_pool_logged(shared_data: Path) -> None:
    found = mined_call(shared_data, 12047794, "0x521d6d834341eb1050e56c4ed784f8c7c99bc25973cafd6573115463d4730ed7")
    call, logs = found
    (intent,) = call.intents
    assert call.completeness is Completeness.EXACT
    topic = "0x" + keccak256(b"TokenExchange(address,int128,uint256,int128,uint256)").hex()
    (log,) = [log for log in logs if log["topics"][0] == topic]
    assert bytes.fromhex(log["address"][2:]) == intent.hops[0].pool
    moved = [bytes.fromhex(log["address"][2:]) for log in logs if log["topics"][0].startswith("0xddf252ad")]
    assert moved == [intent.token_in, intent.token_out]
    _, sold, _, bought = (int(log["data"][2 + 64 * word : 66 + 64 * word], 16) for word in range(4))
    assert isinstance(intent.size, ExactIn)
    assert sold == intent.size.amount_in
    assert bought >= intent.size.min_amount_out
