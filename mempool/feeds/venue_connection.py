"""One standing connection to a venue: every message stamped, recorded and passed on at once, what is due sent within its rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
from msgspec import Struct

from mempool.exchanges.events import FetchSnapshot, Send
from mempool.feeds.connection import FLUSH_SECONDS, first_end
from mempool.feeds.links import Link
from mempool.feeds.pace import Pace
from mempool.feeds.receive_clock import OVERTAKEN, ReceiveClock
from mempool.feeds.snapshots import NoSnapshot, SnapshotClient
from mempool.feeds.subscriptions import Subscriptions
from mempool.feeds.venue import Order, VenueBooks, VenueEvent
from mempool.feeds.venue_capture import VenueRecorder
from mempool.feeds.venue_urls import VenueUrls


class Surroundings(Struct, frozen=True):
    """What a connection works with: the books, the way of its events, the capture, and the client for snapshots."""

    books: VenueBooks
    pass_on: Callable[[list[VenueEvent]], None]
    recorder: VenueRecorder
    client: SnapshotClient
    urls: VenueUrls


class Manners(Struct, frozen=True):
    """How silence is noticed, in seconds, and how fast and how often may be sent."""

    idle_seconds: float
    tick_seconds: float
    pace: Pace
    """Of all the venue's connections."""
    subscriptions_per_hour: float


class VenueConnection:
    """Owns a link until `close`. `run` reads it; `carry_out` sends and fetches."""

    def __init__(self, source: str, link: Link, clock: ReceiveClock, around: Surroundings, manners: Manners) -> None:
        self.source = source
        self._link, self._clock, self._around, self._manners = link, clock, around, manners
        self._subscriptions = Subscriptions(manners.subscriptions_per_hour)
        self._outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
        """None where a subscription may be due."""
        self._wanted: asyncio.Queue[FetchSnapshot] = asyncio.Queue()
        self._fetches: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._heard_at = self._flushed_at = time.monotonic()

    async def run(self) -> None:
        """Until the link is lost. Raises `LinkLost`, and whatever the handler raises."""
        now_ns = self._clock.now_ns()
        self._around.recorder.up(now_ns, self.source)
        events = self._around.books.opened(self.source, now_ns)
        self._subscriptions.opened(sum(isinstance(event, Order) for event in events), time.monotonic())
        self._around.pass_on(events)
        await first_end(self._read(), self._send(), self._fetch(), self._keep_watch())

    def carry_out(self, action: Send | FetchSnapshot) -> None:
        """Soon, and in the order of the calls, but for subscriptions that the venue's limit does not allow yet."""
        if not isinstance(action, Send):
            self._wanted.put_nowait(action)
        elif action.about:
            self._subscriptions.ask(action.about, action.frame)
            self._outgoing.put_nowait(None)
        else:
            self._outgoing.put_nowait(action.frame)

    def abort(self, reason: str) -> None:
        """End it at once; `run` raises `LinkLost` with this reason."""
        self._link.abort(reason)

    async def close(self) -> None:
        for fetch in self._fetches:
            fetch.cancel()
        await asyncio.gather(*self._fetches, return_exceptions=True)
        await self._link.close()

    async def _read(self) -> None:
        source, clock, link = self.source, self._clock, self._link
        recorder, books, pass_on = self._around.recorder, self._around.books, self._around.pass_on
        while True:
            frame = await link.receive()
            recv_ns = clock.now_ns()
            recorder.heard(recv_ns, source, frame)
            pass_on(books.heard(source, frame, recv_ns))
            self._heard_at = time.monotonic()

    async def _send(self) -> None:
        while True:
            frame = await self._outgoing.get()
            for each in self._subscriptions.due(time.monotonic()) if frame is None else (frame,):
                await self._manners.pace.turn()
                self._around.recorder.sent(self._clock.now_ns(), self.source, each)
                self._link.send(each)

    async def _fetch(self) -> None:
        """Side by side: one book's slow snapshot does not hold up another's."""
        while True:
            fetch = asyncio.create_task(self._fetch_one(await self._wanted.get()))
            self._fetches.add(fetch)
            fetch.add_done_callback(self._fetched)

    def _fetched(self, fetch: asyncio.Task[None]) -> None:
        self._fetches.discard(fetch)
        if not fetch.cancelled():
            self._broken = self._broken or fetch.exception()

    async def _fetch_one(self, wanted: FetchSnapshot) -> None:
        around, symbol = self._around, wanted.instrument.symbol
        number = around.recorder.asked(self._clock.now_ns(), self.source, wanted)
        try:
            body = await around.client.fetch(msgspec.structs.replace(wanted, url=around.urls.rest_url(wanted.url)))
        except NoSnapshot as error:
            now_ns = self._clock.now_ns()
            around.recorder.failed(now_ns, self.source, number, str(error))
            around.pass_on(around.books.fetch_failed(self.source, symbol, str(error), now_ns))
        else:
            now_ns = self._clock.now_ns()
            around.recorder.got(now_ns, self.source, number, body)
            around.pass_on(around.books.fetched(self.source, symbol, body, now_ns))

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(self._manners.tick_seconds)
            if self._broken is not None:
                raise self._broken
            self._tick()
            if self._subscriptions.waiting:
                self._outgoing.put_nowait(None)
            if self._link.fault:
                self._link.abort(self._link.fault)
            if self._clock.is_overtaken():
                self._link.abort(OVERTAKEN)
            now = time.monotonic()
            if now - self._heard_at > self._manners.idle_seconds:
                self._link.abort(f"no whole message in {self._manners.idle_seconds:g} s")
            if now - self._flushed_at > FLUSH_SECONDS:
                self._flushed_at = now
                self._around.recorder.flush()

    def _tick(self) -> None:
        now_ns = self._clock.now_ns()
        events = self._around.books.tick(self.source, now_ns)
        if events:
            # Recorded before what it leads to, so that a replay makes the calls in this order.
            self._around.recorder.ticked(now_ns, self.source)
            self._around.pass_on(events)
