"""A thousand pending swaps of all kinds through `mempool run`: each has its row and its end, and each prediction its grade."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts._devnet import addresses as at
from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import running_devnet
from scripts._devnet.traffic import Sent
from tests.e2e.program import Ended, LiveProgram, Row, integrity, rows
from tests.e2e.trading import SWAPS_ONLY, is_swap, receipts, send, send_first, swaps, traffic

pytestmark = pytest.mark.devnet
SWAPS, PER_BLOCK, SEED = 1_000, 100, 2024
TAXED_CAUSES = {"fee_on_transfer", "upstream", "moved_inside_transaction"}
OUTCOMES = """SELECT t.hash, c.cause, c.error_as_predicted, c.error_in_block_order, c.revert, c.moved_by, c.mined_amount_in,
           p.block_number, i.path, (SELECT group_concat(hops) FROM intents WHERE transaction_id = t.id)
    FROM outcomes c JOIN predictions p ON p.id = c.prediction_id JOIN intents i ON i.id = p.intent_id
    JOIN transactions t ON t.id = i.transaction_id ORDER BY c.id"""


@dataclass(frozen=True)
class Graded:
    """One row of `outcomes`; `pools` are those of all swaps of the transaction."""

    hash: str
    cause: str
    error_as_predicted: str | None
    error_in_block_order: str | None
    revert: str
    moved_by: tuple[str, ...]
    mined_amount_in: str | None
    predicted_on: int
    path: str
    pools: frozenset[str]

    @property
    def is_taxed(self) -> bool:
        return at.TAXED in self.path


@dataclass(frozen=True)
class Trade:
    """What was sent, what the chain did, and what the program stored and said."""

    sent: dict[str, Sent]
    receipts: dict[str, dict[str, Any]]
    db: Path
    ended: Ended

    def rows(self, query: str, *values: Any) -> list[Row]:
        return rows(self.db, query, *values)

    @property
    def graded(self) -> list[Graded]:
        return [graded(row) for row in self.rows(OUTCOMES)]


def graded(row: Row) -> Graded:
    hash_, cause, as_predicted, in_block_order, revert, moved_by, mined, predicted_on, path, hops = row
    pools = frozenset(hop["pool"] for part in json.loads(f"[{hops}]") for hop in part)
    movers = tuple(json.loads(moved_by))
    return Graded(hash_, cause, as_predicted, in_block_order, revert, movers, mined, predicted_on, path, pools)


@pytest.fixture(scope="module")
def trade(devnet_packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    folder = tmp_path_factory.mktemp("live")
    with running_devnet(AnvilOptions(order="fees")) as devnet, LiveProgram([devnet.anvil.ws_url], folder) as program:
        users, start = traffic(devnet, SEED, without=SWAPS_ONLY), devnet.block_number()
        sent = {each.hash: each for each in send_first(users, program)}
        while sum(map(is_swap, sent.values())) < SWAPS:
            new = send(users, PER_BLOCK)
            sent |= {each.hash: each for each in new}
            program.wait_for_predictions(swaps(new))
            devnet.mine()
            program.wait_for_end_of_all(swaps(new))
        yield Trade(sent, receipts(devnet, start + 1), program.db, program.stop())


def test_program_says_what_it_saw_and_ends_as_told(trade: Trade) -> None:
    assert trade.ended.code == 130
    assert f"{len(swaps(trade.sent.values())):,} of them swap, through 6 routers" in trade.ended.stdout
    assert "Traceback" not in trade.ended.stderr
    assert trade.rows("SELECT ended FROM runs") == [("signal",)]
    assert trade.rows("SELECT * FROM gaps") == []
    assert integrity(trade.db) == "ok"


def test_every_swap_sent_has_exactly_one_row_and_nothing_else_has_one(trade: Trade) -> None:
    stored = Counter(hash_ for (hash_,) in trade.rows("SELECT hash FROM transactions"))
    assert stored == Counter(swaps(trade.sent.values()))
    assert stored.total() >= SWAPS


def test_every_swap_ends_as_the_chain_says(trade: Trade) -> None:
    replaced = {each.replaces: each.hash for each in trade.sent.values() if each.replaces}
    query = "SELECT hash, state, block_number, block_hash, transaction_index, succeeded, replaced_by FROM transactions"
    for hash_, state, *place, succeeded, replaced_by in trade.rows(query):
        receipt = trade.receipts.get(hash_)
        if receipt is None:
            assert (state, replaced_by) == ("replaced", replaced[hash_])
            continue
        mined = [int(receipt["blockNumber"], 16), receipt["blockHash"], int(receipt["transactionIndex"], 16)]
        assert (state, place, succeeded) == ("included", mined, int(receipt["status"], 16)), hash_


def test_every_swap_is_predicted_on_the_block_before_its_own(trade: Trade) -> None:
    unsimulated = "SELECT t.hash, i.missed FROM intents i JOIN transactions t ON t.id = i.transaction_id"
    assert trade.rows(f"{unsimulated} LEFT JOIN predictions p ON p.intent_id = i.id WHERE p.id IS NULL") == []
    for grade in trade.graded:
        assert grade.predicted_on == int(trade.receipts[grade.hash]["blockNumber"], 16) - 1


def test_every_hop_that_was_carried_out_is_exact_in_block_order(trade: Trade) -> None:
    mined = [grade for grade in trade.graded if grade.mined_amount_in is not None]
    wrong = [grade for grade in mined if grade.error_in_block_order != "0" and not grade.is_taxed]
    assert wrong == []
    assert sum(not grade.is_taxed for grade in mined) > SWAPS // 2
    taxed = [grade for grade in mined if grade.error_in_block_order != "0"]
    assert taxed
    assert {grade.cause for grade in taxed} <= TAXED_CAUSES


def test_every_wrong_prediction_names_transactions_that_moved_one_of_its_pools_in_between(trade: Trade) -> None:
    moved = [grade for grade in trade.graded if grade.cause == "moved_ahead"]
    assert len(moved) > SWAPS // 10
    for grade in moved:
        assert grade.moved_by, grade
        for mover in grade.moved_by:
            receipt = trade.receipts[mover]
            assert grade.pools & {log["address"] for log in receipt["logs"]}, (grade, mover)
            assert place(receipt) < place(trade.receipts[grade.hash])
            assert int(receipt["blockNumber"], 16) > grade.predicted_on


def test_nothing_but_moved_pools_and_taxes_makes_a_prediction_wrong(trade: Trade) -> None:
    for grade in trade.graded:
        if grade.error_as_predicted not in ("0", None):
            assert grade.cause == "moved_ahead" or (grade.is_taxed and grade.cause in TAXED_CAUSES), grade
        if grade.cause == "unexplained":
            assert grade.is_taxed, grade
            assert grade.revert == "missed", grade


def test_every_revert_is_foreseen_or_explained_by_who_moved_the_pools(trade: Trade) -> None:
    verdicts = Counter[str]()
    for grade in trade.graded:
        succeeded = trade.receipts[grade.hash]["status"] == "0x1"
        verdicts[grade.revert] += 1
        if not succeeded and not grade.is_taxed:  # what a tax takes is not known before it is taken
            assert grade.revert == "right" or (grade.revert, grade.cause) == ("missed", "moved_ahead"), grade
        if succeeded:
            assert grade.revert in ("", "false_alarm"), grade
    assert verdicts["right"] > 20


def place(receipt: dict[str, Any]) -> tuple[int, int]:
    return int(receipt["blockNumber"], 16), int(receipt["transactionIndex"], 16)
