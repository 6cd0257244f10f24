"""Coinbase Wallet's proxy swaps what the calldata for 0x says, or leaves the tokens and the amount."""

from __future__ import annotations

from mempool.decode import DecodeTables, RouterTable
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, USDC, WETH, calldata
from tests.decode.wrappers.wrapped import UNKNOWN, Example, decoded, other_token

PROXY = bytes.fromhex("e66b31678d6c16e9ebf358268a790b763c133750")
SWAP = "proxiedSwap(bytes,address,address,uint256,address,uint256)"
ETHER_AS_TOKEN = b"\xee" * 20


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    token = other_token(of)
    return calldata(SWAP, UNKNOWN, token, token, 11, of.wrapped_native, 1), 0


EXAMPLES: dict[str, Example] = {"proxied_swap": example}


def sell_to_uniswap(tokens: list[bytes], amount: int) -> bytes:
    return calldata("sellToUniswap(address[],uint256,uint256,bool)", tokens, amount, 22, False)


def test_calldata_for_0x_is_followed() -> None:
    call = decoded(PROXY, calldata(SWAP, sell_to_uniswap([USDC, DAI], 11), USDC, USDC, 11, DAI, 1))
    (intent,) = call.intents
    assert (intent.router, intent.size, intent.recipient) == ("zerox_exchange_proxy", ExactIn(11, 22), PROXY)
    assert (call.router, call.completeness) == ("coinbase_wallet_proxy", Completeness.EXACT)


def test_native_coin_is_passed_on_without_the_fee() -> None:
    data = sell_to_uniswap([ETHER_AS_TOKEN, DAI], 11)
    call = decoded(PROXY, calldata(SWAP, data, ETHER_AS_TOKEN, ETHER_AS_TOKEN, 11, DAI, 1), 12)
    assert (call.intents[0].token_in, call.intents[0].size) == (WETH, ExactIn(11, 22))


def test_calldata_that_is_not_understood_leaves_tokens_and_amount() -> None:
    call = decoded(PROXY, calldata(SWAP, UNKNOWN, USDC, USDC, 11, ETHER_AS_TOKEN, 1))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, bytes(20), ExactIn(11, 0))
    assert call.completeness is Completeness.PARTIAL
