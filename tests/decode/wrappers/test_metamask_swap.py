"""MetaMask's swaps are those of the aggregator that they name, or stand for them where it is not understood."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from mempool.decode import DecodeTables, RouterTable
from mempool.decode.wrappers.metamask_swap import spender_of
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, DecodedCall, ExactIn
from tests.decode.calls import DAI, DEADLINE, ETHER, FRIEND, SENDER, TO_SENDER, USDC, WETH, address, calldata, path, plan, tables
from tests.decode.wrappers.wrapped import Example, decoded, other_token

METAMASK = bytes.fromhex("881d40237659c251811cec9c364ef91dc08d300c")
SPENDER = bytes.fromhex("74de5d4fcbf63e00296fd95d33236b9794016631")
SWAP = "swap(string,address,uint256,bytes)"
NATIVE = bytes(20)
LAYOUT = ["address", "address", "address", "uint256", "uint256", "bytes", "uint256", "address", "bool"]


def adapter_data(tokens: tuple[bytes, bytes], amounts: tuple[int, int], inner: bytes, fee: int = 1) -> bytes:
    """What an adapter takes, less the recipient before it."""
    return encode(LAYOUT, [NATIVE, *tokens, *amounts, inner, fee, FRIEND, True])[32:]


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    data = adapter_data((other_token(of), of.wrapped_native), (11, 22), b"")
    return calldata(SWAP, "openOceanFeeDynamic", other_token(of), 11, data), 0


EXAMPLES: dict[str, Example] = {"metamask_swap": example}


def swapped(name: str, token_in: bytes, amount: int, data: bytes) -> DecodedCall:
    return decoded(METAMASK, calldata(SWAP, name, token_in, amount, data))


def universal(recipient: bytes = TO_SENDER, amount_in: int = 99) -> bytes:
    codes, inputs = plan("ur2", [(0x00, (recipient, amount_in, 5, path(USDC, 500, WETH), True))])
    return calldata("execute(bytes,bytes[],uint256)", codes, inputs, DEADLINE)


def test_spender_is_the_first_contract_that_metaswap_created() -> None:
    assert spender_of(METAMASK) == SPENDER


def test_aggregators_own_calldata_is_followed_and_the_spender_sends_it() -> None:
    data = adapter_data((USDC, WETH), (99, 4), universal())
    call = swapped("uniswapPermit2FeeDynamic", USDC, 100, data)
    (intent,) = call.intents
    assert (intent.router, intent.size, intent.recipient) == ("uniswap_universal_router_v2", ExactIn(99, 5), SPENDER)
    assert (call.router, call.completeness) == ("metamask_swap", Completeness.EXACT)
    assert [(step.depth, step.contract) for step in call.steps[:2]] == [
        (0, "metamask_swap"),
        (1, "uniswap_universal_router_v2"),
    ]


def test_native_coin_that_is_swapped_is_passed_on_less_the_fee() -> None:
    to_router = bytes(19) + b"\x02"
    codes, inputs = plan("ur2", [(0x0B, (to_router, 1 << 255)), (0x00, (TO_SENDER, 1 << 255, 5, path(WETH, 500, USDC), False))])
    inner = calldata("execute(bytes,bytes[],uint256)", codes, inputs, DEADLINE)
    call = swapped("uniswapPermit2", NATIVE, ETHER, adapter_data((NATIVE, USDC), (ETHER - 7, 4), inner))
    assert call.intents[0].size == BalanceIn(ETHER - 7, (), 5)


def test_aggregator_that_is_not_listed_leaves_the_tokens_the_amount_and_the_minimum() -> None:
    data = adapter_data((DAI, NATIVE), (98, 4), b"\xde\xad\xbe\xef")
    call = swapped("openOceanFeeDynamic", DAI, 100, data)
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (DAI, NATIVE, ExactIn(98, 4))
    assert (intent.completeness, intent.hops[0].pool, intent.recipient) == (Completeness.PARTIAL, b"", SENDER)
    assert call.reason == "swapped by 'openOceanFeeDynamic'"


def test_function_that_the_aggregators_table_lacks_leaves_them_too() -> None:
    data = adapter_data((DAI, WETH), (98, 4), b"\xde\xad\xbe\xef")
    call = swapped("uniswapPermit2FeeDynamic", DAI, 98, data)
    assert (len(call.intents), call.completeness) == (1, Completeness.PARTIAL)


def test_order_of_a_market_maker_is_a_swap_without_a_pool() -> None:
    words = [1, DEADLINE, FRIEND, NATIVE, 30, USDC, 99, 27, bytes(32), bytes(32), 1, FRIEND, True]
    types = ["uint256", "uint256", "address", "address", "uint256", "address", "uint256", "uint8", "bytes32", "bytes32"]
    call = swapped("airswapLight3FeeDynamic", USDC, 99, encode([*types, "uint256", "address", "bool"], words))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, NATIVE, ExactIn(99, 30))
    assert intent.completeness is Completeness.PARTIAL


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01" * 400,
        adapter_data((DAI, WETH), (101, 4), b""),
        adapter_data((USDC, WETH), (100, 4), b""),
    ],
)
def test_data_that_is_not_about_the_token_and_amount_is_an_adapters_own(data: bytes) -> None:
    call = swapped("wrappingV2", DAI, 100, data)
    assert (call.completeness, call.intents) == (Completeness.OPAQUE, ())
    assert call.reason == "not understood: data of 'wrappingV2'"


def test_inner_calldata_that_reverts_reverts_the_whole() -> None:
    with pytest.raises(MalformedCalldata):
        swapped("uniswapPermit2", USDC, 100, adapter_data((USDC, WETH), (99, 4), universal()[:-40]))


def test_amount_of_the_inner_call_is_the_one_that_counts() -> None:
    call = swapped("uniswapPermit2", USDC, 100, adapter_data((USDC, WETH), (99, 4), universal(amount_in=97)))
    assert call.intents[0].size == ExactIn(97, 5)
    assert address("ur2") in tables().routers


def test_name_that_is_longer_than_any_is_cut() -> None:
    call = decoded(METAMASK, calldata(SWAP, "a" * 1_000, DAI, 100, b""))
    assert call.reason == f"not understood: data of {'a' * 64!r}"
