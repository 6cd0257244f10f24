"""Rainbow's router swaps what the aggregator's calldata says, or leaves the tokens and the amount."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, SENDER, USDC, WETH, calldata
from tests.decode.wrappers.wrapped import UNKNOWN, Example, decoded, other_token

RAINBOW = bytes.fromhex("00000000009726632680fb29d3f7a9734e3010e2")
EXCHANGE = bytes.fromhex("def1c0ded9bec7f1a1670819833240f027b25eff")
ONE_INCH = bytes.fromhex("1111111254eeb25477b68fb85ed929f73a960582")
NATIVE, NATIVE_SIGN = bytes(20), b"\xee" * 20
PAIR = bytes.fromhex("b4e16d0168e52d35cacd2c6185b44281ec28c9dc")
FEE_OF_GWEI = 997_000_000

NATIVE_IN = "fillQuoteEthToToken(address,address,bytes,uint256)"
TOKENS = "fillQuoteTokenToToken(address,address,address,bytes,uint256,uint256)"
NATIVE_OUT = "fillQuoteTokenToEth(address,address,bytes,uint256,uint256)"
PERMIT = "(uint256,uint256,uint256,bool,uint8,bytes32,bytes32)"
SIGNED = (1, 2, 3, False, 27, bytes(32), bytes(32))


def with_permit(signature: str) -> str:
    name, _, types = signature.partition("(")
    return f"{name}WithPermit({types[:-1]},{PERMIT})"


def sell_to_uniswap(tokens: list[bytes], amount: int) -> bytes:
    return calldata("sellToUniswap(address[],uint256,uint256,bool)", tokens, amount, 22, False)


def unoswap(amount: int, direction: int) -> bytes:
    word = direction | FEE_OF_GWEI << 160 | int.from_bytes(PAIR)
    return calldata("unoswap(address,uint256,uint256,uint256[])", NATIVE, amount, 22, [word])


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return calldata(NATIVE_IN, other_token(of), EXCHANGE, UNKNOWN, 1), 12


EXAMPLES: dict[str, Example] = {"rainbow_router": example}


def test_native_coin_is_swapped_less_the_fee() -> None:
    call = decoded(RAINBOW, calldata(NATIVE_IN, USDC, ONE_INCH, unoswap(11, 1 << 255), 1), 12)
    (intent,) = call.intents
    assert (intent.router, intent.token_in, intent.token_out, intent.hops[0].pool) == ("oneinch_v5", WETH, USDC, PAIR)
    assert (intent.size, intent.recipient, call.completeness) == (ExactIn(11, 22), RAINBOW, Completeness.EXACT)


@pytest.mark.parametrize("signature", [TOKENS, with_permit(TOKENS)])
def test_tokens_are_swapped_less_the_fee(signature: str) -> None:
    permit = [] if signature == TOKENS else [SIGNED]
    data = sell_to_uniswap([USDC, DAI], 11)
    (intent,) = decoded(RAINBOW, calldata(signature, USDC, DAI, EXCHANGE, data, 12, 1, *permit)).intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactIn(11, 22))


@pytest.mark.parametrize("signature", [NATIVE_OUT, with_permit(NATIVE_OUT)])
def test_tokens_are_swapped_for_the_native_coin_of_which_the_fee_is_taken(signature: str) -> None:
    permit = [] if signature == NATIVE_OUT else [SIGNED]
    data = sell_to_uniswap([USDC, NATIVE_SIGN], 11)
    (intent,) = decoded(RAINBOW, calldata(signature, USDC, EXCHANGE, data, 11, 10**16, *permit)).intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, WETH, ExactIn(11, 22))


@pytest.mark.parametrize(
    ("data", "value_wei", "tokens"),
    [
        (calldata(NATIVE_IN, DAI, EXCHANGE, UNKNOWN, 1), 12, (NATIVE, DAI)),
        (calldata(TOKENS, USDC, DAI, EXCHANGE, UNKNOWN, 12, 1), 0, (USDC, DAI)),
        (calldata(NATIVE_OUT, USDC, EXCHANGE, UNKNOWN, 11, 10**16), 0, (USDC, NATIVE)),
    ],
)
def test_calldata_that_is_not_understood_leaves_tokens_and_amount(
    data: bytes, value_wei: int, tokens: tuple[bytes, bytes]
) -> None:
    call = decoded(RAINBOW, data, value_wei)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out) == tokens
    assert (intent.size, call.completeness) == (ExactIn(11, 0), Completeness.PARTIAL)


@pytest.mark.parametrize(
    "data",
    [
        calldata(NATIVE_IN, DAI, EXCHANGE, UNKNOWN, 13),
        calldata(TOKENS, USDC, DAI, EXCHANGE, UNKNOWN, 11, 12),
        calldata(NATIVE_OUT, USDC, EXCHANGE, UNKNOWN, 11, 10**18 + 1),
    ],
)
def test_a_fee_beyond_the_amount_reverts(data: bytes) -> None:
    with pytest.raises(MalformedCalldata, match="the fee exceeds"):
        decoded(RAINBOW, data, 12)


def test_owner_functions_are_no_swaps() -> None:
    call = decoded(RAINBOW, calldata("withdrawToken(address,address,uint256)", DAI, SENDER, 1))
    assert call.completeness is Completeness.NOT_A_SWAP
