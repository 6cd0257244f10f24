"""Which pool a swap log is of, and which way it went."""

from __future__ import annotations

import pytest

from mempool.grade.swap_logs import SwapLog, swap_logs
from mempool.grade.swap_topics import SWAP_TOPICS
from mempool.model.block import Log
from mempool.model.swap import Hop

POOL, LOW, HIGH = b"\xaa" * 20, b"\x01" * 20, b"\x02" * 20
TOPIC = {family: topic for topic, family in SWAP_TOPICS.items()}


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, signed=number < 0) for number in numbers)


def read(family: str, data: bytes, *topics: bytes) -> SwapLog:
    (swap,) = swap_logs([Log(POOL, (TOPIC[family], *topics), data, 0)])
    return swap


def hop(token_in: bytes, token_out: bytes, pool: bytes = POOL, zero_for_one: bool | None = None) -> Hop:
    return Hop("p", "", pool, token_in, token_out, None, zero_for_one=zero_for_one)


@pytest.mark.parametrize(
    ("amounts", "zero_for_one"),
    [
        ((5, 0, 0, 4), True),
        ((0, 5, 4, 0), False),
        ((5, 1, 0, 4), True),
        ((5, 0, 0, 0), True),
        ((0, 5, 0, 0), False),
        ((5, 5, 4, 4), None),
    ],
)
def test_pair_says_the_way_by_what_it_pays_out(amounts: tuple[int, ...], zero_for_one: bool | None) -> None:
    assert read("Uniswap V2", words(*amounts)).zero_for_one is zero_for_one


def test_v3_pool_is_paid_the_positive_amount_and_v4_s_swapper_pays_the_negative_one() -> None:
    pool_id = b"\x44" * 32
    for amounts, zero_for_one in (((7, -6), True), ((-6, 7), False), ((7, 0), True), ((0, 0), None)):
        assert read("Uniswap V3", words(*amounts, 1, 2, 3)).zero_for_one is zero_for_one
        assert read("PancakeSwap V3", words(*amounts, 1, 2, 3, 0, 0)).zero_for_one is zero_for_one
        mirrored = [-amount for amount in amounts]
        assert read("Uniswap V4", words(*mirrored, 1, 2, 3, 4), pool_id) == SwapLog(pool_id, 0, zero_for_one)


def test_vaults_name_pool_and_tokens_in_their_topics() -> None:
    pool_id, tokens = b"\x55" * 32, (bytes(12) + HIGH, bytes(12) + LOW)
    assert read("Balancer V2", words(1, 2), pool_id, *tokens) == SwapLog(pool_id, 0, tokens=(HIGH, LOW))
    assert read("Balancer V3", words(1, 2, 0, 0), bytes(12) + POOL, *tokens) == SwapLog(POOL, 0, tokens=(HIGH, LOW))


def test_balancer_v1_pool_names_its_tokens_behind_the_caller() -> None:
    topics = (bytes(12) + b"\x99" * 20, bytes(12) + HIGH, bytes(12) + LOW)
    assert read("Balancer V1", words(1, 2), *topics) == SwapLog(POOL, 0, tokens=(HIGH, LOW))


@pytest.mark.parametrize("family", [family for family in TOPIC if family.startswith("Curve")])
def test_curve_pool_logs_indices_of_coins_which_leave_the_way_open(family: str) -> None:
    assert read(family, words(0, 5, 1, 4)) == SwapLog(POOL, 0)


def test_log_that_is_too_short_for_its_event_is_no_swap() -> None:
    for family in ("Uniswap V2", "Uniswap V3", "Uniswap V4", "Balancer V1", "Balancer V2", "Balancer V3"):
        assert swap_logs([Log(POOL, (TOPIC[family],), b"", 0)]) == []
    assert swap_logs([Log(POOL, (), words(1), 0), Log(POOL, (b"\x01" * 32,), words(1), 1)]) == []


def test_log_goes_along_a_hop_of_its_pool_that_is_not_the_other_way_round() -> None:
    forward = SwapLog(POOL, 0, zero_for_one=True)
    assert forward.goes_along(hop(LOW, HIGH))
    assert not forward.goes_along(hop(HIGH, LOW))
    assert not forward.goes_along(hop(LOW, HIGH, b"\xbb" * 20))
    assert forward.goes_along(hop(b"", b"", zero_for_one=True))
    assert not forward.goes_along(hop(LOW, b"", zero_for_one=False))
    assert forward.goes_along(hop(b"", b""))
    vault = SwapLog(POOL, 0, tokens=(LOW, HIGH))
    assert vault.goes_along(hop(LOW, HIGH))
    assert vault.goes_along(hop(b"", HIGH))
    assert not vault.goes_along(hop(HIGH, LOW))
