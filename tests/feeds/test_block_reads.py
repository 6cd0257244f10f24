"""Blocks are read whole, also from nodes that are late or lack a method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from mempool.errors import BadData, RpcError, UpstreamError
from mempool.feeds import block_reads
from mempool.feeds.block_reads import read_block
from tests.fakes.messages import block_hash, head, transaction, transaction_hash

BLOCK = head(16) | {"transactions": [transaction(1), transaction(2)]}
RECEIPTS = [{"transactionHash": transaction_hash(n), "status": "0x1", "gasUsed": "0x5208", "logs": []} for n in (1, 2)]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_reads, "PAUSE_SECONDS", 0)


class Node:
    """Answers by method; each answer of a list once, the last for ever."""

    def __init__(self, **answers: list[Any] | Callable[[Sequence[Any]], Any]) -> None:
        self.answers = answers

    async def request(self, method: str, params: Sequence[object]) -> bytes:
        answers = self.answers.get(method)
        if answers is None:
            raise RpcError(method, -32601, "the method does not exist")
        if callable(answers):
            return orjson.dumps(answers(params))
        return orjson.dumps(answers.pop(0) if len(answers) > 1 else answers[0])


async def test_receipts_are_put_in_the_order_of_the_transactions() -> None:
    node = Node(eth_getBlockByHash=[BLOCK], eth_getBlockReceipts=[RECEIPTS[::-1]])
    block = await read_block(node.request, block_hash(16))
    assert [receipt.transaction_hash for receipt in block.receipts] == [tx.hash for tx in block.transactions]


async def test_node_without_block_receipts_is_asked_for_each() -> None:
    node = Node(eth_getBlockByHash=[BLOCK], eth_getTransactionReceipt=lambda params: RECEIPTS[int(params[0], 16) - 0xA001])
    assert len((await read_block(node.request, block_hash(16))).receipts) == 2


async def test_block_that_comes_a_little_late_is_asked_for_again() -> None:
    node = Node(eth_getBlockByHash=[None, BLOCK], eth_getBlockReceipts=[None, None, RECEIPTS])
    assert (await read_block(node.request, block_hash(16))).ref.number == 16


async def test_block_that_never_comes_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="does not have"):
        await read_block(Node(eth_getBlockByHash=[None]).request, block_hash(16))


async def test_receipts_that_are_not_the_blocks_are_bad_data() -> None:
    node = Node(eth_getBlockByHash=[BLOCK], eth_getBlockReceipts=[RECEIPTS[:1]])
    with pytest.raises(BadData, match="2 transactions and 1 receipts"):
        await read_block(node.request, block_hash(16))
