"""Frames are dropped, doubled, swapped and broken: no quote comes from a book that is not in sync, and each book heals."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.dialects import DIALECTS
from tests.exchanges.faulty_world import World


def assert_sound(world: World) -> None:
    assert world.wrong == []
    assert world.missed == []
    assert world.longest_resync_ns <= 2_000_000_000


@pytest.mark.parametrize("name", DIALECTS)
def test_perfect_line_gives_the_book_of_the_venue_and_no_fault(name: str) -> None:
    world = World(name, Random(1), fault_rate=0)
    world.run(400)
    counts = world.session.counts
    assert_sound(world)
    assert world.quotes > 100
    assert (counts.gaps, counts.mismatches, counts.resyncs, counts.malformed, counts.duplicates) == (0, 0, 0, 0, 0)
    assert all(world.session.state(symbol).is_priced for symbol in world.dialect.symbols)


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), fault_rate=st.sampled_from([0.01, 0.05, 0.3]))
def test_no_quote_comes_from_a_book_out_of_sync(name: str, seed: int, fault_rate: float) -> None:
    world = World(name, Random(seed), fault_rate)
    world.run(300)
    assert_sound(world)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "coinbase"])
def test_faults_of_one_symbol_leave_the_other_untouched(name: str) -> None:
    world = World(name, Random(7), fault_rate=0.1)
    world.run(1_000)
    assert world.session.counts.resyncs > 5
    # Connecting, syncing and live are the only changes of the other symbol.
    assert world.other_changes <= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", DIALECTS)
def test_no_quote_of_200_000_messages_comes_from_a_book_out_of_sync(name: str) -> None:
    world = World(name, Random(42), fault_rate=0.02)
    world.run(200_000)
    assert_sound(world)
    assert min(world.faults.values()) > 100
    assert world.quotes > 10_000
