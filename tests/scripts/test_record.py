"""What `scripts/record-capture` demands of a capture is asked of the database as it is, and a poor one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool import replay
from mempool.store.opening import prepare
from scripts._devnet.packages import DevnetError
from scripts._devnet.record import BUNDLED, LEAST, MAX_BYTES, STRANGE, check, counted, exchanges, followed
from scripts._devnet.traffic import CLOSING, kinds, with_arbitrageurs

ROOT = Path(__file__).parent.parent.parent
ENOUGH = {what: least for what, (least, _) in LEAST.items()} | {STRANGE: 0}


def test_empty_database_has_none_of_what_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    prepare(path)
    assert counted(path) == dict.fromkeys(ENOUGH, 0)


@pytest.mark.parametrize("what", LEAST)
def test_capture_that_shows_too_little_of_one_thing_is_refused_with_its_name(what: str) -> None:
    check(ENOUGH, MAX_BYTES)
    with pytest.raises(DevnetError, match=f"{ENOUGH[what] - 1} of {ENOUGH[what]} {what}"):
        check({**ENOUGH, what: ENOUGH[what] - 1}, MAX_BYTES)


def test_capture_with_an_outcome_that_nothing_explains_is_refused() -> None:
    with pytest.raises(DevnetError, match="2 outcomes for no proven cause, which must be none"):
        check({**ENOUGH, STRANGE: 2}, MAX_BYTES)


def test_capture_that_is_too_large_is_refused() -> None:
    with pytest.raises(DevnetError, match="2,000,001 bytes of at most 2,000,000"):
        check(ENOUGH, MAX_BYTES + 1)


def test_venue_counts_as_followed_once_it_has_a_quote(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    assert followed(path) == 0
    prepare(path)
    assert followed(path) == 0


def test_recorded_books_are_those_of_ether_and_of_its_moneys_and_slow() -> None:
    listings = [each for listed in exchanges().listings.values() for each in listed]
    assert {(each.base, each.quote) for each in listings} == {
        *(("ETH", "USD"), ("ETH", "USDT")),
        *(("USDT", "USD"), ("USDC", "USD"), ("USDC", "USDT")),
    }
    assert sum(1e9 / each.interval_ns for each in listings) < 30


def test_one_transaction_in_four_brings_a_pool_back() -> None:
    usual = list(kinds())
    changed = with_arbitrageurs(usual)
    closing = sum(kind.weight for kind in changed if kind.name.endswith("back_to_start_price"))
    assert closing == pytest.approx(sum(kind.weight for kind in changed) / 4)
    assert [kind for kind in changed if kind.name not in CLOSING] == [kind for kind in usual if kind.name not in CLOSING]
    assert {kind.name for kind in changed} == {kind.name for kind in usual}


def test_bundled_capture_shows_what_is_demanded(tmp_path: Path) -> None:
    bundled = ROOT / BUNDLED
    path = tmp_path / "replayed.sqlite"
    replay(bundled, path)
    check(counted(path), bundled.stat().st_size)
