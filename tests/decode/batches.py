"""Calls that an account makes one after another, to see what one leaves for the next."""

from __future__ import annotations

from mempool.decode import decode
from mempool.model.swap import DecodedCall
from tests.decode.calls import DAI, FRIEND, SENDER, WETH, address, calldata, tables

ACCOUNT = b"\x77" * 20
ROUTER02 = address("02")
SELL_WETH_HELD = calldata("swapExactTokensForTokens(uint256,uint256,address[],address)", 0, 22, [WETH, DAI], FRIEND)
"""Of SwapRouter02: sells all that it has of WETH."""


def batched(*calls: tuple[bytes, bytes]) -> DecodedCall:
    """`(to, calldata)` one after another."""
    parts = [(to, 0, data) for to, data in calls]
    call = decode(tables(), ACCOUNT, calldata("executeBatch((address,uint256,bytes)[])", parts), 0, SENDER)
    assert call is not None
    return call
