"""The maths against every swap that Uniswap V2 and V3 pools logged in the recorded blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.amm.recorded_swaps import Counts, as_table, replay_folder


@pytest.fixture(scope="module")
def counts(shared_data: Path) -> Counts:
    return replay_folder(shared_data / "mainnet")


@pytest.mark.shared
def test_every_recorded_v3_swap_is_exact_but_where_the_pool_keeps_its_state_elsewhere(counts: Counts) -> None:
    v3 = {verdict: count for verdict, count in counts.items() if verdict.startswith("v3 ")}
    exact = sum(count for verdict, count in v3.items() if verdict.startswith("v3 exact"))
    assert exact == 53, as_table(counts)
    assert sum(v3.values()) - exact == counts["v3 slots missing"] == 1


@pytest.mark.shared
def test_every_recorded_v2_swap_is_exact_or_paid_less_than_the_formula_allows(counts: Counts) -> None:
    assert counts["blocks"] == 16
    v2 = {verdict: count for verdict, count in counts.items() if verdict.startswith("v2 ")}
    assert v2 == {"v2 exact": 262, "v2 paid less than the formula allows": 6, "v2 paid in with both tokens": 2}, as_table(counts)
