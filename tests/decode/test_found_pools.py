"""Pools that a call names by their address alone."""

from __future__ import annotations

import pytest

from mempool.abi import MAX_HASHES
from mempool.decode.found_pools import HASHES_LEFT_FOR_PATHS, MAX_TRIED, FoundPools, unnamed_pools
from mempool.decode.pools import MAX_HOPS
from mempool.model.swap import Completeness, DecodedCall, ExactIn, Hop, SwapIntent
from mempool.resources import load_tables
from tests.decode.bombs import along_new_tokens, unknown_v3_pools
from tests.decode.calls import DAI, USDC, WETH, tables
from tests.decode.costs import counted
from tests.decode.fuzzing import Input, outcome
from tests.decode.repeats import aggregated

UNLISTED = b"\x77" * 20


def found_pools() -> FoundPools:
    return FoundPools(tables().factories, tuple(tables().tokens))


def address(kind: str, token: bytes, other_token: bytes, fee_pips: int = 0) -> bytes:
    factory = tables().factories[kind]
    return factory.address_of(token, other_token, fee_pips or factory.fee_pips)


@pytest.mark.parametrize(("kind", "fee_pips"), [("uniswap_v2", 3000), ("uniswap_v3", 500)])
def test_pool_of_one_known_token_is_found_among_the_listed_ones(kind: str, fee_pips: int) -> None:
    pools, pool = found_pools(), address(kind, UNLISTED, USDC, fee_pips)
    assert pools.needs_search(kind, pool, (UNLISTED, b""))
    pools.search(kind, pool, (UNLISTED, b""))
    assert not pools.needs_search(kind, pool, (UNLISTED, b""))
    hop = pools.hop(kind, pool, (UNLISTED, b""))
    assert (hop.protocol, hop.kind, hop.pool, hop.token_in, hop.token_out, hop.fee_pips) == (
        *(kind, kind, pool, UNLISTED, USDC, fee_pips),
    )


def test_direction_alone_orders_the_tokens_of_a_found_pool() -> None:
    pools, pool = found_pools(), address("uniswap_v2", WETH, USDC)
    pools.search("uniswap_v2", pool, (b"", WETH))
    token0, token1 = sorted((WETH, USDC))
    forward = pools.hop("uniswap_v2", pool, (b"", b""), zero_for_one=True)
    back = pools.hop("uniswap_v2", pool, (b"", b""), zero_for_one=False)
    assert (forward.token_in, forward.token_out) == (back.token_out, back.token_in) == (token0, token1)


def test_nothing_is_claimed_of_a_pool_that_is_not_proven() -> None:
    pools, pool = found_pools(), b"\x99" * 20
    for tokens in ((WETH, USDC), (WETH, b""), (b"", b"")):
        pools.search("uniswap_v2", pool, tokens) if any(tokens) else None
        hop = pools.hop("uniswap_v2", pool, tokens, zero_for_one=True)
        assert (hop.protocol, hop.kind, hop.pool, hop.fee_pips, hop.identity) == ("uniswap_v2_unlisted", "", pool, None, None)
        assert (hop.token_in, hop.token_out, hop.zero_for_one) == (*tokens, True)
        assert not pools.needs_search("uniswap_v2", pool, tokens)


def test_tokens_that_are_not_the_pool_s_own_or_no_direction_leave_it_open() -> None:
    pools, pool = found_pools(), address("uniswap_v2", WETH, USDC)
    pools.search("uniswap_v2", pool, (WETH, USDC))
    assert pools.hop("uniswap_v2", pool, (DAI, b"")).kind == ""
    assert pools.hop("uniswap_v2", pool, (b"", b"")).kind == ""
    assert pools.hop("uniswap_v3", pool, (WETH, USDC)).kind == ""


def test_search_tries_a_bounded_number_of_tokens() -> None:
    few = FoundPools(tables().factories, tuple(bytes([number]) * 20 for number in range(1, 40)))
    last = address("uniswap_v2", UNLISTED, bytes([MAX_TRIED]) * 20)
    beyond = address("uniswap_v2", UNLISTED, bytes([MAX_TRIED + 1]) * 20)
    for pool in (last, beyond):
        few.search("uniswap_v2", pool, (UNLISTED, b""))
    assert set(few.by_address) == {last}


