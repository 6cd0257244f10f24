"""What a node's connection yields, in the order it was heard; frozen values that a live run and its replay share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from mempool.model.block import BlockRef
from mempool.model.transaction import PendingTransaction


class Purpose(StrEnum):
    """Who asked, which settles what an answer becomes. It is recorded with the request, so a replay reads answers alike."""

    READ = "read"
    """Somebody awaits the answer."""
    WATCH = "watch"
    """The feed itself awaits the answer: the chain's id, a filter's, a sign of life."""
    SUBSCRIBE = "subscribe"
    BODY = "body"
    """The transaction behind a hash that was announced; becomes `PendingSeen` with the announcement's stamp."""
    BACKFILL = "backfill"
    """The end of a gap; an answer to `txpool_content`, the whole pool, becomes `PendingSeen` events that say so."""
    HEAD = "head"
    """The newest block, or one on the way to it; becomes `HeadSeen`."""
    POLL = "poll"
    """A pending filter's changes; becomes `PendingHash`."""


class RpcFailure(Struct, frozen=True, gc=False):
    """Why a request has no result. `code` is the node's, or 0 where the connection failed it."""

    code: int
    reason: str


class PendingSeen(Struct, frozen=True, gc=False):
    """A node shows a pending transaction (not necessarily for the first time) that is sent to one of the routers."""

    tx: PendingTransaction
    backfilled: bool = False


class PendingHash(Struct, frozen=True, gc=False):
    """A node announces a transaction by its hash alone; the feed asks for the body."""

    hash: str
    recv_ns: int
    source: str


class HeadSeen(Struct, frozen=True, gc=False):
    """A node has this block as its head; the same head may be told more than once."""

    ref: BlockRef
    recv_ns: int
    source: str


class Answer(Struct, frozen=True, gc=False):
    """A request has ended: `result` is the JSON text of its result, or `failure` says why there is none."""

    id: int
    method: str
    params: Sequence[object]
    purpose: Purpose
    result: bytes | None
    failure: RpcFailure | None
    recv_ns: int
    source: str


class Dropped(Struct, frozen=True, gc=False):
    """One message, or one part of one, was of no use; the stream goes on. `reason` is one of few, `detail` says more."""

    reason: str
    detail: str
    recv_ns: int
    source: str


class Connected(Struct, frozen=True, gc=False):
    """A connection stands; its subscriptions are being asked for."""

    recv_ns: int
    source: str


class Disconnected(Struct, frozen=True, gc=False):
    """A connection is lost. Every request that was open on it has been failed by an `Answer` before this."""

    reason: str
    recv_ns: int
    source: str


NodeEvent = PendingSeen | PendingHash | HeadSeen | Answer | Dropped | Connected | Disconnected


class Handler(Protocol):
    """Takes every event as it is heard, synchronously; what it raises ends the feed."""

    def __call__(self, event: NodeEvent, /) -> None: ...


class Requester(Protocol):
    """Asks a node and awaits the JSON text of the result.

    Raises `RpcError` where the node answers with an error, `UpstreamError` where no answer comes.
    """

    async def __call__(self, method: str, params: Sequence[object]) -> bytes: ...
