"""Prints the figures of `mempool backtest` as the Markdown table that stands in the README."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mempool.cli.backtest import COLUMNS, figures, sentence
from mempool.engine.backtest import FileCounts, backtest_file, total
from mempool.resources import load_tables

ROOT = Path(__file__).parent.parent
RECORDED = Path(os.environ.get("MEMPOOL_SHARED_DATA", ROOT.parent / "shared" / "data")) / "mainnet"


def main(arguments: Sequence[str]) -> int:
    files = [Path(argument) for argument in arguments] or sorted(RECORDED.glob("[0-9]*.json.gz"))
    if not files:
        print("backtest-table: no recorded blocks beside the checkout: name block files", file=sys.stderr)
        return 2
    tables = load_tables()
    print("\n".join(markdown([backtest_file(path, tables) for path in files])))
    return 0


def markdown(results: Sequence[FileCounts]) -> list[str]:
    """The table's lines, and the total in words below it."""
    together = total(each.counts for each in results)
    return [
        row(COLUMNS),
        row(["---:"] * len(COLUMNS)),
        *(row([str(each.block), *figures(each.counts)]) for each in results),
        row([f"**{cell}**" for cell in ("total", *figures(together))]),
        "",
        sentence(together, len(results)),
    ]


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
