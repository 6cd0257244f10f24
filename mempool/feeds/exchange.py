"""One venue, listened to for as long as it takes: connected, subscribed, reconnected, replaced before it cuts, and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from mempool.errors import UsageError
from mempool.exchanges.events import Reconnect
from mempool.exchanges.exchange import Exchange
from mempool.feeds.bans import LIMITED, SECOND_NS, BanList
from mempool.feeds.capture import CaptureWriter
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.links import LinkLost, LinkOptions, open_link
from mempool.feeds.pace import Pace
from mempool.feeds.receive_clock import ReceiveClock
from mempool.feeds.redial import Redial, RedialOptions
from mempool.feeds.snapshots import SnapshotClient
from mempool.feeds.venue import News, Order, Retire, VenueBooks, VenueEvent
from mempool.feeds.venue_capture import SECOND_CONNECTION, VenueRecorder
from mempool.feeds.venue_connection import Manners, Surroundings, VenueConnection
from mempool.feeds.venue_urls import VenueUrls, host_of
from mempool.model.book import Instrument

QUIET_SECONDS = 30.0
"""Without heartbeats: a quiet pair was silent for 10 s on a healthy connection, and pings are answered every 20 s."""
HEARTBEATS = 5
SHARE_OF_RATE = 0.8
"""Of the venue's message rate: the library answers the venue's own pings, and that counts too."""
CONNECTS_PER_SECOND = 5.0
STOPPED = "stopped"


class NewsHandler(Protocol):
    """Takes every event as it is heard, synchronously; what it raises ends the feed. `name` is the feed's."""

    def __call__(self, name: str, event: News, /) -> None: ...


class Shared:
    """What all venues of a process share: the rate of new connections, the bans, and the client for snapshots."""

    def __init__(self, bans: BanList | None = None) -> None:
        self.bans = bans if bans is not None else BanList()
        self.client = SnapshotClient(self.bans)
        self.connects = Pace(CONNECTS_PER_SECOND)

    async def close(self) -> None:
        await self.client.close()


class ExchangeOptions(Struct, frozen=True, kw_only=True):
    """Timing in seconds, where the venue is, and the file that gets all that is heard."""

    urls: VenueUrls = VenueUrls()
    capture: CaptureWriter | None = None
    idle_seconds: float = 0
    """No whole message for so long ends a connection; 0 takes five heartbeats, or 30 s where the venue sends none."""
    tick_seconds: float = 0.1
    redial: RedialOptions = RedialOptions()
    link: LinkOptions = LinkOptions(peer="venue")


