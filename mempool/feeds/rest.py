"""Single shots: one question to a node of any kind, and hang up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from mempool.errors import UpstreamError
from mempool.feeds import frames
from mempool.feeds.connection import failure_of
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import Answer
from mempool.feeds.links import Link, LinkLost, LinkOptions, open_link
from mempool.feeds.session import NodeSession
from mempool.model.transaction import PendingTransaction

ANSWER_SECONDS = 10.0


async def call(endpoint: Endpoint, method: str, params: Sequence[object]) -> bytes:
    """The JSON text of the result. Raises `RpcError` on an error answer, else `UpstreamError`; neither holds the URL."""
    link = None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            link = await open_link(endpoint, LinkOptions())
            answer = await _exchange(link, method, params)
    except LinkLost as error:
        reason = str(error)
    except TimeoutError:
        reason = f"no answer in {ANSWER_SECONDS:g} s"
    else:
        if answer.failure is not None:
            raise failure_of(answer, endpoint)
        return endpoint.scrub_frame(answer.result or b"null")
    finally:
        if link is not None:
            await link.close()
    raise UpstreamError(f"{endpoint}: {endpoint.scrub(reason)}")


async def fetch_transaction(endpoint: Endpoint, transaction_hash: str) -> PendingTransaction:
    """A transaction, pending or mined. Raises `UpstreamError` where the node does not know it, `BadData`."""
    raw = await call(endpoint, "eth_getTransactionByHash", [transaction_hash])
    if raw == b"null":
        raise UpstreamError(f"{endpoint}: the node does not know transaction {transaction_hash}")
    return frames.parse_transaction(raw, time.time_ns(), "node")


async def _exchange(link: Link, method: str, params: Sequence[object]) -> Answer:
    session = NodeSession("node")
    link.send(session.request(method, params, now_ns=time.monotonic_ns()).frame)
    while True:
        for event in session.receive(await link.receive(), time.time_ns()):
            if isinstance(event, Answer):
                return event
