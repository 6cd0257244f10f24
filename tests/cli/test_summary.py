"""The summary says what happened and leaves out what did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mempool.cli.summary import program_name, summary_lines
from mempool.engine.tally import Tally
from tests.books.venues import COINBASE, KRAKEN

DATABASE = Path("var/demo.sqlite")


def text(tally: Tally) -> str:
    return "\n".join(" ".join(line) for line in summary_lines(tally, DATABASE))


def test_run_that_heard_nothing_says_so_and_where_the_database_is() -> None:
    lines = text(Tally())
    assert lines.startswith("heard 0 pending transactions in 0 blocks")
    assert "graded" not in lines
    assert "found" not in lines
    assert lines.endswith("`mempool grade --db var/demo.sqlite`")


def test_grades_causes_and_findings_are_told_with_their_counts() -> None:
    tally = Tally()
    tally.causes.update({"exact": 326, "moved_ahead": 145, "fee_on_transfer": 15})
    tally.mined_hops, tally.exact_in_block_order = 426, 411
    tally.findings.update({"backrun": 3, "sandwich_exposure": 5, "state_unknown": 1})
    tally.largest_eth["backrun"] = 0.2962
    tally.states.update({"replaced": 17})
    tally.counters.below_minimum = 1_200
    lines = text(tally)
    assert "graded 486 hops against the mined blocks: 326 came out as predicted at first sight" in lines
    assert "160 did not: 145 others had moved the pool first, 15 a token took a fee on its transfer" in lines
    assert "of the 426 that swapped, 411 are exact at their place in the block" in lines
    assert "found 3 backruns, the largest worth 0.296 ETH after gas" in lines
    assert " 5 sandwich exposures of senders" in lines
    assert "\n 1,200 below the least profit, not stored\n" in lines
    assert "not mined 17 replaced by their sender" in lines


def test_run_of_order_books_alone_says_nothing_of_transactions() -> None:
    tally = Tally()
    tally.books.quotes = 12
    assert text(tally).startswith("books 12 quotes")
    tally.counters.seen = 1
    assert text(tally).startswith("heard 1 pending")


def test_books_are_told_of_where_some_were_followed() -> None:
    assert "books" not in text(Tally())
    tally = Tally()
    tally.books.quotes, tally.books.lost, tally.books.faults = 1_204, 3, 12
    tally.books.books = {KRAKEN, COINBASE}
    tally.books.findings.update({"cross_exchange": 2, "cex_dex": 1, "triangular": 0})
    tally.books.near_misses.update({"fees": 1_100, "stale": 7, "gas": 0})
    tally.books.largest_eth.update({"cex_dex": 0.00492})
    lines = text(tally)
    assert "books 1,204 quotes of 2 order books stored" in lines
    assert "\n 3 times a book lost its price, 12 messages that could not be used\n" in lines
    assert "\nfound 1 between a pool and exchanges, the largest worth 0.00492 ETH after fees and gas\n" in lines
    assert "\n 2 between exchanges\n" in lines
    assert "\n 1,107 near misses: 1,100 cost more in fees, 7 rest on a book that was silent\n" in lines
    assert "around" not in lines


@pytest.mark.parametrize(("found", "name"), [(None, ".venv/bin/mempool"), ("/usr/bin/mempool", "mempool")])
def test_program_is_named_by_its_path_where_the_shell_would_not_find_it(
    found: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/mempool"])
    monkeypatch.setattr("shutil.which", lambda _: found)
    assert program_name() == name
