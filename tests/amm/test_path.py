"""Paths through several pools."""

from __future__ import annotations

import pytest

from mempool.amm import POOL_KINDS
from mempool.amm.path import swap_path_exact_in, swap_path_exact_out
from mempool.amm.uniswap_v2 import V2Pool
from mempool.errors import SwapImpossible
from tests.amm.pools import TOKEN0, TOKEN1, TOKEN2, v2_pool, v3_pool

FIRST = v2_pool(10**20, 3 * 10**20)
SECOND = V2Pool(b"\xcc" * 20, TOKEN1, TOKEN2, 3000, 10**21, 10**20)


def test_exact_in_feeds_each_amount_out_to_the_next_pool() -> None:
    first, second = swap_path_exact_in([FIRST, SECOND], [TOKEN0, TOKEN1], 10**18)
    assert first == FIRST.swap_exact_in(TOKEN0, 10**18)
    assert second == SECOND.swap_exact_in(TOKEN1, first.amount_out)


def test_exact_out_runs_backwards_and_pays_exactly_what_was_asked() -> None:
    first, second = swap_path_exact_out([FIRST, SECOND], [TOKEN0, TOKEN1], 10**17)
    assert second.amount_out == 10**17
    assert first.amount_out == second.amount_in
    assert first == FIRST.swap_exact_out(TOKEN0, second.amount_in)


def test_pool_that_stands_twice_is_met_as_it_was_left() -> None:
    forth, back = swap_path_exact_in([FIRST, FIRST], [TOKEN0, TOKEN1], 10**18)
    assert back == forth.after.swap_exact_in(TOKEN1, forth.amount_out)
    with pytest.raises(SwapImpossible, match="LOK"):
        swap_path_exact_out([FIRST, FIRST], [TOKEN0, TOKEN1], 10**15)


def test_exact_out_that_a_pool_cannot_pay_in_full_is_impossible() -> None:
    with pytest.raises(SwapImpossible, match="pays only"):
        swap_path_exact_out([v3_pool([(-600, 600, 10**18)])], [TOKEN0], 10**18)


def test_pool_kinds_are_keyed_by_their_names() -> None:
    assert {name: kind.name for name, kind in POOL_KINDS.items()} == {"uniswap_v2": "uniswap_v2", "uniswap_v3": "uniswap_v3"}
    assert all(kind.topics and kind.swap_topic for kind in POOL_KINDS.values())
