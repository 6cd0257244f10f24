"""A node's frame to the decoded swap and to the opportunity, beside web3's subscription to the decoded call."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import uvloop
from msgspec import Struct
from web3 import AsyncWeb3, WebSocketProvider

from mempool.decode import DecodeTables, decode_transaction
from mempool.engine.core import Engine
from mempool.engine.run import targets_of
from mempool.errors import BadData
from mempool.feeds.endpoint import Endpoint
from mempool.feeds.events import NodeEvent, PendingSeen
from mempool.feeds.node import FeedOptions, NodeFeed
from mempool.market import MarketView
from mempool.model.record import OpportunityFound, PredictionMade, Record
from mempool.resources import load_tables, read_abis
from scripts._bench.figures import OURS, Figure, Options, Row, Section
from scripts._bench.peer import web3_routers
from scripts._bench.world import World, captured_world, mined_world

BUNDLED = Path("tests/fixtures/devnet.capture.gz")
FRAMES, QUICK_FRAMES = 1_000, 40
ROUNDS, QUICK_ROUNDS = 7, 1
EXPECTED = {"decoded swap": 40.0, "opportunity": 20.0}
CALM_SECONDS = 0.1
"""Between the subscription and the first frame, so that no answer is still under way when the time starts."""


class Node(Struct, frozen=True):
    """The server in its own process; `go` makes it send."""

    url: str
    go: Callable[[], None]


class Run(Struct, frozen=True):
    """What one contestant took for all frames, and what it made of them."""

    cpu_seconds: float
    wall_seconds: float
    swaps: int
    opportunities: int = 0


class Watch:
    """Stops when so many swaps are through."""

    def __init__(self, swaps: int) -> None:
        self.swaps, self.seen = swaps, 0
        self.done = asyncio.Event()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def note(self) -> None:
        self.seen += 1
        if self.seen == self.swaps:
            self.cpu_seconds, self.wall_seconds = time.process_time() - self._cpu, time.perf_counter() - self._wall
            self.done.set()

    def run(self, opportunities: int = 0) -> Run:
        return Run(self.cpu_seconds, self.wall_seconds, self.seen, opportunities)


Contest = Callable[[World, Node, int], Coroutine[Any, Any, Run]]
WEB3 = "web3"


def measure(options: Options) -> list[Section]:
    """Raises `BadData` or `CaptureError` where the capture or the blocks do not serve."""
    path = options.capture or BUNDLED
    if not path.is_file():
        raise BadData(f"{path}: there is no such capture; name one with --capture")
    tables = load_tables()
    worlds = [captured_world(path, tables)]
    if options.blocks:
        worlds.append(mined_world(options.blocks, tables))
    return [_race(world, quick=options.quick) for world in worlds]


def _race(world: World, *, quick: bool) -> Section:
    count, rounds = (QUICK_FRAMES, QUICK_ROUNDS) if quick else (FRAMES, ROUNDS)
    contests: dict[str, Contest] = {"decoded swap": to_decoded_swap}
    contests |= {_opportunity(market): partial(to_opportunity, views) for market, views in world.markets.items()}
    contests[WEB3] = by_web3
    runs: dict[str, list[Run]] = {name: [] for name in contests}
    with sending(world.frames(count)) as node:
        for number in range(rounds + 1):
            for name, contest in contests.items():
                gc.collect()
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    run = runner.run(contest(world, node, count // 2))
                if number:  # The first round warms up.
                    runs[name].append(run)
    return _section(world, runs, count)


def _opportunity(market: str) -> str:
    return f"opportunity, pools {market}" if market else "opportunity"


@contextlib.contextmanager
def sending(frames: list[bytes]) -> Iterator[Node]:
    """The server with these frames, for as long as the block lasts."""
    with tempfile.NamedTemporaryFile(prefix="mempool-bench-") as file:
        file.write(b"\n".join(frames))
        file.flush()
        command = (sys.executable, "-m", "scripts._bench.server", file.name)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as server:
            if server.stdin is None or server.stdout is None:
                raise AssertionError("the server was started with pipes")
            pipe = server.stdin
            try:
                yield Node(f"ws://127.0.0.1:{int(server.stdout.readline())}", lambda: _write_line(pipe))
            finally:
                pipe.close()
                server.terminate()


def _write_line(pipe: Any) -> None:
    pipe.write("go\n")
    pipe.flush()


async def to_decoded_swap(world: World, node: Node, swaps: int) -> Run:
    """Our feed, and the decoder."""

    def make(watch: Watch) -> Callable[[NodeEvent], None]:
        def handle(event: NodeEvent) -> None:
            if type(event) is PendingSeen:
                decode_transaction(world.tables, event.tx)
                watch.note()

        return handle

    return (await _by_feed(world.tables, node, swaps, make)).run()


async def to_opportunity(views: Sequence[MarketView], world: World, node: Node, swaps: int) -> Run:
    """Our feed, and the engine on each swap's view: decoded, followed, simulated, both detectors, priced."""
    counts = {PredictionMade: 0, OpportunityFound: 0}

    def emit(record: Record) -> None:
        if type(record) in counts:
            counts[type(record)] += 1

    engines = {id(view): market_engine(world.tables, view, emit) for view in views}
    in_turn = cycle([engines[id(view)] for view in views])

    def make(watch: Watch) -> Callable[[NodeEvent], None]:
        def handle(event: NodeEvent) -> None:
            if type(event) is PendingSeen:
                engine = next(in_turn)
                engine.now_ns = event.tx.recv_ns
                engine.on_pending(event.tx)
                watch.note()

        return handle

    watch = await _by_feed(world.tables, node, swaps, make)
    if counts[PredictionMade] < swaps:
        raise AssertionError(f"only {counts[PredictionMade]} of {swaps} swaps were simulated")
    return watch.run(counts[OpportunityFound])


