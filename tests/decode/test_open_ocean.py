"""OpenOcean's exchange: what its description states."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, FRIEND, SENDER, USDC, calldata, tables

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

EXCHANGE = bytes.fromhex("6352a56caadc4f1e25cd6c75970fa768a3304e64")
ETH, NOBODY = b"\xee" * 20, bytes(20)
SWAP = (
    "swap(address,(address,address,address,address,uint256,uint256,uint256,uint256,address,bytes),"
    "(uint256,uint256,uint256,bytes)[])"
)


def swap(tokens: tuple[bytes, bytes] = (DAI, USDC), *, minimum: int = 22, recipient: bytes = FRIEND) -> bytes:
    description = (*tokens, FRIEND, recipient, 11, minimum, 33, 0, NOBODY, b"")
    return calldata(SWAP, FRIEND, description, [(1, 2, 3, b"call")])


def decoded(data: bytes, value_wei: int = 0) -> DecodedCall:
    call = decode(tables(), EXCHANGE, data, value_wei, SENDER)
    assert call is not None
    return call


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    other = next(token for token in of.tokens if token != of.wrapped_native)
    return swap((ETH, other)), 11


EXAMPLES: dict[str, Example] = {"open_ocean_exchange": example}


def test_description_states_tokens_amount_minimum_and_recipient() -> None:
    call = decoded(swap())
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size, intent.recipient) == (DAI, USDC, ExactIn(11, 22), FRIEND)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "the executor's calls hide the pools")
    (intent,) = decoded(swap((ETH, USDC), recipient=NOBODY), 11).intents
    assert (intent.token_in, intent.recipient) == (bytes(20), SENDER)


def test_no_least_return_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="least return is 0"):
        decoded(swap(minimum=0))
