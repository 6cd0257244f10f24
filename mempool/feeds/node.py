"""One node, listened to for as long as it takes: subscribed, reconnected, back-filled, and asked on the same connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from mempool.errors import BadData, RpcError, UpstreamError, WrongChain
from mempool.feeds import frames
from mempool.feeds.capture import CaptureWriter, Refused
from mempool.feeds.connection import Connection, Outlet, Watch, block_number, first_end
from mempool.feeds.endpoint import Endpoint, Kind
from mempool.feeds.events import Handler, Purpose
from mempool.feeds.links import LinkLost, LinkOptions, open_link
from mempool.feeds.reconnect import Backoff
from mempool.feeds.session import NodeSession
from mempool.feeds.targets import Targets

MAX_READS = 512
MAX_BACKFILL_FAILURES = 2
POLLS_A_HEAD = 4


class FeedOptions(Struct, frozen=True, kw_only=True):
    """What a feed is for, and its timing in seconds."""

    chain_id: int | None = None
    """The chain that the node must be on."""
    targets: Targets | None = None
    """Other transactions are only counted; None wants them all."""
    capture: CaptureWriter | None = None
    subscribe: bool = True
    """Listen to pending transactions and heads; else the feed only answers requests."""
    backfill_at_start: bool = True
    """Also read the pool as it stands at the first connection, not only after a gap."""
    idle_seconds: float = 30
    """No whole message for so long ends a connection; it is asked for one before that."""
    tick_seconds: float = 0.25
    poll_seconds: float = 0.25
    """Over http: how often the pending filter is asked; the head every fourth time."""
    first_delay_seconds: float = 0.5
    link: LinkOptions = LinkOptions()


class NodeFeed:
    """`run` connects, subscribes and passes every event to `handler` until it is cancelled.

    No await stands between a message and its handler. `name` is the source in every event and in the capture.
    """

    def __init__(self, endpoint: Endpoint, name: str, handler: Handler, options: FeedOptions | None = None) -> None:
        self.endpoint, self.name = endpoint, name
        self.options = options = options or FeedOptions()
        self.session = NodeSession(name, options.targets)
        self.ready = asyncio.Event()
        """Set while a connection stands, is on the right chain, and its subscriptions are confirmed."""
        self.connections = 0
        """How many connections have got that far."""
        self._handler = handler
        self._backoff = Backoff(first=options.first_delay_seconds)
        self._connection: Connection | None = None
        self._reads = asyncio.Semaphore(MAX_READS)
        self._backfill_failures = 0

    async def run(self) -> None:
        """Listen for ever. Raises `UpstreamError` where the first connection comes to nothing, `WrongChain` at any."""
        while True:
            started = time.monotonic()
            reason = await self._connect_once()
            if not self.connections:
                raise UpstreamError(f"{self.endpoint}: {self.endpoint.scrub(reason)}")
            await asyncio.sleep(self._backoff.delay_after(time.monotonic() - started))

    async def request(self, method: str, params: Sequence[object], source: str = "") -> bytes:
        """The JSON text of the result; at most 512 are open at a time, more wait. `source` is for feeds of many nodes.

        Raises `RpcError` where the node answers with an error, `UpstreamError` where the connection is or gets lost, where
        no answer comes within 10 s, or on a method that is not read-only.
        """
        async with self._reads:
            if self._connection is None:
                reason = "not connected"
                if self.options.capture is not None:
                    self.options.capture.refused(Refused(time.time_ns(), self.name, method, params, reason))
                raise UpstreamError(f"{self.name}: {method}: {reason}")
            return await self._connection.answer(method, params)

    async def _connect_once(self) -> str:
        """One connection from its start to its end; gives the reason of the end."""
        try:
            link = await open_link(self.endpoint, self.options.link)
        except LinkLost as error:
            return str(error)
        outlet = Outlet(self.endpoint, self.session, self._handler, self.options.capture)
        expects_heads = self.options.subscribe and self.endpoint.kind is not Kind.HTTP
        connection = Connection(link, outlet, Watch(self.options.idle_seconds, self.options.tick_seconds, expects_heads))
        self._connection, reason = connection, "stopped"
        try:
            await first_end(connection.run(), self._converse(connection))
        except WrongChain:
            raise
        except (UpstreamError, BadData) as error:
            reason = str(error)
        finally:
            self._connection = None
            self.ready.clear()
            await connection.close(reason)
        return reason

    async def _converse(self, connection: Connection) -> None:
        """Check the chain, subscribe, fill the gap; over http go on asking."""
        await self._check_chain(connection)
        if self.options.subscribe:
            if self.endpoint.kind is Kind.HTTP:
                await self._poll(connection)
            await self._subscribe(connection)
            await connection.answer("eth_getBlockByNumber", ["latest", False], Purpose.HEAD)
        await self._settle(connection)

    async def _check_chain(self, connection: Connection) -> None:
        chain_id = block_number(await connection.answer("eth_chainId", [], Purpose.WATCH))
        if chain_id is None:
            raise UpstreamError(f"{self.name}: eth_chainId: the answer is not a number")
        if self.options.chain_id not in (None, chain_id):
            raise WrongChain(self.options.chain_id or 0, chain_id)

    async def _subscribe(self, connection: Connection) -> None:
        await connection.answer("eth_subscribe", ["newHeads"], Purpose.SUBSCRIBE)
        try:
            await connection.answer("eth_subscribe", ["newPendingTransactions", True], Purpose.SUBSCRIBE)
        except RpcError:  # a node that knows hashes alone
            await connection.answer("eth_subscribe", ["newPendingTransactions"], Purpose.SUBSCRIBE)

    async def _settle(self, connection: Connection) -> None:
        at_start = not self.connections
        self.connections += 1
        self.ready.set()
        if self.options.subscribe and (self.options.backfill_at_start or not at_start):
            await self._backfill(connection)

    async def _backfill(self, connection: Connection) -> None:
        # Counted as failed until it is answered: a pool that ends the connection by its size must not do so for ever.
        # The question about its size that then stands in its place still tells the handler that the gap has ended.
        method = "txpool_content" if self._backfill_failures < MAX_BACKFILL_FAILURES else "txpool_status"
        self._backfill_failures += method == "txpool_content"
        try:
            await connection.answer(method, [], Purpose.BACKFILL)
        except RpcError:
            self._backfill_failures = MAX_BACKFILL_FAILURES
        else:
            self._backfill_failures *= method != "txpool_content"

    async def _poll(self, connection: Connection) -> None:
        pending = frames.parse_subscription(await connection.answer("eth_newPendingTransactionFilter", [], Purpose.WATCH))
        await connection.answer("eth_getBlockByNumber", ["latest", False], Purpose.HEAD)
        await self._settle(connection)
        polls = 0
        while True:
            await asyncio.sleep(self.options.poll_seconds)
            await connection.answer("eth_getFilterChanges", [pending], Purpose.POLL)
            polls += 1
            if polls % POLLS_A_HEAD == 0:
                await connection.answer("eth_getBlockByNumber", ["latest", False], Purpose.HEAD)
