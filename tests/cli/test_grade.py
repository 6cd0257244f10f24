"""`mempool grade` sums the outcomes of a database, each hop and each revert once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mempool.cli.grade import grade_command
from mempool.model.outcome import Cause, RevertGrade
from mempool.model.record import Record, Reorged
from tests.store.examples import block, database, graded, hash_of, predicted, seen, swap_records

QUOTED = predicted(1).prediction.result.amount_out


def graded_swap(number: int, *outcomes: Record) -> list[Record]:
    return [seen(number), predicted(number), *outcomes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four exact swaps, one moved by another transaction, one taxed, three reverts, and one exact in a block that was undone."""
    moved = graded(5, error=-QUOTED // 10, cause=Cause.MOVED_AHEAD, moved_by=tuple(map(hash_of, range(50, 55))))
    taxed = graded(6, error=-QUOTED // 100, cause=Cause.FEE_ON_TRANSFER, in_block_order=-QUOTED // 100)
    return database(
        tmp_path / "mempool.sqlite",
        [
            *swap_records([1, 2, 3, 4]),
            *graded_swap(5, moved),
            *graded_swap(6, taxed),
            *graded_swap(7, graded(7, error=None, revert=RevertGrade.RIGHT)),
            *graded_swap(8, graded(8, error=None, revert=RevertGrade.MISSED)),
            *graded_swap(9, graded(9, error=None, revert=RevertGrade.FALSE_ALARM)),
            *graded_swap(10, graded(10, on=block(77)), Reorged(block(77).hash)),
        ],
    )


def as_json(capsys: pytest.CaptureFixture[str], path: Path, **options: Any) -> dict[str, Any]:
    grade_command(db=path, as_json=True, **options)
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert shown["schema"] == "mempool.grade/1"
    return shown


def test_every_hop_and_every_revert_counts_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (grade,) = as_json(capsys, path)["grades"]
    assert grade["max_relative_error"] == pytest.approx(0.1)
    assert {name: grade[name] for name in set(grade) - {"max_relative_error"}} == {
        "router": "uniswap_v2_router_02",
        "family": "uniswap_v2",
        "predictions": 9,
        "hops": 9,
        "causes": {"exact": 7, "fee_on_transfer": 1, "moved_ahead": 1},
        "median_relative_error": 0.0,
        "in_block_order": 6,
        "in_block_order_exact": 5,
        "reverts_right": 1,
        "reverts_missed": 1,
        "reverts_false_alarm": 1,
    }


def test_another_router_has_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert as_json(capsys, path, router="swap_router")["grades"] == []
    grade_command(db=path, router="swap_router")
    assert capsys.readouterr().out == "nothing graded of that router; there are uniswap_v2_router_02\n"


def test_causes_list_the_worst_first_and_who_moved_the_pool(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worst = as_json(capsys, path, causes=True)["worst"]
    assert [each["cause"] for each in worst] == ["moved_ahead", "fee_on_transfer"]
    assert worst[0]["moved_by"] == [hash_of(number) for number in range(50, 55)]
    grade_command(db=path, causes=True)
    out = capsys.readouterr().out
    assert f"10 %  moved_ahead  {hash_of(5)}  uniswap_v2 0x4444…4444, moved by {hash_of(50)}" in out
    assert "and 2 more" in out


def test_the_table_has_a_row_per_router_and_family(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grade_command(db=path)
    out = capsys.readouterr().out
    name, row = out.splitlines()[1:3]
    assert name == "uniswap_v2_router_02"
    assert row.split() == ["uniswap_v2", "9", "7", "1", "1", "0", "%", "10", "%", "5/6", "1/1/1"]


def test_cells_never_touch_whatever_their_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = graded(1, error=-1, cause=Cause.MOVED_AHEAD)
    path = database(tmp_path / "mempool.sqlite", graded_swap(1, tiny))
    grade_command(db=path)
    row = capsys.readouterr().out.splitlines()[2]
    assert row.split() == ["uniswap_v2", "1", "0", "1", "0", "<0.001", "%", "<0.001", "%", "1/1", "0/0/0"]
    assert len(row) <= 80


def test_a_hop_of_two_counts_its_swap_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = graded(1)
    second = msgspec.structs.replace(first, outcome=msgspec.structs.replace(first.outcome, hop_index=1, cause=Cause.UPSTREAM))
    path = database(tmp_path / "mempool.sqlite", graded_swap(1, first, second))
    grades = as_json(capsys, path)["grades"]
    assert sorted((each["family"], each["predictions"], each["hops"]) for each in grades) == [
        ("uniswap_v2", 1, 1),
        ("unknown", 1, 1),
    ]


def test_reader_that_leaves_a_table_is_no_failure(path: Path) -> None:
    command = f"{sys.executable} -m mempool.cli.main grade --db {path} | true; echo ${{PIPESTATUS[0]}}"
    for _ in range(3):  # the reader may leave before or after the first line
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=False)
        assert (done.stdout, done.stderr) == ("0\n", "")
