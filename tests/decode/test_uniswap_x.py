"""UniswapX reactors: Dutch orders of both kinds, alone and in batches, with and without a callback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable, decode
from mempool.errors import MalformedCalldata
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, calldata, tables
from tests.decode.mined_calls import mined_call

Example = Callable[[DecodeTables, RouterTable], tuple[bytes, int]]

V1 = bytes.fromhex("6000da47483062a0d734ba3dc7576ce6a0b645c4")
V2 = bytes.fromhex("00000011f84b9aa48e5f8aa8b9897600006289be")
SWAPPER, NATIVE = b"\x51" * 20, bytes(20)
INFO_TYPES = "(address,address,uint256,uint256,address,bytes)"
INPUT, OUTPUTS = "(address,uint256,uint256)", "(address,uint256,uint256,address)[]"
V1_TYPES = f"({INFO_TYPES},uint256,uint256,address,uint256,{INPUT},{OUTPUTS})"
V2_TYPES = f"({INFO_TYPES},address,{INPUT},{OUTPUTS},(uint256,uint256,address,uint256,uint256,uint256[]),bytes)"
SIGNED = "(bytes,bytes)"
Output = tuple[bytes, int, int, bytes]
FEE: Output = (USDC, 3, 2, FRIEND)


def info(reactor: bytes) -> tuple[Any, ...]:
    return reactor, SWAPPER, 7, DEADLINE, NATIVE, b""


def v1_order(amounts_in: tuple[int, int] = (11, 11), outputs: tuple[Output, ...] = ((USDC, 33, 22, SWAPPER),)) -> bytes:
    order = (info(V1), DEADLINE - 60, DEADLINE, FRIEND, 100, (DAI, *amounts_in), outputs)
    return encode([V1_TYPES], [order])


def v2_order(
    cosigned: tuple[int, list[int]] = (0, [0]),
    amounts_in: tuple[int, int] = (11, 11),
    outputs: tuple[Output, ...] = ((USDC, 33, 22, SWAPPER),),
) -> bytes:
    data = (DEADLINE - 60, DEADLINE, FRIEND, 0, *cosigned)
    return encode([V2_TYPES], [(info(V2), FRIEND, (DAI, *amounts_in), outputs, data, b"cosignature")])


def decoded(reactor: bytes, data: bytes) -> DecodedCall:
    call = decode(tables(), reactor, data, 0, SENDER)
    assert call is not None
    return call


def executed(reactor: bytes, order: bytes) -> DecodedCall:
    return decoded(reactor, calldata(f"execute({SIGNED})", (order, b"signature")))


def v1_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    output = (of.wrapped_native, 33, 22, SWAPPER)
    return calldata(f"execute({SIGNED})", (v1_order(outputs=(output,)), b"signature")), 0


def v2_example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    output = (of.wrapped_native, 33, 22, SWAPPER)
    return calldata(f"execute({SIGNED})", (v2_order(outputs=(output,)), b"signature")), 0


EXAMPLES: dict[str, Example] = {"uniswap_x_exclusive_dutch": v1_example, "uniswap_x_v2_dutch": v2_example}


@pytest.mark.parametrize(("reactor", "order"), [(V1, v1_order()), (V2, v2_order())])
def test_order_sells_its_input_for_the_least_that_its_output_decays_to(reactor: bytes, order: bytes) -> None:
    call = executed(reactor, order)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, USDC, ExactIn(11, 22))
    assert (intent.recipient, intent.deadline) == (SWAPPER, DEADLINE)
    assert (call.completeness, call.reason) == (Completeness.PARTIAL, "the filler pays from a balance of its own")


def test_order_whose_input_rises_buys_its_output() -> None:
    (intent,) = executed(V1, v1_order((5, 9), ((USDC, 22, 22, SWAPPER),))).intents
    assert intent.size == ExactOut(22, 9)


def test_outputs_in_the_same_token_count_together() -> None:
    (intent,) = executed(V1, v1_order(outputs=((USDC, 33, 22, SWAPPER), FEE))).intents
    assert intent.size == ExactIn(11, 24)
    call = executed(V1, v1_order(outputs=((NATIVE, 33, 22, SWAPPER), FEE)))
    assert (call.intents[0].token_out, call.intents[0].size) == (NATIVE, ExactIn(11, 22))
    assert call.reason == "the first of several tokens out; the filler pays from a balance of its own"


def test_cosigner_betters_the_amounts_and_never_worsens_them() -> None:
    (intent,) = executed(V2, v2_order((4, [44]), (5, 9), ((USDC, 33, 33, SWAPPER),))).intents
    assert intent.size == ExactOut(33, 9)
    for cosigned in ((6, [0]), (0, [32])):
        with pytest.raises(MalformedCalldata, match="worse than the order's"):
            executed(V2, v2_order(cosigned, (5, 9), ((USDC, 33, 33, SWAPPER),)))
    with pytest.raises(MalformedCalldata, match="not as many"):
        executed(V2, v2_order((0, [0, 0])))


def test_batch_is_an_intent_for_each_order() -> None:
    orders = [(v1_order(), b"signature"), (v1_order(outputs=((WETH, 5, 4, SWAPPER),)), b"signature")]
    call = decoded(V1, calldata(f"executeBatch({SIGNED}[])", orders))
    assert [intent.token_out for intent in call.intents] == [USDC, WETH]


def test_callback_of_the_filler_is_not_understood() -> None:
    signed = (v2_order(), b"signature")
    for data in (
        calldata(f"executeWithCallback({SIGNED},bytes)", signed, b"program"),
        calldata(f"executeBatchWithCallback({SIGNED}[],bytes)", [signed], b"program"),
    ):
        call = decoded(V2, data)
        assert (len(call.intents), call.intents[0].reason) == (1, "the filler's callback hides the pools")
        assert (call.completeness, call.reason) == (Completeness.PARTIAL, "not understood: reactorCallback")


def test_order_that_is_cut_is_malformed() -> None:
    with pytest.raises(MalformedCalldata):
        executed(V1, v1_order()[:-32])


def test_order_without_outputs_is_no_swap_that_is_known() -> None:
    assert executed(V1, v1_order(outputs=())).completeness is Completeness.OPAQUE


@pytest.mark.shared
def test_mined_order_was_paid_what_it_asks_at_least(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 19932703, "0xcdb04242a4b766bea61355ea620a6cc2ede81144512917e22c565eb2025f0884")
    (intent,) = call.intents
    paid = [int(log["data"], 16) for log in logs[:3]]
    assert isinstance(intent.size, ExactIn)
    assert intent.size.amount_in == paid[0]
    assert intent.size.min_amount_out <= paid[1] + paid[2]
