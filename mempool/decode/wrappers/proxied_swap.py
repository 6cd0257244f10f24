"""Coinbase Wallet's proxy of the 0x ExchangeProxy: the latter's calldata beside the tokens, the amount and a fee on top."""

from __future__ import annotations

from typing import Any

from mempool.abi import Padding
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden, plain_token
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import router_named
from mempool.model.swap import ExactIn

_EXCHANGE = "zerox_exchange_proxy"
"""The router's name in the chain's tables."""


def proxied_swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """proxiedSwap(callData, feeToken, inputToken, inputAmount, outputToken, fee): the fee comes on top of the amount"""
    data, _, token_in, amount_in, token_out, _ = arguments
    known = len(call.intents)
    exchange = router_named(call, _EXCHANGE)
    if exchange:
        call.call_contract(exchange, data, amount_in if plain_token(token_in) == NATIVE else 0)
    if len(call.intents) == known:
        add_hidden(call, (token_in, token_out), ExactIn(amount_in, 0), call.sender, "swapped by the 0x ExchangeProxy")


PROXIED_SWAP = RouterKind(padding=Padding.CHECKED, pools=frozenset(), functions={"proxiedSwap": proxied_swap})
