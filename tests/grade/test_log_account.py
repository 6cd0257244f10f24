"""Decoded hops held against a transaction's swap logs."""

from __future__ import annotations

import pytest

from mempool.grade.log_account import LogAccount, account_for_logs
from mempool.grade.swap_topics import SWAP_TOPICS, TRANSFER_TOPIC
from mempool.model.block import Log
from mempool.model.swap import Completeness, DecodedCall, ExactIn, ExactOut, Hop, Size, SwapIntent

LOW, HIGH = b"\x01" * 20, b"\x02" * 20
FIRST, SECOND, OTHER = (bytes([number]) * 20 for number in (0xA1, 0xA2, 0xA3))
V2 = next(topic for topic, family in SWAP_TOPICS.items() if family == "Uniswap V2")
SOLD = ExactIn(1, 0)
FORWARD, BACK = (5, 0, 0, 4), (0, 5, 4, 0)


def swap(pool: bytes, amounts: tuple[int, ...] = FORWARD) -> Log:
    return Log(pool, (V2,), b"".join(amount.to_bytes(32) for amount in amounts), 0)


def paid_by_itself(token: bytes, pool: bytes) -> Log:
    return Log(token, (TRANSFER_TOPIC, bytes(12) + token, bytes(12) + pool), (9).to_bytes(32), 0)


def intent(
    *pools: bytes,
    word: Completeness = Completeness.EXACT,
    may_fail: bool = False,
    protocol: str = "p",
    size: Size = SOLD,
) -> SwapIntent:
    hops = tuple(Hop(protocol, "", pool, LOW, HIGH, None) for pool in pools)
    return SwapIntent("r", "f", hops, size, LOW, revert_scopes=(0,) if may_fail else (), completeness=word)


def call(*intents: SwapIntent, word: Completeness = Completeness.EXACT) -> DecodedCall:
    return DecodedCall("r", b"\1\2\3\4", word, intents)


def test_hops_found_in_order_are_true_and_their_logs_asked_for() -> None:
    account = account_for_logs(call(intent(FIRST, SECOND), intent(FIRST)), [swap(FIRST), swap(SECOND), swap(FIRST)])
    assert account == LogAccount(intents=2, intents_true=2, logs=3, logs_asked_for=3)


def test_hop_the_other_way_round_or_out_of_order_or_without_log_is_false() -> None:
    for logs in ([swap(FIRST, BACK), swap(SECOND)], [swap(SECOND), swap(FIRST)], [swap(FIRST)], []):
        account = account_for_logs(call(intent(FIRST, SECOND)), logs)
        assert (account.intents_false, account.logs_asked_for, account.logs_unexplained) == (1, 0, len(logs))


@pytest.mark.parametrize("protocol", ["balancer_v2", "balancer_v3", "uniswap_v4"])
def test_exact_output_of_a_protocol_that_begins_at_the_last_hop_is_logged_in_that_order(protocol: str) -> None:
    forward, backward = [swap(FIRST), swap(SECOND)], [swap(SECOND), swap(FIRST)]
    for size, true, false in ((ExactOut(1, 2), backward, forward), (ExactIn(1, 0), forward, backward)):
        wanted = intent(FIRST, SECOND, protocol=protocol, size=size)
        assert account_for_logs(call(wanted), true).intents_true == 1
        assert account_for_logs(call(wanted), false).intents_false == 1


@pytest.mark.parametrize("protocol", ["uniswap_v2", "uniswap_v3"])
def test_exact_output_of_pairs_and_of_pools_that_are_paid_inside_their_callback_is_logged_in_trade_order(protocol: str) -> None:
    wanted = intent(FIRST, SECOND, protocol=protocol, size=ExactOut(1, 2))
    assert account_for_logs(call(wanted), [swap(FIRST), swap(SECOND)]).intents_true == 1
    assert account_for_logs(call(wanted), [swap(SECOND), swap(FIRST)]).intents_false == 1


def test_intent_that_may_fail_and_left_no_logs_is_undone() -> None:
    account = account_for_logs(call(intent(FIRST, may_fail=True), intent(SECOND)), [swap(SECOND)])
    assert (account.intents_undone, account.intents_true, account.logs_asked_for) == (1, 1, 1)


def test_token_that_sells_its_own_fee_explains_a_log_that_nobody_asked_for() -> None:
    logs = [paid_by_itself(LOW, OTHER), swap(OTHER), swap(FIRST)]
    assert account_for_logs(call(intent(FIRST)), logs) == LogAccount(
        intents=1, intents_true=1, logs=2, logs_asked_for=1, logs_inside_a_transfer=1
    )
    late = [swap(OTHER), paid_by_itself(LOW, OTHER), swap(FIRST)]
    assert account_for_logs(call(intent(FIRST)), late).logs_unexplained == 1


def test_swap_of_what_a_fee_taker_holds_is_left_to_the_token_and_the_later_one_to_the_call() -> None:
    taker, sender = b"\x77" * 20, b"\x88" * 20

    def moved(payer: bytes, receiver: bytes) -> Log:
        return Log(LOW, (TRANSFER_TOPIC, bytes(12) + payer, bytes(12) + receiver), (9).to_bytes(32), 0)

    logs = [moved(taker, FIRST), swap(FIRST), moved(sender, taker), moved(sender, FIRST), swap(FIRST)]
    account = account_for_logs(call(intent(FIRST)), logs)
    assert account == LogAccount(intents=1, intents_true=1, logs=2, logs_asked_for=1, logs_inside_a_transfer=1)
    assert account_for_logs(call(intent(FIRST)), [*logs[:2], *logs[3:]]).logs_unexplained == 1


def test_hidden_part_explains_logs_and_its_intent_claims_none() -> None:
    hidden = intent(b"", word=Completeness.PARTIAL)
    account = account_for_logs(call(hidden, intent(FIRST), word=Completeness.PARTIAL), [swap(OTHER), swap(FIRST)])
    assert account == LogAccount(intents=1, intents_true=1, logs=2, logs_asked_for=1, logs_of_a_hidden_part=1)
