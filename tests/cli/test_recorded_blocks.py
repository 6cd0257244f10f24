"""Every transaction of the recorded blocks ends as one word, and the counts add up to the transactions."""

from __future__ import annotations

import gzip
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner

from mempool.cli.decode import decode_command
from mempool.decode import decode_transaction
from mempool.engine.backtest import backtest_file, total
from mempool.model.swap import Completeness
from mempool.model.transaction import PendingTransaction
from tests.decode.calls import tables

application = typer.Typer()
application.command()(decode_command)
pytestmark = pytest.mark.shared


@cache
def transactions(folder: Path) -> list[dict[str, Any]]:
    """Those of all blocks in their order."""
    blocks = [orjson.loads(gzip.decompress(path.read_bytes()))["block"] for path in files(folder)]
    return [transaction for block in blocks for transaction in block["transactions"]]


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("mainnet/[0-9]*.json.gz"))


def known(transaction: dict[str, Any]) -> Completeness | None:
    """The word of a call that the tables know."""
    to, sender, data = (bytes.fromhex((transaction[key] or "0x")[2:]) for key in ("to", "from", "input"))
    value_wei = int(transaction["value"], 16)
    call = decode_transaction(tables(), PendingTransaction("", sender, to or None, 0, value_wei, 0, 0, 0, data, 0, ""))
    return None if call is None else call.completeness


def test_decode_prints_one_line_with_one_word_for_each_of_seven_thousand_transactions(shared_data: Path) -> None:
    given = transactions(shared_data)
    result = CliRunner().invoke(application, ["-", "--json"], input=b"\n".join(map(orjson.dumps, given)))
    lines = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [line["hash"] for line in lines] == [transaction["hash"] for transaction in given]
    assert len(lines) > 7_000
    words = Counter(line["completeness"] for line in lines)
    assert words.keys() <= set(Completeness)
    assert words.total() == len(given)


def test_calls_that_a_backtest_counts_are_the_transactions_that_the_tables_know(shared_data: Path) -> None:
    given = transactions(shared_data)
    counts = total(backtest_file(path, tables()).counts for path in files(shared_data))
    words = Counter(word for word in map(known, given) if word is not None)
    assert counts.transactions == len(given)
    assert sum(counts.calls.values()) == words.total()
    assert counts.decoded + counts.partial + counts.opaque + counts.missed == counts.swap_transactions
