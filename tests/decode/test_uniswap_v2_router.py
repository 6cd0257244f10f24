"""All functions of V2 Router02 and what surrounds them."""

from __future__ import annotations

import pytest

from mempool.decode import decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn, ExactOut, Size
from tests.decode.calls import DAI, DEADLINE, ETHER, FRIEND, SENDER, USDC, WETH, address, calldata, decoded, tables

PAIR = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
TOKENS_IN = "(uint256,uint256,address[],address,uint256)"
NATIVE_IN = "(uint256,address[],address,uint256)"
FEE_ON_TRANSFER = "SupportingFeeOnTransferTokens"


@pytest.mark.parametrize(
    ("name", "tokens", "size"),
    [
        ("swapExactTokensForTokens", [USDC, DAI, WETH], ExactIn(11, 22)),
        ("swapExactTokensForETH", [USDC, DAI, WETH], ExactIn(11, 22)),
        ("swapTokensForExactTokens", [DAI, USDC], ExactOut(11, 22)),
        ("swapTokensForExactETH", [DAI, WETH], ExactOut(11, 22)),
        (f"swapExactTokensForTokens{FEE_ON_TRANSFER}", [DAI, USDC], ExactIn(11, 22)),
        (f"swapExactTokensForETH{FEE_ON_TRANSFER}", [DAI, WETH], ExactIn(11, 22)),
    ],
)
def test_swap_paid_in_tokens_is_read_as_eth_abi_encoded_it(name: str, tokens: list[bytes], size: Size) -> None:
    data = calldata(name + TOKENS_IN, 11, 22, tokens, FRIEND, DEADLINE)
    for _ in range(2):  # the second time the path is known and the short cut reads it
        call = decoded("v2", data)
        (intent,) = call.intents
        assert [hop.token_in for hop in intent.hops] + [intent.token_out] == tokens
        assert (intent.size, intent.recipient, intent.deadline) == (size, FRIEND, DEADLINE)
        assert intent.measures_received == name.endswith(FEE_ON_TRANSFER)
        assert (call.completeness, call.commands, call.extra_bytes) == (Completeness.EXACT, (name,), 0)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("swapExactETHForTokens", ExactIn(5 * ETHER, 11)),
        ("swapETHForExactTokens", ExactOut(11, 5 * ETHER)),
        (f"swapExactETHForTokens{FEE_ON_TRANSFER}", ExactIn(5 * ETHER, 11)),
    ],
)
def test_swap_paid_in_the_native_coin_takes_its_amount_from_the_value(name: str, size: Size) -> None:
    data = calldata(name + NATIVE_IN, 11, [WETH, USDC], FRIEND, DEADLINE)
    for _ in range(2):
        (intent,) = decoded("v2", data, 5 * ETHER).intents
        assert (intent.size, intent.hops[0].pool, intent.hops[0].fee_pips) == (size, PAIR, 3000)


def test_a_call_reads_the_same_with_cold_and_warm_tables() -> None:
    data = calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, [b"\x77" * 20, b"\x78" * 20], FRIEND, DEADLINE)
    assert decoded("v2", data) == decoded("v2", data)


def test_native_function_whose_path_lacks_the_wrapped_token_is_malformed() -> None:
    for _ in range(2):
        decoded("v2", calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, [USDC, DAI], FRIEND, DEADLINE))
        with pytest.raises(MalformedCalldata, match="does not begin with the wrapped native token"):
            decoded("v2", calldata("swapExactETHForTokens" + NATIVE_IN, 11, [USDC, DAI], FRIEND, DEADLINE))
        with pytest.raises(MalformedCalldata, match="does not end with the wrapped native token"):
            decoded("v2", calldata("swapExactTokensForETH" + TOKENS_IN, 1, 2, [USDC, DAI], FRIEND, DEADLINE))


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [([], "fewer than two"), ([USDC], "fewer than two"), ([USDC, USDC], "same token"), ([USDC, DAI, DAI], "same token")],
)
def test_path_that_the_router_reverts_on_is_malformed(tokens: list[bytes], reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason) as caught:
        decoded("v2", calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, tokens, FRIEND, DEADLINE))
    assert not caught.value.refused