def market_engine(tables: DecodeTables, view: MarketView, emit: Callable[[Record], None]) -> Engine:
    """An engine that has just been given the view's pools at its block."""
    engine = Engine(tables, emit)
    engine.market.apply_block(view.block, ())
    engine.on_pools(filter(None, map(view.pool, view.pools)), view.block)
    engine.take_pool_requests()
    return engine


async def _by_feed(tables: DecodeTables, node: Node, swaps: int, make: Callable[[Watch], Callable[[NodeEvent], None]]) -> Watch:
    handlers: list[Callable[[NodeEvent], None]] = []

    def handle(event: NodeEvent) -> None:
        for each in handlers:
            each(event)

    options = FeedOptions(chain_id=tables.chain.chain_id, targets=targets_of(tables), backfill_at_start=False)
    feed = NodeFeed(Endpoint.parse(node.url), "node", handle, options)
    running = asyncio.create_task(feed.run())
    await feed.ready.wait()
    await asyncio.sleep(CALM_SECONDS)
    watch = Watch(swaps)
    handlers.append(make(watch))
    node.go()
    await watch.done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return watch


async def by_web3(world: World, node: Node, swaps: int) -> Run:
    """web3's subscription to full bodies; those to a known router are decoded."""
    routers = web3_routers(world.tables.chain, read_abis())
    async with AsyncWeb3(WebSocketProvider(node.url)) as w3:
        await w3.eth.subscribe("newPendingTransactions", True)  # noqa: FBT003 - web3's own signature
        await asyncio.sleep(CALM_SECONDS)
        watch = Watch(swaps)
        node.go()
        async for message in w3.socket.process_subscriptions():
            transaction: Any = message["result"]
            router = routers.get(transaction["to"])
            if router is not None:
                router.decode(transaction["input"])
                watch.note()
                if watch.done.is_set():
                    break
    return watch.run()


def _section(world: World, runs: dict[str, list[Run]], count: int) -> Section:
    def figure(name: str, contest: str, seconds: Callable[[Run], float]) -> Figure:
        return Figure(name, tuple(seconds(run) / count for run in runs[contest]))

    rows = [
        Row(f"frame -> {work}, {how}", (figure(OURS, work, seconds), figure(WEB3, WEB3, seconds)), _expected(work))
        for how, seconds in (("CPU", _cpu), ("wall", _wall))
        for work in runs
        if work != WEB3
    ]
    return Section(f"a node's frame through a loopback websocket; {world.about}", "frame", tuple(rows), _notes(runs, count))


def _expected(work: str) -> dict[str, float]:
    return {WEB3: EXPECTED[work.split(",")[0]]}


def _cpu(run: Run) -> float:
    return run.cpu_seconds


def _wall(run: Run) -> float:
    return run.wall_seconds


def _notes(runs: dict[str, list[Run]], count: int) -> tuple[str, ...]:
    best = {name: count / min(run.wall_seconds for run in each) for name, each in runs.items()}
    found = {name: each[0].opportunities for name, each in runs.items() if each[0].opportunities}
    return (
        f"{count} frames a round, half swaps; found: " + ", ".join(f"{number} ({name})" for name, number in found.items()),
        "frames a second at best: " + ", ".join(f"{rate:,.0f} ({name})" for name, rate in best.items()),
        "web3: its subscription, decode_function_input, calls in calls too, and eth-abi for the Universal Router's commands",
        "all on uvloop in one process, the server in another",
    )
