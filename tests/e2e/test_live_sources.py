"""Where a run may listen: several nodes as one, http by polling, a node that tells hashes alone; and all that it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mempool.feeds.session import ALLOWED_METHODS
from scripts._devnet.anvil import HOST, AnvilOptions
from scripts._devnet.devnet import Devnet
from scripts._devnet.rpc import NodeRefused, Rpc
from tests.anvil_fixtures import StartDevnet
from tests.e2e.nodes import ThreadedNode, threaded_node
from tests.e2e.program import LiveProgram, column
from tests.e2e.trading import SWAPS_ONLY, lasting_swaps, send, send_first, swaps, traffic
from tests.fakes.node import Refusal, Reply, ScriptedNode

pytestmark = pytest.mark.devnet
PER_BLOCK = 15
NOT_EXACT = "SELECT count(*) FROM outcomes WHERE error_in_block_order <> '0' AND cause <> 'fee_on_transfer'"


def mine_and_grade(devnet: Devnet, program: LiveProgram, sent: list[str]) -> None:
    """All are predicted, mined, and graded right in block order."""
    program.wait_for_predictions(sent)
    devnet.mine()
    program.wait_for_end_of_all(sent)
    assert program.stop().code == 130
    (graded,) = column(program.rows("SELECT count(DISTINCT prediction_id) FROM outcomes"))
    assert graded >= len(sent)
    assert program.rows(NOT_EXACT) == [(0,)]


def test_two_nodes_merge_into_one_row_a_hash_with_both_sightings(
    start_devnet: StartDevnet, socket_folder: Path, tmp_path: Path
) -> None:
    ipc = socket_folder / "node.ipc"
    devnet = start_devnet(AnvilOptions(ipc=ipc))
    with LiveProgram([devnet.anvil.ws_url, str(ipc)], tmp_path / "run") as program:
        users = traffic(devnet, 41, without=SWAPS_ONLY, replaced=0)
        sent = swaps([*send_first(users, program), *send(users, PER_BLOCK)])
        both = "(SELECT count(*) FROM sightings s WHERE s.transaction_id = t.id AND s.source IN ('node-1', 'node-2')) = 2"
        program.wait_for_all(sent, both)
        mine_and_grade(devnet, program, sent)
    assert program.rows("SELECT count(*), count(DISTINCT hash) FROM transactions") == [(len(sent), len(sent))]
    firsts = "SELECT count(*) FROM transactions t JOIN sightings s ON s.transaction_id = t.id"
    assert program.rows(f"{firsts} WHERE (source, recv_ns) = (first_source, first_seen_ns)") == [(len(sent),)]
    assert program.rows("SELECT sources FROM runs") == [('["node-1","node-2"]',)]


def test_http_node_is_polled(devnet: Devnet, tmp_path: Path) -> None:
    with LiveProgram([devnet.anvil.http_url], tmp_path) as program:
        users = traffic(devnet, 42, without=SWAPS_ONLY, replaced=0)
        sent = swaps([*send_first(users, program), *send(users, PER_BLOCK)])
        mine_and_grade(devnet, program, sent)


def test_node_that_tells_hashes_alone_serves_and_nothing_but_reads_ever_arrives_at_it(devnet: Devnet, tmp_path: Path) -> None:
    users = traffic(devnet, 43, without=SWAPS_ONLY, replaced=0)
    sent = send(users, 1)
    while not swaps(sent):
        sent += send(users, 1)
    with hash_only_node(devnet) as node, LiveProgram([node.url], tmp_path) as program:
        program.wait_for_all(swaps(sent))  # nobody told of them: they are in the pool that it reads at its start
        for each in send(users, PER_BLOCK):
            node.tell("newPendingTransactions", each.hash)
            sent.append(each)
        program.wait_for_predictions(lasting_swaps(sent))
        devnet.mine()
        node.tell("newHeads", devnet.rpc.call("eth_getBlockByNumber", "latest", False))
        program.wait_for_end_of_all(swaps(sent))
        assert program.stop().code == 130
    assert program.rows(NOT_EXACT) == [(0,)]
    assert node.methods.count("eth_getTransactionByHash") == PER_BLOCK
    assert set(node.methods) <= ALLOWED_METHODS
    assert {method for method in node.methods if "send" in method or "sign" in method or "mine" in method} == set()


class PassedOn(dict[str, Reply]):
    """A reply for every method: the devnet's own."""

    def __init__(self, rpc: Rpc, own: dict[str, Reply]) -> None:
        super().__init__(own)
        self._rpc = rpc

    def get(self, method: str, default: Any = None) -> Any:
        return self[method] if method in self else lambda params: self._ask(method, params)

    def _ask(self, method: str, params: list[Any]) -> Any:
        try:
            return self._rpc.call(method, *params)
        except NodeRefused as refused:
            raise Refusal(-32000, str(refused)) from refused


@contextmanager
def hash_only_node(devnet: Devnet) -> Iterator[ThreadedNode]:
    """In front of the devnet: passes every read on, keeps a log, and refuses to tell whole transactions."""
    rpc = Rpc(HOST, devnet.anvil.port)

    def prepare(node: ScriptedNode) -> None:
        node.replies = PassedOn(rpc, {"eth_subscribe": hashes_alone(node.replies["eth_subscribe"])})

    with closing(rpc), threaded_node(prepare) as node:
        yield node


def hashes_alone(subscribe: Reply) -> Callable[[list[Any]], Any]:
    def reply(params: list[Any]) -> Any:
        if len(params) > 1:
            raise Refusal(-32602, "invalid params: too many arguments, want at most 1")
        return subscribe(params)

    return reply