class ExchangeFeed:
    """`run` keeps the books of these instruments until it is cancelled and passes every event to `handler`.

    No await stands between a message and its handler. A venue that cannot be reached is tried again for ever; `trouble` says
    why. Two connections may stand at a time, `name` and `name+` in the capture; to the handler both are `name`.
    """

    def __init__(
        self,
        exchange: Exchange,
        instruments: Sequence[Instrument],
        handler: NewsHandler,
        options: ExchangeOptions | None = None,
        shared: Shared | None = None,
    ) -> None:
        """Whoever gives `shared` closes it. Raises `UsageError` on more symbols than the venue has on one connection."""
        most = exchange.limits.symbols_per_connection
        if most and len(instruments) > most:
            raise UsageError(f"{exchange.name}: {len(instruments):,} symbols, and at most {most:,} can be followed at a time")
        self.exchange, self.name = exchange, exchange.name
        self.books = VenueBooks(exchange, instruments)
        self.attempts = 0
        self.connections = 0
        """How many attempts have come to a connection."""
        self.trouble = ""
        """Why the last connection ended or did not come about."""
        self._handler, self._options = handler, options or ExchangeOptions()
        self._shared, self._owns_shared = shared or Shared(), shared is None
        self._endpoint = Endpoint.parse(self._options.urls.socket_url(exchange.url(self.books.instruments)))
        self._host = host_of(self._endpoint.reveal())
        self._clock = ReceiveClock()  # for what is due; each connection's stamps are by its own
        self._redial = Redial(exchange.limits, self._options.redial)
        self._recorder = VenueRecorder(self._options.capture)
        self._pace: Pace | None = None
        self._connections: dict[str, VenueConnection] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def skew_ns(self) -> int | None:
        """How far our clock is ahead of the venue's, the way of a message included; None before the first event with a time."""
        speaker = self.books.speaker
        return None if speaker is None or speaker.session is None else speaker.session.clock.offset_ns

    @property
    def stands(self) -> bool:
        """Whether a connection of it stands."""
        return any(line is not None and line.session is not None for line in (self.books.speaker, self.books.understudy))

    async def run(self) -> None:
        """Listen for ever. Raises what the handler raises."""
        try:
            while True:
                self._dial(self._clock.now_ns())
                await self._breathe()
        finally:
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._owns_shared:
                await self._shared.close()

    async def _breathe(self) -> None:
        """For one tick, or until a connection has ended."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=self._options.tick_seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(self._options.tick_seconds)
        for source, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[source]
                if not task.cancelled():
                    task.result()

    def _dial(self, now_ns: int) -> None:
        """Open what is due, give up what has had its time."""
        speaker, understudy, redial = self.books.speaker, self.books.understudy, self._redial
        if speaker is None:
            if redial.may_open(now_ns):
                self._open(now_ns)
        elif understudy is None:
            if redial.wants_successor(speaker.source, now_ns):
                self._open(now_ns)
        elif redial.has_failed_to_follow(understudy.source, now_ns):
            # A successor with some books is worth more than a connection without any.
            given_up = understudy if speaker.priced() else speaker
            self._abort(given_up.source, "replaced" if given_up is speaker else "its books did not come up in time")

    def _open(self, now_ns: int) -> None:
        taken = self._tasks.keys()
        source = next((each for each in (self.name, self.name + SECOND_CONNECTION) if each not in taken), None)
        if source is None:
            return  # one that was replaced is still being closed
        self._redial.opening(now_ns)
        clock = ReceiveClock()
        opening_ns = clock.now_ns()
        self._recorder.opening(opening_ns, source)
        self._pass_on(self.books.opening(source, opening_ns))
        self._tasks[source] = asyncio.create_task(self._serve(source, clock))

    async def _serve(self, source: str, clock: ReceiveClock) -> None:
        """One connection from the attempt to its end."""
        connection, reason, wait_seconds = None, STOPPED, 0.0
        try:
            connection = await self._connect(source, clock)
            await connection.run()
        except LinkLost as lost:
            reason, wait_seconds = str(lost), self._wait_after(lost)
        finally:
            self._connections.pop(source, None)
            try:
                self._end(source, reason, wait_seconds, clock.now_ns())
            finally:
                if connection is not None:
                    await connection.close()

    async def _connect(self, source: str, clock: ReceiveClock) -> VenueConnection:
        self._check_ban()
        await self._shared.connects.turn()
        self._check_ban()
        self.attempts += 1
        options, exchange = self._options, self.exchange
        link = await open_link(self._endpoint, replace(options.link, max_message_bytes=exchange.limits.max_frame_bytes))
        self._shared.bans.lift(self._host)
        self.connections += 1
        self._redial.opened(source, self._clock.now_ns())
        around = Surroundings(self.books, self._pass_on, self._recorder, self._shared.client, options.urls)
        idle = options.idle_seconds or HEARTBEATS * exchange.heartbeat_ns / SECOND_NS or QUIET_SECONDS
        limits = exchange.limits
        # Of both connections, while there are two: some venues count an address's messages, not a connection's.
        pace = self._pace = self._pace or Pace(SHARE_OF_RATE * limits.messages_per_second)
        manners = Manners(idle, options.tick_seconds, pace, SHARE_OF_RATE * limits.subscriptions_per_hour)
        connection = self._connections[source] = VenueConnection(source, link, clock, around, manners)
        return connection

    def _check_ban(self) -> None:
        wait_ns = self._shared.bans.wait_ns(self._host)
        if wait_ns:
            raise LinkLost(f"not tried for another {wait_ns / SECOND_NS:.0f} s, as the venue demands")

    def _wait_after(self, lost: LinkLost) -> float:
        """The seconds that the venue demands."""
        if lost.status in LIMITED or (lost.status and lost.retry_after is not None):
            self._shared.bans.ban(self._host, lost.status, lost.retry_after)
        return self._shared.bans.wait_ns(self._host) / SECOND_NS

    def _end(self, source: str, reason: str, wait_seconds: float, now_ns: int) -> None:
        if self._is_known(source):
            self.trouble = self.trouble if reason is STOPPED else reason
            self._redial.ended(source, self._clock.now_ns(), wait_seconds)
        else:
            self._redial.retired(source)
        self._recorder.down(now_ns, source, reason)
        self._pass_on(self.books.lost(source, reason, now_ns))

    def _is_known(self, source: str) -> bool:
        return any(line is not None and line.source == source for line in (self.books.speaker, self.books.understudy))

    def _pass_on(self, events: list[VenueEvent]) -> None:
        for event in events:
            if isinstance(event, Order):
                self._carry_out(event)
            elif isinstance(event, Retire):
                self._abort(event.source, "replaced by a younger connection")
            else:
                self._handler(self.name, event)

    def _carry_out(self, order: Order) -> None:
        if isinstance(order.action, Reconnect):
            self.trouble = order.action.reason
            self._redial.replace(order.source, self._clock.now_ns())
            return
        connection = self._connections.get(order.source)
        if connection is not None:
            connection.carry_out(order.action)

    def _abort(self, source: str, reason: str) -> None:
        connection = self._connections.get(source)
        if connection is not None:
            connection.abort(reason)
        elif source in self._tasks:
            self._tasks[source].cancel()
