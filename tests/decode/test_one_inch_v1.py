"""1inch's router v1: what it states beside the calls of its helpers."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.model.swap import Completeness, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.test_open_ocean import ETH, NOBODY, Example

ROUTER = bytes.fromhex("11111254369792b2ca5d084ab5eea397ca8fa48b")
SWAP = "swap(address,address,uint256,uint256,uint256,address,address[],bytes,uint256[],uint256[])"


def swap(token_in: bytes, token_out: bytes) -> bytes:
    return calldata(SWAP, token_in, token_out, 11, 22, 33, NOBODY, [FRIEND], b"call", [0, 4], [0])


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    return swap(ETH, next(token for token in of.tokens if token != of.wrapped_native)), 11


EXAMPLES: dict[str, Example] = {"one_inch_v1": example}


@pytest.mark.parametrize(("token_in", "shown", "value_wei"), [(DAI, DAI, 0), (ETH, NOBODY, 11), (WETH, WETH, 0)])
def test_tokens_amount_and_minimum_are_stated(token_in: bytes, shown: bytes, value_wei: int) -> None:
    call = decode(tables(), ROUTER, swap(token_in, USDC), value_wei, SENDER)
    assert call is not None
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (shown, USDC, ExactIn(11, 22), SENDER)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "the calls of helpers hide the pools")
