"""1inch's router v2: what its description states, and a swap that may fail without its transaction."""

from __future__ import annotations

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, calldata, tables
from tests.decode.test_open_ocean import ETH, NOBODY, SWAP, Example

ROUTER = bytes.fromhex("111111125434b319222cdbf8c261674adb56f3ae")
DISCOUNTED = SWAP.replace("swap", "discountedSwap", 1)


def swap(signature: str = SWAP, minimum: int = 22, *, tokens: tuple[bytes, bytes] = (DAI, USDC)) -> bytes:
    return calldata(signature, FRIEND, (*tokens, FRIEND, FRIEND, 11, minimum, 33, 0, NOBODY, b""), [(1, 2, 3, b"call")])


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), ROUTER, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return swap(tokens=(ETH, other)), 11


EXAMPLES: dict[str, Example] = {"one_inch_v2": example}


def test_description_states_tokens_amount_minimum_and_recipient() -> None:
    call = decoded(swap())
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), FRIEND)
    assert (call.completeness, intent.allow_revert) == (Completeness.PARTIAL, False)
    with pytest.raises(MalformedCalldata, match="least return is 0"):
        decoded(swap(minimum=0))


def test_discounted_swap_may_fail_without_the_call() -> None:
    (intent,) = decoded(swap(DISCOUNTED)).intents
    assert (intent.size, intent.allow_revert) == (ExactIn(11, 22), True)
    assert decoded(swap(DISCOUNTED, 0)).intents == ()
