"""The benchmarks run and print every row; what they measure is nobody's to assert."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts._bench.__main__ import main
from scripts._bench.calls import CASES
from scripts._bench.figures import Contestant, Figure, race, ratios
from scripts._bench.mined_calls import SHAPES

ROOT = Path(__file__).parent.parent.parent


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "scripts._bench", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_every_benchmark_gives_every_row_beside_its_peers() -> None:
    done = bench("--quick", "--json", "--blocks")
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    assert printed["schema"] == "mempool.bench/1"
    assert {"cpu", "python", "web3", "eth-abi"} <= set(printed["machine"])
    peers = {row["work"]: set(row["ratios"]) for row in printed["rows"]}
    for case in CASES:
        assert peers[case.work] == {"eth-abi", "web3"}
        assert peers[f"{case.work}, new tokens"] == {"eth-abi"}
    for work in ("decoded swap", "opportunity, pools arbitraged", "opportunity, pools as recorded"):
        assert peers[f"frame -> {work}, CPU"] == peers[f"frame -> {work}, wall"] == {"web3"}
    assert {"V2 amount out and state after", "V3 swap over 20 ticks", "sandwich sizing, V3", "backrun sizing, V3"} <= set(peers)
    assert all(seconds > 0 for row in printed["rows"] for seconds in row["seconds"].values())


def test_table_shows_machine_and_every_row() -> None:
    done = bench("maths", "--quick")
    assert done.returncode == 0, done.stderr
    assert "python 3." in done.stdout
    assert "V3 swap over 5 ticks" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(("fly",), 2, "no benchmark named fly"), (("stream", "--capture", "missing.gz"), 1, "there is no such capture")],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(arguments))
    assert ended.value.code == code
    assert said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.shared
def test_calls_are_taken_from_the_blocks_that_are_there(shared_data: Path) -> None:
    done = bench("decode", "--quick", "--json", "--blocks", *map(str, shared_data.glob("mainnet/1[0-9]*.json.gz")))
    assert done.returncode == 0, done.stderr
    works = {row["work"]: row for row in json.loads(done.stdout)["rows"]}
    mined = {shape.work for shape in SHAPES if "V2.1.1" not in shape.work}
    assert mined <= set(works)
    assert works["mined V2 swap"]["expected"] == {"eth-abi": 25}


def test_ratio_is_of_the_medians_and_its_spread_of_the_rounds() -> None:
    assert ratios(Figure("ours", (1.0, 2.0, 4.0)), Figure("peer", (10.0, 20.0, 20.0))) == (10.0, 5.0, 10.0)


def test_contestant_of_another_process_says_itself_how_long_it_took() -> None:
    took = iter((9.0, 1.0, 3.0))
    (figure,) = race([Contestant("peer", print, 2, seconds=lambda: next(took))], rounds=2)
    assert figure.seconds == (0.5, 1.5)
