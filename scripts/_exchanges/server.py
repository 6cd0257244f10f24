"""The simulated venues on one loopback port: websockets and REST, in real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from scripts._exchanges.book import Best
from scripts._exchanges.dialects import DIALECTS
from scripts._exchanges.faults import NOTHING, Action, Fault, Gate, Injector
from scripts._exchanges.line import simulated_venue
from scripts._exchanges.listings import LISTINGS, SECOND_NS, Listing
from scripts._exchanges.market import MidPrice, Waves
from scripts._exchanges.recording import RecordedVenue, Recording, dialect_of
from scripts._exchanges.venue import Answer, Client, Outgoing, Said, Venue

WAITING_FRAMES = 20_000
"""So many unread ones, and a client is cut."""
STEPS_AT_ONCE = 50
GOING_AWAY = 1001
DRIP_S = 0.2


class Connection(Gate):
    """A client's gate, and the queue of what is to be written to it."""

    def __init__(self, injector: Injector, client: Client, transport: asyncio.Transport) -> None:
        super().__init__(injector, client)
        self.transport = transport
        self._waiting: asyncio.Queue[Action] = asyncio.Queue(WAITING_FRAMES)

    def put(self, frames: Iterable[Outgoing]) -> None:
        self.put_actions(action for sent in frames for action in self.pass_on(sent))

    def put_actions(self, actions: Iterable[Action]) -> None:
        try:
            for action in actions:
                self._waiting.put_nowait(action)
        except asyncio.QueueFull:
            self.transport.abort()

    async def write(self, socket: web.WebSocketResponse) -> None:
        """Until the connection ends."""
        with suppress(ConnectionError):
            while True:
                action = await self._waiting.get()
                await asyncio.sleep(max(0, action.at_ns - time.time_ns()) / SECOND_NS)
                if action.closes:
                    await self._end(socket, action.closes)
                    return
                if action.pings:
                    await socket.ping(str(action.at_ns // 1_000_000).encode())
                elif action.stalls:
                    await self._drip(action.sent.frame)
                else:
                    await socket.send_frame(action.sent.frame, WSMsgType.TEXT)

    async def _end(self, socket: web.WebSocketResponse, how: str) -> None:
        if how == "close":
            await socket.close(code=GOING_AWAY)
        else:
            self.transport.abort()

    async def _drip(self, frame: bytes) -> None:
        """The head of a text frame that is longer than what comes of it, a byte at a time; the line breaks when it is time."""
        self.transport.write(b"\x81\x7f" + (len(frame) + 1_000_000).to_bytes(8))
        end = asyncio.get_running_loop().time() + max(0, self.mute_until_ns - time.time_ns()) / SECOND_NS
        while asyncio.get_running_loop().time() < end:
            self.transport.write(frame[:1])
            await asyncio.sleep(DRIP_S)
        self.transport.abort()


class ExchangeServer:
    """`injectors` and `venues` are by the venue's name; faults may be added to an injector while it runs."""

    def __init__(self, venues: Mapping[str, Venue], faults: Mapping[str, Sequence[Fault]], seed: int) -> None:
        self.venues = dict(venues)
        self.injectors = {name: Injector(venue, faults.get(name, ()), seed) for name, venue in venues.items()}
        self.port = 0
        self.requests: list[str] = []
        """The REST ones, venue and target."""
        self._connections: dict[str, list[Connection]] = {name: [] for name in venues}
        self._runs = asyncio.Event()
        self._runs.set()

    def url(self, venue: str) -> str:
        """Where the venue's websocket paths begin."""
        return f"ws://127.0.0.1:{self.port}/{venue}"

    def rest_url(self, venue: str) -> str:
        """Where its REST paths begin."""
        return f"http://127.0.0.1:{self.port}/{venue}"

    def instead_of(self, url: str, venue: str) -> str:
        """The simulated address for one of the real venue's, by websocket or REST."""
        parts = urlsplit(url)
        base = self.url(venue) if parts.scheme in ("ws", "wss") else self.rest_url(venue)
        return base + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def best(self, venue: str, symbol: str) -> Best:
        """The true best bid and offer now."""
        return self.venues[venue].books[symbol].best()

    def connections(self, venue: str) -> int:
        return len(self._connections[venue])

    def pause(self) -> None:
        """Let nothing change and no heartbeat pass until `resume`; what was sent still arrives."""
        self._runs.clear()

    def resume(self) -> None:
        self._runs.set()

    def cut(self, venue: str) -> None:
        """Break all of its connections."""
        for connection in self._connections[venue]:
            connection.transport.abort()

    async def run(self, name: str) -> None:
        """One venue, in real time; what a slow machine could not do in time is left out."""
        venue, ping_s, steps = self.venues[name], DIALECTS[name].ping_s, 0
        while True:
            await self._runs.wait()
            ahead_ns = venue.due_ns - time.time_ns()
            if ahead_ns < -SECOND_NS:
                venue.skip_to(time.time_ns())
            steps = steps + 1 if ahead_ns <= 0 else 0
            if ahead_ns > 0 or steps % STEPS_AT_ONCE == 0:
                await asyncio.sleep(max(0, ahead_ns) / SECOND_NS)
                continue
            beats = venue.beats
            self._spread(name, venue.step())
            if ping_s and venue.beats > beats and venue.beats % ping_s == 0:
                for connection in self._connections[name]:
                    connection.put_actions([Action(NOTHING, venue.now_ns, pings=True)])

    def _spread(self, name: str, said: Said) -> None:
        venue, connections = self.venues[name], self._connections[name]
        for connection in tuple(connections):
            restarts = venue.restarts
            connection.put(said(connection.client))
            if venue.restarts > restarts:
                for other in connections:
                    if other is not connection:
                        other.transport.abort()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["venue"]
        target = request.raw_path.removeprefix(f"/{name}") or "/"
        venue = self.venues.get(name)
        if venue is None:
            return web.Response(status=404, text=f"no venue {name}: {', '.join(self.venues)}")
        refusal = venue.refusal()
        if request.headers.get("Upgrade", "").lower() != "websocket":
            self.requests.append(f"{name} {target}")
            rest = dialect_of(venue).rest
            return _response(refusal or (rest(venue, target) if rest is not None else Answer(404, b"")))
        if refusal is not None:
            return _response(refusal)
        return await self._websocket(request, venue, target)

    async def _websocket(self, request: web.Request, venue: Venue, target: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        name = venue.name
        connection = Connection(self.injectors[name], dialect_of(venue).client(venue), transport)
        connection.put(connection.client.opened(target))
        self._connections[name].append(connection)
        writer = asyncio.create_task(connection.write(socket))
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    data = message.data
                    connection.put(connection.client.heard(data.encode() if isinstance(data, str) else data))
        finally:
            self._connections[name].remove(connection)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers, content_type="application/json")


@asynccontextmanager
async def exchange_server(
    *names: str,
    seed: int = 1,
    faults: Mapping[str, Sequence[Fault]] | None = None,
    mid: MidPrice | None = None,
    listings: Mapping[str, Sequence[Listing] | Recording] | None = None,
    port: int = 0,
) -> AsyncIterator[ExchangeServer]:
    """The named venues, or all five, that follow one mid price, or play a recording; `port` 0 is any."""
    market, start_ns, listed = mid or Waves(seed), time.time_ns(), {**LISTINGS, **(listings or {})}
    venues: dict[str, Venue] = {}
    for name in names or DIALECTS:
        books = listed[name]
        if isinstance(books, Recording):
            venues[name] = RecordedVenue(name, books, start_ns)
        else:
            venues[name] = simulated_venue(name, seed, listings=books, mid=market, start_ns=start_ns)
    server = ExchangeServer(venues, faults or {}, seed)
    app = web.Application()
    app.router.add_get("/{venue}/{rest:.*}", server.handle)
    app.router.add_get("/{venue}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.port = runner.addresses[0][1]
    tasks = [asyncio.create_task(server.run(name)) for name in venues]
    try:
        yield server
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in venues:
            server.cut(name)
        await runner.cleanup()