def test_search_stops_at_its_number_of_hashes_and_may_be_taken_up_again() -> None:
    pools, pool = found_pools(), b"\x99" * 20
    assert pools.search("uniswap_v3", pool, (UNLISTED, b""), 100) <= 100
    assert pools.needs_search("uniswap_v3", pool, (UNLISTED, b""))
    assert pools.search("uniswap_v3", pool, (UNLISTED, b"")) > 100
    assert not pools.needs_search("uniswap_v3", pool, (UNLISTED, b""))
    assert pools.needs_search("uniswap_v2", pool, (UNLISTED, b""))


@pytest.mark.parametrize("kind", ["uniswap_v2", "uniswap_v3"])
def test_search_costs_the_hashes_that_it_makes(kind: str) -> None:
    pools, spent = found_pools(), []
    made = counted(lambda: spent.append(pools.search(kind, b"\x99" * 20, (UNLISTED, b""))))
    assert made.hashes == spent[0] < MAX_HASHES
    assert pools.by_address == {}


def test_looking_for_pools_leaves_the_paths_of_the_same_call_their_hashes() -> None:
    pool_calls = unknown_v3_pools(3, 10)
    for hops, word in ((HASHES_LEFT_FOR_PATHS // 2, Completeness.TOKENS_UNKNOWN), (MAX_HOPS - 10, Completeness.REFUSED)):
        call = outcome(Input(load_tables(), *aggregated([pool_calls, along_new_tokens(4, hops)])))
        assert call is not None
        assert call.completeness is word, call.reason


def test_pools_are_not_looked_for_where_paths_have_used_the_hashes() -> None:
    of = load_tables()
    call = outcome(Input(of, *aggregated([along_new_tokens(5, 210), unknown_v3_pools(6, 10)])))
    assert call is not None
    assert call.completeness is Completeness.TOKENS_UNKNOWN
    assert not of.found_pools.not_found


@pytest.mark.parametrize(("kind", "fee_pips"), [("uniswap_v2", 3000), ("uniswap_v3", 10_000)])
def test_pool_that_says_its_own_tokens_is_believed_where_a_factory_has_it(kind: str, fee_pips: int) -> None:
    pools, pool = found_pools(), address(kind, UNLISTED, b"\x66" * 20, fee_pips)
    for lie in ((UNLISTED, WETH), (UNLISTED, UNLISTED), (bytes(20), bytes(20))):
        assert not pools.learn(pool, lie)
    assert pools.hop(kind, pool, (b"", b""), zero_for_one=True).kind == ""
    assert pools.learn(pool, (UNLISTED, b"\x66" * 20))
    hop = pools.hop(kind, pool, (b"", b""), zero_for_one=True)
    assert (hop.kind, hop.token_in, hop.token_out, hop.fee_pips) == (kind, b"\x66" * 20, UNLISTED, fee_pips)


def test_stored_hop_brings_its_pool_back_and_one_that_proves_nothing_does_not() -> None:
    before, pool = found_pools(), address("uniswap_v3", UNLISTED, b"\x66" * 20, 500)
    before.learn(pool, (UNLISTED, b"\x66" * 20))
    hop = before.hop("uniswap_v3", pool, (b"", b""), zero_for_one=False)
    later = found_pools()
    later.recall(hop)
    assert later.hop("uniswap_v3", pool, (b"", b""), zero_for_one=False) == hop
    invented = Hop("uniswap_v3", "uniswap_v3", b"\x99" * 20, UNLISTED, WETH, 500)
    later.recall(invented)
    later.recall(Hop("nobody's", "uniswap_v3", b"\x98" * 20, UNLISTED, WETH, 500))
    assert set(later.by_address) == {pool}


def test_pools_that_their_tokens_would_settle_are_those_without_one_and_with_a_direction() -> None:
    pools, asked, half = found_pools(), b"\x91" * 20, b"\x92" * 20
    hops = (
        pools.hop("uniswap_v3", asked, (b"", b""), zero_for_one=True),
        pools.hop("uniswap_v2", half, (WETH, b"")),
        pools.hop("uniswap_v2", b"\x93" * 20, (b"", b"")),
        pools.hop("uniswap_v2", b"\x94" * 20, (WETH, USDC)),
        Hop("curve", "", b"\x95" * 20, b"", b"", None, zero_for_one=True),
    )
    call = DecodedCall("r", b"", Completeness.TOKENS_UNKNOWN, (SwapIntent("r", "f", hops, ExactIn(1, 0), WETH),))
    assert list(unnamed_pools(call)) == [asked, half]
