"""What goes wrong between us and the node: a cut line, a killed node; nothing of what was sent is lost, and the rows say so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet
from scripts._devnet.traffic import Sent
from tests.anvil_fixtures import StartDevnet, kill_when_saved
from tests.e2e.program import LiveProgram, column, integrity
from tests.e2e.proxy import Proxy
from tests.e2e.trading import SWAPS_ONLY, lasting_swaps, receipts, resend, send, send_first, swaps, traffic

pytestmark = pytest.mark.devnet
PER_BLOCK = 20
CUT_SECONDS, CUT_PARTS = 5.0, 4
GRADED = """SELECT DISTINCT t.hash FROM outcomes c JOIN predictions p ON p.id = c.prediction_id
    JOIN intents i ON i.id = p.intent_id JOIN transactions t ON t.id = i.transaction_id"""
UNPREDICTED = "SELECT DISTINCT t.hash FROM transactions t JOIN intents i ON i.transaction_id = t.id WHERE i.missed <> ''"
ENDED = "SELECT hash, state, state_reason, block_number FROM transactions"


def test_connection_cut_for_5_s_loses_nothing(devnet: Devnet, tmp_path: Path) -> None:
    with Proxy(devnet.anvil.port) as line, LiveProgram([line.ws_url], tmp_path) as program:
        users, start = traffic(devnet, 31, without=SWAPS_ONLY), devnet.block_number()
        before = [*send_first(users, program), *send(users, PER_BLOCK)]
        program.wait_for_predictions(swaps(before))
        cut_ns = time.time_ns()
        line.cut()
        program.wait_until("word of the cut", lambda: "the connection is lost" in program.said())
        noticed_ns = time.time_ns()
        mined_in_gap, during = list(before), list[Sent]()
        for part in range(CUT_PARTS):
            during += send(users, PER_BLOCK)
            time.sleep(CUT_SECONDS / CUT_PARTS)
            if part < CUT_PARTS / 2:
                devnet.mine()
                mined_in_gap += during[-PER_BLOCK:]
        mended_ns = time.time_ns()
        line.mend()
        program.wait_for_all(lasting_swaps([*before, *during]))
        back_ns = time.time_ns()
        after = send(users, PER_BLOCK)
        program.wait_for_all(lasting_swaps(after), "t.state = 'pending'")
        devnet.mine()
        every = [*before, *during, *after]
        program.wait_for_end_of_all(lasting_swaps(every))
        assert program.stop().code == 130

        mined = receipts(devnet, start + 1)
        sent_in_gap = {each.hash for each in during} - {each.replaces for each in every}
        states = {hash_: (state, block) for hash_, state, _, block in program.rows(ENDED)}
        for hash_ in lasting_swaps(every):
            assert states[hash_] == ("included", int(mined[hash_]["blockNumber"], 16))
        graded = column(program.rows(GRADED))
        known_before = set(lasting_swaps(before)) & mined.keys()
        assert known_before - graded == set()
        assert {int(mined[hash_]["blockNumber"], 16) for hash_ in known_before} == {start + 1}
        unheard = column(program.rows(UNPREDICTED))
        assert unheard <= sent_in_gap & {each.hash for each in mined_in_gap}
        assert set(lasting_swaps(every)) - unheard - graded == set()
        ((source, from_ns, to_ns, backfilled),) = program.rows("SELECT source, from_ns, to_ns, backfilled FROM gaps")
        assert (source, backfilled > 0) == ("node-1", True)
        assert cut_ns <= from_ns <= noticed_ns < mended_ns <= to_ns <= back_ns
        assert to_ns - from_ns >= CUT_SECONDS * 1e9


def test_node_killed_and_restarted_from_its_state_file_leaves_every_row_with_an_end(
    start_devnet: StartDevnet, own_port: int, tmp_path: Path
) -> None:
    options = AnvilOptions(port=own_port, state=tmp_path / "state.json")
    devnet = start_devnet(options)
    with LiveProgram([devnet.anvil.ws_url], tmp_path / "run") as program:
        users = traffic(devnet, 32, without=SWAPS_ONLY, replaced=0)
        mined = [*send_first(users, program), *send(users, PER_BLOCK)]
        program.wait_for_predictions(swaps(mined))
        devnet.mine()
        program.wait_for_end_of_all(swaps(mined))
        pending = send(users, PER_BLOCK)
        program.wait_for_predictions(swaps(pending))
        stored = set(program.rows("SELECT id, hash, first_seen_ns FROM transactions"))
        kill_when_saved(devnet, tmp_path / "state.json")
        devnet = start_devnet(options)

        program.wait_for_all(swaps(pending), "t.state = 'vanished'")
        assert stored == set(program.rows("SELECT id, hash, first_seen_ns FROM transactions"))
        reasons = {reason for _, state, reason, _ in program.rows(ENDED) if state == "vanished"}
        assert reasons == {"the node's pool no longer holds it"}

        again = pending[: PER_BLOCK // 2]
        for each in again:
            assert resend(devnet, each) == each.hash
        program.wait_for_all(swaps(again), "t.state = 'pending'")
        devnet.mine()
        program.wait_for_all(swaps(again), "t.state = 'included'")
        assert program.stop().code == 130
        assert stored == set(program.rows("SELECT id, hash, first_seen_ns FROM transactions"))
        assert set(swaps([*mined, *again])) <= column(program.rows(GRADED))
        assert len(program.rows("SELECT * FROM gaps")) == 1
        assert integrity(program.db) == "ok"
