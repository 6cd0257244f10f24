"""The devnet's users: every kind of call does what it says, nothing they send gets lost, and the same seed sends the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scripts._devnet import addresses as at
from scripts._devnet.anvil import AnvilOptions
from scripts._devnet.devnet import Devnet
from scripts._devnet.rpc import NodeRefused
from scripts._devnet.trader import Limits
from scripts._devnet.traffic import Sent, Traffic
from tests.anvil_fixtures import StartDevnet
from tests.conftest import WAIT_SECONDS
from tests.processes import started

pytestmark = pytest.mark.devnet
ROOT = Path(__file__).parent.parent.parent
USUAL = ((Limits.USUAL, 1),)
REVERT_BY_DESIGN = {
    "plain_taxed_for_ether",
    *(f"Universal Router {version} flagged_in_vain" for version in ("V1", "V1.2", "V2.0")),
}


def receipts(devnet: Devnet, sent: list[Sent]) -> list[dict[str, Any] | None]:
    found: list[dict[str, Any] | None] = devnet.rpc.batch(("eth_getTransactionReceipt", [each.hash]) for each in sent)
    return found


def test_every_kind_succeeds_alone_in_its_block_but_for_those_that_must_revert(devnet: Devnet) -> None:
    traffic = Traffic(Random(5), devnet, limits=USUAL, replaced=0)
    reverted, made = set(), set()
    for _ in range(2):  # what takes liquidity away finds some the second time
        for kind in traffic.kinds:
            try:
                sent = traffic.send(kind)
            except (LookupError, NodeRefused):
                continue
            devnet.mine()
            made.add(kind.name)
            (receipt,) = receipts(devnet, [sent])
            if receipt is None or receipt["status"] != "0x1":
                reverted.add(kind.name)
    assert reverted == REVERT_BY_DESIGN
    assert {kind.name for kind in traffic.kinds} - made <= {"remove_v2_liquidity", "remove_v3_liquidity"}


def test_traffic_reaches_every_router_and_leaves_none_pending(start_devnet: StartDevnet) -> None:
    devnet = start_devnet(AnvilOptions(order="fees"))
    traffic = Traffic(Random(6), devnet)
    sent = []
    for _ in range(15):
        sent += [traffic.next() for _ in range(20)]
        devnet.mine()
    replaced = {each.replaces for each in sent}
    lost = [each for each, receipt in zip(sent, receipts(devnet, sent), strict=True) if receipt is None]
    assert [str(each) for each in lost if each.hash not in replaced] == []
    assert lost
    assert {each.call.to for each in sent} >= {at.V2_ROUTER, at.V3_ROUTER, at.SWAP_ROUTER_02, *at.UNIVERSAL_ROUTERS}
    assert devnet.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def test_same_seed_sends_the_same_calls(start_devnet: StartDevnet) -> None:
    runs = []
    for _ in range(2):
        devnet = start_devnet(AnvilOptions())
        traffic = Traffic(Random(7), devnet)
        runs.append([(each.sender, each.nonce, str(each)) for each in (traffic.next() for _ in range(40))])
    assert runs[0] == runs[1]


def test_impossible_and_expired_swaps_revert(devnet: Devnet) -> None:
    wrong = ((Limits.IMPOSSIBLE, 1), (Limits.EXPIRED, 1))
    traffic = Traffic(Random(8), devnet, without=("foreign", "liquidity", "taxed"), limits=wrong, replaced=0)
    sent = [traffic.next() for _ in range(30)]
    devnet.mine(5)
    succeeded = [
        str(each) for each, receipt in zip(sent, receipts(devnet, sent), strict=True) if receipt and receipt["status"] == "0x1"
    ]
    assert len(succeeded) < len(sent) // 4, succeeded


def test_command_says_how_to_watch_it_and_ends_on_ctrl_c(own_port: int) -> None:
    command = [
        sys.executable,
        "-m",
        "scripts._devnet",
        "--port",
        str(own_port),
        "--rate",
        "20",
        "--block-time",
        "1",
        "--verbose",
        "--seconds",
        "600",
    ]
    with started(command) as running:
        assert running.stdout
        lines = [running.stdout.readline() for _ in range(14)]
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=WAIT_SECONDS)
    assert f"mempool run --rpc-url ws://127.0.0.1:{own_port}\n" in "".join(lines)
    assert sum(line.startswith("0x") for line in lines) == 10
    assert "Traceback" not in said
    assert running.returncode == 128 + signal.SIGINT


def test_command_names_a_port_that_is_taken(devnet: Devnet) -> None:
    command = [sys.executable, "-m", "scripts._devnet", "--port", str(devnet.anvil.port), "--seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        f"devnet: port {devnet.anvil.port} is taken: name another one with --port",
    )
