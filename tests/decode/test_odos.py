"""Odos' routers V2 and V3: plain and packed calldata, several tokens at once, hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

ROUTERS = {
    "V2": bytes.fromhex("cf5540fffcdc3d510b18bfca6d2b9987b0772559"),
    "V3": bytes.fromhex("0d05a7d3448512b78fa8a9e46c4872c88c4a0d05"),
}
EXECUTOR = b"\x0e" * 20
NATIVE = bytes(20)
TOKEN_INFO = "(address,uint256,address,address,uint256,uint256,address)"
PERMIT = "(address,uint256,uint256,bytes)"
INPUTS = "(address,uint256,address)[]"
REFERRAL = {"V2": "uint32", "V3": "(uint64,uint64,address)"}
OUTPUTS = {"V2": "(address,uint256,address)[],uint256", "V3": "(address,uint256,uint256,address)[]"}
NO_REFERRAL: dict[str, Any] = {"V2": 0, "V3": (0, 0, NATIVE)}
HIDDEN = "the executor's program hides the pools"
FROM_LIST = (7).to_bytes(2)


def single(
    version: str, tokens: tuple[bytes, bytes] = (DAI, USDC), amounts: tuple[int, int, int] = (11, 33, 22)
) -> tuple[str, tuple[Any, ...]]:
    """The types behind the name, and the arguments; amounts are what goes in, the quote and the minimum."""
    amount_in, quote, minimum = amounts
    info = (tokens[0], amount_in, EXECUTOR, tokens[1], quote, minimum, FRIEND)
    return f"{TOKEN_INFO},bytes,address,{REFERRAL[version]}", (info, b"program", EXECUTOR, NO_REFERRAL[version])


def multi(version: str, inputs: list[Any], outputs: list[Any], *least: int) -> tuple[str, tuple[Any, ...]]:
    types = f"{INPUTS},{OUTPUTS[version]},bytes,address,{REFERRAL[version]}"
    return types, (inputs, outputs, *least, b"program", EXECUTOR, NO_REFERRAL[version])


def encoded(name: str, call: tuple[str, tuple[Any, ...]]) -> bytes:
    types, arguments = call
    return calldata(f"{name}({types})", *arguments)


def permitted(call: tuple[str, tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    types, arguments = call
    return f"{PERMIT},{types}", ((FRIEND, 1, 2, b"signature"), *arguments)


def hooked(call: tuple[str, tuple[Any, ...]]) -> tuple[str, tuple[Any, ...]]:
    types, arguments = call
    return f"{types},address,bytes", (*arguments, FRIEND, b"hook")


def packed_address(address: bytes) -> bytes:
    return bytes(2) if address == NATIVE else (1).to_bytes(2) + address


def packed_amount(amount: int) -> bytes:
    width = (amount.bit_length() + 7) // 8
    return bytes([width]) + amount.to_bytes(width)


def packed_swap(token_in: bytes, token_out: bytes, amounts: tuple[int, int, int], receiver: bytes = NATIVE) -> bytes:
    """swapCompact with packed tokens; amounts are what goes in, the quote and the tolerated slippage in parts of 2^24 - 1."""
    amount_in, quote, slippage = amounts
    parts = (token_in, token_out, packed_amount(amount_in), packed_amount(quote), slippage.to_bytes(3))
    addresses = packed_address(EXECUTOR) + packed_address(NATIVE) + packed_address(receiver)
    return keccak256(b"swapCompact()")[:4] + b"".join(parts) + addresses + bytes(4) + b"\x01" + bytes(32)


def decoded(version: str, data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), ROUTERS[version], data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return packed_swap(packed_address(NATIVE), packed_address(other), (11, 33, 0)), 11


EXAMPLES: dict[str, Example] = {"odos_router_v2": example, "odos_router_v3": example}

both_versions = pytest.mark.parametrize("version", ["V2", "V3"])


@both_versions
def test_one_token_for_another_is_partial_with_its_minimum(version: str) -> None:
    for data in (encoded("swap", single(version)), encoded("swapPermit2", permitted(single(version)))):
        call = decoded(version, data)
        (intent,) = call.intents
        assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), FRIEND)
        assert (call.completeness, call.reason) == (Completeness.PARTIAL, HIDDEN)


@both_versions
def test_amount_of_zero_is_the_value_sent_or_the_senders_balance(version: str) -> None:
    call = decoded(version, encoded("swap", single(version, (NATIVE, USDC), (0, 33, 22))), 99)
    assert call.intents[0].size == ExactIn(99, 22)
    call = decoded(version, encoded("swap", single(version, amounts=(0, 33, 22))))
    assert (call.intents[0].size, call.reason) == (BalanceIn(0, (), 22), f"{HIDDEN}; sells the sender's balance")


@both_versions
def test_packed_swap_has_the_minimum_that_the_slippage_leaves(version: str) -> None:
    tokens = packed_address(DAI), packed_address(USDC)
    (intent,) = decoded(version, packed_swap(*tokens, (10**20, 1_000_000, 0xFFFFFF // 100), FRIEND)).intents
    assert (intent.token_in, intent.token_out, intent.recipient) == (DAI, USDC, FRIEND)
    assert intent.size == ExactIn(10**20, 990_000)
    call = decoded(version, packed_swap(packed_address(NATIVE), tokens[1], (5, 1_000, 0)), 5)
    assert (call.intents[0].token_in, call.intents[0].recipient, call.extra_bytes) == (NATIVE, SENDER, 0)


@both_versions
def test_tokens_of_the_contracts_list_are_not_guessed(version: str) -> None:
    call = decoded(version, packed_swap(FROM_LIST, packed_address(USDC), (5, 1_000, 0)))
    assert (call.intents[0].token_in, call.intents[0].token_out) == (b"", USDC)
    assert "stands in the contract's own list" in call.reason


@both_versions
def test_packed_swap_cut_anywhere_is_unchanged_or_malformed(version: str) -> None:
    data = packed_swap(packed_address(DAI), packed_address(USDC), (10**20, 10**6, 5), FRIEND)
    whole = decoded(version, data).intents
    header = len(data) - 37
    for length in range(header, len(data)):
        assert decoded(version, data[:length]).intents == whole
    for length in range(4, header):
        with pytest.raises(MalformedCalldata, match="ends inside its arguments"):
            decoded(version, data[:length])


@both_versions
@pytest.mark.parametrize(("amounts", "reason"), [((11, 33, 0), "minimum is 0"), ((11, 21, 22), "greater than the quote")])
def test_limits_that_revert_are_malformed(version: str, amounts: tuple[int, int, int], reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded(version, encoded("swap", single(version, amounts=amounts)))


def test_several_tokens_are_the_first_ones_with_the_count_in_the_reason() -> None:
    inputs = [(DAI, 11, EXECUTOR), (WETH, 12, EXECUTOR)]
    valued = multi("V2", inputs, [(USDC, 5, NATIVE)], 21)
    quoted = multi("V3", inputs, [(USDC, 33, 22, NATIVE)])
    for version, call, minimum in (("V2", valued, 5), ("V3", quoted, 22)):
        for data in (encoded("swapMulti", call), encoded("swapMultiPermit2", permitted(call))):
            result = decoded(version, data)
            (intent,) = result.intents
            assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, minimum))
            assert (intent.recipient, result.reason) == (SENDER, f"the first of 2 tokens in and 1 out; {HIDDEN}")


def test_outputs_that_make_up_for_each_other_have_no_minimum_of_their_own() -> None:
    call = multi("V2", [(DAI, 11, EXECUTOR)], [(USDC, 5, FRIEND), (WETH, 6, FRIEND)], 21)
    (intent,) = decoded("V2", encoded("swapMulti", call)).intents
    assert intent.size == ExactIn(11, 0)


def test_packed_multi_swaps_are_read_by_their_version() -> None:
    inputs = packed_address(DAI) + packed_amount(11) + packed_address(NATIVE)
    inputs += packed_address(WETH) + packed_amount(12) + packed_address(NATIVE)
    output = packed_address(USDC) + packed_amount(1_000) + packed_address(FRIEND)
    head = keccak256(b"swapMultiCompact()")[:4] + b"\x02\x01" + packed_address(EXECUTOR)
    (valued,) = decoded("V2", head + packed_amount(5_001) + inputs + output + bytes(5)).intents
    (quoted,) = decoded("V3", head + (0).to_bytes(3) + inputs + output + bytes(10)).intents
    assert (valued.size, quoted.size) == (ExactIn(11, 6), ExactIn(11, 1_000))
    for intent in (valued, quoted):
        assert (intent.token_in, intent.token_out, intent.recipient) == (DAI, USDC, FRIEND)


def test_hook_after_a_swap_is_not_understood() -> None:
    call = multi("V3", [(DAI, 11, EXECUTOR)], [(USDC, 33, 22, NATIVE)])
    for data in (
        encoded("swapWithHook", hooked(single("V3"))),
        encoded("swapPermit2WithHook", permitted(hooked(single("V3")))),
        encoded("swapMultiWithHook", hooked(call)),
        encoded("swapMultiPermit2WithHook", permitted(hooked(call))),
    ):
        result = decoded("V3", data)
        assert (len(result.intents), result.reason) == (1, "not understood: executeOdosHook")


def test_least_value_of_zero_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="minimum is 0"):
        decoded("V2", encoded("swapMulti", multi("V2", [(DAI, 11, EXECUTOR)], [(USDC, 5, NATIVE)], 0)))
