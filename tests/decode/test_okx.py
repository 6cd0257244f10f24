"""OKX's router: words of pairs and pools, and routes through adapters in rows, batches and graphs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mempool.decode import DecodeTables, RouterTable
from mempool.errors import MalformedCalldata
from mempool.model.swap import BalanceIn, Completeness, ExactIn, Take
from tests.decode.calls import DAI, DEADLINE, FRIEND, SENDER, USDC, WETH, calldata
from tests.decode.mined_calls import mined_call
from tests.decode.packed_words import (
    ETH,
    NATIVE,
    TOKEN,
    TOKEN1_IN,
    UNLISTED,
    UNWRAP_AFTER_V2,
    UNWRAP_AFTER_V3,
    V2_DAI_WETH,
    V2_USDC_WETH,
    V3_DAI_USDC,
    V3_USDC_WETH,
    Example,
    decoded_at,
    mined_amounts_in,
    packed,
    v2_word_of,
    word,
)

OKX = bytes.fromhex("28b1dc1a5e3699a428bc51d234dfab7c9cb2a183")
OLD = bytes.fromhex("f3de3c0d654fda23dad170f0f320a92172509127")
UNXSWAP = "unxswapByOrderId(uint256,uint256,uint256,bytes32[])"
UNXSWAP_TO = "unxswapTo(uint256,uint256,uint256,address,bytes32[])"
V3_TO = "uniswapV3SwapTo(uint256,uint256,uint256,uint256[])"
REQUEST = "(uint256,address,uint256,uint256,uint256)"
HOP = "(address[],address[],uint256[],bytes[],uint256)"
MAKERS = "(uint256,address,address,address,uint256,uint256,uint256,uint256,bool,bytes)[]"
SMART = f"smartSwapByOrderId(uint256,{REQUEST},uint256[],{HOP}[][],{MAKERS})"
SMART_TO = f"smartSwapTo(uint256,address,{REQUEST},uint256[],{HOP}[][],{MAKERS})"
INVEST = f"smartSwapByInvest({REQUEST},uint256[],{HOP}[][],{MAKERS},address)"
DAG = f"dagSwapByOrderId(uint256,{REQUEST},{HOP}[])"
DAG_TO = f"dagSwapTo(uint256,address,{REQUEST},{HOP}[])"
ORDER = 0x1234 << 160
ADAPTER = b"\xad" * 20
TAXED0, TAXED1 = 1 << 252, 1 << 253
MINED_PAIRS = [
    (19426586, "0xf1d619ead391d888b7fc482a594b588708712f346399b59e0ecdf6640f64286c"),
    (19932703, "0x17cc52548ef1a1c3860bb50fe5259ae07352ab77f0d596f034c9951b14b55f1f"),
    (19932703, "0x6422e15becaa39cdaedc4a0578251468080f1a8be4cff4d76ddda126766a1d7b"),
]
Pool = tuple[bytes, int, int]
"""`(pool, share, target)`; V2 pools are paid, for the others the adapter is."""
V2_POOLS = (V2_USDC_WETH, V2_DAI_WETH)


def number(token: bytes) -> int:
    return int.from_bytes(token)


def request(token_in: bytes, token_out: bytes, amount: int = 1000, minimum: int = 22) -> tuple[Any, ...]:
    return number(token_in), token_out, amount, minimum, DEADLINE


def hop(token: bytes, *pools: Pool, source: int = 0) -> tuple[Any, ...]:
    """A hop of a batch or, with the numbers of nodes, a path of a graph."""
    paid_to = [pool if pool in V2_POOLS else ADAPTER for pool, _, _ in pools]
    words = [number(pool) | share << 160 | target << 176 | source << 184 for pool, share, target in pools]
    return [ADAPTER] * len(pools), paid_to, words, [b""] * len(pools), number(token)


def graph(terms: tuple[Any, ...], *paths: tuple[Any, ...]) -> bytes:
    return calldata(DAG, 7, terms, list(paths))


def smart(terms: tuple[Any, ...], amounts: Sequence[int], batches: Sequence[Sequence[tuple[Any, ...]]]) -> bytes:
    return calldata(SMART, 7, terms, amounts, batches, [])


def example(of: DecodeTables, _router: RouterTable) -> tuple[bytes, int]:
    _, pair = v2_word_of(of)
    return calldata(UNXSWAP, 0, 11, 22, packed(pair)), 11


EXAMPLES: dict[str, Example] = {"okx_dex_router": example}


def test_pairs_words_are_as_1inchs_with_the_orders_number_above_the_token() -> None:
    words = packed(word(V2_USDC_WETH), word(V2_DAI_WETH, TOKEN1_IN))
    call = decoded_at(OKX, calldata(UNXSWAP, ORDER | number(USDC), 11, 22, words))
    (intent,) = call.intents
    assert [(each.pool, each.token_out) for each in intent.hops] == [(V2_USDC_WETH, WETH), (V2_DAI_WETH, DAI)]
    assert (intent.token_in, intent.size, intent.recipient, intent.deadline) == (USDC, ExactIn(11, 22), SENDER, None)
    assert (call.completeness, intent.measures_received) == (Completeness.EXACT, False)


@pytest.mark.parametrize("token", [NATIVE, ETH])
@pytest.mark.parametrize(("given", "recipient"), [(FRIEND, FRIEND), (NATIVE, SENDER)])
def test_native_coin_is_wrapped_and_nobody_is_the_sender(token: bytes, given: bytes, recipient: bytes) -> None:
    data = calldata(UNXSWAP_TO, number(token), 11, 22, given, packed(word(V2_USDC_WETH, TOKEN1_IN)))
    (intent,) = decoded_at(OKX, data, 11).intents
    assert (intent.token_in, intent.token_out, intent.recipient) == (WETH, USDC, recipient)


def test_value_beside_a_token_reverts() -> None:
    with pytest.raises(MalformedCalldata, match="the value sent is not the amount"):
        decoded_at(OKX, calldata(UNXSWAP, number(USDC), 11, 22, packed(word(V2_USDC_WETH))), 11)


@pytest.mark.parametrize(("flags", "measures"), [(TAXED0, True), (TAXED1, False), (TOKEN1_IN | TAXED1, True), (TOKEN1_IN, False)])
def test_pair_is_asked_what_it_received_of_a_taxed_token_that_is_sold(flags: int, measures: bool) -> None:
    token = WETH if flags & TOKEN1_IN else USDC
    (intent,) = decoded_at(OKX, calldata(UNXSWAP, number(token), 11, 22, packed(word(V2_USDC_WETH, flags)))).intents
    assert (intent.measures_received, intent.completeness) == (measures, Completeness.EXACT)


def test_base_requests_state_the_tokens_and_the_deadline() -> None:
    terms = request(USDC, ETH, 11)
    pair, pool = word(UNLISTED, UNWRAP_AFTER_V2), word(UNLISTED, UNWRAP_AFTER_V3)
    pairs = calldata(f"unxswapToWithBaseRequest(uint256,address,{REQUEST},bytes32[])", 7, FRIEND, terms, packed(pair))
    pools = calldata(f"uniswapV3SwapToWithBaseRequest(uint256,address,{REQUEST},uint256[])", 7, FRIEND, terms, [pool])
    for data in (pairs, pools):
        (intent,) = decoded_at(OKX, data).intents
        assert (intent.token_in, intent.token_out, intent.size) == (USDC, WETH, ExactIn(11, 22))
        assert (intent.recipient, intent.deadline, intent.completeness) == (FRIEND, DEADLINE, Completeness.EXACT)


def test_v3_words_are_as_1inchs_with_the_orders_number_above_the_receiver() -> None:
    data = calldata(V3_TO, ORDER | number(FRIEND), 11, 22, [word(UNLISTED, TOKEN1_IN), word(UNLISTED)])
    call = decoded_at(OKX, data)
    assert (call.intents[0].recipient, [each.zero_for_one for each in call.intents[0].hops]) == (FRIEND, [False, True])
    native = decoded_at(OKX, calldata(V3_TO, ORDER, 11, 22, [word(V3_USDC_WETH, TOKEN1_IN)]), 11)
    assert (native.intents[0].token_in, native.intents[0].token_out, native.intents[0].recipient) == (WETH, USDC, SENDER)


def test_v3_swap_with_permit_says_its_token() -> None:
    signature = "uniswapV3SwapToWithPermit(uint256,address,uint256,uint256,uint256[],bytes)"
    (intent,) = decoded_at(OLD, calldata(signature, number(FRIEND), USDC, 11, 22, [word(V3_USDC_WETH)], b"permit")).intents
    assert (intent.token_in, intent.token_out) == (USDC, WETH)


@pytest.mark.parametrize("data", [calldata(UNXSWAP, number(USDC), 11, 22, []), calldata(V3_TO, 0, 11, 22, [])])
def test_no_pools_revert(data: bytes) -> None:
    with pytest.raises(MalformedCalldata, match="there are no pools"):
        decoded_at(OKX, data)


def test_row_of_proven_pools_is_one_swap_with_the_requests_minimum() -> None:
    paths = [hop(USDC, (V2_USDC_WETH, 10_000, 1)), hop(WETH, (V2_DAI_WETH, 10_000, 2), source=1)]
    call = decoded_at(OKX, graph(request(USDC, DAI), *paths))
    (intent,) = call.intents
    assert [(each.kind, each.pool) for each in intent.hops] == [("uniswap_v2", V2_USDC_WETH), ("uniswap_v2", V2_DAI_WETH)]
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, ExactIn(1000, 22))
    assert (intent.recipient, intent.deadline, call.completeness) == (SENDER, DEADLINE, Completeness.EXACT)
    same = decoded_at(OKX, smart(request(USDC, DAI), [1000], [paths]))
    assert (same.intents[0].hops, same.intents[0].size, same.completeness) == (intent.hops, intent.size, Completeness.EXACT)


def test_v3_pool_is_proven_where_its_adapter_is_paid() -> None:
    call = decoded_at(OKX, graph(request(ETH, USDC), hop(WETH, (V3_USDC_WETH, 10_000, 1))), 1000)
    (intent,) = call.intents
    assert (intent.hops[0].kind, intent.token_in, intent.token_out) == ("uniswap_v3", WETH, USDC)
    assert call.completeness is Completeness.EXACT


def test_pool_that_is_not_proven_leaves_a_route_partial_with_all_its_tokens() -> None:
    paths = [hop(TOKEN, (UNLISTED, 10_000, 1)), hop(WETH, (V2_USDC_WETH, 10_000, 2), source=1)]
    call = decoded_at(OKX, calldata(DAG_TO, 7, FRIEND, request(TOKEN, USDC), paths))
    (intent,) = call.intents
    assert [(each.protocol, each.token_in, each.token_out) for each in intent.hops] == [
        ("okx_adapter", TOKEN, WETH),
        ("uniswap_v2", WETH, USDC),
    ]
    assert (intent.size, intent.recipient, call.completeness) == (ExactIn(1000, 22), FRIEND, Completeness.PARTIAL)
    assert call.reason == "an adapter swaps in its own way"


def test_graph_that_splits_is_one_swap_for_each_edge() -> None:
    """A third of USDC goes to WETH and the rest to DAI and on to WETH; WETH goes back to USDC where all arrived."""
    paths = [
        hop(USDC, (V2_USDC_WETH, 3333, 2), (V3_DAI_USDC, 6667, 1)),
        hop(DAI, (V2_DAI_WETH, 10_000, 2), source=1),
        hop(WETH, (V3_USDC_WETH, 10_000, 3), source=2),
    ]
    call = decoded_at(OKX, graph(request(USDC, USDC, 1001), *paths))
    assert [intent.size for intent in call.intents] == [
        ExactIn(333, 0),
        ExactIn(668, 0),
        BalanceIn(0, (1,), 0),
        BalanceIn(0, (0, 2), 22),
    ]
    assert [intent.recipient for intent in call.intents] == [ADAPTER, V2_DAI_WETH, ADAPTER, SENDER]
    assert call.completeness is Completeness.EXACT


def test_node_inside_a_graph_splits_its_balance_and_its_ends_reach_the_minimum_together() -> None:
    paths = [
        hop(USDC, (V2_USDC_WETH, 10_000, 1)),
        hop(WETH, (V2_DAI_WETH, 2500, 2), (V2_DAI_WETH, 7500, 2), source=1),
    ]
    call = decoded_at(OKX, graph(request(USDC, DAI), *paths))
    assert [intent.size for intent in call.intents[1:]] == [
        BalanceIn(0, (0,), 0, (), Take(0, 2500, 10_000)),
        BalanceIn(0, (0,), 0, (Take(0, 2500, 10_000),)),
    ]
    assert (call.joint_minimums, call.completeness) == ((BalanceIn(0, (1, 2), 22),), Completeness.EXACT)


def test_third_share_of_a_balance_in_a_graph_is_not_known_to_the_wei() -> None:
    shares = [(V2_DAI_WETH, share, 2) for share in (3333, 3333, 3334)]
    call = decoded_at(OKX, graph(request(USDC, DAI), hop(USDC, (V2_USDC_WETH, 10_000, 1)), hop(WETH, *shares, source=1)))
    assert [intent.completeness for intent in call.intents[1:]] == [
        Completeness.EXACT,
        Completeness.EXACT,
        Completeness.AMOUNT_UNKNOWN,
    ]
    assert "rounding" in call.reason


def test_batches_sell_their_own_amounts_and_reach_the_minimum_together() -> None:
    batches = [
        [hop(USDC, (V2_USDC_WETH, 10_000, 0))],
        [hop(USDC, (V3_DAI_USDC, 10_000, 0)), hop(DAI, (V2_DAI_WETH, 4000, 0), (V2_DAI_WETH, 6000, 0))],
    ]
    terms = request(USDC, ETH)
    call = decoded_at(OKX, calldata(SMART_TO, 7, FRIEND, terms, [600, 400], batches, []))
    assert [intent.size for intent in call.intents] == [
        ExactIn(600, 0),
        ExactIn(400, 0),
        BalanceIn(0, (1,), 0, (), Take(0, 4000, 10_000)),
        BalanceIn(0, (1,), 0, (), Take(0, 6000, 10_000)),
    ]
    assert [intent.recipient for intent in call.intents] == [FRIEND, OKX, OKX, OKX]
    assert (call.joint_minimums, call.completeness) == ((BalanceIn(0, (0, 2, 3), 22),), Completeness.EXACT)


def test_invested_balance_is_sold_along_a_route_that_is_not_looked_into() -> None:
    call = decoded_at(OKX, calldata(INVEST, request(USDC, DAI), [1000], [[hop(USDC, (V2_USDC_WETH, 10_000, 0))]], [], FRIEND))
    (intent,) = call.intents
    assert (intent.token_in, intent.token_out, intent.size) == (USDC, DAI, BalanceIn(0, (), 22))
    assert (intent.recipient, call.completeness) == (FRIEND, Completeness.PARTIAL)


def test_share_of_a_batchs_only_edge_counts_where_the_router_pays_it() -> None:
    batch = [hop(USDC, (V2_USDC_WETH, 5000, 0)), hop(WETH, (V2_DAI_WETH, 5000, 0))]
    call = decoded_at(OKX, smart(request(USDC, DAI), [1000], [batch]))
    assert [intent.size for intent in call.intents] == [ExactIn(500, 0), BalanceIn(0, (0,), 22)]


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        ([], "no first node"),
        ([hop(USDC, (V2_USDC_WETH, 10_000, 2), source=1)], "does not lead on"),
        ([hop(USDC, (V2_USDC_WETH, 10_000, 0))], "does not lead on"),
        ([hop(USDC, (V2_USDC_WETH, 9_999, 1))], "not the whole"),
        ([hop(USDC)], "differ in length"),
        ([(*hop(USDC, (V2_USDC_WETH, 10_000, 1))[:3], [], 5)], "differ in length"),
        ([hop(USDC, (V2_USDC_WETH, 10_000, 1)), hop(WETH, (V2_DAI_WETH, 10_000, 2))], "node of its own"),
    ],
)
def test_graph_that_the_router_refuses_reverts(paths: list[tuple[Any, ...]], reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded_at(OKX, graph(request(USDC, DAI), *paths))


@pytest.mark.parametrize(
    ("amounts", "batches", "reason"),
    [
        ([], [], "amounts are not those"),
        ([1], [], "amounts are not those"),
        ([1001], [[hop(USDC, (V2_USDC_WETH, 10_000, 0))]], "amounts are not those"),
        ([1000], [[]], "has no hops"),
        ([1000], [[hop(USDC, (V2_USDC_WETH, 5000, 0), (V2_USDC_WETH, 5001, 0))]], "exceed the whole"),
        ([1000], [[([ADAPTER], [], [0], [b""], 0)]], "lacks an adapter's arguments"),
    ],
)
def test_batches_that_the_router_refuses_revert(amounts: list[int], batches: list[list[tuple[Any, ...]]], reason: str) -> None:
    with pytest.raises(MalformedCalldata, match=reason):
        decoded_at(OKX, smart(request(USDC, DAI), amounts, batches))


def test_wrapping_alone_is_not_a_swap() -> None:
    call = decoded_at(OKX, calldata("swapWrap(uint256,uint256)", 7, 11), 11)
    assert (call.completeness, call.commands) == (Completeness.NOT_A_SWAP, ("swapWrap",))


def test_commission_behind_the_arguments_changes_nothing_of_what_is_sold() -> None:
    data = graph(request(USDC, WETH), hop(USDC, (V2_USDC_WETH, 10_000, 1)))
    referrer = bytes.fromhex("3ca20afc2aaa") + (10_000_000).to_bytes(6) + FRIEND
    plain, charged = decoded_at(OKX, data), decoded_at(OKX, data + USDC.rjust(32, b"\0") + referrer)
    assert (charged.intents, charged.extra_bytes) == (plain.intents, 64)


@pytest.mark.shared
@pytest.mark.parametrize(("block_number", "transaction_hash"), MINED_PAIRS)
def test_mined_swaps_went_through_the_pool_read_with_the_amount_read(
    shared_data: Path, block_number: int, transaction_hash: str
) -> None:
    call, logs = mined_call(shared_data, block_number, transaction_hash)
    (intent,) = call.intents
    assert isinstance(intent.size, ExactIn)
    assert mined_amounts_in(intent, logs) == [(intent.hops[0].pool, intent.size.amount_in)]
    assert call.completeness in (Completeness.EXACT, Completeness.TOKENS_UNKNOWN)


@pytest.mark.shared
def test_mined_graph_went_through_its_proven_pools(shared_data: Path) -> None:
    call, logs = mined_call(shared_data, 25215354, "0x798fe445eced9dc8d9b7bbc3b4eef56c0a21a942c1d1799ac36e8aec0dbe5f14")
    (intent,) = call.intents
    assert isinstance(intent.size, ExactIn)
    proven, (adapted,) = intent.hops[:2], intent.hops[2:]
    amounts = mined_amounts_in(type(intent)(intent.router, intent.function, proven, intent.size, intent.recipient), logs)
    assert amounts[0] == (proven[0].pool, intent.size.amount_in)
    assert amounts[1][1] > 0
    assert (adapted.protocol, adapted.token_out, call.completeness) == ("okx_adapter", WETH, Completeness.PARTIAL)
