"""`mempool backtest` as a user meets it: one line of JSON, a table with a sentence, and clear ends for wrong files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mempool.cli.main import run
from mempool.resources import load_tables
from tests.engine.blocks import EXACT_IN, TAXED_IN, TOKEN, BlockWriter, pair_of, router_call
from tests.grade.ledger import ETHER


@pytest.fixture
def block_file(tmp_path: Path) -> Path:
    """Two exact swaps, a taxed one, a swap through an unlisted contract, and a revert that was foreseen."""
    tables = load_tables()
    weth = tables.wrapped_native
    pair = pair_of(tables, weth, TOKEN)
    block = BlockWriter(pair)
    for amount in (ETHER, 2 * ETHER):
        block.ledger.swap(pair, weth, amount)
        block.add(router_call(EXACT_IN, amount, 0, [weth, TOKEN]))
    block.ledger.swap(pair, TOKEN, 9 * ETHER)
    block.add(router_call(TAXED_IN, 10 * ETHER, 0, [TOKEN, weth]))
    block.ledger.swap(pair, weth, ETHER)
    block.add(b"\x01\x02\x03\x04", to=b"\x99" * 20)
    block.add(router_call(EXACT_IN, ETHER, 10**30, [weth, TOKEN]), succeeded=False)
    return block.write(tmp_path / "block.json.gz")


def test_json_is_one_line_with_files_and_total(block_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "--json", str(block_file), str(block_file)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    shown = json.loads(line)
    assert shown["schema"] == "mempool.backtest/1"
    assert [each["file"] for each in shown["files"]] == [str(block_file)] * 2
    assert {key: shown["files"][0][key] for key in shown["total"]} == {
        "transactions": 5,
        "swap_transactions": 4,
        "decoded": 3,
        "partial": 0,
        "opaque": 0,
        "missed": 1,
        "calls": {"exact": 4},
        "partial_by": {},
        "opaque_by": {},
        "missed_by": {"not_a_listed_router": 1},
        "missed_calls": {f"0x{'99' * 20} 0x01020304": 1},
        "logs": {
            "intents": 3,
            "intents_true": 3,
            "intents_undone": 0,
            "intents_false": 0,
            "logs": 3,
            "logs_asked_for": 3,
            "logs_inside_a_transfer": 0,
            "logs_of_a_hidden_part": 0,
            "logs_unexplained": 0,
        },
        "hops_decoded": 3,
        "hops_simulated": 3,
        "hops_without_state": 0,
        "hops_without_maths": 0,
        "hops_exact": 2,
        "hops_explained": 1,
        "hops_unexplained": 0,
        "explained_by": {"fee_on_transfer": 1},
        "reverts": {"right": 1, "missed": 0, "false_alarm": 0},
    }
    assert (shown["total"]["hops_exact"], shown["total"]["reverts"]["right"]) == (4, 2)


def test_table_has_a_row_for_each_file_and_says_the_total_in_words(block_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", str(block_file)]) == 0
    out = capsys.readouterr().out
    assert "of 4 swap transactions 3 decoded, 0 in part, 0 opaque, 1 missed (not a listed router 1)" in out
    assert "Of 3 paths 3 are in the swap logs, hop by hop, 0 are not; of 3 logs 3 were asked for" in out
    assert "Of 3 simulated hops 2 are exact to the wei (66.7 %), 1 differ for a proven cause (fee on transfer 1)" in out
    assert "total" in out


def test_narrow_terminal_folds_no_figure(
    block_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["backtest", str(block_file)])
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "30")
    run(["backtest", str(block_file)])
    assert capsys.readouterr().out == wide


def test_wrong_file_is_one_line_and_exit_code_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.json.gz"
    path.write_bytes(b"\x1f\x8b\x08nonsense")
    assert run(["backtest", "--json", str(path)]) == 5
    streams = capsys.readouterr()
    assert streams.out == ""
    assert len(streams.err.splitlines()) == 1
    assert "wrong.json.gz: not a whole gzip file" in streams.err


def test_file_that_is_not_there_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", str(tmp_path / "absent.json.gz")]) == 2
    assert "absent.json.gz: No such file or directory" in capsys.readouterr().err
