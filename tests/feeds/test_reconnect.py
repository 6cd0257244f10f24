"""Delays between attempts: jittered, growing, bounded, and fresh after a stable connection."""

from __future__ import annotations

from mempool.feeds.reconnect import Backoff


def test_ceiling_doubles_from_half_a_second_to_thirty() -> None:
    backoff = Backoff(draw=lambda: 1.0)
    assert [backoff.delay_after(0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_delay_is_drawn_from_the_whole_range() -> None:
    backoff = Backoff(draw=iter([0.0, 0.5]).__next__)
    assert [backoff.delay_after(0), backoff.delay_after(0)] == [0, 0.5]


def test_connection_of_a_minute_starts_afresh() -> None:
    backoff = Backoff(draw=lambda: 1.0)
    assert [backoff.delay_after(seconds) for seconds in (0, 0, 59.9, 60)] == [0.5, 1, 2, 0.5]


def test_two_clients_do_not_wait_in_lock_step() -> None:
    one, other = Backoff(), Backoff()
    assert [one.delay_after(0) for _ in range(5)] != [other.delay_after(0) for _ in range(5)]
