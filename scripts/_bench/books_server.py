"""Venues on the loopback that send frames made beforehand, at a steady rate.

`python -m scripts._bench.books_server PAIR RATE COUNT VENUE ...` prints its port; a line that it reads makes it send so many
frames of the simulated venues, in turn, at that rate. Then it answers with a line of JSON: the seconds that this took, and
`[[venue, event_ns, sent_ns], ...]`, the venue's stamp in each frame of the pair's book and the monotonic clock's time when it was
written to the socket.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec import Struct
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from mempool.engine.books_followed import FollowedBooks
from mempool.exchanges import EXCHANGES
from mempool.exchanges.exchange import Exchange
from mempool.model.book import BookUpdate, Instrument
from scripts._exchanges.line import Line, simulated_venue

SEED = 1
CALM_SECONDS = 0.5
"""Before the first frame, so that no subscription is still under way."""
SECOND_NS = 1_000_000_000


class Timed(Struct, frozen=True):
    """A frame ready for the socket; `event_ns` is the venue's stamp where it is of the pair's book, else 0."""

    data: bytes
    event_ns: int


class Script(Struct, frozen=True):
    """What one venue says: after the client's so many requests the opening, with all snapshots, and then the rest."""

    requests: int
    opening: bytes
    frames: list[Timed]


def script_of(exchange: Exchange, instruments: Sequence[Instrument], count: int) -> Script:
    line = Line(simulated_venue(exchange.name, SEED), seed=SEED)
    line.connect("/")
    requests = exchange.subscribe(instruments)
    for request in requests:
        line.send(request)
    heard = _frames(line)
    opening, missing = [], {each.symbol for each in instruments}
    while missing:
        frame = next(heard)
        opening.append(_on_the_wire(frame))
        missing -= {each.symbol for each in _updates(exchange, frame) if each.is_snapshot}
    of_book = instruments[0].symbol
    frames = [Timed(_on_the_wire(frame), _stamp(exchange, frame, of_book)) for frame, _ in zip(heard, range(count), strict=False)]
    return Script(len(requests), b"".join(opening), frames)


def _frames(line: Line) -> Iterator[bytes]:
    while True:
        frame = line.next().frame
        if frame:
            yield frame


def _updates(exchange: Exchange, frame: bytes) -> list[BookUpdate]:
    return [message for message in exchange.parse(frame) if isinstance(message, BookUpdate)]


def _stamp(exchange: Exchange, frame: bytes, symbol: str) -> int:
    return next((each.event_ns for each in _updates(exchange, frame) if each.symbol == symbol), 0)


def _on_the_wire(frame: bytes) -> bytes:
    return Frame(Opcode.TEXT, frame).serialize(mask=False)


class Server:
    """Serves the scripts, one client each."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self._scripts = scripts
        self._connections: dict[str, ServerConnection] = {}

    async def converse(self, connection: ServerConnection) -> None:
        request = connection.request
        name = request.path.split("/")[1] if request is not None else ""
        script = self._scripts[name]
        asked = 0
        async for _ in connection:
            asked += 1
            if asked == script.requests:
                connection.transport.write(script.opening)
                self._connections[name] = connection

    async def send(self, rate: float) -> tuple[float, list[tuple[str, int, int]]]:
        """All frames, the venues' in turn: in how many seconds, and the stamps of those that have one."""
        await asyncio.sleep(CALM_SECONDS)
        by_turns = zip(*([(name, frame) for frame in script.frames] for name, script in self._scripts.items()), strict=True)
        sent: list[tuple[str, int, int]] = []
        started_ns = time.monotonic_ns()
        for number, (name, frame) in enumerate(chain.from_iterable(by_turns)):
            early = (started_ns + number * SECOND_NS / rate - time.monotonic_ns()) / SECOND_NS
            if early > 0:
                await asyncio.sleep(early)
            now_ns = time.monotonic_ns()
            self._connections[name].transport.write(frame.data)
            if frame.event_ns:
                sent.append((name, frame.event_ns, now_ns))
        return (time.monotonic_ns() - started_ns) / SECOND_NS, sent


async def main(pair: str, rate: float, count: int, venues: Sequence[str]) -> None:
    followed = FollowedBooks(venues, [pair])
    each = count // len(venues)
    server = Server({name: script_of(EXCHANGES[name], followed.of(EXCHANGES[name]), each) for name in venues})
    async with serve(server.converse, "127.0.0.1", 0, compression=None, ping_interval=None) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await server.send(rate)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