def test_dirty_address_padding_executes_on_the_first_abi_coder() -> None:
    clean = calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, [USDC, DAI], FRIEND, DEADLINE)
    for word in (3, 6, 7):
        dirty = bytearray(clean)
        dirty[4 + 32 * word : 4 + 32 * word + 12] = b"\xff" * 12
        assert decoded("v2", bytes(dirty)) == decoded("v2", clean)


def test_appended_bytes_execute_and_are_counted() -> None:
    data = calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, [USDC, DAI], FRIEND, DEADLINE)
    assert decoded("v2", data + b"hello").extra_bytes == 5
    assert decoded("v2", data + bytes(64)).extra_bytes == 64


def test_path_behind_an_unusual_offset_is_found() -> None:
    head = [1, 2, 7 * 32, int.from_bytes(FRIEND), DEADLINE, 99, 99, 2, int.from_bytes(USDC), int.from_bytes(DAI)]
    selector = calldata("swapExactTokensForTokens" + TOKENS_IN, 1, 2, [USDC, DAI], FRIEND, DEADLINE)[:4]
    call = decoded("v2", selector + b"".join(word.to_bytes(32) for word in head))
    assert [hop.token_in for hop in call.intents[0].hops] == [USDC]
    assert call.extra_bytes == 0


def test_liquidity_call_ends_by_name_as_not_a_swap() -> None:
    types = "(address,uint256,uint256,uint256,address,uint256)"
    for name in ("addLiquidityETH", "removeLiquidityETH"):
        call = decoded("v2", calldata(name + types, USDC, 1, 2, 3, FRIEND, DEADLINE), ETHER)
        assert (call.completeness, call.commands, call.intents) == (Completeness.NOT_A_SWAP, (name,), ())


def test_function_outside_the_table_is_opaque_by_its_selector() -> None:
    call = decoded("v2", bytes.fromhex("deadbeef") + bytes(64))
    assert (call.completeness, call.reason) == (Completeness.OPAQUE, "not understood: 0xdeadbeef")


def test_plain_transfer_is_not_a_swap_and_half_a_selector_is_malformed() -> None:
    assert decoded("v2", b"", ETHER).completeness is Completeness.NOT_A_SWAP
    with pytest.raises(MalformedCalldata, match="shorter than a selector"):
        decoded("v2", b"\x38\xed")


def test_call_of_something_else_is_none() -> None:
    assert decode(tables(), b"\x99" * 20, bytes(4), 0, SENDER) is None
    assert decode(tables(), None, bytes(4), 0, SENDER) is None


@pytest.mark.parametrize("name", ["swapExactTokensForETH", "swapTokensForExactETH", f"swapExactTokensForETH{FEE_ON_TRANSFER}"])
def test_router_of_an_unlisted_fork_shows_its_tokens_and_limits_but_no_pairs(name: str) -> None:
    data = calldata(name + TOKENS_IN, 11, 22, [USDC, DAI, WETH], FRIEND, DEADLINE)
    call = decode(tables(), b"\x99" * 20, data, 0, SENDER)
    assert call is not None
    assert (call.router, call.by_selector, call.completeness) == ("uniswap_v2_fork", True, Completeness.PARTIAL)
    (intent,), (listed,) = call.intents, decoded("v2", data).intents
    assert [(hop.token_in, hop.token_out, hop.pool) for hop in intent.hops] == [(USDC, DAI, b""), (DAI, WETH, b"")]
    assert (intent.size, intent.recipient, intent.deadline) == (listed.size, listed.recipient, listed.deadline)
    assert intent.measures_received == listed.measures_received


@pytest.mark.parametrize("tokens", [[], [WETH], [USDC, USDC, WETH], [WETH, USDC]])
def test_what_no_fork_can_swap_is_no_call_of_a_fork(tokens: list[bytes]) -> None:
    data = calldata("swapExactTokensForETH" + TOKENS_IN, 11, 22, tokens, FRIEND, DEADLINE)
    assert decode(tables(), b"\x99" * 20, data, 0, SENDER) is None


def test_calldata_beyond_the_pools_limit_is_refused_unread() -> None:
    with pytest.raises(MalformedCalldata, match="exceeds") as caught:
        decode(tables(), address("v2"), bytes(128 * 1024 + 1), 0, SENDER)
    assert caught.value.refused
