"""MetaMask's swap: an aggregator's calldata beside the tokens and amounts, chosen by the aggregator's name."""

from __future__ import annotations

from typing import Any, NamedTuple

from mempool.abi import Padding, Read, inputs_reader
from mempool.decode.call import Call
from mempool.decode.ledger import NATIVE
from mempool.decode.routers.aggregators import add_hidden
from mempool.decode.tables import RouterKind
from mempool.decode.wrappers.executions import read_carried, router_named, run_as
from mempool.errors import MalformedCalldata
from mempool.model.keccak import keccak256
from mempool.model.swap import ExactIn

AGGREGATORS = {
    "0x": "zerox_exchange_proxy",
    "oneInchV3": "oneinch_v3",
    "oneInchV4": "oneinch_v4",
    "oneInchV5": "oneinch_v5",
    "oneInchV6": "oneinch_v6",
    "paraswapV5": "paraswap_v5",
    "uniswapPermit2": "uniswap_universal_router_v2",
}
"""The router's name in the chain's tables by the aggregator's, less what the latter says of the fee."""

_LONGEST_NAME = 64
_FEE_MARK = "FeeDynamic"
_ORDERS = "airswapLight"

_WORDS = [{"type": "address"}, {"type": "address"}, {"type": "address"}, {"type": "uint256"}, {"type": "uint256"}]
_read_swap: Read = inputs_reader([*_WORDS, {"type": "bytes"}], Padding.CHECKED)
"""`(recipient, tokenFrom, tokenTo, amountFrom, amountTo, data, …)`: the contract puts the recipient before what it was given, and
the offset counts from there. The fee follows, and whether it is taken from the output."""
_ORDER = ("uint256", "uint256", "address", "address", "uint256", "address", "uint256")
_read_order: Read = inputs_reader([{"type": word} for word in _ORDER], Padding.CHECKED)
"""`(nonce, expiry, signerWallet, signerToken, signerAmount, senderToken, senderAmount, …)`"""


class Terms(NamedTuple):
    """What is sold for what. The native coin's token is zeros."""

    token_in: bytes
    token_out: bytes
    amount_in: int
    min_amount_out: int


def swap(call: Call, arguments: tuple[Any, ...]) -> None:
    """swap(aggregatorId, tokenFrom, amount, data)"""
    identifier, token_in, amount, data = arguments
    # Longer ones than any adapter's are told apart by what they begin with: a name is printed and kept.
    name = identifier[:_LONGEST_NAME].decode("ascii", "replace")
    try:
        terms, inner = _order(call, data) if name.startswith(_ORDERS) else _swap(call, data)
    except MalformedCalldata as error:
        if error.refused:
            raise
        terms, inner = Terms(b"", b"", 0, 0), b""
    if terms.token_in == token_in and terms.amount_in <= amount:
        _follow(call, name, terms, inner)
    else:
        # An adapter may take a layout of its own, and is known by its name alone.
        call.note_opaque(f"data of {name!r}")


def spender_of(contract: bytes) -> bytes:
    """The contract that runs the adapters: MetaSwap's constructor creates it, so its address is CREATE's with nonce 1."""
    return keccak256(b"\xd6\x94" + contract + b"\x01")[12:]


def _follow(call: Call, name: str, terms: Terms, inner: bytes) -> None:
    """Follow the aggregator's own calldata; where it gives no swap, what stands beside it is one with its pools hidden."""
    recipient, known = call.sender, len(call.intents)
    aggregator = router_named(call, AGGREGATORS.get(name.removesuffix(_FEE_MARK), ""))
    if aggregator:
        call.charge_hashes(1)
        value_wei = terms.amount_in if terms.token_in == NATIVE else 0
        run_as(call, spender_of(call.contract), lambda: call.call_contract(aggregator, inner, value_wei))
    if len(call.intents) == known:
        size = ExactIn(terms.amount_in, terms.min_amount_out)
        add_hidden(call, (terms.token_in, terms.token_out), size, recipient, f"swapped by {name!r}")


def _swap(call: Call, data: bytes) -> tuple[Terms, bytes]:
    _, token_in, token_out, amount_in, min_amount_out, inner = read_carried(call, _read_swap, call.kept(bytes(32) + data))
    return Terms(token_in, token_out, amount_in, min_amount_out), inner


def _order(call: Call, data: bytes) -> tuple[Terms, bytes]:
    """A market maker's signed order; its tokens' zero is the native coin."""
    *_, token_out, amount_out, token_in, amount_in = read_carried(call, _read_order, data)
    return Terms(token_in, token_out, amount_in, amount_out), b""


METAMASK_SWAP = RouterKind(padding=Padding.MASKED, pools=frozenset(), functions={"swap": swap})
